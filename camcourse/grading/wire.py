"""How values cross the border between the grader and a submission: no pickle, nothing executable.

A message is a length in eight bytes, a length in four bytes, that many bytes of JSON, and the arrays'
bytes. Whoever decodes trusts nothing: kinds, shapes, sizes and depths are checked, and everything
else is a :class:`WireError`. Both sides know the same limits: what :func:`encode` lets out,
:func:`decode` lets in. The sandbox gets a copy of this file, so it needs torch and numpy alone.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import torch

LARGEST = 64 * 2**20  # bytes in a message
LARGEST_TREE = 8 * 2**20  # bytes of JSON in it
DEEPEST = 16  # lists in lists, and axes of an array
MOST_NODES = 200_000
MOST_MARKS = 5 * MOST_NODES  # commas and brackets of the JSON: each may become a list of Python's
MOST_KEYS = 5_000  # of one dictionary: whoever picks keys with equal hashes makes it slow
LONGEST_TEXT = 2**20
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
TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # of JSON, also one without an end
ODD_NUMBERS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # JSON has none of them


class WireError(ValueError):
    """What came is not a message, or holds what may not cross."""


def encode(value: Any) -> bytes:
    """Return a message; ``WireError`` if ``value`` holds anything but data, or is too large."""
    packing = _Packing()
    tree = packing.tree(value, 0)
    text = json.dumps(tree, separators=(",", ":"), ensure_ascii=False)
    octets = _checked_tree(text.encode("utf-8", "surrogatepass"))
    if len(octets) + packing.size > LARGEST:
        raise WireError(_beyond(LARGEST))
    body = len(octets).to_bytes(4, "little") + octets + b"".join(packing.arrays)
    return len(body).to_bytes(8, "little") + body


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
    octets = _checked_tree(body[4 : 4 + length])
    try:
        tree = json.loads(octets.decode("utf-8", "surrogatepass"))
        unpacking = _Unpacking(memoryview(body)[4 + length :])
        value = unpacking.value(tree, 0)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:
        raise WireError(f"no message: {type(error).__name__}") from error
    if unpacking.at != len(unpacking.arrays):
        raise WireError("bytes that belong to no array")
    return value


def _beyond(limit: int) -> str:
    return f"larger than {limit >> 20} MiB"


def _checked_tree(octets: bytes) -> bytes:
    """Return JSON that is no bomb; ``WireError`` before its values are made if it would be one."""
    if len(octets) > LARGEST_TREE:
        raise WireError(_beyond(LARGEST_TREE))
    if _marks(octets) > MOST_MARKS and _marks(TEXTS.sub(b"", octets)) > MOST_MARKS:
        raise WireError("too many values")
    return octets


def _marks(octets: bytes) -> int:
    return octets.count(b",") + octets.count(b"[") + octets.count(b"{")


def _checked_integer(number: int) -> int:
    if abs(number) >= 2**63:
        raise WireError("an integer beyond 64 bits")
    return number


def _checked_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise WireError(f"a text of more than {LONGEST_TEXT} characters")
    return text


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, float):  # numpy.float64 is one, and writes itself otherwise
        number = float(value)
        return number if math.isfinite(number) else {"number": repr(number)}
    return value if value is None or isinstance(value, bool) else _checked_integer(int(value))


class _Packing:
    """Turns a value into a tree for JSON, and collects the arrays' bytes in its order."""

    def __init__(self) -> None:
        self.arrays: list[bytes] = []
        self.nodes = self.size = 0

    def tree(self, value: Any, depth: int) -> Any:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise WireError("nested too deeply, or too many values: return them as one array")
        if value is None or isinstance(value, (bool, int, float, str)):
            return _scalar(value)
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, (np.bool_, np.integer, np.floating)) and value.itemsize <= 8:
            return _scalar(value.item())  # a number is a number, whoever made it
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(np.asarray(value))
        if isinstance(value, (list, tuple)):
            items = [self.tree(item, depth + 1) for item in value]
            return {"tuple": items} if isinstance(value, tuple) else items
        if isinstance(value, dict):
            if len(value) > MOST_KEYS:
                raise WireError(f"a dictionary of more than {MOST_KEYS} keys")
            keys = [self.tree(_plain_key(key, depth), depth + 1) for key in value]
            return {"keys": keys, "values": [self.tree(v, depth + 1) for v in value.values()]}
        raise WireError(f"an object of type {type(value).__name__}")

    def _tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        kind = str(tensor.dtype).removeprefix("torch.")
        if kind not in TORCH or tensor.layout != torch.strided:
            raise WireError(f"a tensor of {kind}, {tensor.layout}".replace("torch.", ""))
        shape = self._room(tensor.shape, tensor.element_size())
        plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
        octets = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        self.arrays.append(octets)
        return {"tensor": kind, "shape": shape}

    def _array(self, array: Any) -> dict[str, Any]:
        if array.dtype.name not in NUMPY:
            raise WireError(f"an array of {array.dtype}")
        shape = self._room(array.shape, array.dtype.itemsize)
        self.arrays.append(array.astype(array.dtype.newbyteorder("=")).tobytes())
        return {"array": array.dtype.name, "shape": shape}

    def _room(self, shape: Any, itemsize: int) -> list[int]:
        """Refuse what is too large before a copy of it is made."""
        if len(shape) > DEEPEST or any(length > LARGEST for length in shape):
            raise WireError(f"an array of shape {tuple(shape)}"[:200])
        self.size += math.prod(shape) * itemsize
        if self.size > LARGEST:
            raise WireError(_beyond(LARGEST))
        return list(shape)


def _plain_key(key: Any, depth: int) -> Any:
    """A number of numpy's is a fine key of a dictionary, but comes out as an array, which is none."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple) and depth <= DEEPEST:
        return tuple(_plain_key(part, depth + 1) for part in key)
    if key is None or isinstance(key, (bool, int, float, str)):
        return key
    raise WireError(f"a dictionary with a key of type {type(key).__name__}")


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
            return _checked_integer(tree)
        if isinstance(tree, str):
            return _checked_text(tree)
        if isinstance(tree, list):
            return [self.value(item, depth + 1) for item in tree]
        return self._marked(tree, depth)

    def _marked(self, tree: dict[str, Any], depth: int) -> Any:
        names = set(tree)
        if names == {"number"}:
            return ODD_NUMBERS[tree["number"]]
        if names == {"tuple"} and isinstance(tree["tuple"], list):
            return tuple(self.value(item, depth + 1) for item in tree["tuple"])
        if names == {"keys", "values"} and len(tree["keys"]) <= MOST_KEYS:
            keys = [_plain_key(self.value(key, depth + 1), depth) for key in tree["keys"]]
            values = [self.value(item, depth + 1) for item in tree["values"]]
            return dict(zip(keys, values, strict=True))
        if names == {"tensor", "shape"}:
            kind = TORCH[tree["tensor"]]
            shape, octets = self._taken(tree["shape"], kind.itemsize, kind == torch.bool)
            if not octets:
                return torch.empty(shape, dtype=kind)
            return torch.frombuffer(octets, dtype=kind).reshape(shape)
        if names == {"array", "shape"} and tree["array"] in NUMPY:
            array = np.dtype(tree["array"])
            shape, octets = self._taken(tree["shape"], array.itemsize, array.kind == "b")
            return np.frombuffer(octets, dtype=array).reshape(shape)
        raise WireError("an unknown kind of value")

    def _taken(self, shape: Any, itemsize: int, truth: bool) -> tuple[tuple[int, ...], bytearray]:
        whole = isinstance(shape, list) and len(shape) <= DEEPEST
        if not whole or any(type(n) is not int or not 0 <= n <= LARGEST for n in shape):
            raise WireError("a shape that is none")
        size = math.prod(shape) * itemsize
        octets = bytearray(self.arrays[self.at : self.at + size])
        if len(octets) != size:
            raise WireError("an array that is cut off")
        if truth and octets and np.frombuffer(octets, np.uint8).max() > 1:
            raise WireError("a truth value that is neither")  # torch may take it for both
        self.at += size
        return tuple(shape), octets
