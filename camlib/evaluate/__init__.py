"""Layer 3: how good are a network and its maps on a whole data set?"""

from camlib.evaluate.methods import METHODS
from camlib.evaluate.scenes import evaluate_scenes
from camlib.evaluate.table import Table

__all__ = ["METHODS", "Table", "evaluate_scenes"]
