"""Layer 3: train the small networks on scenes of garments, from scratch or from another network."""

from camlib.training.loop import Trained, train
from camlib.training.recipe import Recipe

__all__ = ["Recipe", "Trained", "train"]
