"""Recipes: values that no training can follow are refused at the door."""

import json

import pytest

from camlib.garments import Recipe


def test_a_recipe_can_be_written_and_read() -> None:
    recipe = Recipe(epochs=3, per_class=5)
    assert Recipe(**json.loads(json.dumps(recipe.as_dict()))) == recipe


def test_only_whole_batches_count() -> None:
    assert Recipe(scenes=1000, batch=128).steps == 7


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "vgg"}, 'architecture: expected one of "gap", "gap-max", "flatten"'),
        ({"part": "tail"}, 'part: expected one of "all", "head", got \'tail\''),
        ({"precision": "int8"}, 'precision: expected one of "float32", "bfloat16"'),
        ({"epochs": 0}, "epochs: expected a whole number from 1 to 10000, got 0"),
        ({"epochs": 1.5}, "epochs: expected a whole number"),
        ({"batch": 1}, "batch: expected a whole number from 2"),
        ({"scenes": 100}, "scenes: expected a whole number from 128"),
        ({"seed": -1}, "seed: expected a whole number from 0"),
        ({"per_class": 0}, "per_class: expected a whole number from 1"),
        ({"rate": 0}, "rate: expected a number from 0 to 1, got 0"),
        ({"weight_decay": -0.1}, "weight_decay: expected a number from 0 to 1"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**values)
