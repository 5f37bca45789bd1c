"""The networks of `peers.py` in JAX, as one would write them there: jitted, with `lax.scan` over time.

Weights come from the model of ncps on PyTorch. An LTC's synapses are matrices over all pairs of neurons, or
lists summed by `segment_sum`; which of the two is faster depends on the circuit, so there are both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

UNFOLDS, EPSILON = 6, 1e-8
MOST_BYTES = 2 << 30
"""Of what a gradient over matrices of all pairs would keep; beyond, only lists are tried."""
Parameters = dict[str, jax.Array]
Model = Callable[[Parameters, Any, Any], tuple[Any, Any]]
SYNAPSE = ("w", "mu", "sigma", "erev")


def models(state: Mapping[str, np.ndarray], batch: int, steps: int) -> dict[str, tuple[Model, Parameters]]:
    """What computes the outputs and the last state from parameters, (B, T, I) inputs and a state, by name."""
    if "rnn_cell.gleak" not in state:
        wired = "rnn_cell.layer_0.ff1.weight" in state
        return {"jitted": (_cfc_wired(state) if wired else _cfc_dense(state))}
    neurons = len(state["rnn_cell.gleak"])
    found = {"segment sums": _ltc(state, pairs=False)}
    if 4 * batch * neurons**2 * steps * UNFOLDS < MOST_BYTES:
        found["matrices"] = _ltc(state, pairs=True)
    return found


def forward_of(model: Model, parameters: Parameters, x: np.ndarray, loop: bool) -> Callable[[], None]:
    """One call, with the state carried from call to call for a control loop."""
    run, given = jax.jit(model), jnp.asarray(x)
    carried: list[Any] = [None]

    def call() -> None:
        _, state = jax.block_until_ready(run(parameters, given, carried[0]))
        carried[0] = state if loop else None

    return call


def training_of(model: Model, parameters: Parameters, x: np.ndarray) -> Callable[[], None]:
    """The mean square of the outputs and all gradients."""
    step, given = jax.jit(jax.value_and_grad(lambda p, x: (model(p, x, None)[0] ** 2).mean())), jnp.asarray(x)
    return lambda: jax.block_until_ready(step(parameters, given))


def outputs_of(model: Model, parameters: Parameters, x: np.ndarray) -> np.ndarray:
    return np.asarray(jax.jit(model)(parameters, jnp.asarray(x), None)[0])


def _scan(step: Callable[[Any, Any], tuple[Any, Any]], x: Any, state: Any, neurons: int) -> tuple[Any, Any]:
    first = jnp.zeros((x.shape[0], neurons)) if state is None else state
    state, outputs = lax.scan(step, first, x.transpose(1, 0, 2))
    return outputs.transpose(1, 0, 2), state


def _ltc(state: Mapping[str, np.ndarray], *, pairs: bool) -> tuple[Model, Parameters]:
    own = {k.removeprefix("rnn_cell."): v for k, v in state.items() if k.startswith("rnn_cell.")}
    masks = {"": own["sparsity_mask"], "sensory_": own["sensory_sparsity_mask"]}
    neurons, ends = len(own["gleak"]), {}
    for prefix, mask in masks.items():
        order = np.lexsort(np.nonzero(mask)) if not pairs else None  # sorted by the postsynaptic neuron
        ends[prefix] = tuple(k[order] for k in np.nonzero(mask)) if order is not None else None
        for name in SYNAPSE:
            values = own[prefix + name] * (mask if name == "w" else 1)
            own[prefix + name] = values if pairs else values[ends[prefix]]
    mapped = ("input_w", "input_b", "output_w", "output_b", "gleak", "vleak", "cm")
    names = [*mapped, *SYNAPSE, *(f"sensory_{name}" for name in SYNAPSE)]
    parameters = {name: jnp.asarray(own[name]) for name in names if name in own}
    outputs = len(own["output_w"])

    def sums(p: Parameters, prefix: str, v: Any) -> tuple[Any, Any]:
        w, mu, sigma, erev = (p[prefix + name] for name in SYNAPSE)
        if pairs:
            current = w * jax.nn.sigmoid(sigma * (v[:, :, None] - mu))
            return (current * erev).sum(1), current.sum(1)
        pre, post = ends[prefix]
        current = (w * jax.nn.sigmoid(sigma * (v[:, pre] - mu))).T

        def added(values: Any) -> Any:
            return jax.ops.segment_sum(values, post, neurons, indices_are_sorted=True).T

        return added(current * erev[:, None]), added(current)

    def model(p: Parameters, x: Any, state: Any) -> tuple[Any, Any]:
        def step(v: Any, sample: Any) -> tuple[Any, Any]:
            num, den = sums(p, "sensory_", sample * p["input_w"] + p["input_b"])
            num, den = num + p["gleak"] * p["vleak"], den + p["gleak"] + p["cm"] * UNFOLDS + EPSILON
            for _ in range(UNFOLDS):
                more_num, more_den = sums(p, "", v)
                v = (p["cm"] * UNFOLDS * v + num + more_num) / (den + more_den)
            return v, v[:, :outputs] * p["output_w"] + p["output_b"]

        return _scan(step, x, state, neurons)

    return model, parameters


def _update(maps: Any) -> Any:
    ff1, ff2, time_a, time_b = jnp.split(maps, 4, -1)
    gate = jax.nn.sigmoid(time_a + time_b)
    return jnp.tanh(ff1) * (1 - gate) + gate * jnp.tanh(ff2)


def _maps(state: Mapping[str, np.ndarray], prefix: str) -> Parameters:
    """The four maps of a cell as one matrix."""
    names = ("ff1", "ff2", "time_a", "time_b")
    mask = state.get(f"{prefix}sparsity_mask", np.float32(1))
    weights = [state[f"{prefix}{name}.weight"] * (mask if "ff" in name else 1) for name in names]
    biases = [state[f"{prefix}{name}.bias"] for name in names]
    return {"w": jnp.asarray(np.concatenate(weights).T), "b": jnp.asarray(np.concatenate(biases))}


def _cfc_wired(state: Mapping[str, np.ndarray]) -> tuple[Model, Parameters]:
    layers = [_maps(state, f"rnn_cell.layer_{k}.") for k in range(3)]
    widths = [len(layer["b"]) // 4 for layer in layers]
    parameters = {f"{name}{k}": value for k, layer in enumerate(layers) for name, value in layer.items()}
    places = np.cumsum(widths)[:-1]

    def model(p: Parameters, x: Any, state: Any) -> tuple[Any, Any]:
        def step(h: Any, sample: Any) -> tuple[Any, Any]:
            new, read = [], sample
            for k, old in enumerate(jnp.split(h, places, -1)):
                read = _update(jnp.concatenate([read, old], -1) @ p[f"w{k}"] + p[f"b{k}"])
                new.append(read)
            return jnp.concatenate(new, -1), read

        return _scan(step, x, state, sum(widths))

    return model, parameters


def _cfc_dense(state: Mapping[str, np.ndarray]) -> tuple[Model, Parameters]:
    parameters = _maps(state, "rnn_cell.")
    parameters["first"] = jnp.asarray(state["rnn_cell.backbone.0.weight"].T)
    parameters["first_b"] = jnp.asarray(state["rnn_cell.backbone.0.bias"])

    def model(p: Parameters, x: Any, state: Any) -> tuple[Any, Any]:
        def step(h: Any, sample: Any) -> tuple[Any, Any]:
            seen = jnp.concatenate([sample, h], -1) @ p["first"] + p["first_b"]
            h = _update(1.7159 * jnp.tanh(0.666 * seen) @ p["w"] + p["b"])
            return h, h

        return _scan(step, x, state, len(p["b"]) // 4)

    return model, parameters
