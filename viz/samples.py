"""One recorded sequence, ready to be drawn: checked, with gaps marked and neurons sorted by role."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import LARGEST, counted, instance, label, several, whole
from ..errors import CircuitError
from ..recording import Recording
from ..wiring import ROLES
from ..wiring.roles import text_of
from .view import View


@dataclass(frozen=True, eq=False)
class Samples:
    """Values of R neurons (or sensors) at T times.

    Attributes:
        times: (T,) rising.
        values: (T, R) with nan where nothing is known.
        names: R names.
        roles: R roles.
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    names: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def edges(self) -> NDArray[np.float64]:
        """(T + 1,) borders between samples: the midpoints, so that irregular sampling is seen."""
        if len(self.times) == 1:
            return np.array([self.times[0] - 0.5, self.times[0] + 0.5])
        middles = (self.times[1:] + self.times[:-1]) / 2
        return np.concatenate([[2 * self.times[0] - middles[0]], middles, [2 * self.times[-1] - middles[-1]]])

    @property
    def span(self) -> tuple[float, float]:
        """Limits of the time axis."""
        return float(self.edges[0]), float(self.edges[-1])

    @property
    def drawn_roles(self) -> list[str]:
        """The roles that occur, from sensory to motor."""
        return [role for role in ROLES if role in self.roles]

    def of_role(self, role: str) -> Samples:
        """Only the neurons of one role."""
        return self.pick([k for k, found in enumerate(self.roles) if found == role])

    def pick(self, chosen: Iterable[int]) -> Samples:
        """Only some neurons, by index."""
        at = list(chosen)
        names, roles = tuple(self.names[k] for k in at), tuple(self.roles[k] for k in at)
        return Samples(self.times, self.values[:, at], names, roles)

    def select(self, neurons: str | Iterable[Hashable] | None) -> Samples:
        """Neurons by name, all of a role by the role's name, or all; sorted by role if nothing is asked for.

        Raises:
            CircuitError: a name that was not recorded.
        """
        if neurons is None:
            return self.pick(sorted(range(len(self.names)), key=lambda k: ROLES.index(self.roles[k])))
        if isinstance(neurons, str) and neurons in ROLES:
            return self.of_role(neurons)
        given = [neurons] if isinstance(neurons, str) else several("neurons", neurons, "names")
        wanted = [text_of(name) for name in given]
        index = {name: k for k, name in enumerate(self.names)}
        if unknown := [name for name in wanted if name not in index]:
            raise CircuitError(
                f"no neuron {label(unknown[0])} in this recording of {counted(len(self.names), 'neuron')}"
            )
        return self.pick(index[name] for name in wanted if name is not None)

    def limit(self) -> float:
        """The largest magnitude, 1 if there is none."""
        finite = np.abs(self.values[np.isfinite(self.values)])
        return float(finite.max(initial=0.0)) or 1.0


def samples(recording: Recording, sequence: int = 0, *, sensors: bool = False) -> Samples:
    """States (or what the sensory neurons were given) of one sequence of a recording.

    Warns:
        UserWarning: some values are not finite; they are drawn as gaps.

    Raises:
        ValueError: the recording holds no samples, or its times do not rise.
    """
    instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    whole("sequence", sequence, -LARGEST)
    one = recording.sequence(sequence) if recording.batched else recording
    values = np.array(one.inputs if sensors else one.states, dtype=float)
    times = np.asarray(one.times, dtype=float)
    if not len(times):
        raise ValueError("this recording has no samples: there is nothing to draw")
    if not (np.diff(times) > 0).all():
        raise ValueError(f"the times of a recording must rise, got {times[:6]}")
    wrong = ~np.isfinite(values)
    names = one.sensors if sensors else one.neurons
    if wrong.any():
        first = names[int(np.flatnonzero(wrong.any(axis=0))[0])]
        message = f"{int(wrong.sum())} values are not finite (first in {first!r}); they are drawn as gaps"
        warnings.warn(message, UserWarning, stacklevel=3)
        values[wrong] = np.nan
    return Samples(times, values, names, ("sensory",) * len(names) if sensors else one.roles)


def check_recording(recording: Recording, seen: View) -> None:
    """Refuse a recording of another circuit.

    Raises:
        CircuitError: names or roles differ; the message says which.
    """
    instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    recorded = dict(zip((*recording.sensors, *recording.neurons), _roles(recording), strict=True))
    drawn = dict(zip(seen.names, seen.roles, strict=True))
    parts = []
    if missing := [name for name in drawn if name not in recorded]:
        parts.append(f"the circuit's neuron {missing[0]!r} was not recorded{_more(missing)}")
    if extra := [name for name in recorded if name not in drawn]:
        parts.append(f"the circuit has no neuron {extra[0]!r}, which was recorded{_more(extra)}")
    if other := [name for name in drawn if name in recorded and recorded[name] != drawn[name]]:
        name = other[0]
        parts.append(
            f"{name!r} is {drawn[name]} in the circuit and was recorded as {recorded[name]}{_more(other)}"
        )
    if parts:
        raise CircuitError(f"this is a recording of another circuit: {'; '.join(parts)}")


def _roles(recording: Recording) -> tuple[str, ...]:
    return ("sensory",) * len(recording.sensors) + tuple(recording.roles)


def _more(found: list[Any]) -> str:
    return f" (and {len(found) - 1} more)" if len(found) > 1 else ""
