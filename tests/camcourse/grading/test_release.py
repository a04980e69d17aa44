"""The students' copies: what is gone from them, and that nothing of it is left anywhere."""

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
from camcourse.release import LeakError, leaking, release, students_copy
from tests.camcourse.grading import small

STUB = "# YOUR CODE HERE\n    raise NotImplementedError()"
LINE = "with_itself = x + x"
HIDDEN = "hidden_number = 21"


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> masters.Master:
    return small.install(monkeypatch, tmp_path / "source")


def test_the_copy_by_hand(tmp_path: Path, master: masters.Master) -> None:
    path = release(small.NAME, tmp_path / "to")
    assert path == tmp_path / "to" / "small" / "small.ipynb"
    copy = nbformat.read(path, as_version=4)
    assert [cell.source for cell in copy.cells] == [
        "# Twice\n\nAn assignment.",
        "import math",
        "## Question 1: twice",
        f'def double(x):\n    """Return twice a number."""\n    {STUB}',
        'assert double(2) == 4, "twice two is four"',
        "double(3)",
        "## Question 2: why?",
        "YOUR ANSWER HERE",
    ]
    locked = [cell.metadata.get("editable") is False for cell in copy.cells]
    assert locked == [True, True, True, False, True, True, True, False]


def test_outputs_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = small.whole()
    cells[5].outputs = [nbformat.v4.new_output("stream", text=LINE)]
    cells[5].execution_count = 3
    small.install(monkeypatch, tmp_path / "source", cells)
    text = release(small.NAME, tmp_path / "to").read_text(encoding="utf-8")
    assert LINE not in text
    assert '"execution_count": 3' not in text


def test_twice_the_same_bytes(tmp_path: Path, master: masters.Master) -> None:
    one, other = (release(small.NAME, tmp_path / name).read_bytes() for name in ("1", "2"))
    assert one == other
    assert release(small.NAME, tmp_path / "1").read_bytes() == one, "also over an older one"


def test_what_runs_to_grade_is_what_students_have(master: masters.Master) -> None:
    """The grader knows the cells that need not run by their text."""
    copy = students_copy(master)
    assert master.idle == {copy.cells[4].source, copy.cells[5].source}


def in_text(cells: list[Any], line: str) -> None:
    cells[2].source += f"\n\nOne may write `{line}`, for example."


def in_a_cell_to_look_at(cells: list[Any], line: str) -> None:
    cells[5].source += f"\n# {line}"


def in_given_code(cells: list[Any], line: str) -> None:
    cells[1].source += f"\n{line.replace(' ', '')}  # as below"


def in_the_stub(cells: list[Any], line: str) -> None:
    cells[3].source += f"\n    # hint: {line}"


def once_more_below_the_stub(cells: list[Any], line: str) -> None:
    cells[3].source += f"\n    {line}"


def in_visible_tests(cells: list[Any], line: str) -> None:
    cells[4].source = f"{line}\n{cells[4].source}"


def in_another_order_of_spaces(cells: list[Any], line: str) -> None:
    cells[2].source += "\n" + "  ".join(line.split()) + "."


def across_two_lines(cells: list[Any], line: str) -> None:
    cells[2].source += "\n" + line.replace(" = ", " =\n    ")


def in_metadata(cells: list[Any], line: str) -> None:
    cells[5].metadata["notes"] = {"of": ["mine", {"solution": line}]}


def in_a_name_of_metadata(cells: list[Any], line: str) -> None:
    cells[5].metadata[line] = True


def in_the_name_of_an_attachment(cells: list[Any], line: str) -> None:
    cells[2].attachments = {f"{line}.png": {"image/png": "aGk="}}


PLACES = (
    in_text, in_a_cell_to_look_at, in_given_code, in_the_stub, once_more_below_the_stub, in_visible_tests,
    in_another_order_of_spaces, across_two_lines, in_metadata, in_a_name_of_metadata,
    in_the_name_of_an_attachment,
)  # fmt: skip


def secret_in(place: Callable[..., None], line: str, folder: Path, patch: Any) -> masters.Master:
    cells = small.whole()
    place(cells, line)
    return small.install(patch, folder, cells)


@pytest.mark.parametrize("line", [LINE, HIDDEN], ids=["solution", "hidden test"])
@pytest.mark.parametrize("place", PLACES)
def test_a_line_that_survives_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[..., None], line: str
) -> None:
    cells = small.whole()
    place(cells, line)
    small.install(monkeypatch, tmp_path / "source", cells)
    if (place, line) == (in_visible_tests, HIDDEN):
        assert release(small.NAME, tmp_path / "to").exists(), "hidden tests may begin like others"
        return
    with pytest.raises(LeakError, match=rf"small was not released: cell \d .*{line[:6]}"):
        release(small.NAME, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_line_in_the_notebook_s_own_metadata(tmp_path: Path, master: masters.Master) -> None:
    notebook = json.loads(master.path.read_text(encoding="utf-8"))
    notebook["metadata"]["widgets"] = {"state": [LINE]}
    master.path.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(LeakError, match="the notebook's metadata hold 'with_itself"):
        release(small.NAME, tmp_path / "to")


def test_the_model_answer_s_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader takes the text away and leaves what is attached to it; a text's own may execution."""
    picture = {"figure.png": {"image/png": base64.b64encode(b"a picture").decode()}}
    cells = small.whole()
    cells[2].attachments = picture
    small.install(monkeypatch, tmp_path / "one", cells)
    assert "figure.png" in release(small.NAME, tmp_path / "to").read_text(encoding="utf-8")
    cells = small.whole()
    cells[7].attachments = picture
    small.install(monkeypatch, tmp_path / "other", cells)
    with pytest.raises(LeakError, match="cell 8 has the attachments of its solution"):
        release(small.NAME, tmp_path / "to")


def test_outputs_and_marks_in_a_copy_are_found(master: masters.Master) -> None:
    """Should nbgrader ever leave one there."""
    copy = students_copy(master)
    assert leaking(master, copy) == []
    copy.cells[5].outputs = [nbformat.v4.new_output("stream", text="x")]
    assert leaking(master, copy) == ["cell 6 has outputs"]
    for mark in ("### BEGIN SOLUTION", "# end hidden tests", "BEGIN HIDDEN TESTS"):
        copy = students_copy(master)
        copy.cells[0].source += f"\n{mark} of mine"
        (found,) = leaking(master, copy)
        assert found.startswith("cell 1 shows the mark")


def test_a_copy_in_which_nothing_was_cleared(master: masters.Master) -> None:
    whole = nbformat.read(master.path, as_version=4)
    text = "; ".join(leaking(master, whole))
    for line in (LINE, "return with_itself", HIDDEN, "assert double(hidden_number)", "Because"):
        assert line in text


def test_a_longer_copy_is_looked_through_as_well(master: masters.Master) -> None:
    copy = students_copy(master)
    copy.cells.append(nbformat.v4.new_markdown_cell(LINE))
    assert leaking(master, copy) == [f"cell 9 shows {LINE!r}"]


def test_what_many_programs_have_is_no_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imports, heads of blocks, parts of longer names."""
    inside = ["import functools", "with torch.no_grad():", "    return weight", "raise ValueError("]
    lines = ["### BEGIN SOLUTION", *inside, "    'x')", "### END SOLUTION"]
    source = "def f(x):\n" + "\n".join(f"    {line}" for line in lines)
    shown = "\n".join([*inside[:2], "    return weights", "# noreturn weight", inside[3], "'y')"])
    small.install(
        monkeypatch, tmp_path / "source", [small.solution(source), small.provided(shown, "p")]
    )
    assert release(small.NAME, tmp_path / "to").exists()
    assert "return weight" in leaks.secrets(masters.read(small.NAME))


def test_the_masters_are_never_written_over(tmp_path: Path, master: masters.Master) -> None:
    before = master.path.read_bytes()
    (tmp_path / "link").symlink_to(masters.SOURCES)
    for folder in (masters.SOURCES, masters.SOURCES / "small", tmp_path / "link"):
        with pytest.raises(ValueError, match="holds the masters"):
            release(small.NAME, folder)
    assert master.path.read_bytes() == before
    assert release(small.NAME, masters.SOURCES.parent / "release").exists()


def test_what_nbgrader_does_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A grade_id twice, which only matters to nbgrader where there are no points; it is said once."""
    cells = [small.text("a", "twice"), small.text("b", "twice")]
    small.install(monkeypatch, tmp_path / "s", cells)
    with pytest.raises(ValueError, match=r"small\.ipynb: nbgrader refuses it\. .*twice"):
        release(small.NAME, tmp_path / "to")
    assert caplog.records == []


@pytest.mark.parametrize("name", masters.names() or ["assignments/source is empty"])
def test_no_copy_shows_a_mark_or_a_secret_line(name: str) -> None:
    """As grep would look: the whole file, with nothing known of cells."""
    master = masters.read(name)
    text = nbformat.writes(students_copy(master))
    assert "NotImplementedError" in text
    for mark in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS"):
        assert mark not in text
    whole = "\n".join(cell.source for cell in master.cells)
    shown = re.sub(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?### END \1", "", whole, flags=re.DOTALL)
    open_lines = {line.strip() for line in shown.split("\n")}
    secret = {line.strip() for line in whole.split("\n") if len(line.strip()) > 12} - open_lines
    assert len(secret) > 100
    written = {line: json.dumps(line, ensure_ascii=False)[1:-1] for line in secret}
    assert [line for line in secret if written[line] in text] == []
