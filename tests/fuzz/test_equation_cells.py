"""Random cells from equations that once differed: without synapses, or with one number at all sources."""

from __future__ import annotations

import pytest

from .equation_cells import differences, wrong


@pytest.mark.parametrize("seed", [2, 3, 11, 130])
@pytest.mark.filterwarnings("ignore:cells do not use these attributes", "ignore:running plain operations")
def test_every_way_computes_the_same(seed: int) -> None:
    found = differences(seed, ("ops", "stream", "c"))
    assert set(found) == {"ops", "stream", "c"}
    assert not wrong(found), found
    assert not any(isinstance(value, str) for value in found.values()), found
