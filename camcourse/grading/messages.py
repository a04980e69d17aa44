"""Messages between the grader and a submission: JSON and the bytes of arrays, without pickle.

A message is a length in eight bytes, a length in four bytes, that many bytes of JSON, and the arrays'
bytes. The decoder trusts nothing: it checks types, shapes, sizes and depths, and raises
:class:`MessageError` for everything else. What :func:`encode` accepts, :func:`decode` accepts, too.
The sandbox has a copy of this file, so it imports only torch and numpy.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import torch

MAX_MESSAGE = 64 * 2**20  # bytes of a message
MAX_TREE = 8 * 2**20  # bytes of its JSON
MAX_DEPTH = 16  # of nested lists, and axes of an array
MAX_VALUES = 200_000
MAX_MARKS = 5 * MAX_VALUES  # commas and brackets in JSON: each may become a Python list
MAX_KEYS = 5_000  # of a dictionary: keys chosen to have equal hashes make it slow
MAX_TEXT = 2**20  # characters
TORCH = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8,
        torch.int8, torch.int16, torch.int32, torch.int64, torch.complex64, torch.complex128,
    )
}  # fmt: skip
NUMPY = {
    "float16", "float32", "float64", "bool", "uint8", "uint16", "uint32", "uint64",
    "int8", "int16", "int32", "int64", "complex64", "complex128",
}  # fmt: skip
TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # JSON strings, closed or not
NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}  # not in JSON


class MessageError(ValueError):
    """The bytes are not a message, or the value cannot be sent."""


def encode(value: Any) -> bytes:
    """Return a message; ``MessageError`` if ``value`` is not plain data and arrays, or is too large."""
    encoder = _Encoder()
    text = json.dumps(encoder.tree(value, 0), separators=(",", ":"), ensure_ascii=False)
    octets = _checked_json(text.encode("utf-8", "surrogatepass"))
    if len(octets) + encoder.size > MAX_MESSAGE:
        raise _too_large(MAX_MESSAGE)
    body = len(octets).to_bytes(4, "little") + octets + b"".join(encoder.arrays)
    return len(body).to_bytes(8, "little") + body


def body_length(head: bytes) -> int:
    """Return how many bytes follow the first eight; ``MessageError`` if that is impossible."""
    length = int.from_bytes(head[:8], "little")
    if not 4 < length <= MAX_MESSAGE + 4:
        raise MessageError("not a message")
    return length


def decode(body: bytes) -> Any:
    """Return the value of a message's body (all after the first eight bytes), or ``MessageError``."""
    length = int.from_bytes(body[:4], "little")
    if length > len(body) - 4:
        raise MessageError("a message that is cut off")
    octets = _checked_json(body[4 : 4 + length])
    try:
        tree = json.loads(octets.decode("utf-8", "surrogatepass"))
        decoder = _Decoder(memoryview(body)[4 + length :])
        value = decoder.value(tree, 0)
    except MessageError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError) as error:
        raise MessageError(f"not a message: {type(error).__name__}") from error
    if decoder.position != len(decoder.arrays):
        raise MessageError("bytes that belong to no array")
    return value


def _too_large(limit: int) -> MessageError:
    return MessageError(f"larger than {limit >> 20} MiB")


def _checked_json(octets: bytes) -> bytes:
    """Refuse JSON that would need much memory, before its values are made."""
    if len(octets) > MAX_TREE:
        raise _too_large(MAX_TREE)
    if _marks(octets) > MAX_MARKS and _marks(TEXTS.sub(b"", octets)) > MAX_MARKS:
        raise MessageError("too many values")
    return octets


def _marks(octets: bytes) -> int:
    return octets.count(b",") + octets.count(b"[") + octets.count(b"{")


def _checked_integer(number: int) -> int:
    if abs(number) >= 2**63:
        raise MessageError("an integer beyond 64 bits")
    return number


def _checked_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise MessageError(f"a text of more than {MAX_TEXT} characters")
    return text


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, float):
        number = float(value)  # numpy.float64 is a float with another repr
        return number if math.isfinite(number) else {"number": repr(number)}
    return value if value is None or isinstance(value, bool) else _checked_integer(int(value))


def _plain_key(key: Any, depth: int) -> Any:
    """Return the key of a dictionary with Python numbers for numpy numbers, or ``MessageError``."""
    if isinstance(key, np.generic):
        key = key.item()
    if isinstance(key, tuple) and depth <= MAX_DEPTH:
        return tuple(_plain_key(part, depth + 1) for part in key)
    if key is None or isinstance(key, (bool, int, float, str)):
        return key
    raise MessageError(f"a dictionary with a key of type {type(key).__name__}")


class _Encoder:
    """Turns a value into a tree for JSON and collects the bytes of its arrays in order."""

    def __init__(self) -> None:
        self.arrays: list[bytes] = []
        self.values = self.size = 0

    def tree(self, value: Any, depth: int) -> Any:
        self.values += 1
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            raise MessageError("nested too deeply, or too many values: return them as one array")
        if value is None or isinstance(value, (bool, int, float, str)):
            return _scalar(value)
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, (np.bool_, np.integer, np.floating)) and value.itemsize <= 8:
            return _scalar(value.item())
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(np.asarray(value))
        if isinstance(value, (list, tuple)):
            items = [self.tree(item, depth + 1) for item in value]
            return {"tuple": items} if isinstance(value, tuple) else items
        if isinstance(value, dict):
            if len(value) > MAX_KEYS:
                raise MessageError(f"a dictionary of more than {MAX_KEYS} keys")
            keys = [self.tree(_plain_key(key, depth), depth + 1) for key in value]
            return {"keys": keys, "values": [self.tree(v, depth + 1) for v in value.values()]}
        raise MessageError(f"an object of type {type(value).__name__}")

    def _tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype not in TORCH or tensor.layout != torch.strided:
            raise MessageError(f"a tensor of {dtype}, {tensor.layout}".replace("torch.", ""))
        shape = self._checked_shape(tensor.shape, tensor.element_size())
        plain = tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
        self.arrays.append(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
        return {"tensor": dtype, "shape": shape}

    def _array(self, array: Any) -> dict[str, Any]:
        if array.dtype.name not in NUMPY:
            raise MessageError(f"an array of {array.dtype}")
        shape = self._checked_shape(array.shape, array.dtype.itemsize)
        self.arrays.append(array.astype(array.dtype.newbyteorder("=")).tobytes())
        return {"array": array.dtype.name, "shape": shape}

    def _checked_shape(self, shape: Any, itemsize: int) -> list[int]:
        """Refuse an array that is too large before it is copied."""
        if len(shape) > MAX_DEPTH or any(length > MAX_MESSAGE for length in shape):
            raise MessageError(f"an array of shape {tuple(shape)}"[:200])
        self.size += math.prod(shape) * itemsize
        if self.size > MAX_MESSAGE:
            raise _too_large(MAX_MESSAGE)
        return list(shape)


class _Decoder:
    """Turns a tree back into a value and takes the bytes of its arrays in order."""

    def __init__(self, arrays: memoryview) -> None:
        self.arrays, self.position, self.values = arrays, 0, 0

    def value(self, tree: Any, depth: int) -> Any:
        self.values += 1
        if depth > MAX_DEPTH or self.values > MAX_VALUES:
            raise MessageError("nested too deeply, or too many values")
        if tree is None or isinstance(tree, (bool, float)):
            return tree
        if isinstance(tree, int):
            return _checked_integer(tree)
        if isinstance(tree, str):
            return _checked_text(tree)
        if isinstance(tree, list):
            return [self.value(item, depth + 1) for item in tree]
        return self._object(tree, depth)

    def _object(self, tree: dict[str, Any], depth: int) -> Any:
        names = set(tree)
        if names == {"number"}:
            return NOT_FINITE[tree["number"]]
        if names == {"tuple"} and isinstance(tree["tuple"], list):
            return tuple(self.value(item, depth + 1) for item in tree["tuple"])
        if names == {"keys", "values"} and len(tree["keys"]) <= MAX_KEYS:
            keys = [_plain_key(self.value(key, depth + 1), depth) for key in tree["keys"]]
            values = [self.value(item, depth + 1) for item in tree["values"]]
            return dict(zip(keys, values, strict=True))
        if names == {"tensor", "shape"}:
            dtype = TORCH[tree["tensor"]]
            shape, octets = self._take(tree["shape"], dtype.itemsize, dtype == torch.bool)
            if not octets:
                return torch.empty(shape, dtype=dtype)
            return torch.frombuffer(octets, dtype=dtype).reshape(shape)
        if names == {"array", "shape"} and tree["array"] in NUMPY:
            array = np.dtype(tree["array"])
            shape, octets = self._take(tree["shape"], array.itemsize, array.kind == "b")
            return np.frombuffer(octets, dtype=array).reshape(shape)
        raise MessageError("an unknown type of value")

    def _take(self, shape: Any, itemsize: int, is_bool: bool) -> tuple[tuple[int, ...], bytearray]:
        is_list = isinstance(shape, list) and len(shape) <= MAX_DEPTH
        if not is_list or any(type(n) is not int or not 0 <= n <= MAX_MESSAGE for n in shape):
            raise MessageError("an invalid shape")
        size = math.prod(shape) * itemsize
        octets = bytearray(self.arrays[self.position : self.position + size])
        if len(octets) != size:
            raise MessageError("an array that is cut off")
        if is_bool and octets and np.frombuffer(octets, np.uint8).max() > 1:
            raise MessageError(
                "a truth value that is neither 0 nor 1"
            )  # torch may take it for both
        self.position += size
        return tuple(shape), octets
