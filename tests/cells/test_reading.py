"""The order of reading: every weight has one place, and what a team has in common is read together."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ganglion.cells.cfc.reading import FOR_FF, FOR_TIME, SECTIONS, TEAM, Reading, reading_order
from ganglion.compile.synapses import Index


@st.composite
def tables(draw: st.DrawFn) -> tuple[Index, Index, np.ndarray, Index]:
    """Rows, columns and signals of a random table that is full in places, and where its teams begin."""
    sizes = draw(st.lists(st.integers(0, 11), min_size=1, max_size=3))
    starts = np.cumsum([0, *sizes]).astype(np.int32)
    columns, seed = draw(st.integers(1, 9)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    density = rng.choice(
        [0.0, 0.5, 1.0], size=(starts[-1], columns)
    )  # so that some teams share and some do not
    row, column = np.nonzero(rng.random(density.shape) < np.maximum(density, density[:, :1]))
    order = rng.permutation(len(row))
    return (
        row[order].astype(np.int32),
        column[order].astype(np.int32),
        rng.random(len(row)) < rng.choice([0.0, 0.8, 1.0]),
        starts,
    )


def places_of(reading: Reading) -> list[tuple[int, int, int]]:
    """(row the place stands with, section, place) by the row pointers."""
    bounds = enumerate(pairwise(reading.at.tolist()))
    return [(i // SECTIONS, i % SECTIONS, k) for i, (start, stop) in bounds for k in range(start, stop)]


@given(tables())
def test_every_weight_has_one_place(table: tuple[Index, Index, np.ndarray, Index]) -> None:
    row, column, signal, starts = table
    reading = reading_order(row, column, signal, starts)
    assert len(reading.at) == SECTIONS * starts[-1] + 1
    for sections, expected in ((FOR_TIME, np.arange(len(row))), (FOR_FF, np.flatnonzero(signal))):
        there = np.isin(reading.section, sections)
        assert sorted(reading.synapse[there].tolist()) == expected.tolist()
        places = reading.places(sections, len(row))
        assert np.flatnonzero(places >= 0).tolist() == expected.tolist()
        assert (reading.synapse[places[expected]] == expected).all()
        assert np.isin(reading.section[places[expected]], sections).all()


@given(tables())
def test_a_team_reads_side_by_side_and_everyone_else_alone(
    table: tuple[Index, Index, np.ndarray, Index],
) -> None:
    row, column, signal, starts = table
    reading = reading_order(row, column, signal, starts)
    places = places_of(reading)
    assert [k for _, _, k in places] == list(range(len(reading.synapse)))
    assert [section for _, section, _ in places] == reading.section.tolist()
    begins = {stand: k for stand, section, k in reversed(places) if section == 0}
    for stand, section, k in places:
        synapse = reading.synapse[k]
        if section >= 2:
            assert row[synapse] == stand
            continue
        start = starts[starts <= stand].max()
        stop = starts[starts > stand].min()
        assert (stand - start) % TEAM == 0
        assert stand + TEAM <= stop
        first = begins[stand] if section == 0 else reading.at[SECTIONS * stand + 1]
        member = (k - first) % TEAM
        assert row[synapse] == stand + member
        assert column[synapse] == column[reading.synapse[k - member]]


@given(tables())
def test_what_all_of_a_team_read_is_read_in_common(
    table: tuple[Index, Index, np.ndarray, Index],
) -> None:
    row, column, signal, starts = table
    reading = reading_order(row, column, signal, starts)
    section_of = reading.section[reading.places(FOR_TIME, len(row))]
    for start, stop in pairwise(starts.tolist()):
        for head in range(start, stop, TEAM):
            for source in range(column.max(initial=0) + 1):
                who = np.flatnonzero((row >= head) & (row < min(head + TEAM, stop)) & (column == source))
                whole = len(who) == TEAM
                expected = np.where(signal[who], 2, 3) if not whole else 0 if signal[who].all() else 1
                assert (section_of[who] == expected).all()
