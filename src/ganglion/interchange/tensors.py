"""safetensors files: named arrays and a dictionary of texts. Written plainly, read with suspicion.

The format is eight bytes for the length of a JSON header, the header, and the bytes of the arrays one after
the other. Nothing in it can run: a pickle, which can, is refused by name. The reader is our own so that a
broken or hostile file ends in one sentence, before any array is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import mlx.core as mx
import numpy as np

from ..arguments import short
from ..errors import FileError

Arrays = dict[str, mx.array]

HEADER_LIMIT = 100_000_000
"""Bytes of header that a reader accepts, as in the reference implementation."""

DTYPES: dict[str, tuple[mx.Dtype, str]] = {
    "F32": (mx.float32, "<f4"),
    "F16": (mx.float16, "<f2"),
    "BF16": (mx.bfloat16, "<u2"),  # NumPy lacks it: its bits travel as integers
    "U8": (mx.uint8, "<u1"),
    "U16": (mx.uint16, "<u2"),
    "U32": (mx.uint32, "<u4"),
    "U64": (mx.uint64, "<u8"),
    "I8": (mx.int8, "<i1"),
    "I16": (mx.int16, "<i2"),
    "I32": (mx.int32, "<i4"),
    "I64": (mx.int64, "<i8"),
    "BOOL": (mx.bool_, "|b1"),
}
"""Name of a type in the file -> the type in MLX, and the type its bytes have in NumPy."""

NOT_TENSORS = {
    b"\x80": "a Python pickle, which can run code when it is loaded",
    b"PK\x03\x04": "a zip archive (a PyTorch pickle or an .npz file)",
    b"\x93NUMPY": "a NumPy file",
}


def encode(arrays: Mapping[str, mx.array], metadata: Mapping[str, str]) -> bytes:
    """The content of a safetensors file.

    Raises:
        TypeError: an array of a type that the format does not have, such as complex numbers.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    parts, end = [], 0
    for name, array in arrays.items():
        code = next((code for code, (dtype, _) in DTYPES.items() if dtype == array.dtype), None)
        if code is None:
            raise TypeError(f"{name} holds {array.dtype}, which a safetensors file cannot hold")
        raw = np.asarray(array.view(mx.uint16) if code == "BF16" else array).tobytes()
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [end, end + len(raw)]}
        parts.append(raw)
        end += len(raw)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the arrays start at a multiple of eight
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def decode(data: bytes, source: object) -> tuple[Arrays, dict[str, str]]:
    """The arrays and the texts of a safetensors file.

    Args:
        data: the whole file.
        source: what errors call it, usually its path.

    Raises:
        FileError: it is something else, cut short, or does not agree with itself.
    """
    header, start = _header(data, source)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise FileError(f"{source}: __metadata__ must map names to texts")
    entries = [_Entry.of(name, entry, source) for name, entry in header.items()]
    end = 0
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.stop)):
        if entry.start != end:
            raise FileError(f"{source}: {short(entry.name)} starts at byte {entry.start}, not at {end}")
        end = entry.stop
    if end != len(data) - start:
        missing = end - (len(data) - start)
        fault = "too many" if missing < 0 else "are missing: it was cut short"
        raise FileError(f"{source}: {abs(missing)} bytes {fault}")
    body = memoryview(data)[start:]
    return {entry.name: entry.array(body) for entry in entries}, metadata


@dataclass(frozen=True)
class _Entry:
    """One array as the header announces it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @classmethod
    def of(cls, name: str, entry: Any, source: object) -> _Entry:
        fault = f"{source}: the header's entry for {short(name)}"
        if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
            raise FileError(f"{fault} must have dtype, shape and data_offsets, got {short(entry)}")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise FileError(f"{fault} has dtype {short(dtype)}: expected one of {', '.join(DTYPES)}")
        if not _sizes(shape, 2**31) or len(shape) > 8 or not _sizes(offsets, 2**63) or len(offsets) != 2:
            raise FileError(f"{fault} has shape {short(shape)} and data_offsets {short(offsets)}")
        size = prod(shape) * np.dtype(DTYPES[dtype][1]).itemsize
        if offsets[1] - offsets[0] != size:
            raise FileError(f"{fault} has {offsets[1] - offsets[0]} bytes: {dtype} of {shape} takes {size}")
        return cls(name, dtype, tuple(shape), offsets[0], offsets[1])

    def array(self, body: memoryview) -> mx.array:
        dtype, raw = DTYPES[self.dtype]
        array = mx.array(np.frombuffer(body[self.start : self.stop], raw).reshape(self.shape))
        return array.view(dtype) if self.dtype == "BF16" else array


def _header(data: bytes, source: object) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(data[:8], "little")
    if length > HEADER_LIMIT or data[8:9] != b"{":
        what = next((what for start, what in NOT_TENSORS.items() if data.startswith(start)), "something else")
        raise FileError(f"{source}: this is {what}; only safetensors files are loaded")
    if 8 + length > len(data):
        raise FileError(f"{source}: the header of {length} bytes is cut short after {len(data) - 8}")
    try:
        header = json.loads(data[8 : 8 + length], object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{source}: the header is not sound JSON: {short(str(error))}") from None
    return header, 8 + length


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _sizes(value: Any, limit: int) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < limit for n in value)
