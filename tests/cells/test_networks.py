"""Networks as mlx.nn modules: parameters, initial values, constraints, recording, transformations."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

NETWORKS: dict[str, dict[str, Any]] = {
    "ltc": {"kind": gl.LTC},
    "ltc-softplus-fixed": {"kind": gl.LTC, "positive": "softplus", "polarity": "fixed"},
    "ltc-no-maps": {"kind": gl.LTC, "input_mapping": None, "output_mapping": "linear"},
    "cfc": {"kind": gl.CfC},
    "cfc-pure-fixed": {"kind": gl.CfC, "mode": "pure", "polarity": "fixed"},
    "cfc-no_gate-synchronous": {"kind": gl.CfC, "mode": "no_gate", "schedule": "synchronous"},
    "cfc-compat": {"kind": gl.CfC, "ncps_compat": True},
    "cfc-dense": {"kind": gl.CfC, "wiring": gl.dense(3, 12), "backbone_layers": 2, "backbone_units": 16},
    "ltc-dense": {"kind": gl.LTC, "wiring": gl.dense(3, 5)},
}  # fmt: skip


def make(name: str) -> Any:
    options = dict(NETWORKS[name])
    wiring = options.pop("wiring", None)
    return options.pop("kind")(gl.auto_ncp(16, 2, inputs=3) if wiring is None else wiring, **options)


@pytest.fixture(params=NETWORKS)
def rnn(request: pytest.FixtureRequest) -> Any:
    mx.random.seed(7)
    return make(request.param)


@pytest.fixture
def x() -> mx.array:
    return mx.array(np.random.default_rng(0).normal(size=(4, 6, 3)).astype(np.float32))


def train_step(rnn: Any, optimizer: optim.Optimizer, x: mx.array, target: float) -> float:
    def loss(model: Any) -> mx.array:
        return ((model(x)[0] - target) ** 2).mean()

    value, gradients = nn.value_and_grad(rnn, loss)(rnn)
    optimizer.update(rnn, gradients)
    mx.eval(rnn.parameters())
    return float(value.item())


def test_parameters_live_on_synapses_and_neurons() -> None:
    circuit = gl.auto_ncp(16, 2, inputs=3)
    plan = gl.compile_circuit(circuit).plan
    sizes = {name: tuple(p.shape) for name, p in gl.LTC(circuit).cell.trainable_parameters().items()}
    e, s, n = len(plan.recurrent), len(plan.sensory), plan.n_neurons
    quantities = ("w", "mu", "sigma", "erev")
    expected = dict.fromkeys(quantities, (e,)) | {f"sensory_{name}": (s,) for name in quantities}
    expected |= dict.fromkeys(("gleak", "vleak", "cm"), (n,))
    expected |= {"input_w": (3,), "input_b": (3,), "output_w": (2,), "output_b": (2,)}
    assert sizes == expected

    sizes = {name: tuple(p.shape) for name, p in gl.CfC(circuit).cell.trainable_parameters().items()}
    maps = ("ff1", "ff2", "time_a", "time_b")
    assert sizes == {f"{m}_w": (e,) for m in maps} | {f"sensory_{m}_w": (s,) for m in maps} | {
        f"{m}_b": (n,) for m in maps
    }


def test_initial_values_lie_in_the_ranges_of_ncps() -> None:
    cell = gl.LTCCell(gl.random(64, inputs=8, sparsity=0.2))
    for names, low, high in (
        (("w", "sensory_w", "gleak"), 0.001, 1.0), (("vleak",), -0.2, 0.2), (("cm",), 0.4, 0.6),
        (("sigma", "sensory_sigma"), 3.0, 8.0), (("mu", "sensory_mu"), 0.3, 0.8),
    ):  # fmt: skip
        for name in names:
            values = np.array(cell[name])
            assert low <= values.min() < low + 0.2 * (high - low)
            assert high - 0.2 * (high - low) < values.max() <= high
    assert np.array_equal(cell.erev, cell.compiled.plan.recurrent.polarity)
    assert np.array_equal(cell.sensory_erev, cell.compiled.plan.sensory.polarity)


def test_cfc_signal_weights_start_with_the_signs_of_the_circuit() -> None:
    cell = gl.CfCCell(gl.auto_ncp(32, 4, inputs=6))
    for name in ("ff1_w", "ff2_w"):
        assert np.array_equal(np.sign(cell[name]), cell.compiled.plan.recurrent.polarity)
        assert np.array_equal(np.sign(cell[f"sensory_{name}"]), cell.compiled.plan.sensory.polarity)
    assert len(np.unique(np.sign(cell.time_a_w))) == 2


@pytest.mark.parametrize("kind", [gl.LTC, gl.CfC])
def test_a_key_or_the_global_seed_decides_the_parameters(kind: Any) -> None:
    circuit = gl.auto_ncp(16, 2, inputs=3)

    def parameters(**options: Any) -> np.ndarray:
        return np.concatenate(
            [np.array(p) for _, p in tree_flatten(kind(circuit, **options).trainable_parameters())]
        )

    same = parameters(key=mx.random.key(3))
    mx.random.seed(1)
    seeded = parameters()
    assert np.array_equal(same, parameters(key=mx.random.key(3)))
    assert not np.array_equal(same, parameters(key=mx.random.key(4)))
    mx.random.seed(1)
    assert np.array_equal(seeded, parameters())


def test_a_training_step_lowers_the_loss_and_changes_every_parameter(rnn: Any, x: mx.array) -> None:
    before = dict(tree_flatten(rnn.trainable_parameters()))
    optimizer = optim.Adam(1e-2)
    losses = [train_step(rnn, optimizer, x, target=0.3) for _ in range(5)]
    assert losses[-1] < losses[0]
    after = dict(tree_flatten(rnn.trainable_parameters()))
    unchanged = {name for name in before if mx.array_equal(before[name], after[name])}
    assert unchanged == set()


@pytest.mark.parametrize("name", ["ltc-softplus-fixed", "cfc-pure-fixed"])
def test_fixed_polarity_never_flips_a_synapse(name: str, x: mx.array) -> None:
    rnn = make(name)
    optimizer = optim.Adam(0.2)  # violent on purpose: weights cross zero
    names = [k for k in rnn.cell.effective() if k.endswith("erev") or ("ff" in k and k.endswith("_w"))]
    signs = {k: np.sign(rnn.cell.effective()[k]) for k in names}
    started = {k: np.sign(rnn.cell[k]) for k in names}
    crossed = False
    for step in range(20):
        train_step(rnn, optimizer, x, target=(-1.0) ** step)
        for k in names:
            assert np.isfinite(rnn.cell[k]).all()
            assert (np.sign(rnn.cell.effective()[k]) * signs[k] >= 0).all()
            crossed |= bool((np.sign(rnn.cell[k]) != started[k]).any())
    assert crossed, "the test did not put the constraint to work"


def test_clip_constraints_make_conductances_non_negative() -> None:
    rnn = make("ltc")
    for name in ("w", "sensory_w", "cm", "gleak", "vleak"):
        rnn.cell[name] = rnn.cell[name] - 10.0
    rnn.apply_constraints()
    for name in ("w", "sensory_w", "cm", "gleak"):
        assert float(rnn.cell[name].min()) == 0.0
    assert float(rnn.cell.vleak.max()) < 0.0  # a potential may have any sign


def test_softplus_keeps_conductances_positive_whatever_the_parameters_are() -> None:
    rnn = make("ltc-softplus-fixed")
    rnn.cell.cm = rnn.cell.cm - 5.0
    before = rnn.cell.cm
    rnn.apply_constraints()
    assert mx.array_equal(before, rnn.cell.cm)
    assert float(rnn.cell.effective()["cm"].min()) > 0.0


def test_weights_survive_saving_and_loading(rnn: Any, x: mx.array, tmp_path: Path) -> None:
    path = str(tmp_path / "weights.safetensors")
    rnn.save_weights(path)
    expected = rnn(x)[0]
    rnn.update(nn.utils.tree_map(lambda p: p + 0.1, rnn.parameters()))
    assert not mx.allclose(expected, rnn(x)[0])
    rnn.load_weights(path)
    assert mx.array_equal(expected, rnn(x)[0])


def test_a_deep_copy_is_independent(rnn: Any, x: mx.array) -> None:
    expected = np.array(rnn(x)[0])
    twin = copy.deepcopy(rnn)
    twin.update(nn.utils.tree_map(lambda p: p + 0.1, twin.parameters()))
    assert np.array_equal(expected, rnn(x)[0])


def test_frozen_parameters_get_no_gradient(rnn: Any, x: mx.array) -> None:
    rnn.freeze()
    assert tree_flatten(rnn.trainable_parameters()) == []
    rnn.unfreeze()
    assert tree_flatten(rnn.trainable_parameters()) != []


def test_compile_and_vmap_give_the_same_outputs(rnn: Any, x: mx.array) -> None:
    expected = rnn(x)[0]
    assert mx.allclose(mx.compile(lambda x: rnn(x)[0])(x), expected, atol=1e-5)
    assert mx.allclose(mx.vmap(lambda x: rnn(x)[0])(x), expected, atol=1e-5)


def test_batched_and_single_runs_agree(rnn: Any, x: mx.array) -> None:
    y, state = rnn(x)
    for k in range(len(x)):
        one, last = rnn(x[k])
        assert mx.allclose(one, y[k], atol=1e-6)
        assert mx.allclose(last, state[k], atol=1e-6)


def test_a_sequence_equals_its_steps(rnn: Any, x: mx.array) -> None:
    y, last = rnn(x, timespans=0.5)
    state = None
    for t in range(x.shape[1]):
        output, state = rnn.cell(x[:, t], state, 0.5)
        assert mx.allclose(output, y[:, t], atol=1e-5)  # a step runs operations, a sequence the kernel
    assert mx.allclose(state, last, atol=1e-5)


def test_a_run_can_be_continued_from_its_state(rnn: Any, x: mx.array) -> None:
    whole, last = rnn(x)
    _, middle = rnn(x[:, :2])
    rest, end = rnn(x[:, 2:], middle)
    assert mx.allclose(rest, whole[:, 2:], atol=1e-6)
    assert mx.allclose(end, last, atol=1e-6)


def test_all_forms_of_time_spans_mean_the_same(rnn: Any, x: mx.array) -> None:
    spans = np.linspace(0.5, 2.0, 6).astype(np.float32)
    expected = rnn(x, timespans=spans)[0]
    for form in (mx.array(spans), np.tile(spans, (4, 1)), np.tile(spans, (4, 1))[..., None], spans.tolist()):
        assert mx.allclose(rnn(x, timespans=form)[0], expected, atol=1e-6)
    assert not mx.allclose(rnn(x)[0], expected, atol=1e-4)
    assert mx.array_equal(rnn(x, timespans=1.0)[0], rnn(x)[0])


def test_batch_equal_to_time_or_units_is_no_special_case() -> None:
    rnn = make("ltc")
    x = mx.random.normal((16, 16, 3))
    spans = mx.random.uniform(0.5, 2.0, (16, 16))
    y = rnn(x, timespans=spans)[0]
    for k in (0, 9):
        assert mx.allclose(rnn(x[k], timespans=spans[k])[0], y[k], atol=1e-6)


def test_return_sequences_off_gives_the_last_output(x: mx.array) -> None:
    circuit, key = gl.auto_ncp(16, 2, inputs=3), mx.random.key(0)
    whole = gl.LTC(circuit, key=key)(x)[0]
    assert mx.array_equal(gl.LTC(circuit, key=key, return_sequences=False)(x)[0], whole[:, -1])
    assert gl.LTC(circuit, key=key, return_sequences=False)(x[0])[0].shape == (2,)


def test_a_recording_has_every_neuron_with_names_roles_and_times(rnn: Any, x: mx.array) -> None:
    spans = np.linspace(0.5, 2.0, 6)
    y, last, recording = rnn(x, timespans=spans, record=True)
    assert np.array_equal(recording.states[:, -1], last)
    assert np.array_equal(recording.outputs, y)
    assert np.array_equal(recording.inputs, x)
    assert np.allclose(recording.times, np.cumsum(spans))
    assert recording.neurons == rnn.cell.neurons
    assert len(recording.roles) == len(recording.neurons) == recording.states.shape[-1]
    assert np.array_equal(recording.of("motor_0"), recording.states[..., 0])
    one = gl.record(rnn, x[1], timespans=spans)
    assert not one.batched
    assert np.allclose(one.states, recording.sequence(1).states, atol=1e-6)
    with pytest.raises(KeyError, match="no neuron 'nobody'"):
        recording.of("nobody")


def test_numbers_of_any_real_kind_are_inputs() -> None:
    rnn = make("ltc")
    pixels = np.arange(18, dtype=np.uint8).reshape(6, 3)
    expected = rnn(mx.array(pixels.astype(np.float32)))[0]
    for form in (pixels, pixels.astype(np.float64), pixels.tolist(), mx.array(pixels).astype(mx.float16)):
        assert mx.array_equal(rnn(form)[0], expected)


def test_a_circuit_is_compiled_once_for_many_networks() -> None:
    compiled = gl.compile_circuit(gl.auto_ncp(16, 2, inputs=3))
    assert gl.LTC(compiled).cell.compiled is compiled
    assert gl.CfC(compiled).cell.compiled is compiled
    assert gl.LTC(compiled.plan).cell.compiled.plan is compiled.plan


@pytest.mark.parametrize("engine", ["ops", "auto"])
def test_a_network_runs_in_another_thread_than_it_was_made_in(rnn: Any, engine: str) -> None:
    rnn.engine = engine  # nothing has asked for its parameters yet
    x = np.ones((2, 3, 3), np.float32)

    def use() -> tuple[np.ndarray, ...]:
        gradient = mx.grad(lambda x: rnn(x)[0].sum())(mx.array(x))
        return np.array(rnn(x)[0]), np.array(rnn.stream()(x[0, 0])), np.array(gradient)

    with ThreadPoolExecutor(1) as pool:
        outputs, streamed, gradient = pool.submit(use).result()
    assert np.allclose(outputs[0, 0], streamed, atol=1e-6)
    assert gradient.shape == x.shape
