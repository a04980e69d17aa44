"""Questions and answers, and the HTML that shows them without a script.

Each answer is a ``<details>`` element that unfolds its feedback, so keyboards and screen readers work
in any browser. The site's style sheet and a small module (``book/static``) add the look and a score.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

# In words, because colours and signs are not visible to everybody.
VERDICTS = {True: "Right.", False: "Not this one."}
# For notebooks; the site's style sheet overrides it.
STYLE = (
    ".camlib-quiz p {margin: 0 0 0.3em}"
    " .camlib-quiz li {margin-bottom: 1.2em}"
    " .camlib-quiz summary {padding: 0.2em 0; cursor: pointer}"
    " .camlib-quiz details > p {padding-left: 1.1em}"
)
CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"\*([^*]+)\*")


@dataclass(frozen=True)
class Answer:
    """An answer to choose, and the feedback for it."""

    text: str
    feedback: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question with three or four answers, one of them right."""

    ask: str
    answers: tuple[Answer, ...]


def page(name: str, questions: Iterable[Question]) -> str:
    """Return the HTML of a quiz; ``name`` makes its element ids unique in a page of several quizzes."""
    items = [_item(question, f"quiz-{name}-{n}") for n, question in enumerate(questions, 1)]
    return "\n".join(
        ('<div class="camlib-quiz">', f"<style>{STYLE}</style>", "<ol>", *items, "</ol>", "</div>")
    )


def inline(text: str) -> str:
    """Return a text as one line of escaped HTML with `code` and *emphasis*.

    Raises
    ------
    ValueError
        If a backtick or an asterisk is not closed.
    """
    parts = CODE.split(" ".join(text.split()))
    words = [EMPHASIS.sub(r"<em>\1</em>", html.escape(part, quote=False)) for part in parts[::2]]
    for sign, name in (("`", "backtick"), ("*", "asterisk")):
        if any(sign in part for part in words):
            raise ValueError(f"expected each {name} to be closed, got {text!r}.")
    codes = [f"<code>{html.escape(part, quote=False)}</code>" for part in parts[1::2]]
    return "".join(a + b for a, b in zip(words, [*codes, ""], strict=True))


def _item(question: Question, group: str) -> str:
    group = html.escape(group)
    return "\n".join(
        (
            f'<li><div role="group" aria-labelledby="{group}">',
            f'<p id="{group}">{inline(question.ask)}</p>',
            *(_answer(answer, group) for answer in question.answers),
            "</div></li>",
        )
    )


def _answer(answer: Answer, group: str) -> str:
    verdict = "right" if answer.right else "wrong"
    return (
        f'<details name="{group}" data-verdict="{verdict}">'
        f"<summary>{inline(answer.text)}</summary>"
        f"<p><strong>{VERDICTS[answer.right]}</strong> {inline(answer.feedback)}</p></details>"
    )
