"""Whole models of ncps become networks that compute the same, or are refused; and the way back.

The numbers are those of real torch models, which `tests/golden/make_ncps_models.py` ran; the models here are
stand-ins with the attributes that it recorded.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells import ncps_parameters

from ..support.ncps_models import FOLDER, MODELS, Recorded
from ..support.networks import ENGINES, difference, relative_error

VALUES, GRADIENTS = 1e-5, 1e-4


def changed(rnn: Any, **options: Any) -> Any:
    """The same network, weights included, with other options."""
    other: Any = gl.NCPLayer.from_config({**rnn.get_config(), **options})
    other.update(rnn.parameters())
    return other.train(rnn.training)


def whole(name: str, engine: str = "auto") -> tuple[Recorded, Any]:
    """What was recorded of a model, and our network of it, for whole sequences."""
    recorded = Recorded.load(name)
    return recorded, changed(gl.from_ncps(recorded.model()), engine=engine, return_sequences=True)


def check_numbers(rnn: Any, recorded: Recorded) -> None:
    x, spans = mx.array(recorded["x"]), mx.array(recorded["timespans"])
    y, _, recording = rnn(x, None, spans, record=True)
    assert difference(y, recorded["outputs"][..., : y.shape[-1]]) < VALUES
    assert difference(recording.states, recorded.by_neuron(recorded["states"])) < VALUES


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_one_call_gives_the_network(name: str, engine: str) -> None:
    recorded, rnn = whole(name, engine)
    assert type(rnn) is {"LTC": gl.LTC, "CfC": gl.CfC}[recorded.described["class"]]
    check_numbers(rnn, recorded)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", MODELS)
def test_gradients(name: str, engine: str) -> None:
    recorded, rnn = whole(name, engine)
    spans = mx.array(recorded["timespans"])

    def loss(parameters: dict[str, Any], x: mx.array) -> mx.array:
        rnn.update(parameters)
        y, state = rnn(x, None, spans)
        visible = state[0] if isinstance(state, tuple) else state
        return 0.5 * ((y**2).sum() + (visible**2).sum())

    before = rnn.trainable_parameters()
    found, by_x = mx.grad(loss, argnums=(0, 1))(before, mx.array(recorded["x"]))
    rnn.update(before)
    expected = recorded.group("grad/")
    assert relative_error(by_x, expected.pop("x")) < GRADIENTS
    masks = {key: value for key, value in recorded.group("param/").items() if "sparsity_mask" in key}
    theirs = ncps_parameters(rnn, {**expected, **masks})
    ours = dict(tree_flatten(found))
    assert ours.keys() == theirs.keys()
    errors = {key: relative_error(np.array(ours[key]), np.array(theirs[key])) for key in ours}
    assert max(errors.values()) < GRADIENTS, errors


@pytest.mark.parametrize("name", MODELS)
def test_options_of_the_model_are_taken_over(name: str) -> None:
    recorded = Recorded.load(name)
    model = recorded.model()
    rnn = gl.from_ncps(model)
    assert rnn.return_sequences is model.return_sequences
    assert rnn.training is False  # as the models are, after eval()
    kind, inputs, _, given = json.loads(str(recorded["config"]))
    assert type(rnn).__name__ == kind
    assert rnn.input_size == inputs
    options = gl.ncps_options(rnn)
    for option, value in given.items():
        assert option == "return_sequences" or options[option] == value, option


def test_a_shared_wiring_gives_each_model_its_own_synapses() -> None:
    """ncps adds synapses to a wiring that is built again: the masks of the model say which were its."""
    for name in ("ltc-shared-wiring", "cfc-shared-wiring"):
        recorded = Recorded.load(name)
        now = np.count_nonzero(recorded["sensory_adjacency"])
        rnn = gl.from_ncps(recorded.model())
        plan = rnn.cell.compiled.plan if name.startswith("ltc") else rnn.cell.signal
        assert len(plan.sensory) < now
        check_numbers(changed(rnn, return_sequences=True), recorded)


# A model against a network of another option: (model, our options, what both sides are said to be).
OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("ltc-wired", {"positive": "clip"},
     "implicit_param_constraints is True in the ncps model and False in this network"),
    ("ltc-clip", {"positive": "softplus"},
     "implicit_param_constraints is False in the ncps model and True in this network"),
    ("ltc-options", {"ode_unfolds": 6}, "ode_unfolds is 3 in the ncps model and 6 in this network"),
    ("ltc-options", {"epsilon": 1e-8}, "epsilon is 0.1 in the ncps model and 1e-08 in this network"),
    ("ltc-options", {"input_mapping": None}, "input_mapping is 'linear' in the ncps model and None"),
    ("ltc-wired", {"output_mapping": "linear"}, "output_mapping is 'affine' in the ncps model and 'linear'"),
    ("ltc-mixed", {"positive": "clip"}, "implicit_param_constraints is True in the ncps model and False"),
    ("cfc-wired-default", {"mode": "no_gate"}, "mode is 'default' in the ncps model and 'no_gate'"),
    ("cfc-wired-no_gate", {"mode": "default"}, "mode is 'no_gate' in the ncps model and 'default'"),
    ("cfc-units-no_gate", {"mode": "default"}, "mode is 'no_gate' in the ncps model and 'default'"),
    ("cfc-units-default", {"backbone_activation": "relu"},
     "activation is 'lecun_tanh' in the ncps model and 'relu'"),
    ("cfc-units-relu", {"backbone_activation": "tanh"}, "activation is 'relu' in the ncps model and 'tanh'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "says"), OTHERS)
def test_no_option_differs_in_silence(name: str, options: dict[str, Any], says: str) -> None:
    recorded, rnn = whole(name)
    fresh = gl.NCPLayer.from_config({**rnn.get_config(), **options})
    before = [np.array(value) for _, value in tree_flatten(fresh.parameters())]
    for refused in (
        lambda: gl.load_ncps(fresh, recorded.model()),
        lambda: gl.to_ncps(fresh, recorded.model()),
    ):
        with pytest.raises(ValueError, match=says):
            refused()
    for old, (_, new) in zip(before, tree_flatten(fresh.parameters()), strict=True):
        np.testing.assert_array_equal(old, np.array(new))
    # And it would have mattered: the same weights under the other option are another function.
    with_bias = ("input_mapping", "output_mapping")
    if not set(options) & set(with_bias):
        x, spans = mx.array(recorded["x"]), mx.array(recorded["timespans"])
        assert difference(changed(rnn, **options)(x, None, spans)[0], recorded["outputs"]) > 1e-3


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("cfc-units-relu", {"backbone_layers": 2}, "backbone_layers is 3 in the ncps model and 2"),
        ("cfc-units-relu", {"backbone_units": 8}, "backbone_units is 9 in the ncps model and 8"),
        ("cfc-units-relu", {"backbone_dropout": 0.0}, "backbone_dropout is 0.2 in the ncps model and 0.0"),
        ("cfc-units-default", {"mixed_memory": True}, "mixed_memory is False in the ncps model and True"),
        ("cfc-wired-default", {"proj_size": 3}, "proj_size is None in the ncps model and 3"),
        ("cfc-units-projected-mixed", {"proj_size": 3}, "proj_size is 2 in the ncps model and 3"),
        ("ltc-wired", {"reverse": True}, "reads sequences forward, and this network from last to first"),
        ("ltc-wired", {"solver": "rk4"}, "'semi_implicit' only, and this cell 'rk4'"),
    ],
)
def test_no_size_or_part_differs_in_silence(name: str, options: dict[str, Any], says: str) -> None:
    recorded, rnn = whole(name)
    other = gl.NCPLayer.from_config({**rnn.get_config(), **options})
    with pytest.raises(ValueError, match=says):
        gl.load_ncps(other, recorded.model())


@pytest.mark.parametrize(
    ("name", "ours", "says"),
    [
        ("ltc-wired", lambda: gl.CfC(gl.auto_ncp(12, 3, inputs=5), ncps_compat=True),
         "is an LTC, and this network a CfC with a wiring"),
        ("cfc-wired-pure", lambda: gl.CfC(gl.dense(5, 12)),
         "is a CfC with a wiring, and this network a CfC without wiring"),
        ("cfc-wired-pure", lambda: gl.CfC(gl.auto_ncp(12, 3, inputs=5)), "ncps_compat=True"),
    ],
)  # fmt: skip
def test_another_kind_of_model(name: str, ours: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        gl.load_ncps(ours(), Recorded.load(name).model())


# State dicts, which do not say how they are to be used


@pytest.mark.parametrize("name", ["ltc-wired", "ltc-mixed"])
@pytest.mark.parametrize("quantity", ["w", "sensory_w", "cm", "gleak"])
def test_negative_conductances_prove_a_softplus(name: str, quantity: str) -> None:
    recorded, rnn = whole(name)
    clipped = gl.NCPLayer.from_config({**rnn.get_config(), "positive": "clip"})
    state_dict = recorded.group("param/")
    names = ("w", "sensory_w", "cm", "gleak")
    positive = {
        key: np.abs(value) if key.rpartition(".")[2] in set(names) - {quantity} else value
        for key, value in state_dict.items()
    }
    with pytest.raises(
        ValueError, match=f"'{quantity}' holds -.*implicit_param_constraints=True.*positive='softplus'"
    ):
        gl.load_ncps(clipped, positive)
    gl.load_ncps(rnn, state_dict)
    key = f"rnn_cell.{quantity}"
    mask = state_dict.get(f"rnn_cell.{'sensory_' * quantity.startswith('sensory')}sparsity_mask")
    hidden = np.where(mask == 0, -1.0, 1.0) if quantity.endswith("w") else 1.0
    # Behind the mask, a negative number proves nothing.
    gl.load_ncps(clipped, {**positive, key: (np.abs(state_dict[key]) * hidden).astype(np.float32)})


def test_weights_that_nobody_reads() -> None:
    """The network had left them out in silence."""
    recorded, rnn = whole("ltc-wired")
    without = gl.NCPLayer.from_config({**rnn.get_config(), "input_mapping": None})
    with pytest.raises(ValueError, match="has 'input_b', 'input_w', which this network has no parameter for"):
        gl.load_ncps(without, recorded.group("param/"))
    recorded, rnn = whole("cfc-units-relu")
    fewer = gl.NCPLayer.from_config({**rnn.get_config(), "backbone_layers": 2})
    with pytest.raises(ValueError, match="no parameter for"):
        gl.load_ncps(fewer, recorded.group("param/"))


def test_a_model_inside_a_module_of_ones_own() -> None:
    recorded, rnn = whole("cfc-projected-mixed")
    weights = recorded.group("param/")
    inside = {f"net.policy.{name}": value for name, value in weights.items()} | {
        "net.head.weight": np.ones(3)
    }
    other = gl.NCPLayer.from_config(rnn.get_config())
    gl.load_ncps(other, inside)
    check_numbers(other, recorded)
    twice = inside | {f"net.value.{name}": value for name, value in weights.items()}
    with pytest.raises(ValueError, match=r"2 ncps models, under 'net\.policy\.rnn_cell\.', 'net\.value"):
        gl.load_ncps(other, twice)


@pytest.mark.parametrize("source", [3, "weights.pt", [1.0], None])
def test_no_source(source: Any) -> None:
    with pytest.raises(TypeError, match="mapping of names to arrays, or an ncps model on PyTorch, got"):
        gl.load_ncps(gl.LTC(gl.auto_ncp(12, 3, inputs=5)), source)


class Keras:
    """An ncps `LTC` on Keras, as far as it is read: attributes as in ncps.keras 1.0.1."""

    def __init__(self, recorded: Recorded, **options: Any) -> None:
        cell = recorded.model().rnn_cell
        said = {
            name: value
            for name, value in vars(cell).items()
            if name.startswith(("_ode", "_eps", "_in", "_out"))
        }
        weights = {name.removeprefix("rnn_cell."): value for name, value in recorded.group("param/").items()}
        self.cell = SimpleNamespace(wiring=recorded.wiring(), _params=weights, **said)
        self.return_sequences, self.return_state = True, False
        vars(self).update(options)

    def get_weights(self) -> list[np.ndarray]:
        return list(self.cell._params.values())

    def state_dict(self) -> dict[str, Any]:  # which Keras over PyTorch has, under other names
        return {}

    load_state_dict = state_dict


def test_an_ltc_on_keras() -> None:
    """It clips, and is otherwise the equation of PyTorch; `make_ncps_models.py --compare` ran a real one."""
    recorded = Recorded.load("ltc-clip")
    model = Keras(recorded)
    rnn = gl.from_ncps(model)
    assert isinstance(rnn(mx.array(recorded["x"])), mx.array)  # the outputs alone, as there
    check_numbers(changed(rnn, return_state=True), recorded)
    with pytest.raises(ValueError, match="implicit_param_constraints is False in the ncps model and True"):
        gl.load_ncps(changed(rnn, positive="softplus"), model)
    with pytest.raises(TypeError, match="to_ncps puts weights into models on PyTorch: got Keras"):
        gl.to_ncps(rnn, model)
    for option in ("go_backwards", "stateful"):
        with pytest.raises(ValueError, match=f"{option}=True, which has no like here"):
            gl.from_ncps(Keras(recorded, **{option: True}))
    del model.cell._params
    with pytest.raises(ValueError, match="is not built: call it once"):
        gl.from_ncps(model)


class OnKeras:
    """Any other model of ncps on Keras."""

    cell = SimpleNamespace(units=8, mode="default")

    def get_weights(self) -> list[np.ndarray]:
        return []


class Net:
    """A torch module of one's own, around a model."""

    def state_dict(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        (OnKeras(), "ncps on Keras is another equation .*: only an LTC comes over from Keras"),
        (Net(), "got .*Net; of a larger model, give the one inside"),
        (3, "expected an ncps Wiring"),
    ],
)
def test_what_is_no_model(thing: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        gl.from_ncps(thing)


def test_a_model_of_another_release() -> None:
    model = Recorded.load("ltc-wired").model()
    del model.rnn_cell._epsilon
    with pytest.raises(TypeError, match=r"no model of ncps 1\.0\.1: .*_epsilon"):
        gl.from_ncps(model)


class Compiled:
    """What `torch.compile` makes of a model: the same, under longer names."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def state_dict(self) -> dict[str, Any]:
        return {f"_orig_mod.{name}": value for name, value in self.model.state_dict().items()}

    def load_state_dict(self, given: dict[str, Any]) -> None:
        assert given.keys() == self.state_dict().keys()
        self.model.load_state_dict({n.removeprefix("_orig_mod."): value for n, value in given.items()})


def test_a_compiled_model() -> None:
    recorded = Recorded.load("cfc-projected-mixed")
    model = recorded.model()
    rnn = gl.from_ncps(Compiled(model))
    check_numbers(rnn, recorded)
    rnn.projection.bias = rnn.projection.bias + 1
    gl.to_ncps(rnn, Compiled(model))
    np.testing.assert_allclose(model.tensors["fc.bias"].array, recorded["param/fc.bias"] + 1)


def test_the_other_order_of_axes_is_told() -> None:
    """Batch and time exchanged have no wrong shape."""
    model = Recorded.load("ltc-wired").model()
    model.batch_first = False
    with pytest.warns(UserWarning, match=r"takes \(time, batch, features\): this network"):
        gl.from_ncps(model)


def test_the_cell_alone() -> None:
    """The cell of a model, as people who write their own loops use it."""
    for name in ("ltc-wired", "cfc-wired-pure", "cfc-units-default"):
        recorded = Recorded.load(name)
        rnn = gl.from_ncps(recorded.model().rnn_cell)
        check_numbers(changed(rnn, return_sequences=True), recorded)
        gl.to_ncps(rnn, recorded.model().rnn_cell)


# The way back


@pytest.mark.parametrize("name", MODELS)
def test_the_weights_come_back(name: str) -> None:
    recorded, rnn = whole(name)
    other = recorded.model()
    other.tensors.update({k: v.new_tensor(0 * v.array) for k, v in other.tensors.items() if "mask" not in k})
    state_dict = gl.to_ncps(rnn, other)
    again = {key: value.array for key, value in other.state_dict().items()}
    assert again.keys() == state_dict.keys()
    fresh = gl.NCPLayer.from_config(rnn.get_config()).train(rnn.training)
    gl.load_ncps(fresh, again)
    check_numbers(fresh, recorded)


def test_a_model_of_another_wiring_is_left_alone() -> None:
    recorded, rnn = whole("ltc-wired")
    other = recorded.model()
    mask = other.tensors["rnn_cell.sparsity_mask"].array
    mask[0, 0] = 1 - mask[0, 0]
    before = {key: value.array.copy() for key, value in other.tensors.items()}
    with pytest.raises(ValueError, match="another wiring"):
        gl.to_ncps(rnn, other)
    for key, value in before.items():
        np.testing.assert_array_equal(value, other.tensors[key].array)


@pytest.mark.parametrize("positive", ["clip", "softplus"])
def test_fixed_signs_go_back_as_numbers(positive: str) -> None:
    """Against the equation of ncps in NumPy: the softplus of the weight, and not of its magnitude."""
    circuit = gl.auto_ncp(12, 3, inputs=5, seed=7)
    rnn = gl.LTC(circuit, polarity="fixed", positive=positive)
    rng = np.random.default_rng(0)
    rnn.update(
        {"cell": {n: mx.array(rng.normal(0, 1.5, rnn.cell[n].shape)) for n in ("w", "sensory_w", "erev")}}
    )
    state_dict = gl.to_ncps(rnn)
    plan = rnn.cell.compiled.plan.recurrent
    w = state_dict["rnn_cell.w"][plan.pre, plan.post]
    used = np.log1p(np.exp(w)) if positive == "softplus" else w
    np.testing.assert_allclose(used, np.array(rnn.cell.effective()["w"]), rtol=1e-5)
    erev = state_dict["rnn_cell.erev"][plan.pre, plan.post]
    assert (erev * plan.polarity >= 0).all()
    assert (erev != 0).any()
    free = gl.LTC(circuit, positive=positive)
    gl.load_ncps(free, state_dict)
    x = mx.array(rng.normal(size=(2, 9, 5)).astype(np.float32))
    assert mx.allclose(free(x)[0], rnn(x)[0], atol=1e-6).item()


def test_fixed_signs_are_not_turned_in_silence() -> None:
    recorded, rnn = whole("ltc-wired")
    fixed = gl.NCPLayer.from_config({**rnn.get_config(), "polarity": "fixed"})
    with pytest.raises(
        ValueError, match=r"\d+ weights of 'erev', 'sensory_erev' have another sign than their synapse"
    ):
        gl.load_ncps(fixed, recorded.model())
    agreeing = gl.to_ncps(changed(rnn, polarity="fixed"))
    gl.load_ncps(fixed, agreeing)
    x = mx.array(recorded["x"])
    assert mx.allclose(fixed(x)[0], changed(rnn, polarity="fixed")(x)[0], atol=1e-6).item()


class DoubledLTC(gl.LTCCell):
    """Another equation than that of its parent."""

    def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
        return super().step(prepared, 2 * x, state, timespan)


CIRCUIT = gl.auto_ncp(12, 3, inputs=5)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: gl.Stack([gl.LTC(CIRCUIT)]), TypeError,
         "networks of one cell.*no Stack: give its layers one by one"),
        (lambda: gl.Bidirectional(gl.LTC(CIRCUIT)), TypeError, "no Bidirectional"),
        (lambda: gl.NCPDense(3), TypeError, "no NCPDense"),
        (lambda: gl.RNN(gl.CTRNNCell(CIRCUIT)), ValueError, "ncps has no CTRNNCell"),
        (lambda: gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(12, 3, inputs=6)))), ValueError,
         "ncps has no MissingValueCell"),
        (lambda: gl.RNN(gl.MixedMemoryCell(DoubledLTC(CIRCUIT))), ValueError, "ncps has no Doubled"),
        (lambda: gl.RNN(DoubledLTC(CIRCUIT)), ValueError, "ncps has no Doubled"),
        (lambda: gl.CfC(CIRCUIT), ValueError, "ncps_compat=True"),
        (lambda: gl.LTC(CIRCUIT, solver="explicit"), ValueError,
         "'semi_implicit' only, and this cell 'explicit'"),
        (lambda: gl.LTC(CIRCUIT, reverse=True), ValueError,
         "forward only, and this network from last to first"),
        (lambda: gl.LTC(CIRCUIT, proj_size=4), ValueError, "an ncps LTC has no projection"),
        (lambda: gl.RNN(gl.MixedMemoryCell(gl.LTCCell(CIRCUIT), forget_bias=0.5)), ValueError,
         r"forget_bias of ncps on PyTorch is 1\.0, and 0\.5 here"),
        (lambda: gl.CfC(gl.dense(5, 8), features=gl.NCPDense(4)), ValueError,
         "ncps has no features in front of a CfC"),
        (lambda: gl.CfC(gl.dense(5, 8), backbone_activation="softplus"), ValueError,
         "no activation 'softplus': it has lecun_tanh, relu"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", [gl.to_ncps, gl.ncps_options], ids=["to_ncps", "ncps_options"])
def test_what_ncps_has_not(make: Any, error: type[Exception], says: str, call: Any) -> None:
    with pytest.raises(error, match=says):
        call(make())


def test_half_precision_goes_back_as_float32() -> None:
    rnn = gl.LTC(CIRCUIT)
    rnn.set_dtype(mx.bfloat16)
    state_dict = gl.to_ncps(rnn)
    assert {array.dtype for array in state_dict.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(state_dict["rnn_cell.cm"], np.array(rnn.cell.cm.astype(mx.float32)))


def test_a_wiring_comes_over_without_mlx() -> None:
    code = (
        "import sys, ganglion as gl; from ncps.wirings import AutoNCP; w = AutoNCP(12, 3); w.build(5); "
        "c = gl.from_ncps(w); print(type(c).__name__); "
        "print([m for m in sys.modules if m.startswith(('mlx', 'torch'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["Circuit", "[]"]


def test_the_files_are_those_of_the_script() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    assert sorted(manifest["files"]) == [f"{name}.npz" for name in MODELS]
    for name in MODELS:
        arrays = Recorded.load(name).arrays
        total = hashlib.sha256()
        for key in sorted(arrays):
            total.update(f"{key} {arrays[key].dtype.str} {arrays[key].shape}\n".encode())
            total.update(arrays[key].tobytes())
        assert total.hexdigest() == manifest["files"][f"{name}.npz"], name


def test_weights_alone_are_no_model() -> None:
    with pytest.raises(TypeError, match=r"weights alone do not say .* gl\.load_ncps\(network, weights\)"):
        gl.from_ncps({"rnn_cell.gleak": np.zeros(3)})  # type: ignore[call-overload]
