"""Layer 3: how good are a network and its maps on a whole data set?"""

from camlib.evaluate.folder import FolderData
from camlib.evaluate.measuring import METHODS, DataSet, measure
from camlib.evaluate.table import Localization, Table

__all__ = ["METHODS", "DataSet", "FolderData", "Localization", "Table", "measure"]
