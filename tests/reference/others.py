"""CTRNN, CT-GRU, liquid cell and LSTM in float64 NumPy, from the equations of their papers."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from .graph import Wires

Parameters = dict[str, np.ndarray]


def linear(wires: Wires, p: Parameters, name: str, h: np.ndarray, x: np.ndarray) -> np.ndarray:
    """b_j + sum_i w_ij [x, h]_i over the synapses i -> j."""
    recurrent = wires.arrivals(p[f"{name}_w"] * h[:, wires.pre])
    sensory = wires.arrivals(p[f"sensory_{name}_w"] * x[:, wires.sensory_pre], sensory=True)
    return recurrent + sensory + p[f"{name}_b"]


def ctrnn_rate(wires: Wires, p: Parameters, h: np.ndarray, x: np.ndarray, leak: bool) -> np.ndarray:
    """dh/dt of tau dh/dt = -h + tanh(b + sum w [x, h]); Funahashi and Nakamura, 1993."""
    fired = np.tanh(linear(wires, p, "rate", h, x))
    return (fired - h if leak else fired) / np.logaddexp(p["tau"], 0)


def ctgru_step(
    wires: Wires, p: Parameters, g: np.ndarray, x: np.ndarray, dt: np.ndarray, tau: np.ndarray
) -> np.ndarray:
    """The traces (B, N, K) after a sample that comes dt (B, 1) after the one before; Mozer et al., 2017."""
    g = g * np.exp(-dt[..., None] / tau)
    h = g.sum(axis=-1)

    def close_to(log_tau: np.ndarray) -> np.ndarray:
        return softmax(-((log_tau[..., None] - np.log(tau)) ** 2), axis=-1)

    r = close_to(linear(wires, p, "retrieve", h, x))
    s = close_to(linear(wires, p, "store", h, x))
    q = np.tanh(linear(wires, p, "detect", (r * g).sum(axis=-1), x))
    return (1 - s) * g + s * q[..., None]


def lstm_step(
    p: Parameters, h: np.ndarray, c: np.ndarray, x: np.ndarray, forget_bias: float
) -> tuple[np.ndarray, np.ndarray]:
    """What an LSTM makes of state and memory; gates in the order new, input, forget, output."""
    z = x @ p["input_kernel"] + h @ p["recurrent_kernel"] + p["bias"]
    new, let_in, keep, show = np.split(z, 4, axis=-1)
    c = c * expit(keep + forget_bias) + np.tanh(new) * expit(let_in)
    return np.tanh(c) * expit(show), c


def liquid_rate(p: Parameters, h: np.ndarray, x: np.ndarray, layers: int) -> np.ndarray:
    """dh/dt = -(1/tau + f) h + f A with f a network of [x, h]; Hasani et al., AAAI 2021, equation 1."""
    z = np.concatenate([x, h], axis=-1)
    for k in range(layers):
        z = np.tanh(z @ p[f"backbone.{k}.weight"].T + p[f"backbone.{k}.bias"])
    f = expit(z @ p["f.weight"].T + p["f.bias"])
    return -(1 / np.logaddexp(p["tau"], 0) + f) * h + f * p["A"]
