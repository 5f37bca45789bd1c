"""Content of files, spoilt at random: bytes, words, lines and the values of JSON."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

WORDS = [
    b"",
    b"0",
    b"-1",
    b"1",
    b"2",
    b"1e400",
    b"-1e-400",
    b"NaN",
    b"Infinity",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'""',
    b"9" * 400,
    b"9" * 5000,
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b",",
    b";",
    b'"',
    b"'",
    b"<",
    b">",
    b"&lt;",
    b"&#0;",
    b"<!ENTITY a 'b'>",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"[",
    b"]",
    b"{",
    b"}",
    b"(",
    b")",
    b"=",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"sensory",
    b"motor",
    b"inter",
    b"role",
    b"polarity",
    b"id",
    b"source",
    b"target",
    b"graph",
    b"edge",
    b"node",
    b"key",
    b"*Vertices 99999999",
    b"*Edges",
    b"digraph {",
    b"->",
    b"[" * 3000,
    b'{"a":' * 3000,
    b"n" * 70_000,
    b" " * 5000,
    b"%s%n",
    b"../../x",
    b"\x1b[31m",
    b"1,2,3,4,5,6,7",
    b"2026-01-01",
    b"label",
    b"attr.type",
    b"long",
    b"F32",
    b"data_offsets",
    b"[0,8]",
    b"version",
    b"format",
]
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    2**31,
    2**63,
    10**30,
    0.5,
    -0.0,
    1e308,
    "",
    "x",
    "motor",
    "\ud800",
    "n" * 5000,
    [],
    [[]],
    [1],
    [None],
    {},
    {"x": 1},
    {"kind": "plan"},
    {"class": "LTC"},
    "inter_0",
    ["inter_0", "motor_0"],
]


def spoilt(data: bytes, chance: random.Random) -> bytes:
    """The content after one to four changes."""
    if chance.random() < 0.35 and (changed := _json_spoilt(data, chance)) is not None:
        return changed
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = chance.choice(CHANGES)(data, chance)
    return data


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _flip(data: bytes, chance: random.Random) -> bytes:
    if not data:
        return b"\x00"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _insert(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(WORDS) + data[at:]


def _drop(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[min(last, first + 40) :]


def _word(data: bytes, chance: random.Random) -> bytes:
    """Another word in the place of one."""
    words = list(re.finditer(rb"[\w.+-]+", data))
    if not words:
        return data
    found = chance.choice(words)
    new = chance.choice([*WORDS, chance.choice(words)[0]])
    return data[: found.start()] + new + data[found.end() :]


def _lines(data: bytes, chance: random.Random) -> bytes:
    """A line twice, gone, or elsewhere."""
    lines = data.split(b"\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    held = lines[at]
    if chance.random() < 0.5:
        del lines[at]
    lines.insert(min(other, len(lines)), held if chance.random() < 0.7 else b"")
    return b"\n".join(lines)


CHANGES: list[Callable[[bytes, random.Random], bytes]] = [
    _cut,
    _flip,
    _flip,
    _insert,
    _drop,
    _word,
    _word,
    _lines,
]


def _json_spoilt(data: bytes, chance: random.Random) -> bytes | None:
    """JSON, alone or in front of other bytes, with one value exchanged; None if it is none."""
    start = data[:80].find(b"{")
    if start < 0:
        return None
    try:
        document, end = json.JSONDecoder().raw_decode(data[start:].decode("latin-1"))
    except (ValueError, RecursionError):
        return None
    holders = [holder for holder in _holders(document) if holder]
    if not holders:
        return None
    holder = chance.choice(holders)
    key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
    how = chance.random()
    if how < 0.6:
        holder[key] = chance.choice(VALUES)
    elif how < 0.8:
        del holder[key]
    elif isinstance(holder, dict):
        holder[chance.choice(["x", "", "id", "role", *holder])] = holder[key]
    else:
        holder.append(holder[key])
    return data[:start] + json.dumps(document).encode() + data[start + end :]


def _holders(value: Any) -> list[Any]:
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            found.append(part)
            waiting += part.values() if isinstance(part, dict) else part
    return found
