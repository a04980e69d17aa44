"""Pages for students: what they say, and what they must not say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from camcourse.grading.feedback import MAX_NOTES, STATUS, feedback, file_name
from camcourse.grading.results import Mark, Result
from tests.camcourse.grading import small
from tests.camcourse.grading.conftest import Install
from tooling import browser

HOSTILE = "<script>document.title='taken'</script>\"'&amp;<img src=x onerror=alert(1)>{{ 7*7 }}"

pytestmark = pytest.mark.usefixtures("master")


class Text(HTMLParser):
    """The text of a page, and the names of its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def __str__(self) -> str:
        return " ".join(" ".join(self.parts).split())


def pages(folder: Path, *results: Result) -> list[str]:
    small.graded(folder / "grades", *results)
    return [path.read_text("utf-8") for path in feedback(folder / "grades", folder / "pages")]


def page(folder: Path, result: Result) -> str:
    (text,) = pages(folder, result)
    return text


def test_a_page_by_hand(tmp_path: Path) -> None:
    """No points of two for the tests; three are still to come."""
    html = page(tmp_path / "open", small.result(points=0))
    text = str(Text(html))
    total = "0 of 5 points; 3 of them are still to be marked by a person."
    assert f"Twice ada · ada.ipynb {total}" in text
    assert "Question 1: twice 0 / 2 not right yet twice two is four" in text
    assert "Question 2: why? – / 3 not marked yet" in text
    for words in ("While the cells ran", "Graded.", "assert", "commutative"):
        assert words not in html
    result = small.result()
    result.marks[1] = Mark("q2-answer", 2.5, 3, "marked")
    text = str(Text(page(tmp_path / "marked", result)))
    assert "4.5 of 5 points." in text
    assert "Question 1: twice 2 / 2 right Question 2: why? 2.5 / 3 marked by a person" in text


def test_errors_are_reported(tmp_path: Path) -> None:
    result = small.result()
    result.status, result.reason = "stopped: too slow", "cell 3: it took longer than it may"
    result.notes = [f"cell {n}: ZeroDivisionError" for n in range(MAX_NOTES + 7)]
    text = str(Text(page(tmp_path, result)))
    assert "Stopped: too slow. cell 3: it took longer than it may" in text
    assert "A question may have lost its points because of one of them. cell 0:" in text
    assert f"cell {MAX_NOTES - 1}: ZeroDivisionError … and 7 more" in text
    assert f"cell {MAX_NOTES}:" not in text


def test_every_status_has_words(tmp_path: Path) -> None:
    for status in (*STATUS, "of another version"):
        result = small.result()
        result.marks[0].status = status
        assert STATUS.get(status, status) in str(Text(page(tmp_path / status, result)))


def test_only_the_submission_that_counts_has_a_page(tmp_path: Path) -> None:
    one, other = small.result("ada/1.ipynb", 0), small.result("ada/2.ipynb", 2)
    (text,) = pages(tmp_path, one, other)
    assert "ada/2.ipynb" in text


def test_texts_are_escaped(tmp_path: Path, install: Install) -> None:
    """Of students, and of the master."""
    install([small.text("# A < B & <b>C</b>"), small.checks(), small.answer()])
    result = small.result(f"{HOSTILE}/x.ipynb")
    result.student = result.reason = HOSTILE
    result.marks[0] = Mark("q1-test", 0, 2, "failed", HOSTILE, HOSTILE)
    result.notes = [HOSTILE]
    text = Text(page(tmp_path, result))
    assert not {"script", "img", "b"} & text.tags
    assert "A < B & <b>C</b>" in str(text)
    assert str(text).count(HOSTILE) == 6, "title, student, file, reason, mark, note"


def test_lone_surrogates_are_escaped(tmp_path: Path) -> None:
    result = small.result(points=0)
    result.marks[0].reason = "double raised \ud800"
    assert r"double raised \ud800" in page(tmp_path, result)


@pytest.mark.parametrize("line", ["hidden_number = 21", "with_itself = x + x", "hidden_number=21"])
def test_hidden_tests_and_solutions_are_never_quoted(tmp_path: Path, line: str) -> None:
    result = small.result(points=0)
    result.reason = result.marks[0].reason = f"SyntaxError in\n    {line}\n"
    result.notes = [f"cell 1: {line}"]
    text = page(tmp_path, result)
    assert line not in text
    assert text.count("a test did not pass") == 3


NAMES = ["ada", "..", "/", "", ".", "\\", "CON", "a" * 300, "試" * 300, "𠮷" * 300, "a/b", "a\\b",
         "A", "a", "имя файла", "x\n\r\ty", "--", '"<>|:*?', "e\N{COMBINING ACUTE ACCENT}", "é"]  # fmt: skip


def test_file_names(tmp_path: Path) -> None:
    """Valid on every system, and different where case does not count. SHA-256 of "ada" by hand."""
    assert file_name("ada") == "ada-fdee430d"
    results = [small.result(f"{n}/x.ipynb") for n in range(len(NAMES))]
    for result, name in zip(results, NAMES, strict=True):
        result.student = name
    pages(tmp_path, *results)
    written = [path.name for path in (tmp_path / "pages").iterdir()]
    assert len({name.lower() for name in written}) == len(NAMES)
    for name in written:
        assert re.fullmatch(r"[\w][\w-]*-[0-9a-f]{8}\.html", name)
        assert len(name.encode()) < 100


def test_wrong_folders(tmp_path: Path, install: Install) -> None:
    with pytest.raises(ValueError, match="expected the folder that `grade` wrote"):
        feedback(tmp_path, tmp_path / "pages")
    small.graded(tmp_path / "grades", small.result())
    install([small.checks()])
    with pytest.raises(ValueError, match="other questions now"):
        feedback(tmp_path / "grades", tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


# in a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=browser.find(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_a_phone(chromium: Browser, tmp_path: Path, scheme: Any) -> None:
    """Nothing is wider than the screen, and text has contrast in both colour schemes."""
    long = "unbroken" * 40
    result = small.result(f"{long}/x.ipynb", 0)
    result.status, result.reason = "stopped: ended itself", long
    result.marks[0].reason, result.notes = long, [long]
    (path,) = feedback(small.graded(tmp_path / "grades", result), tmp_path / "pages")
    page = chromium.new_page(color_scheme=scheme, viewport={"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    narrowest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('th, td')].map(one => one.clientWidth))"
    )
    assert narrowest > 50
    ink, ground = page.evaluate(
        """() => { const style = getComputedStyle(document.documentElement);
        const canvas = document.createElement('div'); canvas.style.background = 'Canvas';
        document.body.append(canvas);
        return [style.color, getComputedStyle(canvas).backgroundColor]; }"""
    )
    light, dark = (sum(map(int, re.findall(r"\d+", one)[:3])) / 3 for one in (ground, ink))
    assert (light - dark > 180) if scheme == "light" else (dark - light > 180)
    page.close()
