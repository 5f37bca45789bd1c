"""Perturbations as values, over a network for a block or in a copy."""

from __future__ import annotations

import pickle
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.studies import Cut, Flip, Lesion, Noise, Scale, Silence, Stimulate, Together

CIRCUIT = gl.auto_ncp(14, 2, inputs=3, seed=3)
X = mx.array(np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32))
ALL = [
    Lesion("inter_0"), Silence("command"), Silence(["inter_1", "sensory_0"], "rest"), Cut("inter", "command"),
    Scale("command", by=2.0), Flip("command", "motor"), Stimulate({"role": "inter"}, 0.5), Noise("sensory_2"),
    Together((Lesion("inter_0"), Silence("inter_1", 0.25))),
]  # fmt: skip


@pytest.mark.parametrize("perturbation", ALL, ids=str)
def test_a_block_perturbs_and_leaves_nothing_behind(perturbation: Any) -> None:
    rnn = gl.LTC(CIRCUIT)
    before = np.array(rnn(X)[0])
    with gl.perturbed(rnn, perturbation) as inside:
        assert inside is rnn
        changed = np.array(rnn(X)[0])
    assert np.abs(changed - before).max() > 1e-6
    assert np.array_equal(rnn(X)[0], before)
    copy = gl.perturbed(rnn, perturbation).copy()
    assert np.array_equal(copy(X)[0], changed)
    assert np.array_equal(rnn(X)[0], before)
    assert pickle.loads(pickle.dumps(perturbation)) == perturbation


def test_the_network_is_as_before_behind_an_error() -> None:
    rnn = gl.CfC(CIRCUIT)
    before = np.array(rnn(X)[0])
    with pytest.raises(RuntimeError, match="stop"), gl.silenced(rnn, "inter", to=0.3):
        raise RuntimeError("stop")
    assert np.array_equal(rnn(X)[0], before)


def test_a_neuron_that_is_silenced_still_sends_where_a_lesioned_one_does_not() -> None:
    rnn = gl.LTC(CIRCUIT)
    with gl.silenced(rnn, "command"):
        silenced = np.array(rnn(X)[0])
    with gl.perturbed(rnn, Lesion("command")):
        lesioned = np.array(rnn(X)[0])
    assert np.abs(silenced - lesioned).max() > 1e-3


def test_training_inside_a_block_trains_the_perturbed_network() -> None:
    rnn = gl.LTC(CIRCUIT)
    held = np.array(rnn.cell.vleak)
    import mlx.optimizers as optim

    with gl.silenced(rnn, "command_0", to=0.5):
        gl.fit(rnn, (X, mx.zeros((4, 6, 2))), loss=gl.training.mse, optimizer=optim.SGD(0.1), epochs=2,
               progress=False)  # fmt: skip
    k = rnn.cell.neurons.index("command_0")
    moved = np.array(rnn.cell.vleak) != held
    assert not moved[k]
    assert moved.any()


def test_exported_c_is_of_the_perturbed_network(tmp_path: Any) -> None:
    rnn = gl.LTC(CIRCUIT)
    gl.export_c(rnn, tmp_path / "plain.c")
    with gl.perturbed(rnn, Scale("command", "motor", by=0.5)):
        gl.export_c(rnn, tmp_path / "other.c")
    assert (tmp_path / "plain.c").read_text() != (tmp_path / "other.c").read_text()


KINDS: dict[str, Any] = {
    "LTC": gl.LTC,
    "LTC, explicit": lambda c, **o: gl.LTC(c, solver="explicit", ode_unfolds=30, **o),
    "CfC": gl.CfC,
    "CfC, pure": lambda c, **o: gl.CfC(c, mode="pure", schedule="synchronous", **o),
    "CTRNN": lambda c, **o: gl.RNN(gl.CTRNNCell(c), **o),
    "CTGRU": lambda c, **o: gl.RNN(gl.CTGRUCell(c), **o),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("layout", ["edge", "dense", "block"])
@pytest.mark.parametrize("engine", ["auto", "ops"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_passes_by_no_synapse_that_is_cut(kind: str, engine: str, layout: str) -> None:
    """As in the network of the circuit without the synapse, or without the neuron."""
    circuit = gl.auto_ncp(10, 2, inputs=3, seed=2)
    mx.random.seed(1)
    rnn = KINDS[kind](gl.compile_circuit(circuit, layout, block_size=8), engine=engine)
    x = np.array(X)
    x[:, 2, 0] = np.nan
    before = np.array(rnn(x)[0])
    for perturbation in (
        Cut("sensory_0", "inter"), Cut(None, "motor_0"), Lesion("sensory_0"), Lesion("inter_1"),
        Lesion("command_0"), Silence(list(circuit.successors("sensory_0"))),
    ):  # fmt: skip
        with gl.perturbed(rnn, perturbation):
            outputs = np.array(rnn(x)[0])
        left = circuit.copy()
        if isinstance(perturbation, Lesion):
            left.remove_node(perturbation.neurons)
        elif isinstance(perturbation, Cut):
            pres = [perturbation.pre] if perturbation.pre else list(circuit)
            posts = circuit.neurons("inter") if perturbation.post == "inter" else [perturbation.post]
            left.remove_edges_from([(pre, post) for pre in pres for post in posts])
        else:
            left.remove_nodes_from(perturbation.neurons)
        for k, motor in enumerate(rnn.cell.neurons[:2]):
            reached = "sensory_0" in left and motor in left and motor in nx.descendants(left, "sensory_0")
            assert np.isnan(outputs[..., k]).any() == reached, (perturbation, motor)
    assert np.array_equal(rnn(x)[0], before, equal_nan=True)


def test_blocks_inside_each_other_add_up_where_synapses_are_gone() -> None:
    rnn = gl.LTC(CIRCUIT)
    with gl.perturbed(rnn, Lesion("inter_0"), Cut("inter_1"), Silence("inter_2", 0.3)):
        whole = np.array(rnn(X)[0])
        assert rnn.cell.compiled.plan.recurrent.pre.tolist().count(rnn.cell.neurons.index("inter_1")) == 0
    with (
        gl.perturbed(rnn, Lesion("inter_0")),
        gl.perturbed(rnn, Cut("inter_1")),
        gl.silenced(rnn, "inter_2", 0.3),
    ):
        assert np.array_equal(rnn(X)[0], whole)
        with gl.perturbed(gl.CfC(CIRCUIT), Lesion("inter_0")) as other:
            other(X)
    assert len(rnn.cell.compiled.plan.recurrent) == len(rnn.cell.w)


def test_each_makes_one_for_every_neuron_pair_or_synapse() -> None:
    rnn = gl.LTC(CIRCUIT)
    commands = CIRCUIT.neurons("command")
    assert [str(p) for p in gl.each("command").of(rnn)] == [f"lesion {n}" for n in sorted(
        commands, key=list(rnn.cell.neurons).index)]  # fmt: skip
    assert len(list(gl.each("command", at_once=2).of(rnn))) == len(commands) * (len(commands) - 1) // 2
    found = {(p.pre, p.post) for p in gl.each().of(rnn)}
    assert found == {(pre, post) for pre, post, _ in CIRCUIT.synapses()}
    some = list(gl.each(lambda name, data: name == "inter_1", lambda n: Silence(n, 0.5)).of(rnn))
    assert some == [Silence("inter_1", 0.5)]


@pytest.mark.parametrize(
    ("do", "error", "message"),
    [
        (lambda r: gl.perturbed(r, "AVA"), TypeError, "expected perturbations, such as gl.studies.Lesion"),
        (lambda r: gl.perturbed(r.cell.compiled, Lesion("inter_0")), TypeError, "must be a network or cell"),
        (lambda r: gl.silenced(r, "AVA"), gl.CircuitError, "there is no neuron 'AVA'"),
        (lambda r: gl.each("inter", pre="inter"), ValueError, "and not both"),
        (lambda r: gl.each(at_once=2), ValueError, "at_once=2 is for neurons"),
        (lambda r: gl.perturbed(gl.NCPDense(3), Lesion("a")), TypeError, "is not over a circuit"),
    ],
)
def test_mistakes_are_named(do: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        do(gl.LTC(CIRCUIT))
