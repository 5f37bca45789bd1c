"""Many perturbations in one launch are each of them by itself."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.networks.perturbing import Perturbing
from ganglion.cells.networks.together import together
from ganglion.cells.overlay import laid_over

CIRCUIT = gl.auto_ncp(14, 2, inputs=3, seed=3)
X = mx.array(np.random.default_rng(0).normal(size=(5, 6, 3)).astype(np.float32))
NETWORKS: dict[str, Any] = {
    "ltc": lambda: gl.LTC(CIRCUIT),
    "cfc": lambda: gl.CfC(CIRCUIT),
    "on operations": lambda: gl.LTC(CIRCUIT, engine="ops"),
    "ctrnn": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT)),
    "memory": lambda: gl.CfC(CIRCUIT, mixed_memory=True),
    "two ways": lambda: gl.Bidirectional(gl.LTC(CIRCUIT)),
    "stack": lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(2)]),
    "scaled": lambda: gl.Scaled(gl.CfC(CIRCUIT), ["a", "b", "c"], ["y", "z"], spread=[2.0, 1.0, 1.0]),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_launch_is_each_perturbation_by_itself(kind: str) -> None:
    mx.random.seed(1)
    network = NETWORKS[kind]()
    network.build((1, 2, 3))
    members = []
    for what, *arguments in (
        ("lesion", "inter_0"), ("lesion", "command"), ("silence", "inter_2", 0.4),
        ("silence", "command_0", "rest"),
        ("scale", "command", "motor", 0.5), ("flip", None, "motor_0"), ("stimulate", "inter_1", 0.5),
        ("silence", "sensory", 0.3), ("lesion", "sensory_1"),
    ):  # fmt: skip
        writer = Perturbing(network)
        getattr(writer, what)(*arguments)
        members.append(writer.overlays())
    outputs, state = together(network, members, X)
    for k, member in enumerate(members):
        with laid_over(member):
            expected, last = network(X)
        np.testing.assert_allclose(outputs[k], expected, atol=1e-6)
        for found, alone in zip(leaves(state), leaves(last), strict=True):
            np.testing.assert_allclose(found[k], alone, atol=1e-6)
    base = np.array(network(X)[0])
    assert all(np.abs(np.array(outputs[k]) - base).max() > 1e-5 for k in range(len(members)))


def leaves(tree: Any) -> list[Any]:
    return [leaf for part in tree for leaf in leaves(part)] if isinstance(tree, list | tuple) else [tree]


def test_every_lesion_of_every_neuron_and_synapse() -> None:
    network = gl.LTC(CIRCUIT)
    singles = [("lesion", name) for name in CIRCUIT if name != "motor_0"]
    singles += [("scale", pre, post, 0.0) for pre, post, _ in CIRCUIT.synapses()]
    members = []
    for what, *arguments in singles:
        writer = Perturbing(network)
        getattr(writer, what)(*arguments)
        members.append(writer.overlays())
    outputs, _ = together(network, members, X)
    for k, (what, *arguments) in enumerate(singles):
        if what == "lesion" and arguments[0] == "motor_1":
            continue
        removed = {"neurons": arguments} if what == "lesion" else {"synapses": [arguments[:2]]}
        ablated = gl.lesion(network, **removed, keep_shapes=False)
        x = X
        if what == "lesion" and arguments[0].startswith("sensory"):
            kept = [i for i in range(3) if f"sensory_{i}" != arguments[0]]
            x = X[..., kept]
        np.testing.assert_allclose(outputs[k], ablated(x)[0], atol=1e-6)


def test_noise_is_refused_together() -> None:
    network = gl.LTC(CIRCUIT)
    writer = Perturbing(network)
    writer.noise("sensory_0", None, None, 0)
    with pytest.raises(ValueError, match="noise cannot be laid over"):
        together(network, [writer.overlays()], X)
