"""Quizzes in the built book: answered by keyboard, by touch, and without scripts; counted on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

import camcourse
from camcourse.quizzes import names
from tests.browsing import COLOURS

CHAPTER = "02-global-average-pooling"
PAGE = f"book/{CHAPTER}"
QUESTIONS = camcourse.quiz(CHAPTER).questions


def answer(page: Any, number: int, right: bool) -> Locator:
    """The right answer of a question, or the first one that is not."""
    chosen = [one.right for one in QUESTIONS[number].answers].index(right)
    group = page.locator(".camlib-quiz").get_by_role("group", name=shown(QUESTIONS[number].ask))
    found: Locator = group.locator("details").nth(chosen)
    return found


def shown(text: str) -> str:
    return text.replace("`", "").replace("*", "")


@pytest.mark.parametrize("name", names())
def test_every_chapter_ends_with_its_quiz(built: Path, name: str) -> None:
    """Right before what is to be remembered, just as camlib gives it."""
    text = (built / "book" / f"{name}.html").read_text(encoding="utf-8")
    before, found, after = text.partition(camcourse.quiz(name)._repr_html_())
    assert found
    assert ">Check yourself<" in before
    assert "<h2>" not in before.rpartition(">Check yourself<")[2]
    assert after.partition("<h2>")[2].lstrip().startswith("Remember")


def test_keyboard_alone_answers(visit: Callable[..., Any]) -> None:
    """Tab leads from answer to answer, Enter and Space choose, and one answer is open at a time."""
    visited = visit(PAGE)
    page = visited.page
    answers = page.locator(".camlib-quiz details")
    answers.first.locator("summary").focus()
    page.keyboard.press("Shift+Tab")  # to whatever stands before the quiz
    for number, key in enumerate(("Enter", "Space")):
        page.keyboard.press("Tab")
        expect(answers.nth(number).locator("summary")).to_be_focused()
        page.keyboard.press(key)
        said = QUESTIONS[0].answers[number]
        verdict = "Right." if said.right else "Not this one."
        expect(answers.nth(number).locator("p")).to_be_visible()
        expect(answers.nth(number).locator("p")).to_have_text(f"{verdict} {shown(said.feedback)}")
        expect(page.locator(".camlib-quiz details[open]")).to_have_count(1)
    page.keyboard.press("Space")
    expect(page.locator(".camlib-quiz details[open]")).to_have_count(0)
    ring = answers.nth(1).locator("summary").evaluate("e => getComputedStyle(e).outlineStyle")
    assert ring == "solid"
    assert visited.problems == []


def test_first_tries_are_counted_and_leave_no_trace(visit: Callable[..., Any]) -> None:
    """One right, one wrong and then right, the rest right: all but one at the first try."""
    visited = visit(PAGE)
    page = visited.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    kept = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    before = page.evaluate(kept)
    count = page.locator(".camlib-quiz").get_by_role("status")
    expect(count).to_have_count(1)
    expect(count).to_be_empty()
    many, left = len(QUESTIONS), len(QUESTIONS) - 1
    answer(page, 0, True).locator("summary").click()
    expect(count).to_have_text(f"1 of 1 right at the first try, {left} questions to go.")
    for right in (False, True):
        answer(page, 1, right).locator("summary").click()
        start = "1 of 2 right at the first try"
        expect(count).to_have_text(f"{start}, {left - 1} questions to go.")
    for number in range(2, many):
        answer(page, number, True).locator("summary").click()
    expect(count).to_have_text(f"{many - 1} of {many} right at the first try.")
    assert [url for url in asked if "/_static/fonts/" not in url] == []
    assert page.evaluate(kept) == before
    assert visited.problems == []


def test_without_scripts_every_answer_speaks(visit: Callable[..., Any]) -> None:
    page = visit(PAGE, scripts=False).page
    expect(page.locator(".camlib-quiz [role=status]")).to_have_count(0)
    for number in range(len(QUESTIONS)):
        for right in (False, True):
            one = answer(page, number, right)
            expect(one.locator("p")).to_be_hidden()
            one.locator("summary").click()
            expect(one.locator("p")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_answered_it_has_no_barriers_and_no_overflow(visit: Callable[..., Any], width: int) -> None:
    """Half of the questions answered right, half of them not: contrast, names, size of targets."""
    visited = visit(PAGE, width=width)
    page = visited.page
    for number in range(len(QUESTIONS)):
        answer(page, number, number % 2 == 0).locator("summary").click()
    quiz = page.locator(".camlib-quiz")
    assert quiz.evaluate("quiz => quiz.scrollWidth <= quiz.clientWidth + 1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heights = quiz.locator("summary").evaluate_all("all => all.map((e) => e.offsetHeight)")
    assert min(heights) >= 44
    assert visited.barriers(".camlib-quiz") == []
    visited.wear("dark")
    assert visited.barriers(".camlib-quiz", rules=COLOURS) == []
    assert visited.problems == []
    assert visited.foreign == []


def test_on_paper_the_answers_are_there_and_the_feedback_is_not(visit: Callable[..., Any]) -> None:
    page = visit(PAGE).page
    page.emulate_media(media="print")
    for summary in page.locator(".camlib-quiz summary").all():
        expect(summary).to_be_visible()
    for feedback in page.locator(".camlib-quiz details > p").all():
        expect(feedback).to_be_hidden()
