"""What counts as in sight of a chapter's reader, and that each limit can be broken."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tooling import reading

FENCE = "```"


def chapter(*cells: Any) -> Any:
    """A notebook of paragraphs (str), code (one-element lists), and folded code (two elements)."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(new_markdown_cell(cell))
        else:
            made.append(new_code_cell(cell[0], metadata={"tags": list(cell[1:])}))
    return new_notebook(cells=made)


def test_what_is_in_sight() -> None:
    """Formulas, fences, options, folded boxes, folded cells and solutions do not count."""
    measured = reading.length(
        chapter(
            "# Two words\n\n$$a + b$$\n\n:::{admonition} Three more words\n:class: tip\nfour\n:::",
            ":::{admonition} Not counted\n:class: dropdown\nnor this\n:::\n\nfive",
            ["x = 1\n\ny = 2"],
            ["z = 3\n" * 50, "hide-input"],
            f"{FENCE}{{exercise}} six\n:label: one\n\nseven\n{FENCE}",
            ["def f():\n    ...", "remove-output"],
            f"{FENCE}{{solution-start}} one\n:class: dropdown\n{FENCE}",
            "the solution in words",
            ["def f():\n    return 1"],
            f"the end of it\n\n{FENCE}{{solution-end}}\n{FENCE}\n\neight\n\n{FENCE}{{solution-start}} two\n{FENCE}",
            ["hidden = True"],
            f"{FENCE}{{solution-end}}\n{FENCE}",
        )
    )
    assert measured == reading.Length(words=10, lines=4, width=8, asserts=0)
    assert measured.within


@pytest.mark.parametrize(
    "cell",
    [
        "word " * (reading.WORDS + 1),
        ["x = 1\n" * (reading.LINES + 1)],
        [f"x = '{'a' * reading.WIDTH}'"],
        ["assert True\nassert 1"],
    ],
    ids=["words", "lines", "width", "asserts"],
)
def test_each_limit_can_be_broken(cell: Any) -> None:
    assert reading.length(chapter("A chapter.", ["assert True\nprint()"])).within
    assert not reading.length(chapter("A chapter.", cell)).within


def test_the_chapters_are_found() -> None:
    """The twelve that have a number, in their order."""
    assert [path.stem[:2] for path in reading.chapters()] == [f"{n:02}" for n in range(1, 13)]
