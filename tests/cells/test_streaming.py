"""A network fed one sample at a time does what it does with the whole sequence."""

from __future__ import annotations

import copy
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map

import ganglion as gl

B, T, I, N, M = 3, 6, 4, 12, 2  # noqa: E741
CIRCUIT, WIDE = gl.auto_ncp(N, M, inputs=I), gl.auto_ncp(N, M, inputs=3 * I)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, I)).astype(np.float32)
SPANS = RNG.uniform(0.3, 2.0, (B, T)).astype(np.float32)
NETWORKS = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, **o),
    "ltc-softplus": lambda **o: gl.LTC(CIRCUIT, positive="softplus", input_mapping=None, **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, **o),
    "cfc-pure": lambda **o: gl.CfC(CIRCUIT, mode="pure", **o),
    "cfc-dense": lambda **o: gl.CfC(gl.dense(I, N), backbone_units=8, **o),
    "mixed memory": lambda **o: gl.CfC(CIRCUIT, mixed_memory=True, **o),
    "projected": lambda **o: gl.LTC(CIRCUIT, proj_size=3, **o),
    "missing values": lambda **o: gl.RNN(gl.MissingValueCell(gl.LTCCell(WIDE)), **o),
}
ON_OPERATIONS = {
    "ct-gru": lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)),
    "rk4": lambda: gl.LTC(CIRCUIT, solver="rk4"),
}


def whole(rnn: Any, **given: Any) -> np.ndarray:
    return np.array(rnn(mx.array(X), timespans=mx.array(SPANS), **given)[0])


def stepped(stream: gl.Stream) -> np.ndarray:
    return np.stack([np.array(stream(X[:, t], SPANS[:, t])) for t in range(T)], axis=1)


def assert_equal_states(ours: Any, theirs: Any) -> None:
    pairs = zip(tree_flatten(ours), tree_flatten(theirs), strict=True)
    for (where, a), (same, b) in pairs:
        assert where == same
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("engine", ["auto", "fused", "ops"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_stream_equals_the_sequence(name: str, engine: str) -> None:
    rnn = NETWORKS[name](engine=engine)
    stream = rnn.stream(B)
    assert stream.engine == ("ops" if engine == "ops" else "fused")
    np.testing.assert_allclose(stepped(stream), whole(rnn), atol=1e-6)
    assert_equal_states(stream.state, rnn(mx.array(X), timespans=mx.array(SPANS))[1])


@pytest.mark.parametrize("name", ON_OPERATIONS)
def test_a_cell_without_kernel_streams_on_operations(name: str) -> None:
    rnn = ON_OPERATIONS[name]()
    stream = rnn.stream(B)
    assert stream.engine == "ops"
    np.testing.assert_allclose(stepped(stream), whole(rnn), atol=1e-6)


@pytest.mark.parametrize("engine", ["fused", "ops"])
@pytest.mark.parametrize("batch", [1, 16, 40])
def test_any_number_of_rows(engine: str, batch: int) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    x = RNG.normal(size=(batch, 4, I)).astype(np.float32)
    stream = rnn.stream(batch)
    y = mx.stack([stream(x[:, t], 0.5) for t in range(4)], axis=1)
    np.testing.assert_allclose(y, rnn(mx.array(x), timespans=0.5)[0], atol=1e-6)


@pytest.mark.parametrize("engine", ["fused", "ops"])
def test_one_sequence_has_no_batch_axis(engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    stream = rnn.stream()
    y = mx.stack([stream(sample.tolist(), float(span)) for sample, span in zip(X[0], SPANS[0], strict=True)])
    np.testing.assert_allclose(y, rnn(mx.array(X[0]), timespans=mx.array(SPANS[0]))[0], atol=1e-6)
    assert stream.state.shape == (N,)


@pytest.mark.parametrize("name", ["ltc", "mixed memory"])
def test_reset_starts_all_or_some_rows_anew(name: str) -> None:
    stream = (NETWORKS | ON_OPERATIONS)[name]().stream(B)
    first = np.array(stream(X[:, 0]))
    stream(X[:, 1])
    stream.reset()
    np.testing.assert_array_equal(stream(X[:, 0]), first)

    stream(X[:, 1])
    stream.reset([True, False, True])
    again = np.array(stream(X[:, 0]))
    np.testing.assert_allclose(again[[0, 2]], first[[0, 2]], atol=1e-7)
    assert not np.allclose(again[1], first[1])


@pytest.mark.parametrize("name", ["ltc", "mixed memory"])
def test_the_state_can_be_read_and_set(name: str) -> None:
    rnn = (NETWORKS | ON_OPERATIONS)[name]()
    stream = rnn.stream(B)
    for t in range(3):
        stream(X[:, t])
    kept, after = stream.state, np.array(stream(X[:, 3]))
    stream(X[:, 4])
    stream.state = kept
    np.testing.assert_array_equal(stream(X[:, 3]), after)
    _, state = rnn(mx.array(X[:, :3]))
    stream.state = state
    np.testing.assert_allclose(stream(X[:, 3]), after, atol=1e-6)


def test_outputs_stay_what_they_were() -> None:
    stream = gl.LTC(CIRCUIT).stream()
    first = stream(X[0, 0])
    before = np.array(first)
    stream(X[0, 1])
    np.testing.assert_array_equal(first, before)


def test_a_stream_uses_the_parameters_of_its_beginning() -> None:
    rnn = gl.LTC(CIRCUIT)
    stream, before = rnn.stream(B), whole(rnn)
    rnn.cell.w = rnn.cell.w + 0.3
    np.testing.assert_allclose(stepped(stream), before, atol=1e-6)
    np.testing.assert_allclose(stepped(rnn.stream(B)), whole(rnn), atol=1e-6)


def test_a_stream_refuses_what_does_not_fit() -> None:
    rnn = gl.LTC(CIRCUIT)
    for stream, expected in ((rnn.stream(), r"\(4,\)"), (rnn.stream(B), r"\(3, 4\)")):
        for x in (np.zeros((B + 1, I)), np.zeros((B, I)) if stream.state.ndim == 1 else np.zeros(I)):
            with pytest.raises(ValueError, match=rf"the sample has shape .*expected {expected}"):
                stream(x)
        with pytest.raises(ValueError, match=r"input of one step has shape \(3, 5\)"):
            stream(np.zeros((B, I + 1)))
    stream = rnn.stream(B)
    for span in (-1.0, np.nan, np.inf, 1e39, np.array([1.0, -1.0, 1.0])):
        with pytest.raises(ValueError, match=r"time span .*expected a finite number of at least 0"):
            stream(X[:, 0], span)
    with pytest.raises(ValueError, match=r"time span has shape \(2,\)"):
        stream(X[:, 0], [1.0, 1.0])
    with pytest.raises(TypeError, match="the input must hold real numbers, got list"):
        stream([["a"] * I] * B)
    with pytest.raises(ValueError, match=r"reset has shape \(1,\): expected \(3,\)"):
        stream.reset([True])
    with pytest.raises(ValueError, match=r"state has shape \(3, 2\): expected \(3, 12\)"):
        stream.state = np.zeros((B, 2))
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        rnn.stream(0)
    with pytest.raises(ValueError, match="reads backwards"):
        gl.LTC(CIRCUIT, reverse=True).stream()
    with pytest.raises(gl.KernelError, match="CTGRUCell"):
        gl.RNN(gl.CTGRUCell(CIRCUIT), engine="fused").stream()
    with pytest.raises(ValueError, match="LiquidCell learns its inputs when it is built"):
        gl.RNN(gl.LiquidCell(8)).stream()


def test_missing_values_stream_through_the_kernel() -> None:
    holes = np.where(RNG.uniform(size=X.shape) < 0.4, np.nan, X).astype(np.float32)
    for cell, engine in (
        (gl.LTCCell(WIDE), "fused"),
        (gl.CfCCell(WIDE), "fused"),
        (gl.CTRNNCell(WIDE), "fused"),
    ):
        rnn = gl.RNN(gl.MissingValueCell(cell))
        stream = rnn.stream(B)
        assert stream.engine == engine
        y = np.stack([np.array(stream(holes[:, t], SPANS[:, t])) for t in range(T)], axis=1)
        expected, state = rnn(mx.array(holes), timespans=mx.array(SPANS))
        np.testing.assert_allclose(y, expected, atol=1e-6)
        assert_equal_states(stream.state, state)
    stream.reset([True, False, False])
    for part, width in zip(stream.state, (N, I, I), strict=True):
        assert part.shape == (B, width)
        assert not np.array(part)[0].any()


# Stacks


def make_stack(**options: Any) -> gl.Stack:
    memory = gl.CfC(gl.auto_ncp(8, 3, inputs=5), mixed_memory=True, engine="ops")
    inner = gl.Stack([memory, nn.LayerNorm(3), nn.tanh])
    layers = [nn.Linear(I, 5), inner, gl.NCPDense(4, "relu"), gl.LTC(CIRCUIT, proj_size=3), nn.Linear(3, 2)]
    return gl.Stack(layers, **options)


STACKS = {
    "fused": lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(5), gl.CfC(gl.dense(5, 8), backbone_units=8)]),
    "ops": lambda: gl.Stack([gl.NCPDense(I), gl.LTC(CIRCUIT, engine="ops")]),
    "mixed": make_stack,
}


@pytest.mark.parametrize("engine", STACKS)
def test_a_stack_streams_as_it_runs_sequences(engine: str) -> None:
    stack = STACKS[engine]()
    if engine == "ops":
        stack.build(X.shape)  # the first layer does not know its inputs
    stream = stack.stream(B)
    assert stream.engine == engine
    np.testing.assert_allclose(stepped(stream), whole(stack), atol=1e-6)
    assert_equal_states(stream.state, stack(mx.array(X), timespans=mx.array(SPANS))[1])


@pytest.mark.parametrize("engine", STACKS)
def test_resets_of_a_stack_are_ends_of_episodes(engine: str) -> None:
    stack = STACKS[engine]()
    ends = RNG.uniform(size=(B, T)) < 0.4
    expected = whole(stack, ends=ends)
    stream, y = stack.stream(B), []
    for t in range(T):
        y.append(np.array(stream(X[:, t], SPANS[:, t])))
        stream.reset(ends[:, t])
    np.testing.assert_allclose(np.stack(y, axis=1), expected, atol=1e-6)
    stream.reset()
    np.testing.assert_allclose(stream(X[:, 0], SPANS[:, 0]), expected[:, 0], atol=1e-6)


def test_the_states_of_a_stack_can_be_read_and_set() -> None:
    stack = make_stack()
    _, states = stack(mx.array(X[0, :3]), timespans=mx.array(SPANS[0, :3]))
    stream = stack.stream()
    for t in range(3):
        stream(X[0, t], float(SPANS[0, t]))
    assert_equal_states(stream.state, states)
    after = stream(X[0, 3], 0.5)
    stream.state = states
    np.testing.assert_allclose(stream(X[0, 3], 0.5), after, atol=1e-6)

    before = stream.state
    with pytest.raises(ValueError, match="1 state for 2 layers"):
        stream.state = states[:1]
    with pytest.raises(ValueError, match=r"the state has shape \(3,\): expected \(12,\)"):
        stream.state = (states[0], mx.zeros(3))
    assert_equal_states(stream.state, before)


def test_dropout_of_a_stack_acts_in_training_only() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT), nn.Linear(M, 200)], dropout=0.5)
    training = stack.stream(B)
    assert not mx.array_equal(training(X[:, 0]), stack.stream(B)(X[:, 0]))
    stack.eval()
    np.testing.assert_allclose(stepped(stack.stream(B)), whole(stack), atol=1e-6)


def test_a_stream_of_a_stack_uses_the_parameters_of_its_beginning() -> None:
    stack = make_stack()
    stream, before = stack.stream(B), whole(stack)
    stack.update(tree_map(lambda value: value + 0.2, stack.parameters()))
    np.testing.assert_allclose(stepped(stream), before, atol=1e-6)
    np.testing.assert_allclose(stepped(stack.stream(B)), whole(stack), atol=1e-6)


def test_what_needs_the_whole_sequence_is_refused() -> None:
    both = gl.Bidirectional(gl.LTC(CIRCUIT), "sum")
    with pytest.raises(ValueError, match=r"^a network that reads backwards needs the whole sequence"):
        both.stream()
    wide = gl.LTC(gl.auto_ncp(N, M, inputs=M), reverse=True)
    for layers, said in (
        ([gl.NCPDense(I), both], r"layer 1 \(Bidirectional\): a network that reads backwards"),
        ([gl.LTC(CIRCUIT), gl.Stack([nn.tanh, wide])], r"layer 1 \(Stack\): layer 1 \(LTC\): a network that"),
        (
            [nn.Linear(I, 3), nn.Conv1d(3, 3, 3, padding=1)],
            r"layer 1 \(Conv1d\): its outputs depend on samples",
        ),
        ([gl.LTC(CIRCUIT), nn.GRU(M, 3)], r"layer 1 \(GRU\): its outputs depend on samples"),
    ):
        stack = gl.Stack(layers)
        stack.build(X.shape)
        with pytest.raises(ValueError, match=said):
            stack.stream(B)
    with pytest.raises(ValueError, match="this Stack learns its inputs when it is built"):
        gl.Stack([gl.NCPDense(I), gl.LTC(CIRCUIT)]).stream()


def test_a_batch_norm_streams_in_eval_only_and_learns_nothing_from_the_look_at_it() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT), nn.BatchNorm(M)])
    before = np.array(stack.layers[1].running_mean)
    with pytest.raises(ValueError, match=r"layer 1 \(BatchNorm\): .*in training only, call eval\(\)"):
        stack.stream()
    np.testing.assert_array_equal(stack.layers[1].running_mean, before)
    stack.eval()
    np.testing.assert_allclose(stepped(stack.stream(B)), whole(stack), atol=1e-6)


def test_a_stream_in_the_units_of_the_data() -> None:
    rnn = gl.LTC(gl.auto_ncp(16, 2, inputs=3, seed=1))
    model = gl.Scaled(
        rnn, list("abc"), list("de"),
        mean=[3.0, 0.0, -1.0], spread=[0.5, 1.0, 2.0], offset=[1.0, 2.0], scale=[4.0, 5.0], time_unit=0.02,
    )  # fmt: skip
    x = mx.random.normal((2, 6, 3)) + 2.0
    spans = mx.random.uniform(0.01, 0.05, (2, 6))
    expected, last = model(x, timespans=spans)
    stream = model.stream(batch_size=2)
    for t in range(6):
        assert mx.allclose(stream(x[:, t], np.array(spans[:, t])), expected[:, t], atol=1e-5)
    assert stream.engine == "fused"
    assert mx.allclose(stream.state, last, atol=1e-5)
    stream.reset()
    assert mx.allclose(stream(x[:, 0], np.array(spans[:, 0])), expected[:, 0], atol=1e-5)


@pytest.mark.parametrize("engine", ["ops", "fused"])
@pytest.mark.parametrize("kind", ["ltc", "stack", "missing"])
def test_rows_of_a_stream_as_those_of_a_sequence(kind: str, engine: str) -> None:
    """What happens to rows, sample by sample and at once; where there is no sample, there is rubbish."""
    rng = np.random.default_rng(6)
    inputs = 3 * I if kind == "missing" else I
    circuit = gl.auto_ncp(12, 2, inputs=inputs)
    network: Any = gl.LTC(circuit, engine=engine)
    if kind == "stack":
        network = gl.Stack([network, gl.NCPDense(3, "tanh")])
    elif kind == "missing":
        network = gl.RNN(gl.MissingValueCell(network.cell), engine=engine)
    steps = 12
    mask, ends, starts = rng.random((3, B, steps)) < np.array([0.6, 0.3, 0.2])[:, None, None]
    x = np.where(mask[..., None], rng.normal(size=(B, steps, I)), np.inf).astype(np.float32)
    spans = np.where(mask, rng.choice([0.0, 0.5, 2.0], (B, steps)), -1.0).astype(np.float32)
    outputs, last = network(x, timespans=spans, mask=mask, ends=ends, starts=starts)
    stream = network.stream(B)
    for t in range(steps):
        shown = stream(x[:, t], spans[:, t], mask=mask[:, t], ends=ends[:, t], starts=starts[:, t] * 1.0)
        np.testing.assert_allclose(shown, outputs[:, t], atol=1e-6)
    for (_, found), (_, expected) in zip(tree_flatten(stream.state), tree_flatten(last), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_row_of_a_stream_without_a_batch_axis() -> None:
    stream, other = (gl.LTC(CIRCUIT, key=mx.random.key(1)).stream() for _ in range(2))
    assert not np.array(stream([np.nan] * I, np.nan, mask=False)).any()
    first = stream([0.5] * I, 1e-40, ends=1)
    assert np.array_equal(first, other([0.5] * I, 0.0))
    assert np.array_equal(stream([9.0] * I, mask=0), first)
    assert not np.array(stream.state).any()
    with pytest.raises(ValueError, match=r"mask has shape \(2,\): expected a scalar"):
        stream([0.0] * I, mask=[1, 0])
    with pytest.raises(ValueError, match=r"the sample has shape .*expected \(4,\)"):
        stream([[0.0] * I], mask=0)
    many = gl.LTC(CIRCUIT).stream(B)
    with pytest.raises(ValueError, match=r"time span of row 1 is -1\.0"):
        many(X[:, 0], [-1.0, -1.0, 1.0], mask=[0, 1, 1])
    with pytest.raises(ValueError, match=r"the sample has shape .*expected \(3, 4\)"):
        many(X[:2, 0], mask=[0, 1, 1])


def test_the_float32_of_a_time_span_counts() -> None:
    stream = gl.LTC(CIRCUIT).stream()
    with pytest.raises(ValueError, match="the time span is inf: expected a finite number of at least 0"):
        stream([0.0] * I, 1e39)
    assert np.isfinite(stream([0.0] * I, 1e-300)).all()


@pytest.mark.parametrize("kind", ["ltc", "mixed memory", "missing values", "mixed", "scaled"])
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_stream_goes_on_by_itself(kind: str, copied: Any) -> None:
    if kind == "scaled":
        network: Any = gl.Scaled(gl.LTC(CIRCUIT), list("abcd"), list("xy"), mean=1.0, time_unit=0.5)
    else:
        network = (NETWORKS | STACKS)[kind]()
    stream = network.stream(B)
    stream(X[:, 0])
    other = copied(stream)
    network.update(
        tree_map(lambda value: value + 0.2, network.parameters())
    )  # a stream keeps those it began with
    expected = np.array(stream(X[:, 1]))
    stream(X[:, 2])
    np.testing.assert_array_equal(other(X[:, 1]), expected)
    other.reset([True, False, False])
    assert not np.allclose(np.array(other(X[:, 2])), np.array(stream(X[:, 2])))


def test_columns_by_name_in_the_units_of_the_data() -> None:
    model = gl.Scaled(gl.LTC(CIRCUIT), list("abcd"), list("xy"), mean=[1.6e9, 0.0, 1.0, 2.0], spread=0.5)
    named, plain = model.stream(), model.stream()
    sample = {"d": 1.0, "c": 2.0, "b": 3.0, "a": 1.6e9 + 0.25}
    np.testing.assert_array_equal(named(sample, 0.5), plain([1.6e9 + 0.25, 3.0, 2.0, 1.0], 0.5))
    rows = model.stream(B)
    x = np.column_stack([1.6e9 + np.arange(B), np.ones((B, 3))])
    expected = model.stream(B)(x)
    np.testing.assert_array_equal(rows(dict(zip("abcd", x.T, strict=True))), expected)
    for bad, message in (
        ({"a": 1.0}, "the sample has no 'b': expected a, b, c, d"),
        (sample | {"e": 1.0}, "the sample has 'e': expected a, b, c, d"),
        (sample | {"a": [1.0, 2.0]}, "columns of shapes"),
    ):
        with pytest.raises(ValueError, match=message):
            named(bad)
