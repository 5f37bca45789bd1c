"""What a network says under masks, in half precision and with its options is what its equations say.

The references are those of `reference`, in float64 and written from the papers.
"""

from __future__ import annotations

import warnings
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest

import ganglion as gl

from ..reference import cfc, ltc
from ..reference.graph import Wires
from ..support.networks import random_parameters, set_parameters

CIRCUIT = gl.auto_ncp(7, 2, inputs=3, sparsity=0.3, seed=3)
WIRES = Wires.of(CIRCUIT)
B, T, INPUTS, M = 4, 6, 3, 2
HOLES = np.array([[1, 1, 0, 1, 1, 1], [0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0]], bool)
BOTH = pytest.mark.parametrize("engine", ["ops", "fused"])


def samples(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(B, T, INPUTS)).astype(np.float32)


def parameters(rnn: gl.RNN) -> dict[str, np.ndarray]:
    return {name: np.array(a.astype(mx.float32)) for name, a in rnn.cell.parameters().items()}


# Signs and conductances.


@BOTH
@pytest.mark.parametrize("polarity", ["init", "fixed"])
@pytest.mark.parametrize("positive", ["clip", "softplus"])
def test_conductances_and_signs(positive: str, polarity: str, engine: str) -> None:
    """A raw conductance of -2 is softplus(-2) = 0.127, whatever holds the signs."""
    rnn = gl.LTC(CIRCUIT, positive=positive, polarity=polarity, engine=engine)
    values = random_parameters(rnn, np.random.default_rng(0))
    if positive == "softplus":
        values |= {name: values[name] - 2.0 for name in ("w", "sensory_w", "cm", "gleak")}
    values["erev"] = np.abs(values["erev"])  # against half of the signs
    set_parameters(rnn, values)
    expected = dict(values)
    if polarity == "fixed":
        signs = {"": rnn.cell.compiled.plan.recurrent, "sensory_": rnn.cell.compiled.plan.sensory}
        for prefix, synapses in signs.items():
            kept = np.maximum(synapses.polarity * values[f"{prefix}erev"], 0.0)  # zero is as far as it gets
            expected[f"{prefix}erev"] = synapses.polarity * kept
    said, _ = ltc.LTC(WIRES, expected, positive=positive).run(samples())
    assert np.allclose(np.array(rnn(mx.array(samples()))[0]), said, atol=2e-6)


def test_softplus_with_fixed_signs_goes_to_ncps_as_it_is() -> None:
    golden = gl.LTC(gl.from_ncps(_ncps_wiring()), positive="softplus", polarity="fixed")
    golden.cell.w = golden.cell.w - 2.0
    free = gl.LTC(golden.cell.compiled, positive="softplus")
    gl.load_ncps(free, gl.to_ncps(golden))
    x = mx.array(samples())
    assert np.allclose(np.array(free(x)[0]), np.array(golden(x)[0]), atol=1e-6)


def _ncps_wiring() -> Any:
    from ncps.wirings import AutoNCP

    wiring = AutoNCP(7, 2)
    wiring.build(INPUTS)
    return wiring


# Masks: what holes and padding are to states, outputs, times and layers without state.


def held(outputs: list[np.ndarray], mask: np.ndarray, backwards: bool) -> np.ndarray:
    """(T, M) the outputs of the valid samples, in their order, and where there is none those read last."""
    shown, last = np.zeros((len(mask), outputs[0].shape[-1])), np.zeros(outputs[0].shape[-1])
    given = list(outputs[::-1] if backwards else outputs)
    for t in range(len(mask))[:: -1 if backwards else 1]:
        last = given.pop(0) if mask[t] else last
        shown[t] = last
    return shown


def read(rnn: gl.RNN, x: np.ndarray, mask: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """The valid samples of one row alone, in the order in which they are read, shown beside their samples."""
    kept, kept_spans = x[mask], spans[mask]
    if rnn.reverse:  # a span belongs to a gap; none is left for the first to be read
        kept, kept_spans = kept[::-1], np.concatenate([kept_spans[:1], kept_spans[1:][::-1]])
    said, _ = ltc.LTC(WIRES, parameters(rnn)).run(kept[None], timespans=kept_spans[None])
    return held(list(said[0][::-1] if rnn.reverse else said[0]), mask, rnn.reverse)


@BOTH
@pytest.mark.parametrize("reverse", [False, True])
def test_holes_show_what_was_read_last(reverse: bool, engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, reverse=reverse, engine=engine)
    random_parameters(rnn, np.random.default_rng(1))
    x = samples()
    spans = np.random.default_rng(2).uniform(0.2, 1.5, (B, T)).astype(np.float32)
    expected = np.stack([read(rnn, x[k], HOLES[k], spans[k]) for k in range(B)])
    x[~HOLES], spans[~HOLES] = np.nan, np.nan
    said, _ = rnn(mx.array(x), timespans=mx.array(spans), mask=HOLES)
    assert np.allclose(np.array(said), expected, atol=2e-6)
    recording = gl.record(rnn, x, timespans=spans, mask=HOLES)
    assert np.allclose(recording.outputs, expected, atol=2e-6)


@BOTH
def test_times_of_a_recording_are_the_spans_as_given(engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    spans = np.full((B, T), 0.1, np.float32)
    expected = np.cumsum(np.full((B, T), np.float32(0.1), np.float64), axis=1)
    for given in (spans, 0.1, spans[0], spans[..., None]):
        for masked in ({"mask": HOLES}, {"lengths": [6, 1, 3, 0]}):
            times = gl.record(rnn, samples(), timespans=given, **masked).times
            assert np.allclose(np.broadcast_to(times, (B, T)), expected, atol=1e-7)
    spans[~HOLES] = np.tile([np.nan, -1.0, np.inf, 0.0], 3)[: (~HOLES).sum()]  # no times at all
    times = gl.record(rnn, samples(), timespans=spans, mask=HOLES).times
    assert np.allclose(times, np.cumsum(np.where(HOLES, np.float32(0.1), 0.0), axis=1), atol=1e-7)


@pytest.mark.parametrize("reverse", [False, True])
def test_outputs_before_the_first_sample_are_zeros_behind_a_map_too(reverse: bool) -> None:
    x = mx.array(samples())
    projected = gl.LTC(CIRCUIT, proj_size=3, reverse=reverse)
    head = gl.Stack([gl.LTC(CIRCUIT, reverse=reverse), gl.NCPDense(3)])
    head(x)
    for rnn, bias in ((projected, "projection"), (head.layers[1], "")):
        (rnn[bias] if bias else rnn).bias = mx.array([1.0, 2.0, 3.0])
    turned = HOLES[:, ::-1] if reverse else HOLES
    before = np.logical_or.accumulate(turned, axis=1)
    before = before[:, ::-1] if reverse else before
    for network in (projected, head):
        said = np.array(network(x, mask=HOLES)[0])
        assert np.array_equal((said != 0).any(axis=-1), before)
        valid = np.array(network(x[2:3])[0])
        assert np.allclose(said[2:3], valid, atol=1e-6)


@pytest.mark.parametrize("padding", [0.0, 50.0, np.nan])
def test_padding_reaches_no_layer_of_a_stack(padding: float) -> None:
    """Neither gradients nor the statistics of a BatchNorm, which are those of the valid samples."""
    x, lengths = samples(), np.array([6, 2, 4, 1])
    valid = np.arange(T) < lengths[:, None]
    x[~valid] = padding
    dense = gl.Stack([gl.NCPDense(3), gl.LTC(CIRCUIT)])
    dense.build((1, 2, INPUTS))

    def loss(model: gl.Stack, x: mx.array) -> mx.array:
        said, _ = model(x, lengths=lengths)
        return mx.square(said).mean()

    value, gradients = nn.value_and_grad(dense, loss)(dense, mx.array(x))
    clean, expected = nn.value_and_grad(dense, loss)(dense, mx.array(np.where(valid[..., None], x, 0.0)))
    assert value.item() == pytest.approx(clean.item(), rel=1e-6)
    for (name, ours), (_, theirs) in zip(
        nn.utils.tree_flatten(gradients), nn.utils.tree_flatten(expected), strict=True
    ):
        assert np.allclose(np.array(ours), np.array(theirs), atol=1e-6), name

    norm = nn.BatchNorm(INPUTS, momentum=1.0)
    stack = gl.Stack([norm, gl.LTC(CIRCUIT)])
    said, _ = stack(mx.array(x), lengths=lengths)
    kept = x[valid].astype(np.float64)
    assert np.allclose(np.array(norm.running_mean), kept.mean(axis=0), atol=1e-6)
    assert np.allclose(np.array(norm.running_var), kept.var(axis=0), rtol=0.1)  # of the sample or the whole
    seen = (x.astype(np.float64) - kept.mean(axis=0)) / np.sqrt(kept.var(axis=0) + norm.eps)
    for k, n in enumerate(lengths):
        row, _ = ltc.LTC(WIRES, parameters(stack.layers[1])).run(seen[k : k + 1, :n])
        assert np.allclose(np.array(said)[k, :n], row[0], atol=1e-5)


def test_constraints_reach_a_network_inside_other_modules() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = gl.LTC(CIRCUIT)

        def __call__(self, x: mx.array) -> mx.array:
            return self.rnn(x)[0]

    class First(nn.Module):
        def __call__(self, x: Any) -> mx.array:
            return x[0] if isinstance(x, tuple) else x

    models = [
        gl.Stack([Own(), gl.NCPDense(1)]),
        gl.Stack([nn.Sequential(gl.LTC(CIRCUIT, return_state=False)), gl.NCPDense(1)]),
        nn.Sequential(gl.LTC(CIRCUIT), First()),
        nn.Sequential(nn.Sequential(Own()), nn.Identity()),
    ]
    for model in models:
        cells = [module for module in model.modules() if isinstance(module, gl.LTCCell)]
        for cell in cells:
            cell.gleak = -mx.ones_like(cell.gleak)
        gl.fit(
            model, (samples(), np.zeros((B, T, 1 if isinstance(model, gl.Stack) else M))), epochs=1,
            loss=lambda model, x, y: (gl.training.outputs_of(model, x) - y).square().mean(),
            optimizer=_sgd(), progress=False,
        )  # fmt: skip
        assert cells
        assert all((np.array(cell.gleak) >= 0).all() for cell in cells)


def _sgd() -> Any:
    import mlx.optimizers as optim

    return optim.SGD(1e-4)


# Half precision: the equations are computed in float32.

KINDS = {
    "ltc": (lambda **o: gl.LTC(CIRCUIT, **o), lambda p: ltc.LTC(WIRES, p)),
    "ltc softplus": (
        lambda **o: gl.LTC(CIRCUIT, positive="softplus", **o),
        lambda p: ltc.LTC(WIRES, p, positive="softplus"),
    ),
    "cfc": (lambda **o: gl.CfC(CIRCUIT, **o), lambda p: cfc.CfC(WIRES, p)),
    "cfc pure": (lambda **o: gl.CfC(CIRCUIT, mode="pure", **o), lambda p: cfc.CfC(WIRES, p, mode="pure")),
}


@BOTH
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_that_of_the_parameters_alone(kind: str, dtype: mx.Dtype, engine: str) -> None:
    make, reference = KINDS[kind]
    rnn = make(engine=engine)
    random_parameters(rnn, np.random.default_rng(4))
    rnn.set_dtype(dtype)
    said, _ = reference(parameters(rnn)).run(samples())
    outputs = rnn(mx.array(samples()))[0]
    assert outputs.dtype == dtype
    rounding = mx.finfo(dtype).eps / 2  # of the outputs, once at the end
    assert np.allclose(np.array(outputs.astype(mx.float32)), said, rtol=rounding, atol=5e-6)


# Options.


def test_options_of_a_network_that_is_made_cannot_change() -> None:
    rnn, dense = gl.LTC(CIRCUIT), gl.NCPDense(3, activation="tanh")
    cell, scaled = gl.CfCCell(CIRCUIT), gl.Scaled(gl.LTC(CIRCUIT), list("abc"), list("de"))
    for layer, name, value in (
        (rnn.cell, "ode_unfolds", 1), (rnn.cell, "epsilon", 0.5), (rnn.cell, "polarity", "fixed"),
        (rnn.cell, "positive", "softplus"), (rnn.cell, "solver", "rk4"), (rnn, "reverse", True),
        (cell, "schedule", "synchronous"), (cell, "mode", "pure"), (dense, "activation", "relu"),
        (gl.CTRNNCell(CIRCUIT, clip=1.0), "clip", 2.0), (gl.CTGRUCell(CIRCUIT), "scales", 3),
        (scaled, "time_unit", 2.0), (gl.Bidirectional(gl.LTC(CIRCUIT)), "merge", "sum"),
    ):  # fmt: skip
        before = layer.get_config()
        with pytest.raises(AttributeError, match=f"{name} of .* as it was made: make a new one with {name}="):
            setattr(layer, name, value)
        assert layer.get_config() == before
        setattr(layer, name, getattr(layer, name))  # what it is already


def test_options_that_say_how_to_run_are_read_back(tmp_path: Any) -> None:
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(0))
    rnn.engine, rnn.return_state, rnn.return_sequences, rnn.checkpoint_every = "ops", False, False, 2
    x = mx.array(samples())
    gl.save(rnn, tmp_path / "m.safetensors")
    twins = [gl.load(tmp_path / "m.safetensors"), gl.lesion(rnn), gl.LTC.from_config(rnn.get_config())]
    for twin in twins:
        twin.update(rnn.parameters())
        assert (twin.engine, twin.return_state, twin.return_sequences, twin.checkpoint_every) == (
            "ops", False, False, 2,
        )  # fmt: skip
        assert mx.array_equal(twin(x), rnn(x))


# States with gradients, and steps that a solver cannot make.


@pytest.mark.parametrize("cell", [gl.LTC, gl.CfC])
def test_all_states_have_gradients(cell: type[gl.RNN]) -> None:
    rnn = cell(CIRCUIT)
    random_parameters(rnn, np.random.default_rng(5))
    x = samples()
    reference = ltc.LTC if cell is gl.LTC else cfc.CfC
    wanted = np.random.default_rng(6).normal(size=(B, T, 7))

    def loss(parameters: dict[str, Any]) -> mx.array:
        rnn.cell.update(parameters)
        *_, states = rnn(mx.array(x), return_states=True)
        return (states * mx.array(wanted.astype(np.float32))).sum()

    before = rnn.cell.trainable_parameters()
    value, gradients = mx.value_and_grad(loss)(before)
    rnn.cell.update(before)
    values = parameters(rnn)
    _, states = reference(WIRES, values).run(x)
    assert value.item() == pytest.approx((states * wanted).sum(), rel=1e-4)
    for name in list(gradients):
        for k in range(0, len(values[name]), 3):
            moved = []
            for step in (1e-4, -1e-4):
                other = {n: a.astype(np.float64) for n, a in values.items()}
                other[name][k] += step
                moved.append((reference(WIRES, other).run(x)[1] * wanted).sum())
            slope = (moved[0] - moved[1]) / 2e-4
            assert np.array(gradients[name])[k] == pytest.approx(slope, rel=1e-3, abs=1e-3), name
    recorded = gl.record(rnn, x).states
    assert np.allclose(np.array(rnn(mx.array(x), return_states=True)[-1]), recorded, atol=1e-6)


def test_a_recording_inside_a_gradient_is_refused() -> None:
    rnn = gl.LTC(CIRCUIT)

    def loss(rnn: gl.LTC) -> mx.array:
        return mx.array(gl.record(rnn, mx.array(samples())).states).sum()

    with pytest.raises(ValueError, match="a recording is of NumPy arrays, which have no gradient"):
        nn.value_and_grad(rnn, loss)(rnn)


@pytest.mark.parametrize("solver", ["explicit", "rk4"])
def test_steps_that_a_solver_cannot_make_are_told_with_what_to_do(solver: str) -> None:
    circuit, key = gl.fully_connected(32, inputs=8, outputs=4), mx.random.key(0)
    with pytest.warns(RuntimeWarning, match=rf"'{solver}' solver may blow up with ode_unfolds=6") as caught:
        gl.LTC(circuit, solver=solver, key=key)
    needed = int(str(caught[0].message).split("ode_unfolds=")[2].split()[0])
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*may blow up.*")
        rnn = gl.LTC(circuit, solver=solver, key=key, ode_unfolds=needed, engine="ops")
        gl.LTC(circuit)
    outputs, _ = rnn(mx.random.normal((2, 50, 8), key=key))
    assert np.abs(np.array(outputs)).max() < 2


# Renames.


@pytest.mark.parametrize("order", [("a", "b", "c"), ("b", "a", "c"), ("c", "b", "a")])
def test_a_neuron_that_took_a_name_keeps_its_own_values(order: tuple[str, ...]) -> None:
    def graph(*names: str) -> gl.Circuit:
        circuit = gl.Circuit()
        circuit.add_neuron("in", role="sensory")
        for name in names:
            circuit.add_neuron(name, role="motor")
            circuit.add_synapse("in", name)
        return circuit

    old = gl.compile_circuit(graph(*order)).plan
    new = gl.compile_circuit(graph("b", "c")).plan
    rnn = gl.LTC(old)
    rnn.cell.gleak = mx.arange(3).astype(mx.float32)
    found = gl.transfer(rnn.cell.parameters(), old, new, renames={"a": "b"})
    values = dict(zip(old.neurons, range(3), strict=True))
    assert np.array(found["gleak"]).tolist() == [values["a"], values["c"]]
    swapped = gl.transfer(rnn.cell.parameters(), old, old, renames={"a": "b", "b": "a"})
    swap = {"a": "b", "b": "a", "c": "c"}
    assert np.array(swapped["gleak"]).tolist() == [values[swap[name]] for name in old.neurons]
    with pytest.raises(ValueError, match="two neurons are renamed to 'b'"):
        gl.transfer(rnn.cell.parameters(), old, new, renames={"a": "b", "c": "b"})


# Inputs that are no numbers.


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("kind", ["ltc", "cfc", "cfc pure"])
def test_an_input_that_is_no_number_does_the_same_on_every_engine(kind: str, value: float) -> None:
    """It reaches who has a path from it, as the reference says, and nobody else."""
    make, reference = KINDS[kind]
    x = samples()
    x[:, 2, 1] = value
    rnns = [make(engine=engine, key=mx.random.key(3)) for engine in ("ops", "fused")]
    said = [np.array(rnn(mx.array(x))[0]) for rnn in rnns]
    with np.errstate(all="ignore"):
        expected, _ = reference(parameters(rnns[0])).run(x)
    # The reference adds zeros times infinity over all ends of synapses: it tells what stays finite at most.
    finite = np.isfinite(expected)
    for ours in said:
        assert np.allclose(ours[finite], expected[finite], atol=5e-6)
    assert np.allclose(said[0], said[1], atol=5e-6, equal_nan=True)
