"""Every reader understands spoilt content or refuses it; `make fuzz` goes on for as long as you like."""

from __future__ import annotations

import random

import pytest

from .mutate import spoilt
from .readers import READERS, tries

SHORT = {
    "dot": 4,
    "run": 8,
    "tables": 15,
    "json": 15,
    "gzip": 15,
    "gml": 12,
    "graphml": 12,
    "gexf": 12,
    "pajek": 12,
    "neuroml": 12,
    "sonata": 12,
}


@pytest.mark.parametrize("reader", READERS)
def test_spoilt_content(reader: str) -> None:
    bad = [
        (name, str(end), data[:2000])
        for data, name, end in tries(reader, SHORT.get(reader, 30), 0)
        if not end.fine
    ]
    assert bad == []


def test_the_same_seed_spoils_alike() -> None:
    first, second = ([spoilt(b'{"a": [1, 2]}\nx,y\n', random.Random(k)) for k in range(40)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 30
