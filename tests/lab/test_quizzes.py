"""A quiz in JupyterLab: answered by keyboard, whether it has been run or merely opened."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import expect

import camcourse

from .conftest import PATIENCE, Notebook, Server

NAME = "a-quiz.ipynb"
CHAPTER = "05-exploring-classes"
QUIZ = camcourse.quiz(CHAPTER)


@pytest.fixture(scope="module")
def shown(notebook: Notebook, server: Server) -> Notebook:
    """A notebook with two quizzes: one to be run, one that somebody else has run and saved."""
    run = nbformat.v4.new_code_cell(
        f'import camcourse\n\ncamcourse.quiz("{CHAPTER}")', id="cell-000"
    )
    data = {"text/html": QUIZ._repr_html_(), "text/plain": repr(QUIZ)}
    saved = nbformat.v4.new_output("execute_result", data, execution_count=1)
    opened = nbformat.v4.new_code_cell("", id="cell-001", outputs=[saved], execution_count=1)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = nbformat.v4.new_notebook(cells=[run, opened], metadata={"kernelspec": kernel})
    nbformat.write(made, server.folder / NAME)
    notebook.open(NAME)
    notebook.run(0)
    expect(notebook.cells.nth(0).locator(".camlib-quiz")).to_be_visible(timeout=PATIENCE)
    return notebook


@pytest.mark.parametrize("place", [0, 1], ids=["run", "opened"])
def test_keys_unfold_the_feedback(shown: Notebook, place: int) -> None:
    """Enter and Space answer; JupyterLab takes neither for a command of its own."""
    question = shown.cells.nth(place).locator("li").first
    for number, key in enumerate(("Enter", "Space")):
        answer = question.locator("details").nth(number)
        answer.locator("summary").focus()
        shown.page.keyboard.press(key)
        expect(answer.locator("p")).to_contain_text(QUIZ.questions[0].answers[number].feedback[:12])
        expect(answer.locator("p")).to_be_visible()
        expect(answer.locator("summary")).to_be_focused()
    assert shown.cells.count() == 2


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_no_barriers(shown: Notebook, theme: str) -> None:
    """In the quiz that was run; of the other one JupyterLab drops the names of groups."""
    shown.wear(theme)
    quiz = shown.cells.nth(0).locator(".camlib-quiz")
    groups = quiz.get_by_role("group", name=QUIZ.questions[1].ask.replace("*", ""))
    expect(groups).to_have_count(1)
    assert shown.barriers(".jp-Cell:first-child .camlib-quiz") == []
    shown.picture(f"quiz-{theme.lower()}")
