"""What every explorer is: a widget where there is a kernel, complete HTML where there is none."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import traitlets
from anywidget import AnyWidget
from jaxtyping import UInt8

from camlib.explorers import dual_output
from camlib.plotting import Drawing


class Checked(traitlets.TraitType[Any, Any]):
    """A trait that the reader may change: ``check(name, value, *limits)`` returns it, or raises.

    A limit that is a function is called with the explorer. The ready-made traits say neither what
    was expected nor how to fix it, and those that admit None admit it unchecked.
    """

    def __init__(self, check: Callable[..., Any], *limits: Any) -> None:
        super().__init__()
        self.check, self.limits = check, limits
        self.tag(sync=True)

    def validate(self, explorer: Any, value: Any) -> Any:
        """Return the value to keep; where this raises, the explorer keeps the one it has."""
        limits = (limit(explorer) if callable(limit) else limit for limit in self.limits)
        return self.check(self.name, value, *limits)


class Explorer(AnyWidget):
    """Shown twice by one object: the widget for Jupyter, and HTML for a page without a kernel.

    A subclass has one trait :class:`Checked` for each thing that a reader may change, draws its
    picture in :meth:`_static_html`, and names its ES module: "class_explorer" for
    ``class_explorer.mjs``.
    """

    module: ClassVar[str]
    # All explorers' modules as one, in which the widget finds its own by `_module`: Jupyter loads a
    # widget's code from an address that has no neighbours to import.
    # Made by `python -m tooling.sphinx_ext.explorers`.
    _esm = Path(__file__).parent / "widgets.js"
    _module = traitlets.Unicode().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)

    def __init__(self, data: dict[str, Any], **state: Any) -> None:
        super().__init__(_module=self.module, _data=data, **state)

    @property
    def state(self) -> dict[str, Any]:
        """What the reader has chosen, by the names of the traits."""
        # In the order of the class's body; an object's own class is a subclass that anywidget makes.
        named = [pair for one in type(self).mro() for pair in vars(one).items()]
        return {name: getattr(self, name) for name, trait in named if isinstance(trait, Checked)}

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
        """Return HTML that is complete without scripts, and that the ES module brings to life.

        ``alt`` is the picture in words, ``caption`` is HTML.
        """
        if isinstance(picture, Drawing):
            address, (height, width) = dual_output.drawing_url(picture)
        else:
            address, (height, width) = dual_output.jpeg_url(picture), picture.shape[:2]
        data = json.dumps({**self._data, "state": self.state}, separators=(",", ":"))
        # Names come from the caller: no "</script>" or "<!--" among them may end the block early.
        block = data.replace("<", "\\u003c")
        return (
            f'<figure class="camlib-explorer" data-camlib-explorer="{self.module}">\n'
            f'<img class="dark-light" src="{address}" alt="{html.escape(alt)}" '
            f'width="{width}" height="{height}">\n'
            f"<figcaption>{caption}</figcaption>\n"
            f'<script type="application/json">{block}</script>\n'
            "</figure>"
        )
