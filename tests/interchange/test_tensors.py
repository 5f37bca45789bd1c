"""safetensors files: what is written can be read by anyone, and what is read is not trusted."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganglion as gl
from ganglion.interchange.tensors import DTYPES, decode, encode

SOURCE = "file.safetensors"
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda n: n != "__metadata__")


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, mx.array]:
    found = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        dtype = DTYPES[draw(st.sampled_from(sorted(DTYPES)))][0]
        shape = draw(st.lists(st.integers(0, 3), max_size=3))
        values = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2
        found[name] = mx.array(values).astype(dtype)
    return found


def file(header: Any, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def entry(shape: Any = (1,), offsets: Any = (0, 4), dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@given(
    arrays(), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.just("text"), max_size=3)
)
def test_what_is_written_is_read(given_arrays: dict[str, mx.array], metadata: dict[str, str]) -> None:
    found, texts = decode(encode(given_arrays, metadata), SOURCE)
    assert texts == metadata
    assert found.keys() == given_arrays.keys()
    for name, array in given_arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert mx.array_equal(found[name], array).item()


def test_mlx_and_we_read_each_other(tmp_path: Path) -> None:
    given_arrays = {"a.b": mx.arange(6).reshape(2, 3), "h": mx.ones((3,), mx.bfloat16), "s": mx.array(2.5)}
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    ours.write_bytes(encode(given_arrays, {"k": "v"}))
    mx.save_safetensors(str(theirs), given_arrays, {"k": "v"})
    for found in (mx.load(str(ours)), decode(theirs.read_bytes(), theirs)[0]):
        assert all(mx.array_equal(found[name], array).item() for name, array in given_arrays.items())
    assert decode(theirs.read_bytes(), theirs)[1]["k"] == "v"


def test_complex_numbers_have_no_place() -> None:
    with pytest.raises(TypeError, match=r"z holds .*complex64"):
        encode({"z": mx.array([1j])}, {})


GOOD = encode({"a": mx.arange(4, dtype=mx.float32), "b": mx.ones((2, 2))}, {"ganglion": "{}"})


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 9, 20, len(GOOD) - 17, len(GOOD) - 1])
def test_a_file_that_was_cut_short_is_refused(keep: int) -> None:
    with pytest.raises(gl.FileError, match=f"{SOURCE}: "):
        decode(GOOD[:keep], SOURCE)


@given(st.integers(0, len(GOOD) - 33), st.integers(1, 255))
def test_no_changed_byte_breaks_the_reader(place: int, change: int) -> None:
    """Any byte before the arrays: the file is read as another one, or refused; nothing else happens."""
    data = bytearray(GOOD)
    data[place] ^= change
    try:
        found, _ = decode(bytes(data), SOURCE)
    except gl.FileError:
        return
    assert sum(array.nbytes for array in found.values()) == 32


HOSTILE = {
    "pickle": (pickle.dumps({"a": 1}), "this is a Python pickle, which can run code"),
    "torch": (b"PK\x03\x04" + bytes(100), "a zip archive"),
    "numpy": (b"\x93NUMPY" + bytes(100), "a NumPy file"),
    "text": (b"hello, this is a text file", "only safetensors files are loaded"),
    "huge header": ((2**62).to_bytes(8, "little") + b"{}", "only safetensors files"),
    "cut header": (file(b'{"a": 1}')[:12], "the header of 8 bytes is cut short"),
    "no JSON": (file(b"{nonsense"), "the header is not sound JSON"),
    "deep": (file(b'{"a":' * 100_000), "the header is not sound JSON"),
    "twice": (file(b'{"a": {}, "a": {}}'), "a name is given twice"),
    "no UTF-8": (file(b'{"\xff": 1}'), "the header is not sound JSON"),
    "metadata": (file({"__metadata__": {"a": 1}}), "__metadata__ must map names to texts"),
    "no entry": (file({"a": 5}), "must have dtype, shape and data_offsets, got 5"),
    "more": (file({"a": {**entry(), "code": "x"}}), "must have dtype, shape and data_offsets"),
    "dtype": (file({"a": entry(dtype="O")}, bytes(4)), "has dtype 'O'"),
    "dtype list": (file({"a": entry(dtype=["F32"])}, bytes(4)), r"has dtype \['F32'\]"),
    "negative": (file({"a": entry([-1])}, bytes(4)), r"has shape \[-1\]"),
    "bool shape": (file({"a": entry([True])}, bytes(4)), r"has shape \[True\]"),
    "overflow": (file({"a": entry([2**31, 2**31, 2**31], [0, 4])}, bytes(4)), "has shape"),
    "deep shape": (file({"a": entry([1] * 9)}, bytes(4)), "has shape"),
    "backwards": (file({"a": entry([1], [4, 0])}, bytes(4)), "has -4 bytes"),
    "outside": (file({"a": entry([9], [0, 36])}, bytes(4)), "32 bytes are missing: it was cut short"),
    "offset": (file({"a": entry([1], [4, 8])}, bytes(8)), "'a' starts at byte 4, not at 0"),
    "overlap": (file({"a": entry(), "b": entry()}, bytes(4)), "'b' starts at byte 0, not at 4"),
    "too long": (file({"a": entry()}, bytes(9)), "5 bytes too many"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_with_a_reason(kind: str) -> None:
    data, reason = HOSTILE[kind]
    with pytest.raises(gl.FileError, match=reason) as caught:
        decode(data, SOURCE)
    assert len(str(caught.value)) < 300
