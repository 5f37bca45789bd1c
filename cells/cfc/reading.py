"""The order in which the CfC's kernels read synapses: what neighbours have in common is read once for all."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...compile.synapses import Index

TEAM = 8  # neighbouring rows that read together; a kernel may do a part of them at once
# The sections of a row are what its team has in common, with all maps (0) and with the time maps alone (1),
# and its own, with all maps (2), with the time maps alone (3) and with the maps ff1 and ff2 alone (4).
SECTIONS = 5
FOR_TIME, FOR_FF = (0, 1, 2, 3), (0, 2, 4)


class Reading(NamedTuple):
    """An order of reading.

    Attributes:
        synapse: (P,) the synapse that is read at each place; one may be read at two, for different maps.
        section: (P,) the section that each place is in.
        at: (R SECTIONS + 1,) where the sections of each row begin. Those in common stand with the first row
            of a team, TEAM places side by side, one for each row.
    """

    synapse: Index
    section: Index
    at: Index

    def places(self, sections: tuple[int, ...], count: int) -> Index:
        """(count,) where each synapse is read in some of the sections; -1 where it is not."""
        found = np.full(count, -1, np.int32)
        there = np.flatnonzero(np.isin(self.section, sections))
        found[self.synapse[there]] = there
        return found


def reading_order(row: Index, column: Index, signal: NDArray[np.bool_], starts: Index) -> Reading:
    """Order synapses by the row that reads them.

    Every TEAM rows from a start on, up to the next one, are a team. A column that all of them read is read
    once for the team: with all maps if all have a signal, else for the time maps, and for ff1 and ff2 row by
    row.

    Args:
        row: (K,) the row of each synapse.
        column: (K,) its column, not twice in a row.
        signal: (K,) whether it has weights for the maps ff1 and ff2; all have some for the time maps.
        starts: where teams begin anew, and at last the number of rows R.
    """
    rows, columns = int(starts[-1]), int(column.max(initial=0)) + 1
    head = np.arange(rows)  # the first row of each row's team, or the row itself in an incomplete one
    for start, stop in pairwise(starts.tolist()):
        complete = start + (stop - start) // TEAM * TEAM
        head[start:complete] -= (head[start:complete] - start) % TEAM
    _, pair, readers = np.unique(head[row] * columns + column, return_inverse=True, return_counts=True)
    common, whole = (readers == TEAM)[pair], (np.bincount(pair, signal) == TEAM)[pair]

    apart = np.flatnonzero(common & ~whole & signal)  # read twice: for the time maps in common, else alone
    synapse = np.concatenate([np.arange(len(row)), apart])
    section = np.where(common, np.where(whole, 0, 1), np.where(signal, 2, 3))
    section = np.concatenate([section, np.full(len(apart), 4)])
    reader = np.where(section < 2, head[row[synapse]], row[synapse])
    bucket = reader * SECTIONS + section
    order = np.lexsort((row[synapse], column[synapse], bucket))
    at = np.concatenate([[0], np.cumsum(np.bincount(bucket, minlength=rows * SECTIONS))])
    return Reading(synapse[order].astype(np.int32), section[order].astype(np.int32), at.astype(np.int32))
