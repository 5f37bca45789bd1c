"""A network of each family of kernels, and how far it is from what plain operations gave on x86-64.

python -m tests.support.families        # writes that anew, into families.npz
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

import ganglion as gl

BOUNDS = {"outputs": 1e-5, "gradients": 1e-4}
Arrays = dict[str, np.ndarray]
PARTS = ("parameters", "found")
GOLDEN = Path(__file__).with_name("families.npz")


def networks() -> dict[str, gl.RNN]:
    """One of each family."""
    circuit = gl.auto_ncp(12, 3, inputs=4, seed=1)
    coupled = circuit.copy()
    coupled.add_edge("inter_0", "command_1", kind="electrical", polarity=1)
    key = mx.random.key(0)
    return {
        "LTC": gl.LTC(circuit, engine="fused", key=key),
        "LTC, electrical": gl.LTC(gl.Circuit(coupled), engine="fused", key=key),
        "LTC, mixed memory": gl.LTC(circuit, mixed_memory=True, engine="fused", key=key),
        "CfC": gl.CfC(circuit, engine="fused", key=key),
        "CfC, pure": gl.CfC(circuit, mode="pure", engine="fused", key=key),
        "CfC, no gate": gl.CfC(circuit, mode="no_gate", engine="fused", key=key),
        "CfC, mixed memory": gl.CfC(circuit, mixed_memory=True, engine="fused", key=key),
        "CfC, dense": gl.CfC(gl.dense(4, 10), engine="fused", key=key),
        "CfC, backbone": gl.CfC(
            gl.dense(4, 10), backbone_units=12, backbone_layers=2, engine="fused", key=key
        ),
        "CTRNN": gl.RNN(gl.CTRNNCell(circuit, key=key), engine="fused"),
        "STC": gl.RNN(gl.STC(circuit, key=key), engine="fused"),
    }


def computed(rnn: gl.RNN, engine: str, given: Arrays) -> Arrays:
    """The outputs for irregular samples, and the gradients of their squares by parameters and inputs.

    Args:
        given: the parameters, which a network of another version may draw in another way.
    """
    rng = np.random.default_rng(0)
    x = mx.array(rng.normal(size=(7, 5, 4)).astype(np.float32))
    timespans = mx.array(rng.uniform(0.1, 2.0, (7, 5)).astype(np.float32))

    def loss(parameters: dict[str, Any], x: mx.array) -> mx.array:
        rnn.update(parameters)
        return mx.square(rnn(x, timespans=timespans)[0]).sum()

    rnn.engine = engine
    parameters: Any = tree_unflatten([(name, mx.array(array)) for name, array in given.items()])
    rnn.update(parameters)
    found: dict[str, Any] = {"outputs": rnn(x, timespans=timespans)[0]}
    by_parameters, by_inputs = mx.grad(loss, argnums=(0, 1))(parameters, x)
    rnn.update(parameters)
    found |= {"x": by_inputs, **dict(tree_flatten(by_parameters))}
    return {name: np.array(array) for name, array in found.items()}


@cache
def golden() -> dict[str, tuple[Arrays, Arrays]]:
    """The parameters and what plain operations gave, by family."""
    found: dict[str, tuple[Arrays, Arrays]] = {}
    with np.load(GOLDEN, allow_pickle=False) as stored:
        for key, array in stored.items():
            family, part, name = key.split("/")
            found.setdefault(family, ({}, {}))[PARTS.index(part)][name] = array
    return found


def far_from_golden(family: str, engine: str) -> dict[str, float]:
    """How far a family is from the golden file: of each array, as a part of its largest number."""
    parameters, expected = golden()[family]
    found = computed(networks()[family], engine, parameters)
    assert found.keys() == expected.keys()
    far = {
        name: float(np.abs(found[name] - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-3))
        for name, b in expected.items()
    }
    return {"outputs": far.pop("outputs"), "gradients": max(far.values())}


def main() -> None:
    arrays: Arrays = {}
    for family, rnn in networks().items():
        named: Any = tree_flatten(rnn.trainable_parameters())
        parameters = {name: np.array(array) for name, array in named}
        for part, found in zip(PARTS, (parameters, computed(rnn, "ops", parameters)), strict=True):
            arrays |= {f"{family}/{part}/{name}": array for name, array in found.items()}
    np.savez_compressed(GOLDEN, **arrays)  # type: ignore[arg-type]
    print(f"{GOLDEN}: {len(networks())} families, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
