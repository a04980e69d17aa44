"""A quiz as HTML that needs no script: each answer unfolds its feedback.

The elements are those that browsers already know how to operate by keyboard and how to read out: a
list of groups, each named by its question, of disclosures, of which one is open at a time. The site's
style sheet and a small module (``book/static``) add the look and a count; without them all works.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from camcourse.quizzes.questions import Answer, Question

# Said in words, so that neither colour nor sign is needed.
VERDICTS = {True: "Right.", False: "Not this one."}
# What notebooks lack. The site's style sheet outweighs it.
STYLE = (
    ".camlib-quiz p {margin: 0 0 0.3em}"
    " .camlib-quiz li {margin-bottom: 1.2em}"
    " .camlib-quiz summary {padding: 0.2em 0; cursor: pointer}"
    " .camlib-quiz details > p {padding-left: 1.1em}"
)
CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"\*([^*]+)\*")


def page(name: str, questions: Iterable[Question]) -> str:
    """Return the HTML of a quiz; ``name`` keeps its groups apart from those of other quizzes."""
    items = [_item(question, f"quiz-{name}-{n}") for n, question in enumerate(questions, 1)]
    return "\n".join(
        ('<div class="camlib-quiz">', f"<style>{STYLE}</style>", "<ol>", *items, "</ol>", "</div>")
    )


def inline(text: str) -> str:
    """Return one line of text as HTML: escaped, with `code` and *emphasis*.

    Raises
    ------
    ValueError
        If a backtick or an asterisk has no partner.
    """
    parts = CODE.split(" ".join(text.split()))
    words = [EMPHASIS.sub(r"<em>\1</em>", html.escape(part, quote=False)) for part in parts[::2]]
    for sign, name in (("`", "backtick"), ("*", "asterisk")):
        if any(sign in part for part in words):
            raise ValueError(f"expected each {name} to have a partner, got {text!r}.")
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
