"""Layer 3: how good are a network and its maps on a whole data set?"""

from camlib.evaluate.methods import METHODS
from camlib.evaluate.table import Localization, Table

__all__ = ["METHODS", "Localization", "Table"]
