"""The saturated liquid time-constant network."""

from __future__ import annotations

from ..equations.cell import EquationCell
from ..equations.declaration import motor, neuron, sensor, synapse

SATURATED = {
    "w": synapse(0.001, 1.0, positive=True, strength=True),
    "h": synapse("signed_glorot"),
    "mu": synapse(0.3, 0.8),
    "sigma": synapse(3.0, 8.0, sign="positive"),
    "gleak": neuron(0.001, 1.0, positive=True),
    "vleak": neuron(-0.2, 0.2),
    "input_w": sensor(1.0),
    "input_b": sensor(0.0),
    "output_w": motor(1.0),
    "output_b": motor(0.0),
}
OPEN = {
    "f": "w * sigmoid(sigma * (v_pre - mu))",
    "u": "h * sigmoid(sigma * (v_pre - mu))",
}
"""What a synapse lets go, and what it lets in."""


class STC(EquationCell):
    r"""One time step of a saturated liquid time-constant network over a circuit.

    The two conductances of the `LTCCell`, saturated, so that states stay within 2 \|vleak\|:

    .. math::

        s_{ij} &= \mathrm{sigmoid}(\sigma_{ij} (v_i - \mu_{ij})) \\
        f_j &= g_j + \sum_i w_{ij}\, s_{ij}, \qquad u_j = g_j + \sum_i h_{ij}\, s_{ij} \\
        \frac{dv_j}{dt} &= -\mathrm{sigmoid}(f_j)\, v_j + \tanh(u_j)\, v^{leak}_j

    Parameters: ``w, h, mu, sigma`` (E,), their twins ``sensory_...`` (S,), ``gleak, vleak`` (N,), and those
    of the affine maps ``input_w, input_b`` (I,), ``output_w, output_b`` (M,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        options: `solver`, `ode_unfolds` and the others of an `EquationCell`.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> rnn = gl.RNN(gl.STC(gl.auto_ncp(64, 8, inputs=16)))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Farsang, Lechner, Lung, Hasani, Rus, Grosu, Learning with chemical versus electrical synapses,
    2024; Farsang, Neubauer, Grosu, Liquid resistance liquid capacitance networks, 2024 (arXiv 2403.08791).
    """

    times_given = False
    parameters = SATURATED
    synapse = OPEN
    dynamics = "dv/dt = -sigmoid(gleak + f) * v + tanh(gleak + u) * vleak"
    inputs = "input_w * x + input_b"
    outputs = "output_w * v + output_b"
