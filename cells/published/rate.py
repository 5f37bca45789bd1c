"""The leaky rate neuron of connectome models."""

from __future__ import annotations

from ..equations.cell import EquationCell
from ..equations.declaration import neuron, synapse
from ..overlay import Changes, Places
from ..strengths import Floats, as_floats


class LeakyRate(EquationCell):
    r"""One time step of leaky rate neurons over a circuit, as models of connectomes have them.

    .. math::

        \tau_j \frac{dv_j}{dt} = v^{rest}_j - v_j + \sum_i w_{ij}\, [v_i]_+ + \sum_s w_{sj}\, x_s

    over the synapses i -> j of neurons and s -> j of sensors. With ``polarity="fixed"`` and
    ``scale={"w": "count"}`` a weight is a sign, a count of synapses, and a strength to learn; with
    ``tie={"w": ("type", "type")}`` one strength for each pair of types.

    Parameters: ``w`` (E,), ``sensory_w`` (S,), ``tau`` and ``rest`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        options: `solver`, `ode_unfolds` and the others of an `EquationCell`.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> rnn = gl.RNN(gl.LeakyRate(gl.auto_ncp(64, 8, inputs=16), polarity="fixed"))
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)

    Source: Lappalainen et al., Connectome-constrained networks predict neural activity across the fly visual
    system, Nature 2024, equation 1.
    """

    times_given = False
    parameters = {
        "w": synapse("signed_glorot", strength=True),
        "tau": neuron(0.5, 2.0, positive=True),
        "rest": neuron(0.0),
    }
    let = {"r": "relu(v)"}
    synapse = {"i": "w * r_pre"}
    sensory = {"i": "w * x"}
    dynamics = "tau * dv/dt = rest - v + i"

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        changes.add("rest", neurons, currents)

    def resting_states(self) -> Floats:
        return as_floats(self.effective()["rest"])
