"""The results that chapter 6 shows: whole, of the recipes in the code, and of a form that the code still writes."""

import json
from dataclasses import replace

from camlib.garments import Recipe, load_garments
from tooling import retraining


def test_the_results_are_whole_and_of_these_recipes() -> None:
    results = json.loads(retraining.RESULTS.read_text())
    assert results["sha256"] == retraining.digest(results)
    assert results["garments"] == load_garments("train").digest
    assert results["recipes"] == retraining.recipes()
    assert list(results["seeds"]) == [str(seed) for seed in retraining.SEEDS]
    # All three ways take equally long.
    assert {sum(step.epochs for step in steps) for steps in retraining.WAYS.values()} == {6}


def test_a_short_run_has_the_form_of_the_results() -> None:
    """And the head alone leaves the convolutions as they were, all at once does not."""

    def shorten(recipe: Recipe) -> Recipe:
        return replace(recipe, epochs=1, scenes=64)

    results = json.loads(retraining.RESULTS.read_text())["seeds"]["0"]
    short = retraining.one_seed(0, shorten=shorten, count=20)
    for part, scores in short.items():
        assert {name: set(values) for name, values in scores.items()} == {
            name: set(values) for name, values in results[part].items()
        }
    assert short["ways"]["head alone"]["moved"] == 0 < short["ways"]["all at once"]["moved"]
    numbers = [number for score in short["few"].values() for number in score.values()]
    assert all(0 <= number <= 1 for number in numbers)
