"""Leaky integration and fire, which learns by a surrogate gradient."""

from __future__ import annotations

from ..equations.cell import EquationCell
from ..equations.declaration import neuron, synapse
from ..overlay import Changes, Places
from ..strengths import Floats, as_floats


class LIF(EquationCell):
    r"""One time step of leaky integrate-and-fire neurons over a circuit.

    A neuron spikes where it is above its threshold, and is reset by it. Its synapses bring the spikes of the
    sample before, and what sensors show:

    .. math::

        s_j &= \Theta(v_j - \vartheta_j) \\
        v_j &\leftarrow e^{-g_j \Delta t}\, (v_j - s_j \vartheta_j) + b_j
        + \sum_i w_{ij}\, s_i + \sum_s w_{sj}\, x_s

    Motor neurons show their spikes, 0 or 1; the state is the potential v. For learning, the slope of the step
    is :math:`1 / (1 + 10 |v - \vartheta|)^2`.

    Parameters: ``w`` (E,), ``sensory_w`` (S,), ``leak``, ``bias`` and ``threshold`` (N,).

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        options: those of an `EquationCell`, but `solver` and `ode_unfolds`: a sample is one step.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: an unknown option.

    Example:
        >>> rnn = gl.RNN(gl.LIF(gl.auto_ncp(64, 8, inputs=16)))
        >>> spikes, state = rnn(mx.ones((32, 20, 16)))                     # (32, 20, 8), (32, 64)

    Source: Neftci, Mostafa, Zenke, Surrogate gradient learning in spiking neural networks, IEEE Signal
    Processing Magazine 2019; the slope of Zenke and Ganguli, SuperSpike, Neural Computation 2018.
    """

    times_given = False
    parameters = {
        "w": synapse("signed_glorot", strength=True),
        "leak": neuron(0.1, 1.0, positive=True),
        "bias": neuron(0.0, 0.2),
        "threshold": neuron(0.5, positive=True),
    }
    let = {"s": "spike(v - threshold)"}
    synapse = {"i": "w * s_pre"}
    sensory = {"i": "w * x"}
    update = "v = exp(-leak * timespan) * (v - s * threshold) + i + bias"
    outputs = "spike(v - threshold)"

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        changes.add("bias", neurons, currents)

    def current_units(self) -> Floats:
        """A current is a share of the threshold, whatever unit a neuron counts its voltage in."""
        return as_floats(self.effective()["threshold"])
