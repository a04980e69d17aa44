"""Layer 2: find a network's head by running it again on other numbers.

``record`` notes a network's calls, ``replay`` makes them again with other numbers, ``linearity`` asks
whether the result is affine, ``features`` finds the maps whose average they begin with, ``find`` puts
this together and remembers it, ``head`` makes maps and proves them, ``refusal`` says why there are none.
``checks`` refuses bad input, ``running`` puts a network into evaluation mode.
"""

from camlib.head.find import find_head
from camlib.head.head import Head

__all__ = ["Head", "find_head"]
