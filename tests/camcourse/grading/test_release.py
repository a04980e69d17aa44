"""The students' copies have no solution, hidden test or output, anywhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from camcourse import leaks, masters
from camcourse.masters import Master
from camcourse.release import LeakError, find_leaks, release, students_copy
from tests.camcourse.grading import small
from tests.camcourse.grading.conftest import Install

LINE = "with_itself = x + x"
HIDDEN = "hidden_number = 21"


def test_the_copy_by_hand(tmp_path: Path, install: Install) -> None:
    cells = small.whole()
    cells[5].outputs = [nbformat.v4.new_output("stream", text=LINE)]
    cells[5].execution_count = 3
    master = install(cells)
    path = release(small.NAME, tmp_path / "to")
    assert path == tmp_path / "to" / "small" / "small.ipynb"
    copy = nbformat.read(path, as_version=4)
    stub = "# YOUR CODE HERE\n    raise NotImplementedError()"
    assert [cell.source for cell in copy.cells] == [
        "# Twice\n\nAn assignment.",
        "import math",
        "## Question 1: twice",
        f'def double(x):\n    """Return twice a number."""\n    {stub}',
        'assert double(2) == 4, "twice two is four"',
        "double(3)",
        "## Question 2: why?",
        "YOUR ANSWER HERE",
    ]
    locked = [cell.metadata.get("editable") is False for cell in copy.cells]
    assert locked == [True, True, True, False, True, True, True, False]
    assert (copy.cells[5].outputs, copy.cells[5].execution_count) == ([], None)
    assert master.not_executed == {copy.cells[4].source, copy.cells[5].source}
    content = path.read_bytes()
    assert release(small.NAME, tmp_path / "to").read_bytes() == content


PLACES: dict[str, Callable[[list[Any], str], Any]] = {
    "text": lambda cells, line: cells[2].update(source=f"One may write `{line}`, for example."),
    "look": lambda cells, line: cells[5].update(source=f"double(3)\n# {line}"),
    "provided": lambda cells, line: cells[1].update(source=f"{line.replace(' ', '')}  # as below"),
    "comment": lambda cells, line: cells[3].update(source=f"{small.SOLUTION}\n    # hint: {line}"),
    "twice": lambda cells, line: cells[3].update(source=f"{small.SOLUTION}\n    {line}"),
    "public test": lambda cells, line: cells[4].update(source=f"{line}\n{small.TESTS}"),
    "spaces": lambda cells, line: cells[2].update(source="  ".join(line.split()) + "."),
    "two lines": lambda cells, line: cells[2].update(source=line.replace(" = ", " =\n    ")),
    "metadata": lambda cells, line: cells[5].metadata.update(notes={"of": ["me", {"solution": line}]}),
    "key of metadata": lambda cells, line: cells[5].metadata.update({line: True}),
    "attachment": lambda cells, line: cells[2].update(attachments={f"{line}.png": {"image/png": "aGk="}}),
}  # fmt: skip


@pytest.mark.parametrize("line", [LINE, HIDDEN], ids=["solution", "hidden test"])
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_line_is_found(tmp_path: Path, install: Install, place: str, line: str) -> None:
    cells = small.whole()
    PLACES[place](cells, line)
    install(cells)
    if (place, line) == ("public test", HIDDEN):  # hidden and public tests may have equal lines
        assert release(small.NAME, tmp_path / "to").exists()
        return
    with pytest.raises(LeakError, match=rf"small was not released: cell \d .*{line[:6]}"):
        release(small.NAME, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_secret_line_in_the_notebook_s_metadata(tmp_path: Path, master: Master) -> None:
    notebook = json.loads(master.path.read_text(encoding="utf-8"))
    notebook["metadata"]["widgets"] = {"state": [LINE]}
    master.path.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(LeakError, match="the notebook's metadata hold 'with_itself"):
        release(small.NAME, tmp_path / "to")


def test_a_picture_attached_to_a_model_answer(tmp_path: Path, install: Install) -> None:
    """nbgrader removes the text and keeps attachments."""
    picture = {"figure.png": {"image/png": base64.b64encode(b"a picture").decode()}}
    for place, leaks_it in ((2, False), (7, True)):
        cells = small.whole()
        cells[place].attachments = picture
        install(cells)
        if leaks_it:
            with pytest.raises(LeakError, match="cell 8 has the attachments of its solution"):
                release(small.NAME, tmp_path / "to")
        else:
            assert "figure.png" in release(small.NAME, tmp_path / "to").read_text(encoding="utf-8")


def test_leaks_that_nbgrader_would_leave(master: Master) -> None:
    copy = students_copy(master)
    assert find_leaks(master, copy) == []
    copy.cells[5].outputs = [nbformat.v4.new_output("stream", text="x")]
    assert find_leaks(master, copy) == ["cell 6 has outputs"]
    for mark in ("### BEGIN SOLUTION", "# end hidden tests", "BEGIN HIDDEN TESTS"):
        copy = students_copy(master)
        copy.cells[0].source += f"\n{mark} of mine"
        (found,) = find_leaks(master, copy)
        assert found.startswith("cell 1 shows the mark")
    copy = students_copy(master)
    copy.cells.append(nbformat.v4.new_markdown_cell(LINE))
    assert find_leaks(master, copy) == [f"cell 9 shows {LINE!r}"]
    text = "; ".join(find_leaks(master, nbformat.read(master.path, as_version=4)))
    for line in (LINE, "return with_itself", HIDDEN, "assert double(hidden_number)", "Because"):
        assert line in text


def test_common_lines_are_no_leaks(tmp_path: Path, install: Install) -> None:
    """Imports, first lines of blocks, parts of longer names."""
    inside = ["import functools", "with torch.no_grad():", "    return weight", "raise ValueError("]
    lines = ["### BEGIN SOLUTION", *inside, "    'x')", "### END SOLUTION"]
    source = "def f(x):\n" + "\n".join(f"    {line}" for line in lines)
    shown = "\n".join([*inside[:2], "    return weights", "# noreturn weight", inside[3], "'y')"])
    master = install([small.solution(source), small.provided(shown, "p")])
    assert release(small.NAME, tmp_path / "to").exists()
    assert "return weight" in leaks.secret_patterns(master)


def test_masters_are_not_overwritten(tmp_path: Path, master: Master) -> None:
    before = master.path.read_bytes()
    (tmp_path / "link").symlink_to(masters.SOURCES)
    for folder in (masters.SOURCES, masters.SOURCES / "small", tmp_path / "link"):
        with pytest.raises(ValueError, match=r"--to: .* is the folder of the masters"):
            release(small.NAME, folder)
    assert master.path.read_bytes() == before
    assert release(small.NAME, masters.SOURCES.parent / "release").exists()


def test_a_master_that_nbgrader_rejects(
    tmp_path: Path, install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """It checks the grade_ids of texts, too; nothing else is logged."""
    install([small.text("a", "twice"), small.text("b", "twice")])
    with pytest.raises(ValueError, match=r"small\.ipynb: nbgrader rejects it\. .*twice"):
        release(small.NAME, tmp_path / "to")
    assert caplog.records == []


@pytest.mark.parametrize("name", masters.names() or ["assignments/source is empty"])
def test_the_copies_of_the_assignments_have_no_secret_line(name: str) -> None:
    """A search in the whole file, without leaks.py."""
    master = masters.read(name)
    text = nbformat.writes(students_copy(master))
    assert "NotImplementedError" in text
    for mark in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS"):
        assert mark not in text
    whole = "\n".join(cell.source for cell in master.cells)
    shown = re.sub(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?### END \1", "", whole, flags=re.DOTALL)
    public = {line.strip() for line in shown.split("\n")}
    secret = {line.strip() for line in whole.split("\n") if len(line.strip()) > 12} - public
    assert len(secret) > 100
    assert [line for line in secret if json.dumps(line, ensure_ascii=False)[1:-1] in text] == []
