"""What every neuron did while a network ran: the value that cells hand to pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import shown
from .arguments import LARGEST, counted, instance, label, several, whole


@dataclass(frozen=True, eq=False)  # == over arrays has no single answer
class Recording:
    """The states of all neurons over one run, with their names, roles and times.

    Attributes:
        states: (B, T, N) or (T, N) states after each sample, in plan order; the first of several states.
        inputs: (B, T, I) or (T, I) what the sensory neurons were given.
        outputs: (B, T, M) or (T, M) what the network returned.
        times: (T,) or (B, T) time of each sample: the running sum of the time spans as they were given, also
            of samples that a mask or lengths leave out, so that the others stay where they are in time. A
            span there that is no positive, finite number counts nothing.
        neurons: N names, in plan order.
        sensors: I names of the sensory neurons.
        roles: N roles, one per neuron with state.

    Example:
        >>> recording = gl.record(rnn, x)
        >>> recording.of("motor_0").shape          # (B, T) or (T,)
    """

    states: NDArray[np.float32]
    inputs: NDArray[np.float32]
    outputs: NDArray[np.float32]
    times: NDArray[np.float64]
    neurons: tuple[str, ...]
    sensors: tuple[str, ...]
    roles: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("states", "inputs", "outputs", "times"):
            instance(name, getattr(self, name), np.ndarray, "an array of NumPy")
        for name in ("neurons", "sensors", "roles"):
            several(name, getattr(self, name), "texts")

    @property
    def batched(self) -> bool:
        """Whether the run had a batch axis."""
        return self.states.ndim == 3

    def of(self, neuron: str) -> NDArray[np.float32]:
        """The states of one neuron by name, (B, T) or (T,).

        Raises:
            KeyError: no neuron of that name was recorded.
        """
        try:
            return self.states[..., self.neurons.index(neuron)]
        except (ValueError, TypeError):
            if isinstance(neuron, str) and neuron in self.sensors:
                raise KeyError(
                    f"{label(neuron)} is a sensor, which has no state: its inputs are in .inputs"
                ) from None
            raise KeyError(
                f"no neuron {label(neuron)} in this recording of {counted(len(self.neurons), 'neuron')}"
            ) from None

    def sequence(self, index: int = 0) -> Recording:
        """One sequence of a batched recording, as an unbatched recording."""
        if not self.batched:
            raise ValueError("this recording is not batched: it holds one sequence already")
        whole("index", index, -LARGEST)
        if not -len(self.states) <= index < len(self.states):
            raise IndexError(f"sequence {index} of a recording of {counted(len(self.states), 'sequence')}")
        times = self.times[index] if self.times.ndim == 2 else self.times
        return Recording(
            self.states[index], self.inputs[index], self.outputs[index], times,
            self.neurons, self.sensors, self.roles,
        )  # fmt: skip

    def __repr__(self) -> str:
        shape = " x ".join(str(n) for n in self.states.shape)
        sizes = f"{counted(len(self.neurons), 'neuron')}, {counted(len(self.sensors), 'sensor')}"
        return f"Recording({shape}: {sizes})"

    def _repr_html_(self) -> str:
        one = self.sequence() if self.batched else self
        motors = [name for name, role in zip(one.neurons, one.roles, strict=True) if role == "motor"]
        states = {name: one.of(name).tolist() for name in (motors or list(one.neurons))[:8]}
        rows = [("states", " x ".join(map(str, self.states.shape))), ("neurons", len(self.neurons))]
        rows += [("sensors", len(self.sensors)), ("samples", one.states.shape[0])]
        what = f"states of {len(states)} {'motor ' if motors else ''}neurons"
        return shown.page(shown.table("Recording", rows), shown.curves_picture(states, what))
