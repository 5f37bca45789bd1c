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
        network, synapse = np.nonzero(self.removed | self.changed)
        seeds[network, self.recurrent.post[synapse]] = True
        return cones(self.recurrent, seeds)

    @cached_property
    def _reads_else(self) -> Flags:
        """(K, N) the neurons of other parameters, and those that read something else of sensors."""
        other = self.sensory_removed | self.sensory_changed | self.inputs_changed[:, self.sensory.pre]
        network, synapse = np.nonzero(other)
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
        found, sensors, counts = [every], [synapses.pre], [np.diff(synapses.ptr)]
        networks, neurons, _ = self.drives
        for network, j in zip(networks, neurons, strict=True):
            span = every[synapses.ptr[j] : synapses.ptr[j + 1]]
            span = span[~self.sensory_removed[network, span]]
            its = np.full(len(span), network)
            found.append(also(self.sensory_changed, its, span))
            sensors.append(also(self.inputs_changed, its, synapses.pre[span]))
            counts.append(np.array([len(span)]))
        begin = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int32)
        return np.concatenate(found), np.concatenate(sensors), begin

    @cached_property
    def jobs(self) -> Jobs:
        """What neurons read of the one network; what several of them read alike is there once."""
        outside, ptr = self._there & ~self._read, self.recurrent.ptr
        found: list[Any] = [[np.zeros(0, np.int32)] * 6]
        of, count = np.zeros(self.running.shape, np.int32), 0
        for j in np.flatnonzero(self.running.any(axis=0)).tolist():
            networks, begin = np.flatnonzero(self.running[:, j]), ptr[j]
            part, drive = outside[networks, begin : ptr[j + 1]], self.drives[2][networks, j]
            keys = np.hstack([drive[:, None].view(np.uint8), np.packbits(part, axis=1)])
            _, first, inverse = np.unique(
                np.ascontiguousarray(keys).view(f"V{keys.shape[1]}")[:, 0],
                return_index=True,
                return_inverse=True,
            )
            of[networks, j] = count + inverse
            count += len(first)
            low, high = _gap(part[first])
            between = (
                part[first]
                & (np.arange(part.shape[1]) > low[:, None])
                & (np.arange(part.shape[1]) < high[:, None])
            )
            last = np.where(low > 0, begin + low - 1, -1)
            next_ = np.where(high + 1 < part.shape[1], begin + high + 1, -1)
            job, synapse = np.nonzero(between)
            lengths = np.bincount(job, minlength=len(first))
            found.append([drive[first], last, next_, lengths, begin + synapse, np.full(len(first), j)])
        drive, before, behind, counts, synapses, neuron = (
            np.concatenate(parts).astype(np.int32) for parts in zip(*found, strict=True)
        )
        ptr = np.append(0, np.cumsum(counts)).astype(np.int32)
        return Jobs(drive, before, behind, ptr, synapses, neuron, of[self.neurons])

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


def _gap(part: Flags) -> tuple[Index, Index]:
    """The first and the last place of each row that is left out; -1 for none, so that all are behind it."""
    count = part.shape[1]
    whole = part.all(axis=1)
    low = np.where(whole, -1, (~part).argmax(axis=1) if count else 0)
    high = np.where(whole, -1, count - 1 - (~part[:, ::-1]).argmax(axis=1) if count else 0)
    return low.astype(np.int32), high.astype(np.int32)
