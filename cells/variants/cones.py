"""Which neurons of networks that differ from one have to be run, and what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ...compile import Plan
from ...compile.synapses import Index, Synapses, pointers
from .differences import Differences, Flags, also, nonzero

SIDES = ("", "sensory_")
"""What parameters of recurrent and of sensory synapses begin with."""


def cones(recurrent: Synapses, seeds: Flags) -> Flags:
    """(K, N) the neurons that there is a path to from some of each network, these included."""
    found, before = seeds, np.zeros_like(seeds)
    steps = _steps(recurrent)
    while (new := found & ~before).any():
        before = found
        found = found | (steps @ new.T.astype(np.float32)).T.astype(bool)
    return found


@lru_cache(maxsize=16)
def _steps(recurrent: Synapses) -> Any:
    """(post, pre) 1 where there is a synapse."""
    ones, n = np.ones(len(recurrent), np.float32), recurrent.n_post
    return sparse.csr_array((ones, (recurrent.post, recurrent.pre)), shape=(n, n))


class Jobs(NamedTuple):
    """Sums over what some neurons read of a network.

    Attributes:
        drive: (J,) which drive each begins with.
        before, behind: (J,) the last synapse before all that are left out, and the first behind them; -1 for
            none.
        ptr: (J + 1,) where its synapses between these begin.
        synapse: (L,) these.
        neuron: (J,) the neuron that it is of, ascending.
        of: (Q,) the job of each neuron that is run.
    """

    drive: Index
    before: Index
    behind: Index
    ptr: Index
    synapse: Index
    neuron: Index
    of: Index

    def named(self) -> dict[str, Index]:
        """The index arrays as kernels name them."""
        return {f"job_{name}": array for name, array in self._asdict().items()}


@dataclass(frozen=True, eq=False)
class Parts:
    """The neurons that are run of K networks, what they read of each other, and what they read besides.

    Attributes:
        recurrent, sensory: the synapses of the one network.
        removed, changed: (K, E) the synapses that are not there, and those of other parameters.
        sensory_removed, sensory_changed: (K, S) the same of sensory ones.
        inputs_changed: (K, I) the sensors that show something else.
        own: (K, N) the neurons of other parameters.
    """

    recurrent: Synapses
    sensory: Synapses
    removed: Flags
    changed: Flags
    sensory_removed: Flags
    sensory_changed: Flags
    inputs_changed: Flags
    own: Flags

    @classmethod
    def of(
        cls, plan: Plan, differences: Differences, synaptic: Sequence[str], cut: Sequence[str],
        neuronal: Sequence[str],
    ) -> Parts:  # fmt: skip
        """The parts of networks over a plan.

        Args:
            plan: what the one network is over.
            differences: how the others differ from it.
            synaptic: the parameters of recurrent synapses, which have sensory twins.
            cut: those of them that are 0 where a synapse is not there.
            neuronal: the parameters of neurons.
        """
        d = differences
        removed, sensory_removed = (d.removed(*(f"{side}{name}" for name in cut)) for side in SIDES)
        changed, sensory_changed = (d.changed(*(f"{side}{name}" for name in synaptic)) for side in SIDES)
        return cls(
            plan.recurrent, plan.sensory, removed, changed & ~removed, sensory_removed,
            sensory_changed & ~sensory_removed, d.shows_else(), d.changed(*neuronal) | d.held[0],
        )  # fmt: skip

    @property
    def sides(self) -> dict[str, Flags]:
        """The synapses of other parameters, by what the names of these begin with."""
        return dict(zip(SIDES, (self.changed, self.sensory_changed), strict=True))

    @cached_property
    def running(self) -> Flags:
        """(K, N) the neurons that are run: the cones."""
        seeds = self._reads_else.copy()
        network, synapse = nonzero(self.removed | self.changed)
        seeds[network, self.recurrent.post[synapse]] = True
        return cones(self.recurrent, seeds)

    @cached_property
    def _reads_else(self) -> Flags:
        """(K, N) the neurons of other parameters, and those that read something else of sensors."""
        other = self.sensory_removed | self.sensory_changed | self.inputs_changed[:, self.sensory.pre]
        network, synapse = nonzero(other)
        found = self.own.copy()
        found[network, self.sensory.post[synapse]] = True
        return found

    @cached_property
    def neurons(self) -> tuple[Index, Index]:
        """(Q,) network and neuron of all that are run, those first that read few others.

        A processor foresees how often a loop runs that runs as often as the last one.
        """
        networks, neurons = nonzero(self.running)
        reader, synapse = nonzero(self._read)
        n = self.recurrent.n_post
        counts = np.bincount(
            reader.astype(np.int64) * n + self.recurrent.post[synapse], minlength=self.running.size
        )
        order = np.argsort(counts.reshape(-1)[networks.astype(np.int64) * n + neurons], kind="stable")
        return networks[order], neurons[order]

    @cached_property
    def place(self) -> Index:
        """(K, N) where neurons stand, behind the N of the one network, or among these if they are not run."""
        n = self.recurrent.n_post
        found = np.tile(np.arange(n, dtype=np.int32), (len(self.running), 1))
        networks, neurons = self.neurons
        found[networks, neurons] = n + np.arange(len(networks), dtype=np.int32)
        return found

    @cached_property
    def read(self) -> tuple[Index, Index, Index]:
        """(A,) network and synapse of what they read of each other, or by synapses of other parameters.

        Behind them, (Q + 1,) where that begins for each neuron that is run.
        """
        network, synapse = nonzero(self._read)
        here = self.place[network, self.recurrent.post[synapse]] - np.int32(self.recurrent.n_post)
        order = np.argsort(here, kind="stable")
        return network[order], synapse[order], pointers(here, len(self.neurons[0]))

    @cached_property
    def _there(self) -> Flags:
        return self.running[:, self.recurrent.post] & ~self.removed

    @cached_property
    def _read(self) -> Flags:
        found: Flags = self._there & (self.running[:, self.recurrent.pre] | self.changed)
        return found

    @cached_property
    def drives(self) -> tuple[Index, Index, Index]:
        """What neurons read of sensors, one for each of the N neurons and for every one that reads otherwise.

        Returns:
            (D - N,) network and neuron of the latter, and (K, N) which each neuron has.
        """
        n = self.recurrent.n_post
        networks, neurons = nonzero(self._reads_else & self.running)
        of = np.tile(np.arange(n, dtype=np.int32), (len(self.running), 1))
        of[networks, neurons] = n + np.arange(len(networks), dtype=np.int32)
        return networks, neurons, of

    @cached_property
    def seen(self) -> tuple[Index, Index, Index]:
        """What the drives read: (L,) synapses and sensors, those that are changed behind the rest.

        Behind them, (D + 1,) where each drive begins.
        """
        synapses = self.sensory
        every = np.arange(len(synapses), dtype=np.int32)
        networks, neurons, _ = self.drives
        drive, place = _leading_to(synapses.ptr, neurons)
        there = ~self.sensory_removed[networks[drive], place]
        drive, place = drive[there], place[there]
        its = networks[drive]
        counts = np.append(np.diff(synapses.ptr), np.bincount(drive, minlength=len(neurons)))
        return (
            np.append(every, also(self.sensory_changed, its, place)),
            np.append(synapses.pre, also(self.inputs_changed, its, synapses.pre[place])),
            np.append(0, np.cumsum(counts)).astype(np.int32),
        )

    @cached_property
    def jobs(self) -> Jobs:
        """What neurons read of the one network; what several of them read alike is there once."""
        outside, ptr = self._there & ~self._read, self.recurrent.ptr
        networks, neurons = nonzero(self.running)
        drives = self.drives[2][networks, neurons]
        first, like = _alike(outside, ptr, networks, neurons, drives)
        job, place = _leading_to(ptr, neurons[first])
        part = outside[networks[first][job], place]
        count, begin, end = len(first), ptr[neurons[first]], ptr[neurons[first] + 1]
        gaps, where = job[~part], place[~part]  # what is left out
        some = np.bincount(gaps, minlength=count) > 0
        low, high = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
        low[some] = where[np.searchsorted(gaps, np.flatnonzero(some), "left")]
        high[some] = where[np.searchsorted(gaps, np.flatnonzero(some), "right") - 1]
        behind = np.where(some, high + 1, begin)
        between = part & (place > low[job]) & (place < high[job])
        of = np.zeros(self.running.shape, np.int32)
        of[networks, neurons] = like
        return Jobs(
            drives[first],
            np.where(low > begin, low - 1, -1).astype(np.int32),
            np.where(behind < end, behind, -1).astype(np.int32),
            np.append(0, np.cumsum(np.bincount(job[between], minlength=count))).astype(np.int32),
            place[between],
            neurons[first],
            of[self.neurons],
        )

    def index(self) -> dict[str, Index]:
        """The index arrays of kernels, by name."""
        network, active, begins = self.read
        synapses, sensors, ptr = self.seen
        pre = self.recurrent.pre
        return {
            "ptr": self.recurrent.ptr, "pre": pre, "drive_synapse": synapses, "drive_input": sensors,
            "drive_ptr": ptr, "active_ptr": begins, "active": also(self.changed, network, active),
            "active_pre": self.place[network, pre[active]], **self.jobs.named(),
        }  # fmt: skip


def _leading_to(ptr: Index, neurons: Index) -> tuple[Index, Index]:
    """All synapses that lead to some neurons: which of these each leads to, and its number."""
    counts = ptr[neurons + 1] - ptr[neurons]
    which = np.repeat(np.arange(len(neurons), dtype=np.int32), counts)
    skipped = ptr[neurons] - (np.cumsum(counts) - counts)
    return which, (np.arange(len(which)) + skipped[which]).astype(np.int32)


def _alike(outside: Flags, ptr: Index, networks: Index, neurons: Index, drives: Index) -> tuple[Index, Index]:
    """Neurons of networks that begin with one drive and read the same synapses outside.

    They are told apart by sums of random numbers; should two sums meet, nothing is shared.

    Returns:
        One of each kind, by neuron, and of which kind each of the given is.
    """
    numbers = np.random.default_rng(0)
    of_synapse, of_neuron, of_drive = (
        numbers.integers(0, 2**63, size, np.uint64)
        for size in (outside.shape[1], len(ptr), int(drives.max(initial=0)) + 1)
    )
    which, place = _leading_to(ptr, neurons)
    flags = outside[networks[which], place]
    sums = np.append(np.uint64(0), np.cumsum(np.where(flags, of_synapse[place], np.uint64(0))))
    ends = np.cumsum(ptr[neurons + 1] - ptr[neurons])
    begins = np.append(0, ends[:-1])
    keys = sums[ends] - sums[begins] + of_neuron[neurons] + of_drive[drives]
    _, first, like = np.unique(keys, return_index=True, return_inverse=True)
    same = first[like]
    if (neurons[same] != neurons).any() or (drives[same] != drives).any() or (
        flags[begins[same][which] + np.arange(len(which)) - begins[which]] != flags
    ).any():  # fmt: skip
        first = like = np.arange(len(neurons))
    order = np.argsort(neurons[first], kind="stable")
    place_of = np.empty(len(order), np.int32)
    place_of[order] = np.arange(len(order), dtype=np.int32)
    return first[order].astype(np.int32), place_of[like]
