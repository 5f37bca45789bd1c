"""Weights know the circuit that they were trained on: sizes alone do not tell two circuits apart."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.belonging import DIGEST, without_digests


@pytest.fixture
def circuits() -> list[gl.Circuit]:
    """Two equal ones, and one of equal sizes."""
    circuits = [gl.auto_ncp(16, 3, inputs=4, seed=1) for _ in range(3)]
    pre, post = next(iter(circuits[2].in_edges("motor_0")))
    circuits[2].remove_synapse(pre, post)
    free = next(n for n in circuits[2] if n.startswith("motor") and not circuits[2].has_edge(pre, n))
    circuits[2].add_synapse(pre, "motor_0" if free == post else free, polarity=1)
    circuits[2].flip(*next(iter(circuits[2].in_edges("command_0"))))
    return circuits


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_weights_of_another_circuit_of_equal_sizes_are_refused(
    circuits: list[gl.Circuit], ending: str, tmp_path: Path
) -> None:
    networks = [gl.Stack([gl.LTC(circuit), gl.NCPDense(2)]) for circuit in circuits]
    shapes = [{name: a.shape for name, a in nn.utils.tree_flatten(n.parameters())} for n in networks]
    assert without_digests(shapes[0]) == without_digests(shapes[2]), "the test needs circuits of equal sizes"
    file = str(tmp_path / f"weights.{ending}")
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
    flat = without_digests(dict(nn.utils.tree_flatten(network.parameters())))
    mx.save_safetensors(plain, flat)
    network.load_weights(plain)
    network.save_weights(str(tmp_path / "weights.npz"))
    network.load_weights(str(tmp_path / "weights.npz"))
    network.load_weights(list(flat.items()))


class Own(nn.Module):
    """What MLX asks for its weights itself, without a word to the layers in it."""

    def __init__(self, circuit: gl.Circuit) -> None:
        super().__init__()
        self.read, self.body = nn.Linear(4, 4), gl.CfC(circuit)
        self.masked = gl.NCPDense(3, wiring=np.eye(3))

    def __call__(self, x: mx.array) -> mx.array:
        return self.masked(self.body(self.read(x))[0])


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_inside_a_module_of_ones_own_mlx_refuses_them(
    circuits: list[gl.Circuit], ending: str, tmp_path: Path
) -> None:
    first, same, other = map(Own, circuits)
    file, x = str(tmp_path / f"own.{ending}"), mx.random.normal((2, 5, 4))
    first.save_weights(file)
    same.load_weights(file)
    assert np.array_equal(np.array(first(x)), np.array(same(x)))
    before = np.array(other(x))
    with pytest.raises(ValueError, match=DIGEST):
        other.load_weights(file)
    assert np.array_equal(np.array(other(x)), before)
    other.load_weights(file, strict=False)
    with pytest.raises(ValueError, match="of this CfCCell were trained on another circuit, of digest"):
        other(x)


def test_the_first_call_tells_of_parameters_of_another_circuit(circuits: list[gl.Circuit]) -> None:
    first, _, other = map(gl.LTC, circuits)
    x = mx.zeros((2, 5, 4))
    other.update(first.parameters())
    for engine in ("auto", "ops"):
        other.engine = engine
        with pytest.raises(ValueError, match="of this LTCCell were trained on another circuit"):
            other(x)
    with pytest.raises(ValueError, match="of this LTCCell were trained on another circuit"):
        other.cell(x[:, 0])
    with pytest.raises(ValueError, match="of this LTCCell were trained on another circuit"):
        other.stream()
    plans = [gl.compile_circuit(circuit).plan for circuit in circuits]
    with pytest.raises(ValueError, match="the parameters were trained on another circuit"):
        gl.transfer(first.parameters(), plans[2], plans[0])


@pytest.mark.parametrize("optimizer", [optim.Adam, optim.AdamW, optim.SGD, optim.Adafactor, optim.Lion])
def test_what_is_done_to_weights_leaves_the_digest_as_it_is(
    circuits: list[gl.Circuit], optimizer: type[optim.Optimizer]
) -> None:
    network = gl.LTC(circuits[0])
    trained = optimizer(learning_rate=0.1, **({"weight_decay": 0.5} if optimizer is optim.AdamW else {}))
    x, before = mx.random.normal((2, 5, 4)), network.cell[DIGEST].shape
    for _ in range(2):
        assert f"cell.{DIGEST}" not in dict(nn.utils.tree_flatten(network.trainable_parameters()))
        _, gradients = nn.value_and_grad(network, lambda model: mx.square(model(x)[0]).mean())(network)
        trained.update(network, gradients)
        average = nn.utils.tree_map(lambda a: 0.9 * a + 0.1 * mx.random.normal(a.shape), network.parameters())
        network.update(average)
        network(x)
        network.unfreeze()
    network.set_dtype(mx.bfloat16)
    assert network(x)[0].dtype == mx.bfloat16
    assert network.cell[DIGEST].shape == before
    assert sum(a.size for _, a in nn.utils.tree_flatten(network.parameters())) == sum(
        a.size for a in network.cell.effective().values()
    )
