"""What every explorer is: a widget where there is a kernel, complete HTML where there is none."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import traitlets
from anywidget import AnyWidget
from jaxtyping import UInt8

from camlib.explorers.dual_output import static_figure
from camlib.plotting import Drawing


class Explorer(AnyWidget):
    """Shown twice by one object; see :mod:`camlib.explorers.dual_output`.

    A subclass names its ES module (``module``, with ``_esm = modules.joined(module)``) and the
    traits that a reader may change (``state``), and draws its picture in :meth:`_static_html`.
    """

    module: ClassVar[str]
    state: ClassVar[tuple[str, ...]]
    _data = traitlets.Dict().tag(sync=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the widget for Jupyter, and HTML for a page without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:  # a widget without a view has nothing to show
            return None
        data, metadata = bundle
        return {**data, "text/plain": repr(self), "text/html": self._static_html()}, metadata

    def _static_html(self) -> str:
        """Return the figure that is complete without scripts: made by :meth:`_figure`."""
        raise NotImplementedError

    def _figure(self, picture: UInt8[np.ndarray, "H W 3"] | Drawing, alt: str, caption: str) -> str:
        """Return the HTML of a drawn picture with all that the ES module needs to wake it."""
        chosen = {name: getattr(self, name) for name in self.state}
        kind = self.module.removesuffix(".mjs")
        return static_figure(kind, picture, alt, caption, data={**self._data, "state": chosen})
