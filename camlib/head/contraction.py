"""An einsum of the pooled vector with constants, read as a matrix."""

from __future__ import annotations

import torch

from camlib.head.affine import Affine, NotAffineError, matrix
from camlib.head.calls import Call


def einsum(before: Affine, call: Call) -> Affine:
    """Fold "nk,ck->nc" and its like: the picture's axis first, each other axis summed or new."""
    equation, *operands = call.args
    if isinstance(operands[0], (list, tuple)):
        operands = list(operands[0])
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        raise NotAffineError
    left, result = equation.replace(" ", "").split("->")
    terms = dict(zip(left.split(","), operands, strict=True))
    own = next((term for term, operand in terms.items() if operand is call.source), "")
    if len(terms) != len(operands) or not own:
        raise NotAffineError
    others = {term: operand for term, operand in terms.items() if term != own}
    known = "".join(others)
    # Axes of one cell may come and go.
    single = {letter for letter, length in zip(own, call.source.shape, strict=True) if length == 1}
    channels = [letter for letter in own[1:] if letter in known or letter not in single]
    classes = [letter for letter in result[1:] if letter in known or letter not in single]
    plain = own[0] == result[:1] and own[0] not in known + own[1:]
    apart = len({*channels, *classes}) == len(channels) + len(classes)
    if not (plain and apart and {*channels, *classes} <= {*known}):
        raise NotAffineError
    rows = "".join(classes) + "".join(channels)
    weight = torch.einsum(f"{','.join(others)}->{rows}", *others.values())
    return matrix(before, weight.reshape(-1, call.source[0].numel()), None)
