"""A quiz as HTML: groups of disclosures, escaped, the same each time, and nothing that runs."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import camcourse
from camcourse.quizzes import Answer, Question, names
from camcourse.quizzes.page import STYLE, inline, page

QUIZZES = {name: camcourse.quiz(name) for name in names()}
TAGS = {"div", "style", "ol", "li", "p", "details", "summary", "strong", "code", "em"}
each_quiz = pytest.mark.parametrize("name", QUIZZES)


class Elements(HTMLParser):
    """Collects elements with their attributes, and notes those that were not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@each_quiz
def test_html_is_groups_of_disclosures(name: str) -> None:
    """Each question names its group, and lets one of its answers be open at a time."""
    quiz = QUIZZES[name]
    html = Elements(quiz._repr_html_())
    groups = [one for one in html.all("div") if one.get("role") == "group"]
    labels = [one["aria-labelledby"] for one in groups]
    assert len(set(labels)) == len(quiz.questions)
    assert [one["id"] for one in html.all("p") if "id" in one] == labels
    answers = [len(question.answers) for question in quiz.questions]
    expected = [label for label, n in zip(labels, answers, strict=True) for _ in range(n)]
    assert [one["name"] for one in html.all("details")] == expected
    assert len(html.all("summary")) == sum(answers)
    verdicts = [one["data-verdict"] for one in html.all("details")]
    assert verdicts.count("right") == len(quiz.questions)


@each_quiz
def test_html_runs_nothing_and_asks_for_nothing(name: str) -> None:
    html = Elements(QUIZZES[name]._repr_html_())
    tags = {tag for tag, _ in html.found}
    assert tags <= TAGS
    for _, attributes in html.found:
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "href")]


def test_style_is_for_quizzes_alone() -> None:
    selectors = [rule.split("{")[0].strip() for rule in STYLE.split("}") if rule]
    assert selectors
    assert all(selector.startswith(".camlib-quiz ") for selector in selectors)


def test_no_two_quizzes_share_a_name_in_the_page() -> None:
    found = [
        one.get("id") for quiz in QUIZZES.values() for _, one in Elements(quiz._repr_html_()).found
    ]
    ids = [one for one in found if one]
    assert len(ids) == len(set(ids)) == sum(len(quiz.questions) for quiz in QUIZZES.values())


def test_html_is_the_same_each_time() -> None:
    for name, quiz in QUIZZES.items():
        assert camcourse.quiz(name)._repr_html_() == quiz._repr_html_()


def test_the_verdict_is_said_in_words() -> None:
    html = page("x", [Question("Why?", (Answer("a", "So.", True), Answer("b", "But.", False)))])
    assert "<p><strong>Right.</strong> So.</p>" in html
    assert "<p><strong>Not this one.</strong> But.</p>" in html


def test_text_is_escaped() -> None:
    answers = (Answer("<b>", '"&', True), Answer("`</code>`", "<script>x</script>", False))
    html = page('"><i>', [Question("a < b & `c > d`?", answers)])
    assert "a &lt; b &amp; <code>c &gt; d</code>?" in html
    assert "<summary>&lt;b&gt;</summary>" in html
    assert "<code>&lt;/code&gt;</code>" in html
    assert "&lt;script&gt;" in html
    assert {tag for tag, _ in Elements(html).found} == TAGS - {"em"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a `b*c*d` e", "a <code>b*c*d</code> e"),
        ("*a* and *b*", "<em>a</em> and <em>b</em>"),
        ("two\n  lines", "two lines"),
        ("`<`", "<code>&lt;</code>"),
    ],
)
def test_inline(text: str, html: str) -> None:
    assert inline(text) == html
