"""Values arrive unchanged or are refused, and bytes of any kind do no harm."""

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
from hypothesis.extra import numpy as hnp
from torch import tensor

from camcourse.grading import messages
from camcourse.grading.messages import MessageError, decode, encode


def sent(value: Any) -> Any:
    """Return what arrives on the other side."""
    message = encode(value)
    assert messages.body_length(message[:8]) == len(message) - 8
    return decode(message[8:])


def same(one: Any, other: Any) -> bool:
    """Whether two values have equal types, shapes and values; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        return (one.dtype, one.shape) == (other.dtype, other.shape) and octets(one) == octets(other)
    if isinstance(one, np.ndarray):
        nan = one.dtype.kind in "fc"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=nan)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one), list(other)) and all(same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


def octets(value: torch.Tensor) -> bytes:
    plain = value.contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes() if value.numel() else b""


def body(tree: Any, octets: bytes = b"") -> bytes:
    """Return the body of a message made by hand."""
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return len(text).to_bytes(4, "little") + text + octets


plain = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats()
    | st.text(st.characters(codec=None, categories=None), max_size=20)
)
keys = st.recursive(plain, lambda inner: st.tuples(inner, inner), max_leaves=4)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
arrays = st.sampled_from(sorted(messages.NUMPY)).flatmap(lambda name: hnp.arrays(name, shapes))
tensors = arrays.filter(lambda one: one.dtype.name in messages.TORCH).map(
    lambda one: torch.from_numpy(one.copy())
)


values = st.recursive(
    plain | arrays | tensors,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
@example({"a": [(), {}, {(1, (2.5, None)): math.nan}], "": "\ud800 \0 \N{GRINNING FACE}"})
def test_every_value_arrives_unchanged(value: Any) -> None:
    assert same(sent(value), value)


@pytest.mark.parametrize("name", sorted({*messages.TORCH, *messages.NUMPY}))
def test_arrays_of_every_dtype(name: str) -> None:
    """Also without axes, without values, and not contiguous."""
    if name in messages.TORCH:
        for one in (torch.ones(2, 3), torch.ones(()), torch.empty(0, 4), torch.ones(4, 3).T[1:]):
            value = one.to(messages.TORCH[name])
            assert same(sent(value), value)
    if name in messages.NUMPY:
        for one in (np.ones((2, 3)), np.ones(()), np.empty((0, 4)), np.ones((4, 3)).T[1:, ::-1]):
            assert same(sent(one.astype(name)), one.astype(name))


COLOUR = enum.IntEnum("COLOUR", ["RED"]).RED


@pytest.mark.parametrize(
    ("value", "arrived"),
    [
        # Conjugates, negatives, steps and byte order are not in the bytes of a tensor or array.
        (tensor([1 + 2j, 3 - 4j]).conj(), tensor([1 - 2j, 3 + 4j])),
        (tensor([1 + 2j, 3 - 4j]).conj().imag, tensor([-2.0, 4.0])),
        (torch.arange(6)[::2], tensor([0, 2, 4])),
        (torch.ones(1).expand(3, 2), torch.ones(3, 2)),
        (np.array([1.5, -2.0], dtype=">f4"), np.array([1.5, -2.0], dtype="f4")),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        # Numbers of numpy arrive as Python's; complex ones as arrays without axes.
        (np.float64(0.5), 0.5),
        (np.float64("nan"), math.nan),
        ([np.float64("inf"), np.float64("-inf")], [math.inf, -math.inf]),
        ((np.float32(0.5), np.int64(7), np.bool_(True)), (0.5, 7, True)),
        (np.complex64(1j), np.array(1j, np.complex64)),
        ({np.int64(3): 1, (np.int32(1), np.float32(0.5)): 2}, {3: 1, (1, 0.5): 2}),
        # Subclasses arrive as plain data.
        ([COLOUR, np.str_("a"), torch.Size([2])], [1, "a", (2,)]),
        (torch.ones(1, 2).max(1), (tensor([1.0]), tensor([0]))),
    ],
)
def test_plain_data_arrives(value: Any, arrived: Any) -> None:
    assert same(sent(value), arrived)


def test_an_arrived_array_can_be_changed() -> None:
    for one in sent([torch.ones(2), np.ones(2)]):
        one += 1
        assert one.tolist() == [2.0, 2.0]


class Thing:
    pass


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
def test_other_values_are_refused(value: Any, words: str) -> None:
    with pytest.raises(MessageError, match=words):
        encode(value)


def nested(depth: int, times: int = 1) -> Any:
    """Return a tuple in tuples, each of which holds the next one so many times."""
    value: Any = 1
    for _ in range(depth):
        value = (value,) * times
    return value


ENDLESS: list[Any] = []
ENDLESS += [ENDLESS] * 3


@pytest.mark.parametrize(
    ("largest", "beyond", "words"),
    [
        ("x" * messages.MAX_TEXT, "x" * (messages.MAX_TEXT + 1), "a text of more than"),
        ([0] * (messages.MAX_VALUES - 1), [0] * messages.MAX_VALUES, "too many values"),
        (nested(5, 10), nested(15, 10), "too many values"),
        (nested(messages.MAX_DEPTH), nested(messages.MAX_DEPTH + 1), "nested too deeply"),
        ([[]], ENDLESS, "nested too deeply"),
        ({nested(messages.MAX_DEPTH - 1): 1}, {nested(5000): 1}, "a key of type tuple"),
        (torch.ones([1] * 16), torch.ones([1] * 17), "an array of shape"),
        (np.ones([1] * 16), np.ones([1] * 17), "an array of shape"),
        (torch.empty(0, 2**26), torch.empty(0, 2**26 + 1), "an array of shape"),
        (torch.ones(1), torch.ones(1).expand(2**40), "an array of shape"),
        (torch.ones(1), torch.ones(1).expand(2**20, 2**20), "larger than 64 MiB"),
        (np.zeros(2**26 - 100, "u1"), [np.zeros(2**25, "u1")] * 3, "larger than 64 MiB"),
        (dict.fromkeys(range(5_000)), dict.fromkeys(range(5_001)), "a dictionary of more than"),
        (["\n" * 2**20] * 3, ["\n" * 2**20] * 5, "larger than 8 MiB"),
    ],
)
def test_limits_are_the_same_on_both_sides(largest: Any, beyond: Any, words: str) -> None:
    """What is too large is refused before it is copied."""
    assert same(sent(largest), largest)
    with pytest.raises(MessageError, match=words):
        encode(beyond)


@pytest.mark.parametrize("length", [0, 4, messages.MAX_MESSAGE + 5, 2**64 - 1])
def test_impossible_lengths(length: int) -> None:
    with pytest.raises(MessageError):
        messages.body_length(length.to_bytes(8, "little"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\1\0\0\0",
        b"\xff" * 40,
        body(b"[" * 5),
        body({}),
        body({"number": "1"}),
        body({"number": []}),
        body({"tuple": {}}),
        body({"tuple": "ab"}),
        body({"tuple": [], "more": 1}),
        body({"keys": [[1]], "values": [1]}),
        body({"keys": [1], "values": []}),
        body({"keys": 1, "values": 1}),
        body({"keys": [{"tensor": "float32", "shape": [0]}], "values": [1]}),
        body({"keys": list(range(5_001)), "values": [1] * 5_001}),
        body({"tensor": "float32"}),
        body({"tensor": "float31", "shape": []}, bytes(4)),
        body({"tensor": [], "shape": []}, bytes(4)),
        body({"array": "object", "shape": []}, bytes(8)),
        body({"array": {}, "shape": []}, bytes(8)),
        body({"array": "float32", "shape": 4}, bytes(4)),
        body({"array": "float32", "shape": [True]}, bytes(4)),
        body({"array": "float32", "shape": [1.0]}, bytes(4)),
        body({"array": "float32", "shape": [-1]}, bytes(4)),
        body({"array": "float32", "shape": [-1, -1]}, bytes(4)),
        body({"array": "float32", "shape": [2]}, bytes(4)),
        body({"array": "float32", "shape": [1]}, bytes(8)),
        body({"array": "float32", "shape": [0] + [2**26] * 15}),
        body({"tensor": "float32", "shape": [0] + [2**26] * 15}),
        body({"tensor": "float32", "shape": [2**26] * 16}),
        body({"tensor": "bool", "shape": [1]}, b"\2"),
        body({"array": "bool", "shape": [1]}, b"\2"),
        body([], b"rest"),
        body(2**63),
        body("x" * (2**20 + 1)),
        body([0] * messages.MAX_VALUES),
        b"\4\0\0\0" + b"\xff\xfe[]",
        body(b"[" * 10**5),
        body(b"9" * 10**5),
        body(b'{"a":0' * 10**5),
    ],
    ids=lambda content: repr(content[4:44]),
)
def test_not_a_message(content: bytes) -> None:
    with pytest.raises(MessageError):
        decode(content)


def check_decoding(content: bytes) -> None:
    """Decode; anything but a value or a ``MessageError`` fails the test."""
    try:
        value = decode(content)
    except MessageError:
        return
    assert same(sent(value), value)


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 220))
def test_any_bytes(content: bytes, length: int) -> None:
    check_decoding(content)
    check_decoding(length.to_bytes(4, "little") + content)


@settings(max_examples=300)
@given(values, st.data())
def test_a_message_with_wrong_bytes(value: Any, data: st.DataObject) -> None:
    content = bytearray(encode(value)[8:])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    check_decoding(bytes(content[: data.draw(st.integers(0, len(content)))]))
    check_decoding(bytes(content))


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
    check_decoding(body(tree, octets))


@pytest.mark.parametrize("part", [b"[],", b"{},", b"0,", b'"",', b'{"":', b'"\\\\",', b'"\\"",'])
def test_too_many_values_are_refused_before_they_are_made(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight megabytes of such JSON would need half a gigabyte for lists, and seconds."""
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("was read"))
    with pytest.raises(MessageError, match="too many values"):
        decode(body(b"[" + part * ((messages.MAX_TREE - 10) // len(part)) + b"0]"))
    with pytest.raises(MessageError, match="larger than 8 MiB"):
        decode(body(b'"' + b"x" * messages.MAX_TREE + b'"'))


def test_commas_in_texts_are_no_values() -> None:
    texts = [",[{" * 300_000, '"\\",[' * 100_000, "\ud800,\\" * 100_000, ",\n" * 300_000]
    assert sent(texts) == texts


@pytest.mark.parametrize("part", [b"[],", b"{},", b'"\\u0100",'])
def test_a_mark_is_at_most_a_hundred_bytes(part: bytes) -> None:
    """So the whole that is read takes at most a hundred megabytes."""
    count = 50_000
    text = b"[" + part * count + b"{}]"
    tracemalloc.start()
    with pytest.raises(MessageError, match="unknown type"):
        decode(body(text))
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
    keys = colliding(messages.MAX_KEYS)
    assert len({hash(key) for key in keys}) == 1
    with pytest.raises(MessageError, match="a dictionary of more than"):
        encode(dict.fromkeys([*keys, 0]))
    began = time.process_time()
    assert list(sent(dict.fromkeys(keys))) == keys
    assert time.process_time() - began < 30, "half a second; without the limit it would be minutes"
