"""The minimal gated recurrent unit."""

from __future__ import annotations

from ..equations.cell import EquationCell
from ..equations.declaration import neuron, synapse
from ..overlay import Changes, Places
from ..strengths import Floats


class MinGRU(EquationCell):
    r"""One time step of minimal gated recurrent units over a circuit.

    Gate and candidate are of what a neuron's sources show, and not of its own state, unless it has a synapse
    onto itself:

    .. math::

        z_j &= \mathrm{sigmoid}\bigl(c_j + \sum_i a_{ij} [x, v]_i\bigr) \\
        v_j &\leftarrow (1 - z_j)\, v_j + z_j \bigl(b_j + \sum_i w_{ij} [x, v]_i\bigr)

    A circuit of sensors and motor neurons alone is a layer of the paper; one of several levels is a stack of
    layers, each of which reads what those before it had at the sample before. Time spans have no effect.

    Parameters: ``gate_w, new_w`` (E,), ``sensory_gate_w, sensory_new_w`` (S,), ``gate_b`` and ``new_b`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        options: those of an `EquationCell`, but `solver` and `ode_unfolds`: a sample is one step.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> rnn = gl.RNN(gl.MinGRU(gl.auto_ncp(64, 8, inputs=16)))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Feng, Tung, Ahmed, Bengio, Hajimirsadeghi, Were RNNs all we needed?, 2024 (arXiv 2410.01201),
    section 3.1.
    """

    parameters = {
        "gate_w": synapse("glorot"),
        "new_w": synapse("signed_glorot", strength=True),
        "gate_b": neuron(0.0),
        "new_b": neuron(0.0),
    }
    synapse = {"gate": "gate_w * v_pre", "new": "new_w * v_pre"}
    let = {"z": "sigmoid(gate + gate_b)"}
    update = "v = (1 - z) * v + z * (new + new_b)"

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        changes.add("new_b", neurons, currents)
