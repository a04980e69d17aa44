"""Names and files that are not as they should be: refused with the place and the cure."""

from __future__ import annotations

import pytest

import camcourse
from camcourse.quizzes import Answer, Question
from camcourse.quizzes.reading import parse


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("global-average-pooling", "Did you mean '02-global-average-pooling'?"),
        ("02_global_average_pooling", "Did you mean '02-global-average-pooling'?"),
        ("", "There are: 01-feature-maps, 02-global-average-pooling, "),
        ("../secret", "There are: 01-feature-maps, "),
    ],
)
def test_a_wrong_name_gets_the_closest(name: str, cure: str) -> None:
    with pytest.raises(ValueError, match="name: expected a chapter that has a quiz, got") as caught:
        camcourse.quiz(name)
    assert repr(name) in str(caught.value)
    assert cure in str(caught.value)


def test_a_name_is_a_string() -> None:
    message = r"name: expected a chapter's name, got int 2\. Give it as a string, such as '01-"
    with pytest.raises(TypeError, match=message):
        camcourse.quiz(2)  # type: ignore[arg-type]


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


FAULTS = [
    ("right = true", "", "x.toml, question 1: expected exactly one right answer, got 0."),
    ('"But."', '"But."\nright = true', "question 1: expected exactly one right answer, got 2."),
    ('feedback = "But."', "", "x.toml, question 1, answer 2: expected words for feedback, got ''."),
    ('"And."', '" "', "x.toml, question 1, answer 3: expected words for feedback, got ' '."),
    ('ask = "Why?"', "", "x.toml, question 1: expected words for ask, got ''."),
    ('text = "b"', "text = 3", "x.toml, question 1, answer 2: expected words for text, got 3."),
    ("right = true", "right = 1", "answer 1: expected right to be true or false, got 1."),
    ("right =", "correct =", "answer 1: expected feedback, right, text only, got correct."),
    ("ask =", "asks =", "question 1: expected answer, ask only, got asks."),
    ("[[question]]", "[[questions]]", "x.toml: expected question only, got "),
    ('"Why?"', '"Why `this?"', "question 1, ask: expected each backtick to have a partner"),
    ('"b"', '"2 * 3"', "answer 2, text: expected each asterisk to have a partner, got '2 * 3'."),
    ("ask =", "ask", "x.toml: expected TOML, got text that is none:"),
    (GOOD, "", "x.toml: expected one question or more, got []."),
    (GOOD[GOOD.index("[[question.a") :], "", "question 1: expected one answer or more, got []."),
    (GOOD[GOOD.index('[[question.answer]]\ntext = "c"') :], "", "three or four answers, got 2."),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_a_faulty_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ValueError, match="expected") as caught:
        parse(GOOD.replace(old, new, 1), "x.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("x.toml")
