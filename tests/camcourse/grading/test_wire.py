"""Values cross the border whole or are refused in words; bytes of any kind do no harm."""

from __future__ import annotations

import enum
import json
import math
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from camcourse.grading import wire
from camcourse.grading.wire import WireError, decode, encode


def across(value: Any) -> Any:
    """What arrives on the other side."""
    message = encode(value)
    assert wire.body_length(message[:8]) == len(message) - 8
    return decode(message[8:])


def same(one: Any, other: Any) -> bool:
    """Equal in kind, shape and value; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(_bits(one), _bits(other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind in "fc"
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """Bytes, for NaN is not equal to itself; with the shape, for bytes have none."""
    octets = tensor.contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else torch.empty(0)
    return torch.cat([octets.double(), torch.tensor(tensor.shape).double()])


def message(tree: Any, octets: bytes = b"") -> bytes:
    """A body made by hand."""
    text = json.dumps(tree).encode()
    return len(text).to_bytes(4, "little") + text + octets


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None), max_size=20)
)
keys = st.recursive(plain, lambda inner: st.tuples(inner, inner), max_leaves=4)
torch_kinds = st.sampled_from(sorted(wire.TORCH))
numpy_kinds = st.sampled_from(sorted(wire.NUMPY))
shapes = st.lists(st.integers(0, 3), max_size=4)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    kind, shape = wire.TORCH[draw(torch_kinds)], draw(shapes)
    size = math.prod(shape) * kind.itemsize
    octets = draw(st.binary(min_size=size, max_size=size))
    if kind == torch.bool:
        octets = bytes(one % 2 for one in octets)
    if not size:
        return torch.empty(shape, dtype=kind)
    return torch.frombuffer(bytearray(octets), dtype=kind).reshape(shape)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    kind, shape = np.dtype(draw(numpy_kinds)), draw(shapes)
    size = math.prod(shape) * kind.itemsize
    octets = draw(st.binary(min_size=size, max_size=size))
    if kind == np.bool_:
        octets = bytes(one % 2 for one in octets)
    return np.frombuffer(bytearray(octets), dtype=kind).reshape(shape)


values = st.recursive(
    plain | tensors() | arrays(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
@example({"a": [(), {}, {(1, (2.5, None)): math.nan}], "": "\ud800 \0 \N{GRINNING FACE}"})
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    assert same(across(value), value)


@pytest.mark.parametrize("kind", sorted(wire.TORCH))
def test_tensors_of_every_kind(kind: str) -> None:
    for one in (torch.ones(2, 3), torch.ones(()), torch.empty(0, 4), torch.ones(4, 3).T[1:]):
        value = one.to(wire.TORCH[kind])
        back = across(value)
        assert back.dtype == value.dtype
        assert torch.equal(back, value)


@pytest.mark.parametrize("kind", sorted(wire.NUMPY))
def test_arrays_of_every_kind(kind: str) -> None:
    for one in (np.ones((2, 3)), np.ones(()), np.empty((0, 4)), np.ones((4, 3)).T[1:, ::-1]):
        assert same(across(one.astype(kind)), one.astype(kind))


def test_views_arrive_as_what_they_show() -> None:
    """Conjugates, negatives and steps are notes on a tensor, not in its bytes."""
    numbers = torch.tensor([1 + 2j, 3 - 4j])
    assert torch.equal(across(numbers.conj()), torch.tensor([1 - 2j, 3 + 4j]))
    assert torch.equal(across(numbers.conj().imag), torch.tensor([-2.0, 4.0]))
    assert torch.equal(across(torch.arange(6)[::2]), torch.tensor([0, 2, 4]))
    assert torch.equal(across(torch.ones(1).expand(3, 2)), torch.ones(3, 2))


def test_big_endian_arrives_in_this_machines_order() -> None:
    back = across(np.array([1.5, -2.0], dtype=">f4"))
    assert back.tolist() == [1.5, -2.0]
    assert back.dtype == np.float32
    assert back.dtype.isnative


def test_what_arrives_is_nobodys() -> None:
    """No gradient hangs on it, and it may be written into."""
    back = across([torch.ones(2, requires_grad=True), np.ones(2)])
    assert not back[0].requires_grad
    for one in back:
        one += 1
    assert [one.tolist() for one in back] == [[2.0, 2.0], [2.0, 2.0]]


def test_numbers_of_numpy() -> None:
    """They arrive as Python's, alone and within tuples; complex ones as arrays without axes."""
    assert across(np.float64(0.5)) == 0.5
    assert math.isnan(across(np.float64("nan")))
    assert across([np.float64("inf"), np.float64("-inf")]) == [math.inf, -math.inf]
    assert same(across((np.float32(0.5), np.int64(7), np.bool_(True))), (0.5, 7, True))
    assert same(across(np.complex64(1j)), np.array(1j, np.complex64))
    assert across({np.int64(3): 1, (np.int32(1), np.float32(0.5)): 2}) == {3: 1, (1, 0.5): 2}


def test_what_only_looks_like_plain_data_becomes_plain() -> None:
    colour = enum.IntEnum("Colour", ["RED"])
    assert same(across([colour.RED, np.str_("a"), torch.Size([2])]), [1, "a", (2,)])
    assert across(torch.ones(1, 2).max(1)) == (torch.tensor([1.0]), torch.tensor([0]))


class Thing:
    """Of a student's own."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Thing(), "an object of type Thing"),
        (1j, "an object of type complex"),
        ({1}, "an object of type set"),
        (b"bytes", "an object of type bytes"),
        (print, "an object of type builtin_function_or_method"),
        ([Thing], "an object of type type"),
        (np.array(["a"]), "an array of <U1"),
        (np.array([None]), "an array of object"),
        (np.zeros(1, "M8[s]"), "an array of datetime64"),
        (np.longdouble(1), "an array of"),
        (np.zeros(1, "i4,f4"), "an array of"),
        (torch.zeros(2, 2).to_sparse(), "a tensor of float32, sparse_coo"),
        (torch.zeros(2, dtype=torch.float8_e4m3fn), "a tensor of float8_e4m3fn"),
        ({Thing(): 1}, "a key of type Thing"),
        ({torch.ones(()): 1}, "a key of type Tensor"),
        ({(1, frozenset()): 1}, "a key of type frozenset"),
        (2**63, "an integer beyond 64 bits"),
        (-(2**63), "an integer beyond 64 bits"),
    ],
)
def test_what_may_not_cross_is_refused_in_words(value: Any, words: str) -> None:
    with pytest.raises(WireError, match=words):
        encode(value)


def nested(depth: int, empty: Any) -> Any:
    value = empty
    for _ in range(depth):
        value = (value,)
    return value


@pytest.mark.parametrize(
    ("largest", "beyond", "words"),
    [
        ("x" * wire.LONGEST_TEXT, "x" * (wire.LONGEST_TEXT + 1), "a text of more than"),
        ([0] * (wire.MOST_NODES - 1), [0] * wire.MOST_NODES, "too many values"),
        (nested(wire.DEEPEST, 1), nested(wire.DEEPEST + 1, 1), "nested too deeply"),
        ({nested(wire.DEEPEST - 1, 1): 1}, {nested(5000, 1): 1}, "a key of type tuple"),
        (torch.ones([1] * 16), torch.ones([1] * 17), "an array of shape"),
        (np.ones([1] * 16), np.ones([1] * 17), "an array of shape"),
        (torch.empty(0, 2**26), torch.empty(0, 2**26 + 1), "an array of shape"),
        (
            dict.fromkeys(range(wire.MOST_KEYS)),
            dict.fromkeys(range(wire.MOST_KEYS + 1)),
            "a dictionary of more than",
        ),
        (["\n" * 2**20] * 3, ["\n" * 2**20] * 5, "larger than 8 MiB"),
    ],
)
def test_both_sides_know_the_same_limits(largest: Any, beyond: Any, words: str) -> None:
    assert same(across(largest), largest)
    with pytest.raises(WireError, match=words):
        encode(beyond)


def test_a_message_has_a_largest_size() -> None:
    octets = wire.LARGEST - 100
    assert len(across(np.zeros(octets, np.uint8))) == octets
    with pytest.raises(WireError, match="larger than 64 MiB"):
        encode([np.zeros(octets // 2, np.uint8)] * 3)


def test_what_is_too_large_is_refused_before_it_is_copied() -> None:
    """A terabyte that is one number, shown often, and a list that holds itself."""
    with pytest.raises(WireError, match="larger than 64 MiB"):
        encode([torch.ones(1).expand(2**20, 2**20)])
    with pytest.raises(WireError, match="an array of shape"):
        encode(torch.ones(1).expand(2**40))
    endless: list[Any] = []
    endless += [endless] * 3
    with pytest.raises(WireError, match="nested too deeply"):
        encode(endless)


def test_widths_multiply_but_not_for_long() -> None:
    """Ten lists in each of ten lists, fifteen deep: there is not that much time."""
    value: Any = 0
    for _ in range(15):
        value = [value] * 10
    with pytest.raises(WireError, match="too many values"):
        encode(value)


@pytest.mark.parametrize("length", [0, 4, wire.LARGEST + 5, 2**64 - 1])
def test_impossible_lengths(length: int) -> None:
    with pytest.raises(WireError):
        wire.body_length(length.to_bytes(8, "little"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\1\0\0\0",
        b"\xff" * 40,
        b"\5\0\0\0" + b"[" * 5,
        message({}),
        message({"number": "1"}),
        message({"number": []}),
        message({"tuple": {}}),
        message({"tuple": "ab"}),
        message({"tuple": [], "more": 1}),
        message({"keys": [[1]], "values": [1]}),
        message({"keys": [1], "values": []}),
        message({"keys": 1, "values": 1}),
        message({"keys": [{"tensor": "float32", "shape": [0]}], "values": [1]}),
        message({"keys": list(range(5_001)), "values": [1] * 5_001}),
        message({"tensor": "float32"}),
        message({"tensor": "float31", "shape": []}, bytes(4)),
        message({"tensor": [], "shape": []}, bytes(4)),
        message({"array": "object", "shape": []}, bytes(8)),
        message({"array": {}, "shape": []}, bytes(8)),
        message({"array": "float32", "shape": 4}, bytes(4)),
        message({"array": "float32", "shape": [True]}, bytes(4)),
        message({"array": "float32", "shape": [1.0]}, bytes(4)),
        message({"array": "float32", "shape": [-1]}, bytes(4)),
        message({"array": "float32", "shape": [-1, -1]}, bytes(4)),
        message({"array": "float32", "shape": [2]}, bytes(4)),
        message({"array": "float32", "shape": [1]}, bytes(8)),
        message({"array": "float32", "shape": [0] + [2**26] * 15}),
        message({"tensor": "float32", "shape": [0] + [2**26] * 15}),
        message({"tensor": "float32", "shape": [2**26] * 16}),
        message({"tensor": "bool", "shape": [1]}, b"\2"),
        message({"array": "bool", "shape": [1]}, b"\2"),
        message([], b"rest"),
        message(2**63),
        message("x" * (2**20 + 1)),
        message([0] * wire.MOST_NODES),
        b"\4\0\0\0" + b"\xff\xfe[]",
        (10**5).to_bytes(4, "little") + b"[" * 10**5,
        (10**5).to_bytes(4, "little") + b"9" * 10**5,
        (6 * 10**5).to_bytes(4, "little") + b'{"a":0' * 10**5,
    ],
    ids=lambda body: repr(body[4:44]),
)
def test_no_message(body: bytes) -> None:
    with pytest.raises(WireError):
        decode(body)


def taken(body: bytes) -> None:
    """Decode; anything but a value or a ``WireError`` fails the test."""
    try:
        value = decode(body)
    except WireError:
        return
    assert same(across(value), value)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 220))
def test_any_bytes(octets: bytes, length: int) -> None:
    taken(octets)
    taken(length.to_bytes(4, "little") + octets)


@settings(max_examples=300)
@given(values, st.data())
def test_a_message_with_wrong_bytes_in_it(value: Any, data: st.DataObject) -> None:
    body = bytearray(encode(value)[8:])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place] = data.draw(st.integers(0, 255))
    taken(bytes(body[: data.draw(st.integers(0, len(body)))]))
    taken(bytes(body))


names = st.sampled_from(
    ["number", "tuple", "keys", "values", "tensor", "array", "shape", "float32", "bool", "nan"]
)
trees = st.recursive(
    plain | names | st.lists(st.integers(-1, 3), max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(trees, st.binary(max_size=40))
def test_any_tree(tree: Any, octets: bytes) -> None:
    taken(message(tree, octets))


def bomb(part: bytes) -> bytes:
    """As many parts as a tree may have bytes for."""
    text = b"[" + part * ((wire.LARGEST_TREE - 10) // len(part)) + b"0]"
    return len(text).to_bytes(4, "little") + text


@pytest.mark.parametrize("part", [b"[],", b"{},", b"0,", b'"",', b'{"":', b'"\\\\",', b'"\\"",'])
def test_a_bomb_is_not_even_lit(part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight megabytes of such JSON would be half a gigabyte of lists, and seconds."""
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("was read"))
    with pytest.raises(WireError, match="too many values"):
        decode(bomb(part))


def test_a_tree_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b'"' + b"x" * wire.LARGEST_TREE + b'"'
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("was read"))
    with pytest.raises(WireError, match="larger than 8 MiB"):
        decode(len(text).to_bytes(4, "little") + text)


def test_commas_in_texts_are_no_values() -> None:
    texts = [",[{" * 300_000, '"\\",[' * 100_000, "\ud800,\\" * 100_000, ",\n" * 300_000]
    assert across(texts) == texts


@pytest.mark.parametrize("part", [b"[],", b"{},", b'"\\u0100",'])
def test_a_mark_is_at_most_a_hundred_bytes(part: bytes) -> None:
    """So the whole that is read takes at most a hundred megabytes."""
    count = 50_000
    text = b"[" + part * count + b"{}]"
    tracemalloc.start()
    with pytest.raises(WireError, match="unknown kind"):
        decode(len(text).to_bytes(4, "little") + text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * sum(map(text.count, (b",", b"[", b"{"))) + 3 * len(text)


def colliding(count: int) -> list[tuple[int, int]]:
    """Pairs of numbers with one hash: CPython's hash of a tuple, solved for the second number."""
    size, first, second, start = 2**64, 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x27D4EB2F165667C5

    def turned(number: int, by: int) -> int:
        return (number << by | number >> (64 - by)) % size

    wanted = turned(123456789 * pow(first, -1, size) % size, 33)
    pairs: list[tuple[int, int]] = []
    for one in range(1, 100 * count):
        half = turned((start + one * second) % size, 31) * first % size
        other = (wanted - half) * pow(second, -1, size) % size
        if other < 2**61 - 1:  # such a number is its own hash
            pairs.append((one, other))
        if len(pairs) == count:
            break
    return pairs


def test_keys_with_equal_hashes() -> None:
    """Tuples made so that they all have one hash: a dictionary compares each with all before it."""
    keys = colliding(wire.MOST_KEYS)
    assert len({hash(key) for key in keys}) == 1
    with pytest.raises(WireError, match="a dictionary of more than"):
        encode(dict.fromkeys([*keys, 0]))
    began = time.process_time()
    assert list(across(dict.fromkeys(keys))) == keys
    assert time.process_time() - began < 30, "half a second; without the limit it would be minutes"
