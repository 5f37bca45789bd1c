"""`save` and `load`: a model comes back as it was, and a file that is no model does not come in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.interchange.tensors import decode, encode

from ..support.strategies import circuits

CIRCUIT = gl.auto_ncp(10, 2, inputs=3)
MODELS: dict[str, Callable[[], nn.Module]] = {
    "LTC": lambda: gl.LTC(CIRCUIT),
    "LTC options": lambda: gl.LTC(
        CIRCUIT, ode_unfolds=3, input_mapping=None, output_mapping="linear", positive="softplus",
        polarity="fixed", epsilon=1e-6, return_sequences=False, solver="explicit",
    ),
    "LTC in another layout": lambda: gl.LTC(gl.compile_circuit(CIRCUIT, layout="edge"), engine="ops"),
    "LTC with memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "CfC": lambda: gl.CfC(CIRCUIT),
    "CfC pure": lambda: gl.CfC(CIRCUIT, mode="pure", schedule="synchronous", polarity="fixed"),
    "CfC compat": lambda: gl.CfC(CIRCUIT, ncps_compat=True, mode="no_gate"),
    "CfC dense": lambda: gl.CfC(gl.dense(3, 6), backbone_layers=2, backbone_units=5),
    "CfC bare": lambda: gl.CfC(gl.dense(3, 6), backbone_layers=0, mode="pure", return_sequences=False),
    "projected": lambda: gl.LTC(CIRCUIT, proj_size=3, reverse=True),
    "CT-RNN": lambda: gl.RNN(gl.CTRNNCell(CIRCUIT)),
    "CT-GRU": lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)),
    "built by its first input": lambda: gl.RNN(gl.LiquidCell(4)),
    "stack": lambda: gl.Stack([gl.CfC(CIRCUIT), gl.NCPDense(5, "tanh"), gl.RNN(gl.LiquidCell(4))]),
    "both ways": lambda: gl.Bidirectional(gl.CfC(CIRCUIT)),
    "scaled": lambda: gl.Scaled(
        gl.LTC(CIRCUIT), ["a", "b", "c"], ["y", "z"], mean=[1, 2, 3], spread=2, scale=[9, 1], time_unit=0.1
    ),
}  # fmt: skip


def outputs(model: nn.Module) -> list[np.ndarray]:
    x = mx.array(np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32))
    return [np.array(a) for _, a in tree_flatten(model(x, timespans=mx.array([0.3, 0.1, 2.0, 1.0])))]


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_comes_back_to_the_bit(kind: str, tmp_path: Path) -> None:
    model = MODELS[kind]()
    outputs(model)
    gl.save(model, tmp_path / "m.safetensors")
    before = mx.random.state[0].tolist()
    loaded = gl.load(tmp_path / "m.safetensors")
    assert mx.random.state[0].tolist() == before
    assert type(loaded) is type(model)
    assert all(np.array_equal(a, b) for a, b in zip(outputs(model), outputs(loaded), strict=True))
    gl.save(loaded, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()


@settings(max_examples=15)
@given(circuits())
def test_every_circuit_comes_back(tmp_path_factory: pytest.TempPathFactory, graph: nx.DiGraph) -> None:
    path = tmp_path_factory.mktemp("any") / "m.safetensors"
    model = gl.CfC(graph)
    gl.save(model, path)
    loaded = gl.load(path)
    assert loaded.cell.compiled.plan == model.cell.compiled.plan
    assert gl.compile_circuit(gl.circuit_of(loaded.cell.compiled)).plan == model.cell.compiled.plan


def test_engine_and_layout_can_be_chosen_anew(tmp_path: Path) -> None:
    model = gl.LTC(CIRCUIT)
    gl.save(model, tmp_path / "m")
    loaded = gl.load(tmp_path / "m", engine="ops", layout="edge")
    assert (loaded.engine, loaded.cell.compiled.layout) == ("ops", "edge")
    assert np.allclose(outputs(model)[0], outputs(loaded)[0], atol=1e-5)


def test_a_layer_of_ones_own_comes_back(tmp_path: Path) -> None:
    class Leaky(gl.NCPRNNCell):
        def __init__(self, circuit: Any) -> None:
            super().__init__(circuit)
            self.w = mx.random.normal((len(self.compiled.plan.sensory.pre),))

        def step(self, prepared: None, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
            sensory = self.compiled.sensory
            drive = sensory.matmul(x, sensory.weights(self.w))
            return drive + (state - drive) * mx.exp(-timespan)

    model = gl.RNN(Leaky(CIRCUIT))
    gl.save(model, tmp_path / "m")
    assert np.array_equal(outputs(model)[0], outputs(gl.load(tmp_path / "m"))[0])


def test_a_module_that_is_no_layer_is_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_text("mine")
    with pytest.raises(TypeError, match="not Sequential: keep the weights"):
        gl.save(nn.Sequential(gl.LTC(CIRCUIT)), path)
    assert path.read_text() == "mine"


def test_a_directory_without_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(gl.FileError, match="there is no checkpoint in this directory"):
        gl.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        gl.load(tmp_path / "nothing")


Edit = Callable[[dict[str, mx.array], dict[str, Any]], None]


def weights(**changes: Any) -> Edit:
    return lambda arrays, document: arrays.update(
        {f"cell.{name}": mx.array(value) for name, value in changes.items()}
    )


def config(*path: Any, value: Any) -> Edit:
    """Set one value of the description, found by keys and indices."""

    def edit(arrays: dict[str, mx.array], document: dict[str, Any]) -> None:
        part = document["model"]
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value

    return edit


PLAN = ("circuit", "plan")
HOSTILE: dict[str, tuple[Edit, str]] = {
    "nan": (weights(cm=np.full(10, np.nan, np.float32)), "'cell.cm' holds values that are not finite"),
    "infinite": (weights(cm=np.full(10, np.inf, np.float32)), "'cell.cm' holds values that are not finite"),
    "shape": (weights(cm=np.zeros(9, np.float32)), r"'cell.cm' is .*float32 of shape \(9,\), not .* \(10,\)"),
    "type": (weights(cm=np.zeros(10, np.int32)), "'cell.cm' is .*int32 of shape"),
    "unknown": (weights(extra=np.zeros(1, np.float32)), "'cell.extra' is not among the names expected"),
    "missing": (lambda arrays, _: arrays.pop("cell.cm"), "there is no 'cell.cm'"),
    "traversal": (
        lambda arrays, _: arrays.update({"../../etc/passwd": mx.zeros(1)}),
        "'../../etc/passwd' is not among the names expected",
    ),
    "class": (config("class", value="os.system"), "the model is a 'os.system': this program knows"),
    "class list": (config("class", value=["LTC"]), r"the model is a \['LTC'\]"),
    "no class": (lambda _, document: document.update(model=5), "the model is a 5"),
    "option": (config("ode_unfolds", value="many"), "ode_unfolds must be a whole number, got"),
    "endless": (config("ode_unfolds", value=10**9), "'ode_unfolds' is 1000000000, in a file of"),
    "unknown option": (config("command", value="rm"), "description of the model is not sound"),
    "layout": (config("circuit", "layout", value="x"), "unknown layout 'x'"),
    "kind": (config("circuit", "kind", value="x"), "unknown kind of circuit 'x'"),
    "index": (config(*PLAN, "recurrent", 0, 0, value=99), "circuit is not sound"),
    "negative index": (config(*PLAN, "recurrent", 1, 0, value=-1), "circuit is not sound"),
    "sensory index": (config(*PLAN, "sensory", 0, 0, value=5), "a sensory synapse starts at 5 of 3"),
    "negative sensor": (config(*PLAN, "sensory", 0, 0, value=-1), "circuit is not sound"),
    "polarity": (config(*PLAN, "sensory", 2, 0, value=3), "has polarity 3"),
    "columns": (config(*PLAN, "sensory", 0, value=[]), "circuit is not sound"),
    "counts": (config(*PLAN, "counts", value=[1, 2]), "circuit is not sound"),
    "count": (config(*PLAN, "counts", value=[1, 2, 3]), r"counts \[1, 2, 3\] were given for 10 names"),
    "endless count": (config(*PLAN, "counts", 0, value=2**70), "were given for 10 names"),
    "balanced counts": (config(*PLAN, "counts", value=[-(2**40), 2**40, 10]), "were given for 10 names"),
    "endless index": (config(*PLAN, "recurrent", 0, 0, value=2**70), "circuit is not sound"),
    "infinite index": (config(*PLAN, "sensory", 0, 0, value=1e999), "circuit is not sound|not JSON"),
    "name": (config(*PLAN, "neurons", 0, value="motor_1"), "2 neurons have the name 'motor_1'"),
    "names": (config(*PLAN, "neurons", value=7), "circuit is not sound"),
    "version": (lambda _, document: document.update(version=2), "is of version 2"),
    "format": (lambda _, document: document.update(format="x"), 'no "format": "ganglion-model"'),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_model_is_refused_with_a_reason(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    gl.save(gl.LTC(CIRCUIT), path)
    arrays, metadata = decode(path.read_bytes(), path)
    document = json.loads(metadata["ganglion"])
    edit, reason = HOSTILE[kind]
    edit(arrays, document)
    path.write_bytes(encode(arrays, {"ganglion": json.dumps(document)}))
    with pytest.raises(gl.FileError, match=reason) as caught:
        gl.load(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "holds weights but no description"),
        ({"ganglion": "{"}, "the description is not sound JSON"),
        ({"ganglion": '{"format": NaN}'}, "NaN is not JSON"),
        ({"ganglion": "[" * 10_000}, "the description is not sound JSON"),
    ],
)
def test_a_file_without_description_is_refused(metadata: dict[str, str], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(encode({"cell.cm": mx.zeros(3)}, metadata))
    with pytest.raises(gl.FileError, match=reason):
        gl.load(path)


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_half_precision_comes_back_to_the_bit(dtype: Any, tmp_path: Path) -> None:
    rnn = gl.Stack([gl.LTC(gl.auto_ncp(12, 3, inputs=4)), gl.NCPDense(2)])
    rnn.build((1, 1, 4))
    rnn.set_dtype(dtype)
    gl.save(rnn, tmp_path / "half.safetensors")
    again = gl.load(tmp_path / "half.safetensors")
    for (name, ours), (other, theirs) in zip(
        tree_flatten(rnn.parameters()), tree_flatten(again.parameters()), strict=True
    ):
        assert (name, ours.dtype) == (other, theirs.dtype)
        assert mx.array_equal(ours, theirs)
    x = mx.random.normal((2, 5, 4))
    assert mx.array_equal(rnn(x)[0], again(x)[0])


def test_what_is_frozen_stays_frozen(tmp_path: Path) -> None:
    rnn = gl.Stack([gl.LTC(gl.auto_ncp(12, 3, inputs=4)), gl.NCPDense(2)])
    rnn.build((1, 1, 4))
    rnn.layers[0].cell.freeze(keys=["mu", "cm"])
    rnn.layers[1].freeze()
    gl.save(rnn, tmp_path / "frozen.safetensors")
    again = gl.load(tmp_path / "frozen.safetensors")
    expected = dict(tree_flatten(rnn.trainable_parameters()))
    assert dict(tree_flatten(again.trainable_parameters())).keys() == expected.keys()
    assert "layers.0.cell.mu" not in expected
    assert "layers.0.cell.w" in expected


def test_weights_that_could_not_be_read_are_not_written(tmp_path: Path) -> None:
    rnn = gl.LTC(gl.auto_ncp(12, 3, inputs=4))
    path = tmp_path / "nan.safetensors"
    gl.save(rnn, path)
    before = path.read_bytes()
    rnn.cell.w = rnn.cell.w.at[0].add(float("nan"))
    with pytest.raises(
        ValueError, match=r"'cell\.w' holds values that are not finite, which load would refuse"
    ):
        gl.save(rnn, path)
    assert path.read_bytes() == before


def test_a_layer_in_two_places_is_refused(tmp_path: Path) -> None:
    """A file would give two layers back, which training moves apart."""
    layer = gl.NCPDense(3)
    layer.build((1, 3))
    with pytest.raises(TypeError, match=r"layers\.0 and layers\.1 are one layer"):
        gl.save(gl.Stack([layer, layer]), tmp_path / "m.safetensors")
    assert not list(tmp_path.iterdir())
    gl.save(
        gl.Stack([layer, gl.NCPDense(3), gl.LTC(gl.random(3, inputs=3, outputs=1))]),
        tmp_path / "m.safetensors",
    )
