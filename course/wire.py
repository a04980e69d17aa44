"""How values cross the border between the grader and a submission: no pickle, nothing executable.

A message is a length in eight bytes, a length in four bytes, that many bytes of JSON, and the arrays'
bytes. Whoever decodes trusts nothing: kinds, shapes, sizes and depths are checked, and everything
else is a :class:`WireError`. The sandbox gets a copy of this file, so it needs torch and numpy alone.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import torch

LARGEST = 64 * 2**20  # bytes in a message
DEEPEST = 16
MOST_NODES = 200_000
LONGEST_TEXT = 2**20
HEAD = 12
TORCH = {
    str(kind).removeprefix("torch."): kind
    for kind in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8,
        torch.int8, torch.int16, torch.int32, torch.int64, torch.complex64, torch.complex128,
    )
}  # fmt: skip
NUMPY = {
    "float16", "float32", "float64", "bool", "uint8", "uint16", "uint32", "uint64",
    "int8", "int16", "int32", "int64", "complex64", "complex128",
}  # fmt: skip


class WireError(ValueError):
    """What came is not a message, or holds what may not cross."""


def encode(value: Any) -> bytes:
    """Return a message; ``WireError`` if ``value`` holds anything but data, or is too large."""
    arrays: list[bytes] = []
    tree = _packed(value, arrays, 0)
    text = json.dumps(tree, separators=(",", ":")).encode()
    body = b"".join(arrays)
    if len(text) + len(body) > LARGEST:
        raise WireError(f"larger than {LARGEST >> 20} MiB")
    size = 4 + len(text) + len(body)
    return size.to_bytes(8, "little") + len(text).to_bytes(4, "little") + text + body


def body_length(head: bytes) -> int:
    """Return how many bytes follow the first eight; ``WireError`` if that cannot be a message."""
    length = int.from_bytes(head[:8], "little")
    if not 4 < length <= LARGEST + 4:
        raise WireError("no message")
    return length


def decode(body: bytes) -> Any:
    """Return the value of a message's body (all behind the first eight bytes), or ``WireError``."""
    length = int.from_bytes(body[:4], "little")
    if length > len(body) - 4:
        raise WireError("cut off")
    try:
        tree = json.loads(body[4 : 4 + length])
        arrays = memoryview(body)[4 + length :]
        return _Unpacking(arrays).value(tree, 0)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, RuntimeError) as error:
        raise WireError(f"no message: {type(error).__name__}") from error


def _packed(value: Any, arrays: list[bytes], depth: int) -> Any:
    if depth > DEEPEST:
        raise WireError("nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return {"number": repr(value)} if _odd(value) else value
    if isinstance(value, torch.Tensor):
        tensor = value.detach().resolve_conj().resolve_neg().cpu().contiguous()
        kind = str(tensor.dtype).removeprefix("torch.")
        if kind not in TORCH or tensor.layout != torch.strided:
            raise WireError(f"a tensor of {kind}")
        octets = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        arrays.append(octets)
        return {"tensor": kind, "shape": list(tensor.shape)}
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.dtype.name not in NUMPY:
            raise WireError(f"an array of {value.dtype}")
        arrays.append(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("="))).tobytes())
        return {"array": value.dtype.name, "shape": list(value.shape)}
    if isinstance(value, (list, tuple)):
        items = [_packed(item, arrays, depth + 1) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict):
        keys = [_packed(key, arrays, depth + 1) for key in value]
        return {"keys": keys, "values": [_packed(v, arrays, depth + 1) for v in value.values()]}
    raise WireError(f"an object of type {type(value).__name__}")


def _odd(value: float) -> bool:
    """Infinity and NaN are no JSON; integers beyond 64 bits are no data."""
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise WireError("an integer beyond 64 bits")
        return False
    return not math.isfinite(value)


class _Unpacking:
    """Walks a tree, taking the arrays' bytes in its order."""

    def __init__(self, arrays: memoryview) -> None:
        self.arrays, self.at, self.nodes = arrays, 0, 0

    def value(self, tree: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise WireError("too deep or too many values")
        if tree is None or isinstance(tree, (bool, float)):
            return tree
        if isinstance(tree, int):
            _odd(tree)
            return tree
        if isinstance(tree, str):
            if len(tree) > LONGEST_TEXT:
                raise WireError("too long a text")
            return tree
        if isinstance(tree, list):
            return [self.value(item, depth + 1) for item in tree]
        return self._marked(tree, depth)

    def _marked(self, tree: dict[str, Any], depth: int) -> Any:
        names = set(tree)
        if names == {"number"}:
            number = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
            return number[tree["number"]]
        if names == {"tuple"} and isinstance(tree["tuple"], list):
            return tuple(self.value(item, depth + 1) for item in tree["tuple"])
        if names == {"keys", "values"}:
            keys = [self.value(key, depth + 1) for key in tree["keys"]]
            values = [self.value(item, depth + 1) for item in tree["values"]]
            return dict(zip(keys, values, strict=True))
        if names == {"tensor", "shape"}:
            kind = TORCH[tree["tensor"]]
            shape, octets = self._taken(tree["shape"], kind.itemsize)
            if not octets:
                return torch.empty(shape, dtype=kind)
            return torch.frombuffer(bytearray(octets), dtype=kind).reshape(shape)
        if names == {"array", "shape"} and tree["array"] in NUMPY:
            kind = np.dtype(tree["array"])
            shape, octets = self._taken(tree["shape"], kind.itemsize)
            return np.frombuffer(bytearray(octets), dtype=kind).reshape(shape)
        raise WireError("an unknown kind of value")

    def _taken(self, shape: Any, itemsize: int) -> tuple[tuple[int, ...], bytes]:
        whole = isinstance(shape, list) and len(shape) <= DEEPEST
        if not whole or any(type(n) is not int or not 0 <= n <= LARGEST for n in shape):
            raise WireError("a shape that is none")
        size = math.prod(shape) * itemsize
        octets = self.arrays[self.at : self.at + size]
        if len(octets) != size:
            raise WireError("an array that is cut off")
        self.at += size
        return tuple(shape), bytes(octets)
