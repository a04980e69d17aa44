"""Call a function so that nothing of it is left behind: copies, seeds, modes, what it prints."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from camcourse.checks.exercise import Function


@dataclass(frozen=True)
class Attempt:
    """What came of one call: an answer or an error, what was printed, the arguments afterwards."""

    came: Any
    error: BaseException | None
    printed: str
    given: tuple[Any, ...]


def attempt(function: Function, arguments: tuple[Any, ...]) -> Attempt:
    """Call ``function`` with copies of the arguments.

    Every call starts from the same seed of torch. Exceptions and sys.exit() stay inside;
    what stands beside them (the keyboard's, a grader's) is meant for somebody else and gets out.
    """
    given, printed = deepcopy(arguments), io.StringIO()
    torch.default_generator.manual_seed(0)
    came, error = None, None
    try:
        with contextlib.redirect_stdout(printed):
            came = function(*given)
    except (Exception, SystemExit) as raised:
        error = raised
    return Attempt(came, error, printed.getvalue(), given)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Seeds, grad mode and default dtype are afterwards what they were."""
    # The old generator of numpy is the one that a function without one of its own draws from.
    drawn, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(drawn)
            np.random.set_state(numpys)  # noqa: NPY002
            torch.set_grad_enabled(grad)
            torch.set_default_dtype(dtype)
