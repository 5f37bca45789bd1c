"""What ``ganglion train`` reports is what a reference of its own finds, and it keeps the best epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from .tables import TABLES
from .train_tables import audit, digits


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", TABLES)
def test_reported_errors_are_those_of_the_reference(kind: str, seed: int, tmp_path: Path) -> None:
    pairs, chosen = audit(kind, seed, 4, tmp_path)
    assert digits(pairs)
    assert all(ours == pytest.approx(theirs, rel=1e-4) for ours, theirs in pairs)
    assert chosen
