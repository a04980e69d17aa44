"""A quiz as HTML: groups of disclosures, escaped, the same each time, without scripts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import camcourse
from camcourse.quizzes import Answer, Question, names
from camcourse.quizzes.questions import STYLE, inline, page

QUIZZES = {name: camcourse.quiz(name) for name in names()}
TAGS = {"div", "style", "ol", "li", "p", "details", "summary", "strong", "code", "em"}


class Elements(HTMLParser):
    """Collects the elements with their attributes; each must be closed in order."""

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


@pytest.mark.parametrize("name", QUIZZES)
def test_each_question_is_a_labelled_group_of_disclosures(name: str) -> None:
    """One answer of a group is open at a time, and nothing runs or is loaded."""
    quiz = QUIZZES[name]
    html = Elements(quiz._repr_html_())
    labels = [one["aria-labelledby"] for one in html.all("div") if one.get("role") == "group"]
    assert len(set(labels)) == len(quiz.questions)
    assert [one["id"] for one in html.all("p") if "id" in one] == labels
    answers = [len(question.answers) for question in quiz.questions]
    expected = [label for label, n in zip(labels, answers, strict=True) for _ in range(n)]
    assert [one["name"] for one in html.all("details")] == expected
    assert len(html.all("summary")) == sum(answers)
    verdicts = [one["data-verdict"] for one in html.all("details")]
    right = [one.right for question in quiz.questions for one in question.answers]
    assert verdicts == ["right" if one else "wrong" for one in right]
    assert {tag for tag, _ in html.found} <= TAGS
    keys = {key for _, attributes in html.found for key in attributes}
    assert not [key for key in keys if key.startswith("on") or key in ("src", "href")]
    assert camcourse.quiz(name)._repr_html_() == quiz._repr_html_()


def test_styles_and_ids_of_a_quiz_are_its_own() -> None:
    selectors = [rule.split("{")[0].strip() for rule in STYLE.split("}") if rule]
    assert selectors
    assert all(selector.startswith(".camlib-quiz ") for selector in selectors)
    found = [
        attributes
        for quiz in QUIZZES.values()
        for _, attributes in Elements(quiz._repr_html_()).found
    ]
    ids = [one["id"] for one in found if "id" in one]
    assert len(ids) == len(set(ids)) == sum(len(quiz.questions) for quiz in QUIZZES.values())


def test_texts_are_escaped_and_the_verdict_is_in_words() -> None:
    answers = (Answer("<b>", '"&', True), Answer("`</code>`", "<script>x</script>", False))
    html = page('"><i>', [Question("a < b & `c > d`?", answers)])
    assert "a &lt; b &amp; <code>c &gt; d</code>?" in html
    assert '<summary>&lt;b&gt;</summary><p><strong>Right.</strong> "&amp;</p>' in html
    assert "<code>&lt;/code&gt;</code>" in html
    assert "<p><strong>Not this one.</strong> &lt;script&gt;" in html
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
