"""Delays of synapses: an echo, a float64 reference, gradients, and what a cell has to do anyway."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.equations.kernel import equation_kernel
from ganglion.compile.kernels import pairs, sequence
from ganglion.testing import check_cell

from ..kernels.emulate import EmulatedRunner
from ..support.equations import Driven, Rate
from ..support.networks import difference
from ..support.slopes import agree
from .test_kernels import assert_alike, outcome
from .test_synapses import Plastic, Stepped

B, T = 3, 8
KINDS: list[Any] = [Rate, Driven, Plastic, Stepped]


def circuit() -> gl.Circuit:
    """A circuit whose synapses say how long they take."""
    made = gl.auto_ncp(11, 2, inputs=3, seed=4)
    for k, (_, _, data) in enumerate(made.edges(data=True)):
        data["delay"] = (0, 2, 1, 3)[k % 4]
    return made


def cell_of(kind: Any, seed: int = 1, **options: Any) -> Any:
    mx.random.seed(seed)
    return kind(circuit(), **{"delays": "delay", **options})


def batch(seed: int, cell: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (B, T, cell.n_inputs)).astype(np.float32)
    spans = rng.choice([0.0, 0.3, 1.0], (B, T)).astype(np.float32)
    return x, spans, tuple(rng.uniform(0, 0.5, (B, *s)).astype(np.float32) for s in cell.state_shapes)


class Echo(gl.EquationCell):
    """Neurons that show what reaches them."""

    parameters = {"w": gl.synapse(1.0)}
    synapse = {"i": "w * v_pre"}
    update = "v = i"


@pytest.mark.parametrize(("there", "back", "first"), [(0, 0, 0), (3, 5, 0), (1, 2, 4)])
def test_an_echo_comes_back_when_it_should(there: int, back: int, first: int) -> None:
    """A pulse goes to and fro: every way takes one sample, and its delay."""
    made = gl.Circuit()
    made.add_neuron("x", role="sensory")
    for name in ("a", "b"):
        made.add_neuron(name, role="motor")
    made.add_synapse("x", "a", polarity=1, delay=first)
    made.add_synapse("a", "b", polarity=1, delay=there)
    made.add_synapse("b", "a", polarity=1, delay=back)
    x = np.zeros((1, 40, 1), np.float32)
    x[0, 2] = 1.0
    expected = np.zeros((40, 2), np.float32)
    at = 2 + first
    for way in range(40):
        if at < 40:
            expected[at, way % 2] = 1.0
        at += 1 + (there if way % 2 == 0 else back)
    rnn = gl.RNN(Echo(made, delays="delay"))
    assert {name: k for k, name in enumerate(rnn.cell.neurons)} == {"a": 0, "b": 1}
    np.testing.assert_array_equal(np.array(rnn(mx.array(x))[0])[0], expected)
    stream = rnn.stream()
    np.testing.assert_array_equal(np.stack([np.array(stream(x[0, t])) for t in range(40)]), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("delays", ["delay", 2])
def test_operations_are_the_equations(kind: Any, delays: Any) -> None:
    cell = cell_of(kind, delays=delays)
    x, spans, state = batch(2, cell)
    y, last = gl.RNN(cell)(mx.array(x), tuple(map(mx.array, state)), timespans=spans)
    expected, after = cell.reference(x, state, spans)
    assert difference(y, expected) < 1e-5
    for mine, theirs in zip(last, after, strict=True):
        assert difference(mine, theirs) < 1e-5


def test_no_delay_is_none() -> None:
    cell, plain = cell_of(Rate, delays=0), cell_of(Rate, delays=None)
    assert cell.state_shapes == plain.state_shapes
    x = mx.array(batch(3, plain)[0])
    assert difference(gl.RNN(cell)(x)[0], np.array(gl.RNN(plain)(x)[0])) == 0


def test_gradients_are_central_differences() -> None:
    cell = cell_of(Plastic)
    agree(cell, *batch(4, cell))


def test_a_cell_with_delays_is_a_cell() -> None:
    check_cell(cell_of(Stepped, delays=2))


def test_a_lesion_keeps_the_delays_of_others() -> None:
    cell = cell_of(Rate)
    after = gl.lesion(cell, "inter_0")
    found = [
        {
            (one.neurons[pre], one.neurons[post]): int(delay)
            for pre, post, delay in zip(
                one.compiled.plan.recurrent.pre,
                one.compiled.plan.recurrent.post,
                one._delays.recurrent,
                strict=True,
            )
        }
        for one in (cell, after)
    ]
    assert found[1].items() <= found[0].items()
    assert len(set(found[1].values())) > 1
    rnn = gl.RNN(cell)
    x = mx.array(batch(6, cell)[0])
    whole = np.array(rnn(x)[0])
    with gl.perturbed(rnn, gl.studies.Lesion("inter_0")):
        assert difference(rnn(x)[0], np.array(gl.RNN(after)(x)[0])) < 1e-5
    assert difference(rnn(x)[0], whole) == 0


@pytest.mark.parametrize(("kind", "engine"), [(Rate, "ops"), (Plastic, "ops"), (Plastic, "fused")])
def test_nothing_passes_a_cut_that_takes_time(kind: Any, engine: str) -> None:
    """Not even what is no number, and the state keeps as much as before."""
    rnn = gl.RNN(cell_of(kind), engine=engine)
    plan, x = rnn.cell.compiled.plan, np.array(batch(6, rnn.cell)[0])
    sensor = int(plan.sensory.pre[np.argmax(rnn.cell._delays.sensory)])  # what takes longest is gone
    onto = [plan.neurons[post] for post in plan.sensory.post[plan.sensory.pre == sensor]]
    cut = gl.studies.Cut(plan.sensors[sensor], onto)
    with gl.perturbed(rnn, cut):
        expected, before = rnn(mx.array(x))
        x[..., sensor] = np.nan
        y, state = rnn(mx.array(x))
    assert difference(y, np.array(expected)) == 0
    assert [part.shape for part in state] == [part.shape for part in before]
    assert np.isnan(np.array(rnn(mx.array(x))[0])).any()


@pytest.mark.parametrize(
    ("delays", "told"),
    [
        (-1, "delays must be"),
        (1001, "delays must be"),
        (1.5, "delays of a Rate are 1.5: expected a whole number of samples, or the name of"),
        (True, "delays of a Rate are True"),
        ("slowness", "no synapse of the circuit has the attribute 'slowness'"),
    ],
)
def test_wrong_delays_are_refused(delays: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        cell_of(Rate, delays=delays)


@pytest.mark.parametrize("delay", [-1, 0.5, 1001, "long", None, float("nan")])
def test_a_wrong_delay_of_a_synapse_is_refused(delay: Any) -> None:
    made = circuit()
    pre, post = next((a, b) for a, b in made.edges if a.startswith("inter"))
    made.edges[pre, post]["delay"] = delay
    with pytest.raises(ValueError, match=f"the delay of {pre} -> {post} is .*: expected a whole number"):
        Rate(made, delays="delay")


def test_delays_are_those_that_a_cell_was_made_with() -> None:
    cell = cell_of(Rate, delays=np.int32(2))
    assert cell.get_config()["delays"] == 2
    with pytest.raises(AttributeError, match="delays of Rate is 2, as it was made"):
        cell.delays = 3


@pytest.fixture(scope="module")
def plastic() -> Any:
    """A cell with everything behind its states: those of synapses, and delays of different lengths."""
    return cell_of(Plastic)


@pytest.mark.parametrize(("batch", "every", "reverse"), [(5, 1, False), (7, 3, True)])
def test_kernels_are_the_operations(plastic: Any, batch: int, every: int, reverse: bool) -> None:
    options = {"checkpoint_every": every, "reverse": reverse}
    ops, fused = (
        outcome(gl.RNN(plastic, engine=engine, **options), 1, batch, 7) for engine in ("ops", "fused")
    )
    assert_alike(fused, ops)


def test_samples_that_nothing_reads_are_kept_with_their_gradients() -> None:
    class Alone(gl.EquationCell):
        parameters = {"k": gl.neuron(0.5), "a": gl.sensor(0.7)}
        inputs = "a * x + 0.1"
        dynamics = "dv/dt = k - v"

    cell = Alone(circuit(), delays=2)
    fused, ops = (outcome(gl.RNN(cell, engine=engine), 3, 3, 5) for engine in ("fused", "ops"))
    assert_alike(fused, ops)
    assert all(np.abs(ops[name]).max() > 0.01 for name in ops if name.endswith("a"))


def test_kernels_with_noise_behind_delays_are_the_operations() -> None:
    cell = cell_of(Stepped, delays=2)
    assert_alike(outcome(gl.RNN(cell, engine="fused"), 2, 3, 5), outcome(gl.RNN(cell, engine="ops"), 2, 3, 5))


def test_the_body_computes_the_same_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of(Rate)
    expected = outcome(gl.RNN(cell, engine="ops"), 4, 3, 5)
    monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
    monkeypatch.setattr(sequence.nodes, "usable", lambda: False)
    equation_kernel.cache_clear()
    try:
        assert_alike(outcome(gl.RNN(cell, engine="fused"), 4, 3, 5), expected)
    finally:
        equation_kernel.cache_clear()


def test_a_stream_and_a_crew_compute_the_same(plastic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rnn = gl.RNN(plastic, engine="fused")
    x, spans, _ = batch(9, plastic)
    whole = rnn(mx.array(x), timespans=spans)[0]
    stream = rnn.stream(batch_size=B)
    steps = [np.array(stream(x[:, t], spans[:, t])) for t in range(T)]
    assert difference(whole, np.stack(steps, axis=1)) < 1e-6
    monkeypatch.setattr(pairs, "CREW_SYNAPSES", 1)
    monkeypatch.setenv("GANGLION_NUM_THREADS", "3")
    equation_kernel.cache_clear()
    assert difference(gl.RNN(plastic, engine="fused")(mx.array(x), timespans=spans)[0], np.array(whole)) == 0


def test_files_of_others_keep_them(tmp_path: Any) -> None:
    """An export compares itself with the network."""
    gl.export_c(gl.RNN(cell_of(Rate)), tmp_path / "a.c")
    assert "_step(" in (tmp_path / "a.c").read_text()
    with pytest.raises(ValueError, match=r"Wrong\.delays: equations have no delays, .*delays=1"):
        type("Wrong", (gl.EquationCell,), {"update": "v = v", "delays": 1})


@pytest.mark.parametrize("delays", [None, 2])
def test_what_is_cut_is_exported(delays: int | None, tmp_path: Any) -> None:
    rnn = gl.RNN(cell_of(Rate, delays=delays))
    with gl.perturbed(rnn, gl.studies.Cut("inter", "command")):
        gl.export_c(rnn, tmp_path / "a.c")  # which compares it with the network
    assert "_step(" in (tmp_path / "a.c").read_text()


def test_a_file_keeps_them(tmp_path: Any) -> None:
    rnn = gl.RNN(cell_of(Rate))
    gl.save(rnn, tmp_path / "a.safetensors")
    again = gl.load(tmp_path / "a.safetensors")
    x = mx.array(batch(7, rnn.cell)[0])
    assert difference(again(x)[0], np.array(rnn(x)[0])) == 0
    assert again.cell._delays.recurrent.tolist() == rnn.cell._delays.recurrent.tolist()


def test_what_cannot_be_delayed_says_so() -> None:
    class Summed(gl.EquationCell):
        parameters = {"w": gl.synapse(1.0)}
        let = {"z": "s * v"}
        synapse = {"s": "w * v_pre", "c": "w * z_pre"}
        sensory = {"c": "w * x"}
        update = "v = c"

    with pytest.raises(ValueError, match="z_pre of a Summed is of sums over synapses, and cannot be delayed"):
        Summed(circuit(), delays=1)
