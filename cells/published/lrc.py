"""The liquid-resistance liquid-capacitance network, and its unit of one step."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from ...arguments import one_of
from ...compile import Source
from ..equations.declaration import neuron, synapse
from ..equations.model import Model
from .stc import OPEN, SATURATED, STC

LIQUID = {**SATURATED, "elastance_w": synapse("glorot"), "elastance_b": neuron(0.0)}
ELASTANCES: dict[str, dict[str, Any]] = {
    "asymmetric": {
        "parameters": LIQUID,
        "let": {"q": "e + elastance_b", "speed": "sigmoid(q)"},
    },
    "symmetric": {
        "parameters": {**LIQUID, "elastance_shift": neuron(1.0, positive=True)},
        "let": {
            "q": "e + elastance_b",
            "speed": "sigmoid(q + elastance_shift) - sigmoid(q - elastance_shift)",
        },
    },
}


class LRC(STC):
    r"""One time step of a liquid-resistance liquid-capacitance network over a circuit.

    An `STC` whose speed, the elastance, depends on what its synapses see:

    .. math::

        q_j &= b_j + \sum_i a_{ij}\, v_i \\
        \frac{dv_j}{dt} &= \epsilon(q_j)\, \bigl(-\mathrm{sigmoid}(f_j)\, v_j + \tanh(u_j)\, v^{leak}_j\bigr)

    with :math:`\epsilon(q) = \mathrm{sigmoid}(q)`, or where it is symmetric
    :math:`\mathrm{sigmoid}(q + k) - \mathrm{sigmoid}(q - k)`.

    Parameters: those of the `STC`, ``elastance_w`` (E,), ``sensory_elastance_w`` (S,), ``elastance_b`` (N,),
    and ``elastance_shift`` (N,), which is k, where the elastance is symmetric.

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        elastance: "asymmetric" or "symmetric".
        options: `solver`, `ode_unfolds` and the others of an `EquationCell`. "semi_implicit" is what the
            authors' code calls hybrid.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> rnn = gl.RNN(gl.LRC(gl.auto_ncp(64, 8, inputs=16), elastance="symmetric"))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Farsang, Neubauer, Grosu, Liquid resistance liquid capacitance networks, 2024 (arXiv 2403.08791).
    """

    parameters = ELASTANCES["asymmetric"]["parameters"]
    synapse = {**OPEN, "e": "elastance_w * v_pre"}
    let = ELASTANCES["asymmetric"]["let"]
    dynamics = "dv/dt = speed * (-sigmoid(gleak + f) * v + tanh(gleak + u) * vleak)"
    _declares: ClassVar[str] = "asymmetric"

    def __init__(self, circuit: Source, *, elastance: str | None = None, **options: Any) -> None:
        self.elastance = self._declares if elastance is None else elastance
        one_of("elastance", self.elastance, tuple(ELASTANCES))
        super().__init__(circuit, **options)

    def equations_chosen(self) -> Model:
        return self._model if self.elastance == self._declares else _with(type(self), self.elastance)


class LRCU(LRC):
    r"""One time step of liquid-resistance liquid-capacitance units over a circuit: a gated unit.

    The `LRC` with a symmetric elastance, in one explicit step of Euler's method per sample:

    .. math::

        v_j \leftarrow v_j + \Delta t\; \epsilon(q_j)\, \bigl(-\mathrm{sigmoid}(f_j)\, v_j
        + \tanh(u_j)\, v^{leak}_j\bigr)

    Parameters and arguments are those of the `LRC`.

    Example:
        >>> rnn = gl.RNN(gl.LRCU(gl.auto_ncp(64, 8, inputs=16)))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: as of the `LRC`, and its code at github.com/MoniFarsang/LRC.
    """

    parameters = ELASTANCES["symmetric"]["parameters"]
    let = ELASTANCES["symmetric"]["let"]
    solver, unfolds = "euler", 1
    _declares = "symmetric"


@lru_cache
def _with(kind: type[LRC], elastance: str) -> Model:
    """The equations of a class with another elastance; what it says of its own quantities stays."""
    words, own = ELASTANCES[elastance], kind._declared_words
    theirs = words["parameters"]
    kept = {key: q for key, q in own["parameters"].items() if key in theirs or key != "elastance_shift"}
    return kind.model_with(parameters={**theirs, **kept}, let={**own["let"], **words["let"]})
