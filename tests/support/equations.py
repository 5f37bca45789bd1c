"""Equation cells that together have every form of equation, and a circuit with every kind of synapse."""

from __future__ import annotations

from typing import Any

import numpy as np

import ganglion as gl

CHEMICAL = {
    "w": gl.synapse(0.001, 1.0, positive=True, strength=True),
    "mu": gl.synapse(0.3, 0.8),
    "sigma": gl.synapse(3.0, 8.0, sign="positive"),
    "erev": gl.synapse("polarity"),
    "gleak": gl.neuron(0.001, 1.0, positive=True),
    "vleak": gl.neuron(-0.2, 0.2),
    "cm": gl.neuron(0.4, 0.6, positive=True),
    "input_w": gl.sensor(1.0),
    "input_b": gl.sensor(0.0),
    "output_w": gl.motor(1.0),
    "output_b": gl.motor(0.0),
}


class ChemicalLTC(gl.EquationCell):
    """The liquid time-constant cell without electrical synapses, as equations."""

    parameters = CHEMICAL
    synapse = {
        "g": "w * sigmoid(sigma * (v_pre - mu))",
        "i": "w * sigmoid(sigma * (v_pre - mu)) * erev",
    }
    dynamics = "cm * dv/dt = gleak * (vleak - v) + i - g * v - 1e-8 * v"
    inputs = "input_w * x + input_b"
    outputs = "output_w * v + output_b"


class AsLTC(ChemicalLTC):
    """The liquid time-constant cell as equations."""

    parameters = {**CHEMICAL, "gap": gl.electrical(0.001, 1.0)}
    electrical = {"c": "gap * (v_pre - v)"}
    dynamics = "cm * dv/dt = gleak * (vleak - v) + i - g * v + c - 1e-8 * v"


class Rate(gl.EquationCell):
    """Leaky rates: a product with weights alone, and a part of an equation that synapses read."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "b": gl.neuron(-0.2, 0.2),
        "tau": gl.neuron(0.5, 2.0, positive=True),
    }
    let = {"r": "tanh(v + b)"}
    synapse = {"i": "w * r_pre"}
    sensory = {"i": "w * x"}
    dynamics = "tau * dv/dt = i - v"


class Driven(gl.EquationCell):
    """Driving forces: what a neuron has itself stands in the sum, and the linear part is bent."""

    parameters = {
        "w": gl.synapse(0.1, 1.0, positive=True, strength=True),
        "e": gl.synapse("polarity"),
        "k": gl.neuron(0.5, 1.5),
    }
    synapse = {"i": "w * softplus(v_pre) * (e - k * v) / (1 + exp(-v_pre))"}
    dynamics = "dv/dt = -v * sigmoid(k * v) + i - 0.1 * v**3 + min(v, 0.2) * max(v, k) - abs(v)"


class Recovering(gl.EquationCell):
    """Two states, as FitzHugh's and Nagumo's."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "s": gl.synapse(0.5, 2.0),
        "a": gl.neuron(0.6, 0.8),
        "eps": gl.neuron(0.05, 0.15),
    }
    synapse = {"i": "w * tanh(s * v_pre - u_pre)"}
    sensory = {"i": "w * sin(s * x)"}
    dynamics = ("dv/dt = v - v**3 / 3 - u + i", "du/dt = eps * (v + a - 0.8 * u)")
    solver = "euler"
    unfolds = 3


class Gated(gl.EquationCell):
    """Updates: a minimal gated unit with two sums, of which the second one reads the first."""

    parameters = {
        "gate_w": gl.synapse("glorot"),
        "new_w": gl.synapse("signed_glorot", strength=True),
        "gate_b": gl.neuron(0.0),
    }
    synapse = {"s": "gate_w * v_pre", "c": "new_w * f_pre"}
    sensory = {"c": "new_w * x"}
    let = {"z": "sigmoid(s + gate_b)", "f": "z * v"}
    update = "v = (1 - z) * v * exp(-0.1 * timespan) + z * tanh(c)"


class Spiking(gl.EquationCell):
    """Leaky integration to a threshold, and a reset by subtraction."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "threshold": gl.neuron(0.3, 0.5),
    }
    let = {"s": "spike(v - threshold)"}
    synapse = {"i": "w * s_pre"}
    sensory = {"i": "w * x"}
    update = "v = exp(-timespan / 2) * v - s * threshold + i"
    outputs = "spike(v - threshold, 5)"


SAMPLES: dict[str, Any] = {kind.__name__: kind for kind in (AsLTC, Rate, Driven, Recovering, Gated, Spiking)}


def circuit(seed: int = 4, *, coupled: bool = False, neurons: int = 11) -> gl.Circuit:
    """A small circuit; with electrical synapses if asked for."""
    made = gl.auto_ncp(neurons, 2, inputs=3, seed=seed)
    if coupled:
        rng = np.random.default_rng(seed)
        names = [n for n, data in made.nodes(data=True) if data["role"] != "sensory"]
        for _ in range(4):
            a, b = rng.choice(len(names), 2, replace=False)
            if not made.has_edge(names[a], names[b]) and not made.has_edge(names[b], names[a]):
                made.add_synapse(names[a], names[b], kind="electrical")
    return made


def cell_of(kind: str, seed: int = 0, **options: Any) -> gl.EquationCell:
    """A sample over a small circuit, the one with electrical synapses over one that has some."""
    import mlx.core as mx

    mx.random.seed(seed)
    made: gl.EquationCell = SAMPLES[kind](circuit(seed, coupled=kind == "AsLTC"), **options)
    return made
