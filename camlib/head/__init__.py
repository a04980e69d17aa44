"""Layer 2: find a network's head by running it again on other numbers.

``record`` notes a network's calls, ``replay`` makes them again with other numbers, ``linearity`` asks
whether the result is affine, ``features`` finds the maps whose average they begin with, ``find`` puts
this together, ``remember`` looks there again; ``head`` makes maps and proves them, ``refusal`` says why there are none.
"""

from camlib.head.find import find_head
from camlib.head.head import Head

__all__ = ["Head", "find_head"]
