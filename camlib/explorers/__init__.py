"""Layer 5: explorers, alive in Jupyter as widgets and in a static page without a kernel."""

from camlib.explorers.class_explorer import ClassExplorer
from camlib.explorers.upsampling_explorer import UpsamplingExplorer

__all__ = ["ClassExplorer", "UpsamplingExplorer"]
