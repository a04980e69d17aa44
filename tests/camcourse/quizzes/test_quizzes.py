"""The questions of every chapter: complete, fair, and with right numbers."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

import pytest
import torch
import yaml

import camcourse
import camlib
from camcourse.quizzes import Question, names
from camlib import localization
from tooling.repository import ROOT

QUIZZES = {name: camcourse.quiz(name) for name in names()}
QUESTIONS = [question for quiz in QUIZZES.values() for question in quiz.questions]


def place_of_right(question: Question) -> int:
    return [answer.right for answer in question.answers].index(True)


def test_every_numbered_chapter_has_its_quiz() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    numbered = [part["chapters"] for part in toc["parts"] if "numbered" in part]
    chapters = [chapter["file"].removeprefix("book/") for part in numbered for chapter in part]
    assert list(QUIZZES) == sorted(chapters)


@pytest.mark.parametrize("name", QUIZZES)
def test_a_quiz_has_three_to_five_questions_with_the_right_answer_in_different_places(
    name: str,
) -> None:
    questions = QUIZZES[name].questions
    assert 3 <= len(questions) <= 5
    assert repr(QUIZZES[name]) == f"Quiz of {len(questions)} questions, {name}"
    places = Counter(map(place_of_right, questions))
    assert len(places) >= 2
    assert max(places.values()) <= 3


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.ask[:40])
def test_answers_differ_and_their_lengths_tell_nothing(question: Question) -> None:
    """Each has feedback of its own; the page puts the verdict in front of it."""
    feedback = [answer.feedback for answer in question.answers]
    assert len({answer.text for answer in question.answers}) == len(feedback) == len(set(feedback))
    for words in feedback:
        assert len(words) >= 20, "feedback explains"
        assert words.endswith((".", "?"))
        assert not re.match(r"(Yes|No|Right|Wrong|Correct)\b[.,!:]", words)
    lengths = [len(answer.text) for answer in question.answers]
    right = lengths.pop(place_of_right(question))
    assert 0.6 * min(lengths) <= right <= 1.2 * max(lengths)


def test_no_rule_gives_the_answers_away() -> None:
    """Always taking one place, or the longest answer, gets less than half of all questions right."""
    places = Counter(map(place_of_right, QUESTIONS))
    assert max(places.values()) < len(QUESTIONS) / 2
    longest = [max(question.answers, key=lambda one: len(one.text)) for question in QUESTIONS]
    assert sum(answer.right for answer in longest) < len(QUESTIONS) / 2


# numbers in the questions


def one_of(name: str, begins: str) -> Question:
    """Return the question of a chapter that begins with these words."""
    (found,) = [one for one in QUIZZES[name].questions if one.ask.startswith(begins)]
    return found


def numbers(text: str) -> list[float]:
    """Return the numbers in a text."""
    return [float(one.replace("−", "-")) for one in re.findall(r"−?\d+(?:\.\d+)?", text)]


def test_the_lines_of_code_do_what_their_feedback_says() -> None:
    """Four ways to a mean; two have the right shape, and one of these the right numbers."""
    features = torch.arange(8 * 512 * 49.0).reshape(8, 512, 7, 7).sin()
    pooled = camlib.global_average_pool(features)
    question = one_of("02-global-average-pooling", "`features` has the shape (8, 512, 7, 7)")
    shapes = [(8, 7, 7), (512,), (8, 512), (8, 512)]
    for answer, shape in zip(question.answers, shapes, strict=True):
        value = eval(answer.text.strip("`"), {"features": features})
        assert tuple(value.shape) == shape
        same = value.shape == pooled.shape and torch.allclose(value, pooled, atol=1e-5)
        assert same == answer.right


def test_one_strong_cell_among_silent_ones() -> None:
    """48 silent cells and one of 1: the maximum is 49 times the mean."""
    question = one_of("02-global-average-pooling", "A tiny flaw")
    silent, times = numbers(question.answers[2].feedback)
    lone = torch.zeros(1, 1, 7, 7)
    lone[..., 3, 3] = 1
    assert int((lone == 0).sum()) == silent
    assert (lone.max() / camlib.global_average_pool(lone)).item() == pytest.approx(times)


def test_contributions() -> None:
    """3 · 0.1 = 0.3, (−2) · 1.5 = −3, 0.5 · 4 = 2: the last one raises the logit most."""
    question = one_of("03-weighted-sum", "Three channels")
    worth = []
    for answer in question.answers:
        weight, mean = numbers(answer.text)
        maps = torch.full((1, 1, 7, 7), mean)
        worth.append(camlib.weighted_sum(maps, torch.tensor([[weight]])).mean().item())
        assert worth[-1] == pytest.approx(numbers(answer.feedback)[2])
    assert worth.index(max(worth)) == place_of_right(question)


def test_the_bias_that_is_missing() -> None:
    """4.0 − 3.2 = 0.8 is asked for, and −0.3 + 0.1 = −0.2 is a no."""
    question = one_of("03-weighted-sum", "The mean of a class's map")
    mean, logit = numbers(question.ask)
    assert numbers(question.answers[1].text) == [pytest.approx(logit - mean)]
    question = one_of("07-several-labels", "A class has the bias")
    bias, mean = numbers(question.ask)
    assert numbers(question.answers[0].feedback) == [pytest.approx(bias + mean)]
    assert bias + mean < 0
    assert question.answers[place_of_right(question)].text.startswith("No")


def test_differences_of_scores() -> None:
    """0.99 − 0.75 = 0.24 and 0.91 − 0.85 = 0.06; 62 − 60 = 2 and 40 − 5 = 35."""
    question = one_of("06-change-and-retrain", "On the pictures it was trained with")
    a, a_new, b, b_new = numbers(question.ask)
    assert numbers(question.answers[0].feedback) == [pytest.approx(a - a_new)]
    assert numbers(question.answers[2].feedback) == [pytest.approx(b - b_new)]
    question = one_of("08-map-to-box", "On one set of pictures")
    first, middle, second, other_middle = numbers(question.ask)
    leads = [first - middle, second - other_middle]
    assert numbers(question.answers[1].feedback)[:2] == leads
    assert numbers(question.answers[2].feedback) == leads[::-1]


def test_a_box_in_a_box() -> None:
    """Half of the true box: IoU 1/2. Divided by the sum of both areas instead it would be 1/3."""
    texts = [one.text for one in one_of("08-map-to-box", "A box lies wholly").answers]
    inner, true = (0, 0, 2, 1), (0, 0, 2, 2)
    assert Fraction(localization.iou(inner, true)) == Fraction(texts[1].split(",")[0])
    assert Fraction(2, 2 + 4) == Fraction(texts[2].split(",")[0])


def test_epsilon_is_as_large_as_what_it_guards() -> None:
    """The square of a thousandth; with it below the line, alpha falls to two thirds."""
    question = one_of("10-grad-cam-plus-plus", "Gradients are about a thousandth")
    epsilon = numbers(question.ask)[0]
    assert epsilon == pytest.approx(1e-3**2)
    features, g = torch.zeros(1, 2, 2), torch.full((1, 2, 2), 1e-3)
    alpha = camlib.gradients.plus_plus_alphas(g, features)
    assert torch.allclose(g**2 / (2 * g**2 + epsilon), alpha * 2 / 3)
