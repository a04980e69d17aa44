"""Read questions from TOML.

::

    [[question]]
    ask = "What is the mean of 1 and 3?"

    [[question.answer]]
    text = "2"
    feedback = "Half of 1 + 3."
    right = true

and two or three more answers without ``right``. `Backticks` mark code, *asterisks* emphasis.
"""

from __future__ import annotations

import tomllib
from typing import Any

from camcourse.quizzes.questions import Answer, Question, inline


def parse(text: str, file: str) -> tuple[Question, ...]:
    """Return the questions in ``text``; error messages name ``file`` and the place in it.

    Raises
    ------
    ValueError
        If the text is not TOML, a question or its feedback is missing, or a question does not have
        exactly one right answer.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: expected TOML, got another format: {error}.") from error
    _check_keys(whole, {"question"}, file)
    found = _tables(whole, "question", file, "Write [[question]] above each.")
    return tuple(_question(one, f"{file}, question {n}") for n, one in enumerate(found, 1))


def _question(table: dict[str, Any], place: str) -> Question:
    _check_keys(table, {"ask", "answer"}, place)
    ask = _words(table, "ask", place)
    found = _tables(table, "answer", place, "Write [[question.answer]] above each.")
    if not 3 <= len(found) <= 4:
        raise ValueError(
            f"{place}: expected three or four answers, got {len(found)}. Each wrong one should be "
            "plausible."
        )
    answers = tuple(_answer(one, f"{place}, answer {n}") for n, one in enumerate(found, 1))
    right = sum(answer.right for answer in answers)
    if right != 1:
        raise ValueError(
            f"{place}: expected exactly one right answer, got {right}. Write `right = true` in "
            "one of them."
        )
    return Question(ask, answers)


def _answer(table: dict[str, Any], place: str) -> Answer:
    _check_keys(table, {"text", "feedback", "right"}, place)
    right = table.get("right", False)
    if not isinstance(right, bool):
        raise ValueError(f"{place}: expected right to be true or false, got {right!r}.")
    return Answer(_words(table, "text", place), _words(table, "feedback", place), right)


def _tables(table: dict[str, Any], key: str, place: str, hint: str) -> list[dict[str, Any]]:
    found = table.get(key, [])
    if not found or not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{place}: expected one {key} or more, got {found!r}. {hint}")
    return found


def _words(table: dict[str, Any], key: str, place: str) -> str:
    words = table.get(key, "")
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"{place}: expected a text for {key}, got {words!r}.")
    try:
        inline(words)
    except ValueError as error:
        raise ValueError(f"{place}, {key}: {error}") from error
    return words


def _check_keys(table: dict[str, Any], known: set[str], place: str) -> None:
    unknown = sorted(table.keys() - known)
    if unknown:
        raise ValueError(
            f"{place}: expected only the keys {', '.join(sorted(known))}, got {', '.join(unknown)}. "
            "Check the spelling."
        )
