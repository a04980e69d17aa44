"""Find a network's head by running it again on other numbers.

``record`` notes the calls of a forward pass, ``replay`` makes them again with other numbers,
``linearity`` decides whether the result is affine, ``features`` finds the maps that are averaged first,
``location`` remembers where, and ``find`` puts this together. ``head`` computes maps and proves them;
``refusal`` explains why there are none.
"""

from camlib.head.find import find_head
from camlib.head.head import Head

__all__ = ["Head", "find_head"]
