"""What explorers share in the browser: its arithmetic against camlib's, and how modules are joined."""

import base64
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

import camlib
from camlib.explorers import modules

from .conftest import call, make_cam

Open = Callable[..., Page]
EXPLORERS = sorted(path.name for path in modules.FOLDER.glob("*.mjs"))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize(
    ("cells", "size"),
    [((7, 7), (448, 448)), ((6, 14), (192, 448)), ((1, 3), (5, 10)), ((5, 4), (3, 2))],
)
def test_upsampling_is_camlibs(
    serve: Open, mode: str, cells: tuple[int, int], size: tuple[int, int]
) -> None:
    values = make_cam(1, *cells).maps
    expected = camlib.upsample(values, size, mode).flatten().numpy()
    came = call(
        serve(),
        "shared/upsampling.mjs",
        "Array.from(m.upsample(Float32Array.from(a.map), ...a.cells, ...a.size, a.mode))",
        {"map": values.flatten().tolist(), "cells": cells, "size": size, "mode": mode},
    )
    np.testing.assert_allclose(came, expected, atol=2e-6 * np.abs(expected).max())


def test_strongest_mean_and_largest(serve: Open) -> None:
    """Of 2, 5, -7, 5 the order is 5, 5, 2, -7, the mean 5/4, the largest absolute value 7."""
    came = call(
        serve(),
        "shared/numbers.mjs",
        "[m.strongest(a, 3), m.mean(Float32Array.from(a)), m.largest(a)]",
        [2, 5, -7, 5],
    )
    assert came == [[1, 3, 0], 1.25, 7]


@pytest.mark.parametrize(
    ("dtype", "name"),
    [("<i2", "int16"), ("<i4", "int32"), ("<f4", "float32"), ("u1", "uint8")],
)
def test_arrays_arrive(serve: Open, dtype: str, name: str) -> None:
    values = np.array([0, 1, 77, 3]).astype(dtype)
    address = f"data:application/x-{name};base64,{base64.b64encode(values.tobytes()).decode()}"
    assert call(serve(), "shared/data.mjs", "Array.from(m.decode(a))", address) == values.tolist()


@pytest.mark.parametrize("name", EXPLORERS)
def test_joined_modules_need_no_neighbour(serve: Open, name: str) -> None:
    """A browser reads the one text from a blob, which has no neighbours, and finds the widget."""
    found = serve().evaluate(
        """async (text) => {
            const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
            const module = await import(address);
            return [typeof module.default.render, typeof module.hydrate];
        }""",
        modules.joined(name),
    )
    assert found == ["function", "function"]


@pytest.mark.parametrize("name", EXPLORERS)
def test_modules_import_in_the_one_form_that_is_joined(name: str) -> None:
    assert "import" not in {line.split(" ", 1)[0] for line in modules.joined(name).splitlines()}


@pytest.mark.parametrize("name", EXPLORERS)
def test_each_module_is_joined_once(name: str) -> None:
    text = modules.joined(name)
    assert text.count("export function element(") == 1
    assert text.count("export function dress(") == 1
