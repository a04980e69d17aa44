"""An explorer's ES module and all that it imports, joined into one for Jupyter.

In a page the modules import each other. anywidget loads a widget's code from a blob address, which
knows no neighbours: there it has to be one text.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
# The only form of import that the modules use: names as they are, from a file beside or below.
_IMPORT = re.compile(r'^import \{[^}]*\} from "(?P<address>\./[^"]+)";\n', re.MULTILINE)


@cache
def joined(name: str) -> str:
    """Return the ES module ``name`` behind everything that it imports.

    Names keep their meaning, for no two modules use one name for two things: a browser refuses a
    module in which two do, and the tests let a browser read each explorer's.

    Parameters
    ----------
    name
        File name in this folder, for example "class_explorer.mjs".
    """
    return "\n".join(_without_imports(path) for path in _in_order(FOLDER / name, []))


def _in_order(path: Path, before: list[Path]) -> list[Path]:
    """Append a module to ``before``, after those that it imports; each comes once."""
    if path not in before:
        for found in _IMPORT.finditer(path.read_text(encoding="utf-8")):
            _in_order((path.parent / found["address"]).resolve(), before)
        before.append(path)
    return before


def _without_imports(path: Path) -> str:
    return _IMPORT.sub("", path.read_text(encoding="utf-8"))
