"""Wrong names and faulty files are refused, with the place and what to do."""

from __future__ import annotations

import pytest

import camcourse
from camcourse.quizzes import Answer, Question
from camcourse.quizzes.reading import parse


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("global-average-pooling", ValueError, "Did you mean '02-global-average-pooling'?"),
        ("", ValueError, "Choose from: 01-feature-maps, 02-global-average-pooling, "),
        ("../secret", ValueError, "Choose from: 01-feature-maps, "),
        (2, TypeError, "Give it as a string, such as '01-feature-maps'"),
    ],
)
def test_a_wrong_name(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=r"name: expected a chapter.* got") as caught:
        camcourse.quiz(name)
    assert repr(name) in str(caught.value)
    assert words in str(caught.value)


GOOD = """
[[question]]
ask = "Why?"
[[question.answer]]
text = "a"
feedback = "So."
right = true
[[question.answer]]
text = "b"
feedback = "But."
[[question.answer]]
text = "c"
feedback = "And."
"""


def test_a_good_file() -> None:
    (question,) = parse(GOOD, "x.toml")
    answers = (Answer("a", "So.", True), Answer("b", "But.", False), Answer("c", "And.", False))
    assert question == Question("Why?", answers)


THIRD = GOOD[GOOD.index('[[question.answer]]\ntext = "c"') :]
FOURTH_AND_FIFTH = THIRD.replace("And", "Or") + THIRD.replace("And", "Nor")
FAULTS = [
    ("right = true", "", "x.toml, question 1: expected exactly one right answer, got 0."),
    ('"But."', '"But."\nright = true', "question 1: expected exactly one right answer, got 2."),
    (
        'feedback = "But."',
        "",
        "x.toml, question 1, answer 2: expected a text for feedback, got ''.",
    ),
    ('"And."', '" "', "x.toml, question 1, answer 3: expected a text for feedback, got ' '."),
    ('ask = "Why?"', "", "x.toml, question 1: expected a text for ask, got ''."),
    ('text = "b"', "text = 3", "x.toml, question 1, answer 2: expected a text for text, got 3."),
    ("right = true", "right = 1", "answer 1: expected right to be true or false, got 1."),
    ("right =", "correct =", "expected only the keys feedback, right, text, got correct."),
    ("ask =", "asks =", "question 1: expected only the keys answer, ask, got asks."),
    ("[[question]]", "[[questions]]", "x.toml: expected only the keys question, got "),
    ('"Why?"', '"Why `this?"', "question 1, ask: expected each backtick to be closed"),
    ('"b"', '"2 * 3"', "answer 2, text: expected each asterisk to be closed, got '2 * 3'."),
    ("ask =", "ask", "x.toml: expected TOML, got another format:"),
    (GOOD, "", "x.toml: expected one question or more, got []."),
    (GOOD[GOOD.index("[[question.a") :], "", "question 1: expected one answer or more, got []."),
    (THIRD, "", "three or four answers, got 2."),
    (THIRD, THIRD + FOURTH_AND_FIFTH, "three or four answers, got 5."),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_a_faulty_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match=r"^x\.toml.*expected") as caught:
        parse(GOOD.replace(old, new, 1), "x.toml")
    assert message in str(caught.value)
