"""`protocol`: what is done to a network in the course of time, as one value for all who run it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..arguments import at_home, instance, numbers, path, real, several, text
from ..cells import NCPLayer
from ..cells.networks.sites import chosen, sites_of
from ..recording import Recording
from ..wiring.words import suggestion
from .perturbations import Lesion, Perturbation, Silence, Stimulate, as_names
from .perturbed import perturbed
from .protocol_files import read_protocol, write_protocol
from .runnable import has_noise, require_network, require_parts, sensors_of
from .signals import NoiseSignal, Pulse, Ramp, Signal, Step, Train, time

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Value = TypeVar("Value")
MOST_STEPS = 10_000_000
SAME, POINT = 1e-9, 1e-6
"""Up to which part times are the same, and how much of the time between samples one of no time looks back."""


@dataclass(frozen=True)
class During:
    """A perturbation of the samples at times above `start` and up to `stop`; None is the end."""

    perturbation: Perturbation
    start: float = 0.0
    stop: float | None = None

    def __post_init__(self) -> None:
        instance("the perturbation", self.perturbation, Perturbation, "one, such as gl.studies.Cut('AVA')")
        if has_noise(self.perturbation):
            raise ValueError("noise of a sensor is a signal of a protocol: use .noise(sensor, ...)")
        object.__setattr__(self, "start", time("start", self.start))
        if self.stop is not None:
            object.__setattr__(self, "stop", time("stop", self.stop))
            if self.stop <= self.start:
                raise ValueError(
                    f"{self.perturbation} from {self.start:g} to {self.stop:g}: expected an end behind its "
                    "begin"
                )

    def at(self, times: Floats) -> NDArray[np.bool_]:
        """At which times it acts."""
        near = SAME * np.maximum(1.0, times)  # times that were added up are not quite what they should be
        stop = np.inf if self.stop is None else self.stop
        found: NDArray[np.bool_] = (times > self.start + near) & (times <= stop + near)
        return found

    def overlaps(self, other: During) -> bool:
        """Whether there is a time at which both act."""
        ends = [np.inf if each.stop is None else each.stop for each in (self, other)]
        return max(self.start, other.start) < min(ends)

    def __str__(self) -> str:
        until = "on" if self.stop is None else f"to {self.stop:g}"
        return f"{self.perturbation} from {self.start:g} {until}"


@dataclass(frozen=True)
class Protocol:
    r"""Signals of sensors and perturbations of neurons and synapses with their times; `protocol` makes it.

    Methods give another protocol with one part more. A sensor has the sum of its signals, and 0 without any;
    a sample that comes a time span :math:`\Delta` after the one before, at the time t, has the mean

    .. math:: x(t) = \frac{1}{\Delta} \int_{t - \Delta}^{t} s(u)\, du

    so that edges are exact on every grid, and a pulse between two samples counts by its share of the time
    between them. Time begins with 0 a span before the first sample. Perturbations act on whole samples, those
    at a time above their start and up to their end: `grid` with ``edges=True`` puts samples there.

    Attributes:
        every: the time between samples, if a caller gives none.
        until: when it ends.
        unit: the unit of times, for people.
        signals, perturbations: the parts.
    """

    every: float
    until: float
    unit: str = ""
    signals: tuple[Signal, ...] = field(default=())
    perturbations: tuple[During, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "every", real("every", self.every, above=0.0))
        object.__setattr__(self, "until", real("until", self.until, above=0.0))
        text("unit", self.unit)
        if not 0.5 <= self.until / self.every <= MOST_STEPS:
            raise ValueError(
                f"a protocol of {self.until:g} in steps of {self.every:g}: expected 1 to {MOST_STEPS} steps"
            )
        for what, kind in (("signals", Signal), ("perturbations", During)):
            parts = tuple(several(what, getattr(self, what), what))
            for part in parts:
                instance(f"each of {what}", part, kind, f"a {kind.__name__}")
            object.__setattr__(self, what, parts)
        _refuse_both([(each, set(map(str, as_names(each.perturbation.neurons_of)))) for each in self._held])

    # Parts

    def step(self, sensor: str, at: float, to: float = 1.0) -> Protocol:
        """`to` from the time `at` on."""
        return self._with(Step(sensor, at, to))

    def pulse(self, sensor: str, at: float, width: float, height: float = 1.0) -> Protocol:
        """`height` for the time `width` from `at` on."""
        return self._with(Pulse(sensor, at, width, height))

    def train(
        self, sensor: str, at: float, width: float, period: float, count: int, height: float = 1.0
    ) -> Protocol:
        """`count` pulses, which begin every `period` from `at` on."""
        return self._with(Train(sensor, at, width, period, count, height))

    def ramp(self, sensor: str, at: float, over: float, to: float = 1.0) -> Protocol:
        """From 0 at the time `at` evenly to `to` over the time `over`, where it stays."""
        return self._with(Ramp(sensor, at, over, to))

    def noise(
        self,
        sensor: str,
        *,
        spread: float = 1.0,
        mean: float = 0.0,
        at: float = 0.0,
        until: float | None = None,
        every: float | None = None,
        seed: int = 0,
    ) -> Protocol:
        """Normal numbers, another one every `every`; by default all the time, one for every sample.

        They depend on the seed, the sensor's name and the time, and not on the grid.
        """
        until, every = self.until if until is None else until, self.every if every is None else every
        return self._with(NoiseSignal(sensor, at, until, every, spread, mean, seed))

    def clamp(self, neurons: Any, to: float, start: float = 0.0, stop: float | None = None) -> Protocol:
        """Hold neurons at a value, or let sensors show it, for some time."""
        return self.during(Silence(neurons, real("to", to)), start, stop)

    def during(self, perturbation: Perturbation, start: float = 0.0, stop: float | None = None) -> Protocol:
        """Perturb the network for some time, by any perturbation of `gl.studies` but noise."""
        return replace(self, perturbations=(*self.perturbations, During(perturbation, start, stop)))

    def _with(self, signal: Signal) -> Protocol:
        return replace(self, signals=(*self.signals, signal))

    @property
    def _held(self) -> list[During]:
        """The parts that hold neurons, of which one neuron has one at a time."""
        return [each for each in self.perturbations if isinstance(each.perturbation, Silence | Lesion)]

    # Times and values

    @property
    def edges(self) -> tuple[float, ...]:
        """The times, in order, at which a part begins or ends."""
        found = {edge for signal in self.signals for edge in signal.edges}
        for each in self.perturbations:
            found |= {each.start, self.until if each.stop is None else each.stop}
        return tuple(sorted(edge for edge in found if 0 < edge <= self.until))

    def grid(self, every: float | None = None, *, edges: bool = False) -> Floats:
        """(T,) time spans of samples to the end, evenly `every`, and at the edges, too, if asked for.

        The last one is shorter where the protocol ends between two steps.
        """
        every = self.every if every is None else real("every", every, above=0.0)
        count = max(1, math.ceil(self.until / every * (1.0 - SAME)))
        if count > MOST_STEPS:
            raise ValueError(f"{count} samples: expected {MOST_STEPS} at most")
        times = every * np.arange(1, count + 1)
        times[-1] = self.until
        if edges:
            times = np.sort(np.concatenate([times, self.edges]))
            # Times that were added up in other ways are not quite the same.
            times = times[np.append(np.diff(times) > SAME * np.maximum(1.0, times[1:]), True)]
        found: Floats = np.diff(times, prepend=0.0)
        return found

    def sample(self, sensors: Sequence[str], timespans: Any = None) -> Floats:
        """(T, I) what sensors are given at samples, the mean since the sample before.

        Args:
            sensors: I names.
            timespans: (T,) times since the sample before, 0 or more; those of `grid` if not given.

        Raises:
            ValueError: a signal of a sensor that there is not, or time spans that are none.
        """
        names = several("sensors", sensors, "names")
        spans = self._spans(timespans)
        ends = np.cumsum(spans)
        wide = np.maximum(spans, POINT * self.every)
        found = np.zeros((len(spans), len(names)))
        for signal in self.signals:
            if signal.sensor not in names:
                hint = suggestion(signal.sensor, names)
                raise ValueError(f"a {signal.kind} of {signal.sensor!r}, which is no sensor{hint}")
            column = names.index(signal.sensor)
            found[:, column] += (signal.area(ends) - signal.area(ends - wide)) / wide
        return found

    def inputs(self, network: Any, timespans: Any = None) -> tuple[Floats, Floats]:
        """(T, I) inputs and (T,) time spans that mean the protocol to whoever only feeds a network, as `fit`.

        Raises:
            ValueError: a perturbation of something else than sensors, which `run` knows how to do.
        """
        spans, sensors = self._spans(timespans), sensors_of(network)
        x, times = self.sample(sensors, spans), np.cumsum(spans)
        for each in self.perturbations:
            change = each.perturbation
            names = as_names(change.neurons_of)
            if names == ["sensory"] and "sensory" not in sensors:  # the role
                names = list(sensors)
            columns = [sensors.index(n) for n in names if n in sensors]
            if len(columns) != len(names) or not columns:
                raise ValueError(
                    f"{each}: inputs alone cannot do that to a network: use protocol.run(network)"
                )
            here = np.ix_(np.flatnonzero(each.at(times)), np.array(columns))
            if isinstance(change, Silence) and isinstance(change.to, int | float):
                x[here] = change.to
            elif isinstance(change, Stimulate):
                x[here] += change.current
            else:
                raise ValueError(
                    f"{each}: inputs alone cannot do that to a network: use protocol.run(network)"
                )
        return x, spans

    def run(
        self,
        network: NCPLayer,
        timespans: Any = None,
        *,
        state: Any = None,
        record: bool = False,
        also: Sequence[Perturbation] = (),
    ) -> tuple[Any, ...]:
        """What a network does in the course of the protocol.

        Args:
            network: a network over a circuit, or a container of some; it stays as it is.
            timespans: (T,) as `sample` takes them.
            state: where it starts, as the network takes it; zeros if not given.
            record: whether to return a `Recording` as well.
            also: perturbations that act all the time, as those of a `study`, on top of those of the protocol.

        Returns:
            (T, M) outputs and the last state, and the recording if asked for.

        Raises:
            TypeError: no network over sequences.
            ValueError, CircuitError: a part of a neuron, sensor or synapse that there is not, two that hold a
                neuron at once, a network that returns only its last output, or no state, or one that reads
                backwards while a perturbation begins or ends.
        """
        require_network(network)
        for option in ("return_state", "return_sequences"):
            if not getattr(network, option, True):
                raise ValueError(
                    f"the {type(network).__name__} has {option}=False: expected all outputs and states"
                )
        spans = self._spans(timespans)
        x, given = self.sample(sensors_of(network), spans), spans.astype(np.float32)
        if self._held:
            sites = list(sites_of(network))
            named = [(each, set(chosen(sites, each.perturbation.neurons_of)[1])) for each in self._held]
            _refuse_both(named)
        outputs, recordings, pieces = [], [], list(self._pieces(np.cumsum(spans)))
        if len(pieces) > 1:
            require_parts(network, also)
        for piece, active in pieces:
            with perturbed(network, *active, *also) if active or also else nullcontext(network):
                result = network(
                    x[piece], state, mx.array(given[piece]), **({"record": True} if record else {})
                )
            seen, state, *recorded = result
            outputs.append(seen)
            recordings += recorded
        whole = outputs[0] if len(outputs) == 1 else mx.concatenate(outputs, axis=0)
        return (whole, state, _joined(recordings, np.cumsum(spans))) if record else (whole, state)

    def _pieces(self, times: Floats) -> Iterator[tuple[slice, list[Perturbation]]]:
        """Samples behind each other under the same perturbations, and these."""
        acting = np.array([each.at(times) for each in self.perturbations], bool).reshape(-1, len(times))
        changes = np.flatnonzero((acting[:, 1:] != acting[:, :-1]).any(axis=0)) + 1
        for first, last in zip([0, *changes], [*changes, len(times)], strict=True):
            here = [e.perturbation for e, on in zip(self.perturbations, acting[:, first], strict=True) if on]
            yield slice(int(first), int(last)), here

    def _spans(self, timespans: Any) -> Floats:
        if timespans is None:
            return self.grid()
        spans: Floats = numbers("timespans", timespans).astype(np.float64)
        if spans.ndim != 1 or not len(spans):
            raise ValueError(f"timespans have shape {spans.shape}: expected (T,), one for each sample")
        if not (np.isfinite(spans) & (spans >= 0)).all():
            bad = spans[~(np.isfinite(spans) & (spans >= 0))][0]
            raise ValueError(f"a time span is {bad}: expected finite numbers of at least 0")
        return spans

    # Files, tables and pictures

    def write(self, file: str | os.PathLike[str]) -> None:
        """Write it to a JSON file, which `read` reads.

        Raises:
            ValueError: neurons that are told by a function, which no file holds.
            OSError: the file cannot be written.
        """
        write_protocol(self, path("file", file))

    @classmethod
    def read(cls, file: str | os.PathLike[str]) -> Protocol:
        """The protocol that a file holds.

        Raises:
            FileError: it holds none, or one that is wrong; the message says what.
            OSError: it cannot be read.
        """
        found: Protocol = read_protocol(cls, During, at_home("file", file))
        return found

    def table(self, network: Any, timespans: Any = None) -> str:
        """Samples as CSV, the time span behind the inputs, as programs of `gl.export_c` read them."""
        x, spans = self.inputs(network, timespans)
        rows = np.concatenate([x, spans[:, None]], axis=1).astype(np.float32)
        return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())

    def plot(self, ax: Axes | None = None) -> Any:
        """A picture: what every sensor is given, and when what is perturbed; see `gl.viz.plot_protocol`."""
        from ..viz import plot_protocol  # matplotlib takes long to load

        return plot_protocol(self, ax=ax)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        lines = [f"protocol of {self.until:g}{unit}, a sample every {self.every:g}{unit}"]
        lines += [f"  {signal.sensor}: {signal}" for signal in self.signals]
        lines += [f"  {each}" for each in self.perturbations]
        return "\n".join(lines)


def protocol(every: float = 1.0, until: float = 100.0, unit: str = "") -> Protocol:
    """A protocol without parts, to which its methods add some.

    Args:
        every: the time between samples, in the unit of the network's time spans.
        until: when it ends.
        unit: the unit of times, for people, such as "s".

    Raises:
        ValueError: a time that is not positive, or too many samples.

    Example:
        >>> flash = gl.protocol(every=0.1, until=10.0, unit="s").pulse("light", at=2.0, width=0.5)
        >>> flash = flash.clamp("AVA", 0.0, 4.0, 6.0).during(gl.studies.Cut("AVA", "AVB"), 7.0)
        >>> outputs, state = flash.run(rnn)                                # (100, M), (N,)
    """
    return Protocol(every, until, unit)


def _refuse_both(held: list[tuple[During, set[str]]]) -> None:
    """Raise ValueError for two parts that hold the same neuron at the same time."""
    for (one, names), (other, others) in combinations(held, 2):
        both = names & others
        if both and one.overlaps(other):
            raise ValueError(f"{one} and {other}: both hold {min(both)!r} at the same time")


def _joined(recordings: list[Recording], times: Floats) -> Recording:
    first = recordings[0]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(each, name) for each in recordings], axis=0)
        for name in ("states", "inputs", "outputs")
    }
    return replace(first, times=times, **arrays)
