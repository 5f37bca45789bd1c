"""The continuous-time gated recurrent unit: memories of several time constants, chosen by gates."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np

from ..arguments import label, one_of, real, whole
from ..compile import Source
from .cell import NCPRNNCell
from .layer import Shape
from .maps import CircuitMap, circuit_map, map_parameters, map_strengths
from .overlay import Changes, Places
from .parameters import Parameter
from .signs import POLARITY
from .strengths import Floats, Strengths

MAPS = ("retrieve", "store", "detect")


@dataclass(frozen=True)
class CTGRUTerms:
    """The three maps of the equation."""

    retrieve: CircuitMap
    store: CircuitMap
    detect: CircuitMap


class CTGRUCell(NCPRNNCell):
    r"""One time step of a continuous-time gated recurrent unit over a circuit.

    Every neuron j has K traces, which decay with the fixed time constants tau_k = `shortest` * 10^(k/2), and
    shows their sum. With retrieval and storage scales that are linear over the synapses,

    .. math::

        g_{jk} &\leftarrow g_{jk}\, e^{-dt / \tau_k}, \qquad h_j = \sum_k g_{jk} \\
        r_{jk} &= softmax_k\bigl(-(retrieve_j([x, h]) - \ln \tau_k)^2\bigr) \\
        q_j &= \tanh\bigl(detect_j([x, {\textstyle\sum_k r_k g_k}])\bigr) \\
        s_{jk} &= softmax_k\bigl(-(store_j([x, h]) - \ln \tau_k)^2\bigr) \\
        g_{jk} &\leftarrow (1 - s_{jk})\, g_{jk} + s_{jk}\, q_j

    The traces decay first, over the time since the previous sample, as time spans are meant here. The state
    is (B, N, K).

    Parameters, per map: ``<map>_w`` (E,), ``sensory_<map>_w`` (S,), ``<map>_b`` (N,) for ``retrieve``,
    ``store`` and ``detect``.

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        scales: K, the number of traces per neuron.
        shortest: the shortest time constant, in units of `time_scale`.
        clip: the largest absolute trace; None for no limit.
        polarity: "init" (the circuit's signs are where the weights of ``detect`` start) or "fixed" (they
            keep them, as those of a `CfCCell`).
        time_scale: the time of the data that counts as 1, see `LTCCell`: dt is the time span divided by it;
            `fit` chooses one where none is given and `shortest` is 1.
        key: random key for the initial values; MLX's global state if not given.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option, or a number that is not positive.

    Example:
        >>> rnn = gl.RNN(gl.CTGRUCell(gl.auto_ncp(64, 8, inputs=16)))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64, 8)

    Source: Mozer, Kazakov, Lindsey, Discrete-event continuous-time recurrent nets, 2017, section 3.
    """

    needs_circuit = True
    by_effective = True

    def __init__(
        self,
        circuit: Source,
        *,
        scales: int = 8,
        shortest: float = 1.0,
        clip: float | None = None,
        polarity: str = "init",
        time_scale: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        one_of("polarity", polarity, POLARITY)
        whole("scales", scales, most=64)
        shortest = real("shortest", shortest, above=0)
        if clip is not None:
            real("clip", clip, above=0)
        super().__init__(circuit, time_scale=time_scale)
        self.times_given = shortest != 1.0
        self.scales, self.clip, self.polarity = scales, clip, polarity
        self.make_parameters(key)
        log_tau = np.log(shortest) + np.arange(scales) * np.log(10.0) / 2
        self._log_tau = mx.array(log_tau.astype(np.float32))

    def declared(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for name in MAPS:
            found |= map_parameters(name, signed=name == "detect")
        return found

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        return ((self.n_neurons, self.scales),)

    def prepare(self) -> CTGRUTerms:
        p = self.effective()
        return CTGRUTerms(*(circuit_map(self.compiled, name, p) for name in MAPS))

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """Without an event, traces of 0 stay so."""
        if values.any():
            raise ValueError(
                f"traces of a CT-GRU decay, so it is held at 0 only, got {label(values.tolist())}"
            )
        changes.cut_into(neurons)
        changes.put("detect_b", neurons, 0.0)

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        changes.add("detect_b", neurons, currents)

    def strengths(self) -> Strengths:
        return map_strengths(self.compiled.plan, "detect", self.effective())

    def step(self, prepared: CTGRUTerms, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        traces = state * mx.exp(-timespan[..., None] / mx.exp(self._log_tau))
        h = traces.sum(axis=-1)
        retrieved = (self._weights(prepared.retrieve, x, h) * traces).sum(axis=-1)
        event = mx.tanh(prepared.detect(prepared.detect.drive(x), retrieved))
        stored = self._weights(prepared.store, x, h)
        traces = (1.0 - stored) * traces + stored * event[..., None]
        return traces if self.clip is None else mx.clip(traces, -self.clip, self.clip)

    def _weights(self, scale: CircuitMap, x: mx.array, h: mx.array) -> mx.array:
        """(B, N, K) how close each time constant is to the one that a map asks for."""
        log_tau = scale(scale.drive(x), h)
        # -(a - b)^2 without -a^2, which is the same for all and too large to square where an input is.
        return mx.softmax(2.0 * log_tau[..., None] * self._log_tau - mx.square(self._log_tau), axis=-1)

    def visible(self, state: mx.array) -> mx.array:
        return state.sum(axis=-1)

    def _extra_repr(self) -> str:
        return f"{self.compiled.plan!r}, scales={self.scales}{self._timing()}"
