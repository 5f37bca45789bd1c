"""Weights know the circuit that they were trained on: sizes alone do not tell two circuits apart."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl


def test_weights_of_another_circuit_of_equal_sizes_are_refused(tmp_path: Path) -> None:
    circuits = [gl.auto_ncp(16, 3, inputs=4, seed=1) for _ in range(3)]
    pre, post = next(iter(circuits[2].in_edges("motor_0")))
    circuits[2].remove_synapse(pre, post)
    free = next(n for n in circuits[2] if n.startswith("motor") and not circuits[2].has_edge(pre, n))
    circuits[2].add_synapse(pre, "motor_0" if free == post else free, polarity=1)
    circuits[2].flip(*next(iter(circuits[2].in_edges("command_0"))))
    networks = [gl.Stack([gl.LTC(circuit), gl.NCPDense(2)]) for circuit in circuits]
    shapes = [{name: a.shape for name, a in nn.utils.tree_flatten(n.parameters())} for n in networks]
    assert shapes[0] == shapes[2], "the test needs circuits of equal sizes"
    file = str(tmp_path / "weights.safetensors")
    networks[0].save_weights(file)
    networks[1].load_weights(file)
    x = mx.random.normal((2, 5, 4))
    assert np.array_equal(np.array(networks[0](x)[0]), np.array(networks[1](x)[0]))
    before = np.array(networks[2](x)[0])
    with pytest.raises(ValueError, match=r"layers\.0\.cell were trained on another circuit, of digest"):
        networks[2].load_weights(file)
    assert np.array_equal(np.array(networks[2](x)[0]), before)


def test_weights_of_mlx_and_lists_are_taken(tmp_path: Path) -> None:
    network = gl.LTC(gl.auto_ncp(16, 3, inputs=4, seed=1))
    plain = str(tmp_path / "plain.safetensors")
    flat = dict(nn.utils.tree_flatten(network.parameters()))
    mx.save_safetensors(plain, flat)
    network.load_weights(plain)
    network.save_weights(str(tmp_path / "weights.npz"))
    network.load_weights(str(tmp_path / "weights.npz"))
    network.load_weights(list(flat.items()))
