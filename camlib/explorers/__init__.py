"""Layer 5: explorers, alive in Jupyter as widgets and in a static page without a kernel."""

from camlib.explorers.box_explorer import BoxExplorer
from camlib.explorers.class_explorer import ClassExplorer
from camlib.explorers.frame_explorer import FrameExplorer
from camlib.explorers.method_comparer import MethodComparer
from camlib.explorers.pooling_explorer import PoolingExplorer
from camlib.explorers.upsampling_explorer import UpsamplingExplorer
from camlib.explorers.weighted_sum_explorer import WeightedSumExplorer

__all__ = [
    "BoxExplorer",
    "ClassExplorer",
    "FrameExplorer",
    "MethodComparer",
    "PoolingExplorer",
    "UpsamplingExplorer",
    "WeightedSumExplorer",
]
