"""Options of a command line from the arguments of a function."""

from __future__ import annotations

import inspect
from argparse import ArgumentError, ArgumentParser, BooleanOptionalAction
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints


def add_options(parser: ArgumentParser, function: Callable[..., Any], *leave_out: str) -> list[str]:
    """Add an option for each argument of a function or dataclass, and return the arguments' names.

    Its type is the annotation's, or its default's where there is none; the help is the text in
    ``Annotated[type, "text"]``.
    """
    group = parser.add_argument_group(f"options of {function.__module__}:{function.__qualname__}")
    hints = get_type_hints(function, include_extras=True)
    names = []
    for name, argument in inspect.signature(function).parameters.items():
        if name in leave_out:
            continue
        names.append(name)
        needed = argument.default is argument.empty
        default = None if needed else argument.default
        kind = hints.get(name, str if default is None else type(default))
        words = "".join(getattr(kind, "__metadata__", ())[:1])
        how = _conversion(get_args(kind)[0] if words else kind)
        shown = words if default is None else f"{words} (default: %(default)s)"
        option = f"--{name.replace('_', '-')}"
        try:
            group.add_argument(
                option, dest=name, required=needed, default=default, help=shown, **how
            )
        except ArgumentError as error:
            raise ValueError(
                f"{function.__qualname__}: expected arguments that are no options of the command "
                f"yet, got {name!r}. Give it another name."
            ) from error
    return names


def _conversion(kind: Any) -> dict[str, Any]:
    if get_origin(kind) is Literal:
        return {"choices": get_args(kind)}
    if kind is bool:
        return {"action": BooleanOptionalAction}
    return {"type": (get_args(kind) or (kind,))[0]}  # of int | None the first
