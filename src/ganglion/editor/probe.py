"""A network over the circuit that is edited: it follows edits, runs step by step, and answers what-if."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..cells import LTC, carried, lesion, saliency
from ..compile import compile_circuit
from ..studies.perturbations import Perturbation
from ..studies.perturbed import perturbed
from .strengths import polarities, strengths, time_constants, turn

Floats = NDArray[np.float32]


class Probe:
    """A network that follows its circuit.

    Attributes:
        network: an `LTC` or `CfC`; None before there is a circuit that can be compiled.
        seconds: how long one step takes here, as measured after the last compile.
    """

    def __init__(self, network: Any = None) -> None:
        self.network: Any = None
        self.seconds: float | None = None
        self._given = network
        self._stream: Any = None
        self._state: dict[str, float] = {}
        self._shown: dict[str, float] = {}
        self._last: Floats = np.zeros(0, np.float32)
        self._acting: tuple[Perturbation, ...] = ()
        self._turned: list[NDArray[np.bool_]] | None = None  # where signs differ from those of the plan

    @property
    def neurons(self) -> tuple[str, ...]:
        """The names of the neurons with state, in the order of the states."""
        return () if self.network is None else tuple(self.network.cell.neurons)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the sensory neurons, in the order of the inputs."""
        return () if self.network is None else tuple(self.network.cell.sensors)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the motor neurons."""
        return () if self.network is None else self.neurons[: self.network.cell.n_outputs]

    @property
    def layout(self) -> str | None:
        """The layout that runs the recurrent synapses."""
        return None if self.network is None else str(self.network.cell.compiled.recurrent.name)

    # Following edits

    def follow(self, circuit: Any, renames: Mapping[str, str]) -> None:
        """Compile the circuit and carry weights and state over by name.

        Raises:
            CircuitError: the circuit cannot be compiled; the old network stays.
        """
        old = self._given if self.network is None else self.network
        if self._turned is not None:
            turn(old, self._turned)  # back to the signs of its plan, which `carried` goes by
            self._turned = None
        if old is None:
            network: Any = LTC(compile_circuit(circuit))
        else:
            known = {*old.cell.neurons, *old.cell.sensors}
            network = carried(old, circuit, renames={a: b for a, b in renames.items() if a in known})
        self._keep_state(renames)
        self.network = network.eval()
        self._restart()
        self._measure()

    def turn(self, circuit: Any) -> None:
        """Follow a circuit in which nothing but polarities changed."""
        wanted = polarities(self.network, circuit)
        if wanted is None:
            self.follow(circuit, {})
            return
        before = self._turned or [np.zeros_like(part) for part in wanted]
        turn(self.network, [new ^ old for new, old in zip(wanted, before, strict=True)])
        self._turned = wanted
        self._keep_state({})
        self._restart()

    def adopt(self, plan: Any, parameters: Any) -> bool:
        """Take the weights of another network over the same plan; false if its plan is another one."""
        if self.network is None or plan != self.network.cell.compiled.plan:
            return False
        self._turned = None
        self.network.update(parameters)
        self._keep_state({})
        self._restart()
        return True

    def reset(self) -> None:
        """Set all states to zero."""
        self._state, self._shown = {}, {}
        if self._stream is not None:
            self._restart()

    # Running

    def advance(
        self,
        inputs: Floats,
        acting: Sequence[tuple[Perturbation, ...]] | None = None,
        timespan: float | None = None,
    ) -> tuple[Floats, Floats]:
        """Run (T, I) inputs from where the network is; returns its (N,) states and (M,) outputs then.

        `acting` has T tuples of what perturbs the network meanwhile; `timespan` is the one of every sample.
        """
        given = {} if timespan is None else {"timespan": timespan}
        for k, row in enumerate(inputs):
            self._perturb(() if acting is None else acting[k])
            self._last = np.asarray(self._stream(row, **given), np.float32)
        return self._states(), self._last

    def without(
        self, inputs: Floats, neurons: Sequence[str], synapses: Sequence[tuple[str, str]]
    ) -> tuple[Floats, Floats]:
        """(T, M) outputs from a state of zeros, with all and without some neurons and synapses.

        The output of a motor neuron that is left out is nan.

        Raises:
            CircuitError: an unknown neuron or synapse, or no motor neuron would be left.
        """
        if self.network is None:
            raise ValueError("live running is off, or the circuit cannot be compiled yet")
        gone = set(neurons)
        other = lesion(self.network, neurons=list(gone), synapses=list(synapses), keep_shapes=False)
        kept = [k for k, name in enumerate(self.sensors) if name not in gone]
        found = np.full((len(inputs), len(self.outputs)), np.nan, np.float32)
        left = [k for k, name in enumerate(self.outputs) if name not in gone]
        found[:, left] = _outputs(other, inputs[:, kept])
        return _outputs(self.network, inputs), found

    def ranking(self, inputs: Floats, go_on: Callable[[], bool]) -> list[tuple[str, float]] | None:
        """Every neuron by the mean absolute change of the outputs without it; None if told to stop."""
        found = []
        for name in (*self.sensors, *self.neurons):
            if not go_on():
                return None
            if (name,) == self.outputs:  # a network needs one output
                continue
            base, without = self.without(inputs, [name], [])
            change = np.abs(base - without)
            rest = change[~np.isnan(change)]
            found.append((name, float(rest.mean()) if rest.size else 0.0))
        return sorted(found, key=lambda pair: -pair[1])

    def saliency(self, inputs: Floats) -> list[tuple[str, float]]:
        r"""How much the outputs at the end of (T, I) inputs depend on each neuron.

        .. math::

            \sum_m \Bigl| \sum_t \frac{\partial y_m(T)}{\partial x_i(t)} \Bigr| \text{ of a sensor,} \quad
            \sum_m \Bigl| \frac{\partial y_m(T)}{\partial v_j(0)} \Bigr| \text{ of a neuron with state,}

        from where the network is. Neurons of a network with a memory beside its states have none.
        """
        network, state = self.network, self._stream.state
        found = np.abs(saliency(network, inputs, state)).sum(axis=-1)
        values = list(zip(self.sensors, found.tolist(), strict=True))
        if isinstance(state, tuple):
            return values

        def output(start: mx.array, m: int) -> mx.array:
            last: mx.array = network(mx.array(inputs), start)[0][-1, m]
            return last

        start, total = mx.array(self._states()), np.zeros(len(self.neurons), np.float32)
        for m in range(len(self.outputs)):
            total += np.abs(np.array(mx.grad(output)(start, m)))
        return values + list(zip(self.neurons, total.tolist(), strict=True))

    def describe(self) -> dict[str, Any]:
        """What a page shows of the network: names in their orders, and strengths with signs."""
        return {
            "neurons": list(self.neurons),
            "sensors": list(self.sensors),
            "outputs": list(self.outputs),
            "synapses": strengths(self.network),
            "time_constants": time_constants(self.network),
            "cell": type(self.network).__name__,
        }

    # Inside

    def _states(self) -> Floats:
        state = self._stream.state
        return np.asarray(state[0] if isinstance(state, tuple) else state, np.float32).reshape(-1)

    def _keep_state(self, renames: Mapping[str, str]) -> None:
        if self._stream is None:
            return
        values = self._states()
        if len(values) == len(self.neurons):
            names = [renames.get(name, name) for name in self.neurons]
            self._state = dict(zip(names, values.tolist(), strict=True))
            self._shown = dict(zip(names, self._last.tolist(), strict=False))  # motor neurons come first

    def _perturb(self, acting: tuple[Perturbation, ...]) -> None:
        if acting != self._acting:
            before, self._acting, state = self._acting, acting, self._stream.state
            self._keep_state({})
            try:
                self._restart()
                self._stream.state = state  # of the same neurons, so that all its parts go on
            except Exception:
                self._acting = before
                raise

    def _restart(self) -> None:
        with perturbed(self.network, *self._acting) if self._acting else nullcontext():
            self._stream = self.network.stream()
        start = np.array([self._state.get(name, 0.0) for name in self.neurons], np.float32)
        state = self._stream.state
        if not isinstance(state, tuple) and np.shape(state) == start.shape:
            self._stream.state = start
        self._last = np.array([self._shown.get(name, 0.0) for name in self.outputs], np.float32)

    def _measure(self) -> None:
        """Time a few steps of a copy that nobody looks at."""
        stream = self.network.stream()
        zeros = np.zeros(len(self.sensors), np.float32)
        stream(zeros)
        start = time.perf_counter()
        for _ in range(3):
            np.asarray(stream(zeros))
        self.seconds = (time.perf_counter() - start) / 3


def _outputs(network: Any, inputs: Floats) -> Floats:
    result = network(inputs)
    return np.asarray(result[0] if isinstance(result, tuple) else result, np.float32)
