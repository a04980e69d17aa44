"""Signatures: a widget class is documented with the arguments of its own ``__init__``.

The widgets' base class defines a ``__new__`` that takes anything, and autodoc would show that.
"""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature


def use_init(
    app: Sphinx,
    what: str,
    name: str,
    obj: Any,
    options: Any,
    signature: str | None,
    return_annotation: str | None,
) -> tuple[str, None] | None:
    """Replace a class's signature that says nothing by that of its ``__init__``."""
    if what != "class" or not (signature or "").startswith("(*args"):
        return None
    parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
    shown = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return stringify_signature(inspect.Signature(shown)), None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the event."""
    app.connect("autodoc-process-signature", use_init)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
