"""Layer 5: explorers, alive in Jupyter as widgets and in a static page without a kernel."""

from camlib.explorers.class_explorer import ClassExplorer

__all__ = ["ClassExplorer"]
