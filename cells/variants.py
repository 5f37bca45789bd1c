"""Many networks that differ from one in little: what differs, and which neurons that reaches.

A perturbation changes what the neurons do that there is a path to from it, its cone. All others do what they
did before, so of every perturbed network only the cone is run, see ``ltc_variants_forward.c``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..compile.kernels.cpu import CPURunner
from ..compile.kernels.source import CallSizes, read_kernel
from ..compile.synapses import Index, Synapses, pointers
from .overlay import Overlay
from .running import Call

Flags = NDArray[np.bool_]
Single = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Differences:
    """How K networks differ from one.

    Attributes:
        base: the parameters of the one, as the equation uses them.
        count: K.
        factors, shifts: parameter -> (K, n) what its values are multiplied with, and what is added.
        held: (K, N) which neurons begin elsewhere, and (K, N) where.
        inputs: (K, I) what inputs are multiplied with, and (K, I) what is added.
    """

    base: Mapping[str, Single]
    count: int
    factors: Mapping[str, Single]
    shifts: Mapping[str, Single]
    held: tuple[Flags, Single]
    inputs: tuple[Single, Single]

    @classmethod
    def of(cls, cell: Any, overlays: Sequence[Overlay | None]) -> Differences:
        """What overlays say of a cell that nothing is laid over."""
        base = {name: np.array(value) for name, value in cell.effective().items()}
        k, n, i = len(overlays), cell.n_neurons, cell.n_inputs
        factors: dict[str, Single] = {}
        shifts: dict[str, Single] = {}
        held, at = np.zeros((k, n), bool), np.zeros((k, n), np.float32)
        factor, shift = np.ones((k, i), np.float32), np.zeros((k, i), np.float32)
        for m, overlay in enumerate(overlays):
            if overlay is None:
                continue
            for name in overlay.factors:
                if name not in factors:
                    factors[name] = np.ones((k, base[name].size), np.float32)
                    shifts[name] = np.zeros((k, base[name].size), np.float32)
                factors[name][m], shifts[name][m] = overlay.factors[name], overlay.shifts[name]
            if overlay.held is not None:
                held[m], at[m] = overlay.held
            if overlay.inputs is not None:
                factor[m], shift[m] = overlay.inputs
        return cls(base, k, factors, shifts, (held, at), (factor, shift))

    def changed(self, *names: str) -> Flags:
        """(K, n) where any of some parameters of one length differs."""
        found = np.zeros((self.count, self.base[names[0]].size), bool)
        for name in names:
            if name in self.factors:
                found |= (self.factors[name] != 1) | (self.shifts[name] != 0)
        return found

    def removed(self, *names: str) -> Flags:
        """(K, n) where all of some parameters of one length are 0 whatever they were."""
        found = np.full((self.count, self.base[names[0]].size), True)
        for name in names:
            found &= (
                False if name not in self.factors else (self.factors[name] == 0) & (self.shifts[name] == 0)
            )
        return found

    def at(self, name: str, network: Index, place: Index) -> Single:
        """The values of a parameter at some places of some networks."""
        values = self.base[name][place]
        if name in self.factors:
            values = values * self.factors[name][network, place] + self.shifts[name][network, place]
        return values


def also(changed: Flags, network: Index, place: Index) -> Index:
    """Where values stand of which those that are changed in a network stand behind all n of the one."""
    behind = np.searchsorted(np.flatnonzero(changed), network.astype(np.int64) * changed.shape[1] + place)
    found: Index = np.where(changed[network, place], changed.shape[1] + behind, place).astype(np.int32)
    return found


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
        running: (K, N) the neurons that are run: the cones.
        removed, changed: (K, E) the synapses that are not there, and those of other parameters.
        sensory_removed, sensory_changed: (K, S) the same of sensory ones.
        inputs_changed: (K, I) the sensors that show something else.
        own: (K, N) the neurons of other parameters.
    """

    recurrent: Synapses
    sensory: Synapses
    running: Flags
    removed: Flags
    changed: Flags
    sensory_removed: Flags
    sensory_changed: Flags
    inputs_changed: Flags
    own: Flags

    @classmethod
    def of(
        cls, recurrent: Synapses, sensory: Synapses, removed: Flags, changed: Flags, sensory_removed: Flags,
        sensory_changed: Flags, inputs_changed: Flags, own: Flags,
    ) -> Parts:  # fmt: skip
        """The parts of networks by what is different there."""
        seeds = own.copy()
        seen = sensory_removed | sensory_changed | inputs_changed[:, sensory.pre]
        for synapses, differs in ((recurrent, removed | changed), (sensory, seen)):
            network, synapse = np.nonzero(differs)
            seeds[network, synapses.post[synapse]] = True
        return cls(
            recurrent, sensory, cones(recurrent, seeds), removed, changed, sensory_removed, sensory_changed,
            inputs_changed, own,
        )  # fmt: skip

    @cached_property
    def neurons(self) -> tuple[Index, Index]:
        """(Q,) network and neuron of all that are run, those first that read few others.

        A processor foresees how often a loop runs that runs as often as the last one.
        """
        networks, neurons = _nonzero(self.running)
        reader, synapse = _nonzero(self._read)
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
        network, synapse = _nonzero(self._read)
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
        synapses, n = self.sensory, self.recurrent.n_post
        other = self.sensory_removed | self.sensory_changed | self.inputs_changed[:, synapses.pre]
        network, synapse = np.nonzero(other)
        differs = self.own.copy()
        differs[network, synapses.post[synapse]] = True
        networks, neurons = _nonzero(differs & self.running)
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


def _gap(part: Flags) -> tuple[Index, Index]:
    """The first and the last place of each row that is left out; -1 for none, so that all are behind it."""
    count = part.shape[1]
    whole = part.all(axis=1)
    low = np.where(whole, -1, (~part).argmax(axis=1) if count else 0)
    high = np.where(whole, -1, count - 1 - (~part[:, ::-1]).argmax(axis=1) if count else 0)
    return low.astype(np.int32), high.astype(np.int32)


class Variants(NamedTuple):
    """K networks that differ from one, ready to run: ``variants(call)`` gives (K, B, T, M) outputs.

    Attributes:
        kernel: the kernel, over index arrays, with its sizes.
        values: the kernel's values, in its order.
        begins: (N + Q,) the neuron of the one network whose state each neuron begins with, and those that
            begin elsewhere, and where.
        shape: K and M.
    """

    kernel: CPURunner
    values: list[Single]
    begins: tuple[Index, Index, Single]
    shape: tuple[int, int]

    def __call__(self, call: Call) -> Single:
        batch, steps = call.x.shape[:2]
        of, elsewhere, at = self.begins
        state = np.array(call.state)[:, of]
        state[:, elsewhere] = at
        spans = np.ascontiguousarray(np.broadcast_to(np.array(call.timespans), (batch, steps)))
        given = [*map(mx.array, self.values), call.x, mx.array(spans), mx.array(state)]
        mx.eval(given)
        ((made,), _) = self.kernel.run(batch, CallSizes(steps, BACK=int(call.reverse)), given)
        found: Single = made.reshape(batch, self.shape[0], steps, self.shape[1]).swapaxes(0, 1)
        return found


def inputs_of(differences: Differences) -> tuple[Flags, dict[str, Any]]:
    """(K, I) the sensors that show something else, and the inputs as kernels take them, those behind.

    An input that is multiplied with 0 is not read: its sensor is -1.
    """
    d, (factor, shift) = differences, differences.inputs
    changed = (factor != 1) | (shift != 0)
    names = [name for name in ("input_w", "input_b") if name in d.base]
    if names:
        changed = changed | d.changed(*names)
    networks, places = _nonzero(changed)
    every = np.arange(factor.shape[1], dtype=np.int32)
    factors, shifts = factor[networks, places], shift[networks, places]
    w, b = (
        (
            d.base.get(name, np.full(len(every), neutral, np.float32)),
            d.at(name, networks, places) if name in d.base else neutral,
        )
        for name, neutral in (("input_w", 1.0), ("input_b", 0.0))
    )
    return changed, {
        "sensor": np.append(every, np.where(factors == 0, -1, places)),
        "input_w": np.append(w[0], w[1] * factors),
        "input_b": np.append(b[0], b[1] + w[1] * shifts),
    }


def spread(differences: Differences, name: str, changed: Flags) -> Single:
    """The values of a parameter, and behind them those of the networks in which they are changed."""
    found: Single = np.append(differences.base[name], differences.at(name, *_nonzero(changed)))
    return found


def built(
    folder: Path, name: str, parts: Parts, differences: Differences, outputs: int, given: Mapping[str, Any],
    sizes: Mapping[str, int], numbers: Mapping[str, float],
) -> Variants:  # fmt: skip
    """The kernel `name` over some parts, for what a family gives: its index arrays and values by name."""
    d, n = differences, parts.recurrent.n_post
    networks, neurons = parts.neurons
    kernel = read_kernel(folder, name)
    elsewhere = np.flatnonzero(d.held[0][networks, neurons])
    shown = {"showing": parts.place[:, :outputs].reshape(-1)}
    index = {array.name: {**given, **shown}[array.name] for array in kernel.of("index")}
    whole = {"I": parts.sensory.n_pre, "K": d.count, "M": outputs, "U": len(given["sensor"]), **sizes}
    runner = CPURunner(kernel, whole, numbers, index)
    values = [np.ascontiguousarray(given[a.name], np.float32) for a in kernel.of("values")]
    begins = (
        np.append(np.arange(n), neurons).astype(np.int32),
        (n + elsewhere).astype(np.int32),
        d.held[1][networks, neurons][elsewhere],
    )
    return Variants(runner, values, begins, (d.count, outputs))


def _nonzero(flags: Flags) -> tuple[Index, Index]:
    network, place = np.nonzero(flags)
    return network.astype(np.int32), place.astype(np.int32)
