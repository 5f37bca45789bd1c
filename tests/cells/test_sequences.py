"""Sequences: masks, lengths, episode ends, reversal, permutation, split intervals, devices."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

from ..support.networks import ENGINES

B, T, I, N, M = 5, 7, 3, 12, 2  # noqa: E741
CIRCUIT = gl.auto_ncp(N, M, inputs=I)
KINDS = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, **o),
    "cfc-dense": lambda **o: gl.CfC(gl.dense(I, N), backbone_units=8, **o),
}
LENGTHS = np.array([7, 1, 4, 0, 6])


@pytest.fixture(params=[(kind, engine) for kind in KINDS for engine in ENGINES], ids="-".join)
def make(request: pytest.FixtureRequest) -> Any:
    kind, engine = request.param

    def made(**options: Any) -> Any:
        mx.random.seed(5)
        return KINDS[kind](engine=engine, **options)

    return made


def sample(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(B, T, I)).astype(np.float32),
        "timespans": rng.uniform(0.3, 2.0, (B, T)).astype(np.float32),
    }


def arrays(values: dict[str, np.ndarray]) -> dict[str, mx.array]:
    return {name: mx.array(value) for name, value in values.items()}


def close(found: mx.array, expected: Any, tolerance: float = 1e-6) -> bool:
    assert tuple(found.shape) == tuple(expected.shape)
    return bool(mx.allclose(found, mx.array(expected), rtol=0, atol=tolerance))


# Padding


@pytest.mark.parametrize("form", ["lengths", "mask"])
def test_a_padded_batch_equals_its_sequences_one_by_one(make: Any, form: str) -> None:
    rnn, values = make(), sample()
    state = np.random.default_rng(1).uniform(-0.5, 0.5, (B, N)).astype(np.float32)
    mask = np.arange(T) < LENGTHS[:, None]
    for name in values:  # whatever stands in the padding does not matter
        values[name] = np.where(mask if name == "timespans" else mask[..., None], values[name], np.nan)
    given = {"lengths": LENGTHS} if form == "lengths" else {"mask": mx.array(mask)}
    y, last, recording = rnn(state=mx.array(state), **arrays(values), **given, record=True)
    for k, n in enumerate(LENGTHS):
        if n == 0:
            assert close(last[k], state[k])
            assert close(y[k], np.zeros((T, M if rnn.cell.n_outputs == M else N), np.float32))
            continue
        one, one_last = rnn(
            mx.array(values["x"][k, :n]), mx.array(state[k]), mx.array(values["timespans"][k, :n])
        )
        assert close(y[k, : int(n)], one)
        assert close(y[k, int(n) - 1 :], mx.broadcast_to(one[-1], (T - int(n) + 1, one.shape[-1])))
        assert close(last[k], one_last)
        assert np.allclose(recording.states[k, n - 1 :], np.array(one_last), atol=1e-6)


def test_the_last_output_of_a_padded_batch(make: Any) -> None:
    values = arrays(sample())
    whole = make()(**values, lengths=LENGTHS)[0]
    assert close(make(return_sequences=False)(**values, lengths=LENGTHS)[0], whole[:, -1])


def test_gradients_ignore_the_padding(make: Any) -> None:
    rnn, values = make(), sample()
    mask = np.arange(T) < LENGTHS[:, None]
    values["x"] = np.where(mask[..., None], values["x"], np.nan)

    def loss(x: mx.array) -> mx.array:
        y, state = rnn(x, timespans=mx.array(values["timespans"]), lengths=LENGTHS)
        return (y**2).sum() + (state**2).sum()

    gradient = np.array(mx.grad(loss)(mx.array(values["x"])))
    assert np.isfinite(gradient).all()
    assert np.array_equal(np.abs(gradient).max(axis=2) > 0, mask)


def test_gaps_in_the_middle_are_skipped(make: Any) -> None:
    rnn, values = make(), sample()
    mask = np.random.default_rng(3).random((B, T)) < 0.5
    mask[0] = True
    y, last = rnn(**arrays(values), mask=mask)
    for k in range(B):
        kept = {name: mx.array(value[k][mask[k]]) for name, value in values.items()}
        if mask[k].any():
            one, one_last = rnn(**kept)
            assert close(y[k][mx.array(np.flatnonzero(mask[k]))], one)
            assert close(last[k], one_last)


# Episodes


def test_the_state_starts_anew_after_each_end(make: Any) -> None:
    rnn, values = make(), sample()
    ends = np.zeros((B, T), bool)
    ends[0, 2] = ends[1, 2] = ends[1, 5] = ends[2, T - 1] = True
    start = np.random.default_rng(1).uniform(-0.5, 0.5, (B, N)).astype(np.float32)
    y, last = rnn(state=mx.array(start), **arrays(values), ends=ends)
    for k in range(B):
        begin, state = 0, mx.array(start[k])
        for stop in [*(np.flatnonzero(ends[k]) + 1), T]:
            if stop > begin:
                part = {name: mx.array(value[k, begin:stop]) for name, value in values.items()}
                one, state = rnn(state=state, **part)
                assert close(y[k, begin:stop], one)
            if stop <= T and ends[k, stop - 1]:
                state = mx.zeros((N,))
            begin = stop
        assert close(last[k], state)


def test_no_gradient_crosses_an_end(make: Any) -> None:
    rnn, values = make(), sample()
    ends = np.zeros((B, T), bool)
    ends[:, 3] = True
    gradient = np.array(mx.grad(lambda x: rnn(x, ends=ends)[0][:, -1].sum())(mx.array(values["x"])))
    assert not gradient[:, :4].any()
    assert gradient[:, 4:].any()


def test_ends_and_lengths_together(make: Any) -> None:
    rnn, values = make(), sample()
    ends = np.zeros((B, T), bool)
    ends[:, 1] = True
    y, _ = rnn(**arrays(values), ends=ends, lengths=LENGTHS)
    for k, n in enumerate(LENGTHS):
        one, _ = rnn(**{name: mx.array(value[k : k + 1, : max(n, 1)]) for name, value in values.items()},
                     ends=ends[k : k + 1, : max(n, 1)])  # fmt: skip
        assert n == 0 or close(y[k, : int(n)], one[0])


@pytest.mark.parametrize("reverse", [False, True])
def test_what_ends_in_the_padding_ends_nothing(make: Any, reverse: bool) -> None:
    """Environments go on reporting "done" after the last sample of a row."""
    rnn, values = make(reverse=reverse), sample()
    ends = np.random.default_rng(4).random((B, T)) < 0.4
    ends[np.arange(B), np.maximum(LENGTHS - 1, 0)] = [False, False, True, False, True]
    ends |= np.arange(T) >= LENGTHS[:, None]
    start = mx.array(np.random.default_rng(1).uniform(-0.5, 0.5, (B, N)).astype(np.float32))
    y, last = rnn(state=start, **arrays(values), ends=ends, lengths=LENGTHS)
    for k, n in enumerate(LENGTHS):
        if n == 0:
            assert close(last[k], np.array(start[k]))
            continue
        alone = {name: mx.array(value[k, :n]) for name, value in values.items()}
        one, one_last = rnn(state=start[k], **alone, ends=ends[k, :n])
        assert close(y[k, : int(n)], one)
        assert close(last[k], one_last)


def test_ends_beside_gaps_read_backwards(make: Any) -> None:
    """An end parts the same two samples whether or not there is a gap between them."""
    rnn, values = make(reverse=True), sample()
    rng = np.random.default_rng(5)
    mask, ends = rng.random((B, T)) < 0.6, rng.random((B, T)) < 0.4
    mask[:, 0] = True
    y, last = rnn(**arrays(values), ends=ends, mask=mask)
    for k in range(B):
        kept = {name: mx.array(value[k][mask[k]]) for name, value in values.items()}
        one, one_last = rnn(**kept, ends=ends[k][mask[k]])
        assert close(y[k][mx.array(np.flatnonzero(mask[k]))], one)
        assert close(last[k], one_last)


# Reversal


def test_reverse_reads_backwards_and_answers_in_place(make: Any) -> None:
    values = sample()
    y, last = make(reverse=True)(**arrays(values))
    spans = values["timespans"]
    gaps = np.concatenate(
        [spans[:, :1], spans[:, :0:-1]], axis=1
    )  # the gap to the sample that was read before
    expected, expected_last = make()(mx.array(values["x"][:, ::-1].copy()), timespans=mx.array(gaps))
    assert close(y[:, ::-1], expected)
    assert close(last, expected_last)
    only_last = make(reverse=True, return_sequences=False)(**arrays(values))[0]
    assert close(only_last, y[:, 0])


def test_reverse_of_a_padded_batch(make: Any) -> None:
    rnn, values = make(reverse=True), sample()
    y, last = rnn(**arrays(values), lengths=LENGTHS)
    for k, n in enumerate(LENGTHS):
        if n:
            one, one_last = rnn(**{name: mx.array(value[k, :n]) for name, value in values.items()})
            assert close(y[k, : int(n)], one)
            assert close(last[k], one_last)


def test_reverse_with_episode_ends(make: Any) -> None:
    rnn, values = make(reverse=True), sample()
    ends = np.zeros((B, T), bool)
    ends[:, 2] = True
    y, _ = rnn(mx.array(values["x"]), ends=ends)
    parts = [rnn(mx.array(values["x"][:, part]))[0] for part in (slice(0, 3), slice(3, T))]
    assert close(y, mx.concatenate(parts, axis=1))


# Irregular sampling


def test_permuting_the_batch_permutes_the_result(make: Any) -> None:
    rnn, values = make(), sample()
    order = np.random.default_rng(2).permutation(B)
    y, last = rnn(**arrays(values))
    permuted, permuted_last = rnn(**arrays({name: value[order] for name, value in values.items()}))
    assert close(permuted, np.array(y)[order])
    assert close(permuted_last, np.array(last)[order])


@pytest.mark.parametrize("batch", [1, N, T])
def test_no_batch_size_is_special(make: Any, batch: int) -> None:
    """ncps squeezes time spans to (B,), which mixes rows up or raises when B is 1 or N."""
    rng = np.random.default_rng(0)
    rnn, x = make(), rng.normal(size=(batch, T, I)).astype(np.float32)
    spans = rng.uniform(0.3, 2.0, (batch, T)).astype(np.float32)
    y, last = rnn(mx.array(x), timespans=mx.array(spans))
    for k in range(batch):
        one, one_last = rnn(mx.array(x[k]), timespans=mx.array(spans[k]))
        assert close(y[k], one)
        assert close(last[k], one_last)


@pytest.mark.parametrize("engine", ENGINES)
def test_splitting_an_interval_changes_an_ltc_by_the_solvers_error_only(engine: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(B, 1, I)).astype(np.float32)
    state = mx.array(rng.uniform(-0.5, 0.5, (B, N)).astype(np.float32))
    unfolds, errors = np.array([3, 6, 12, 24, 48]), []
    for n in unfolds:
        rnn = gl.LTC(CIRCUIT, ode_unfolds=int(n), key=mx.random.key(1), engine=engine)
        _, whole = rnn(mx.array(x), state, timespans=2.0)
        _, halves = rnn(mx.array(np.repeat(x, 2, axis=1)), state, timespans=1.0)
        errors.append(float(mx.abs(whole - halves).max()))
    assert errors[0] < 0.2
    slope = -np.polyfit(np.log(unfolds[1:]), np.log(errors[1:]), 1)[0]
    assert slope > 0.8, errors


# Options of the call


def test_the_state_need_not_be_returned(make: Any) -> None:
    x = mx.array(sample()["x"])
    y = make(return_state=False)(x)
    assert close(y, make()(x)[0])
    outputs, recording = make(return_state=False)(x, record=True)
    assert close(outputs, y)
    assert recording.states.shape == (B, T, N)


def test_proj_size_maps_the_outputs(make: Any) -> None:
    x = mx.array(sample()["x"])
    rnn = make(proj_size=4)
    y, _, recording = rnn(x, record=True)
    plain = make()
    plain.cell.update(rnn.cell.parameters())
    assert close(y, rnn.projection(plain(x)[0]), 1e-5)
    assert rnn.compute_output_shape((B, T, I)) == tuple(y.shape) == recording.outputs.shape


def test_output_shapes_are_known_beforehand(make: Any) -> None:
    for options, shape in (({}, (B, T, I)), ({}, (T, I)), ({"return_sequences": False}, (B, T, I))):
        rnn = make(return_state=False, **options)
        assert rnn.compute_output_shape(shape) == tuple(rnn(mx.zeros(shape)).shape)
    assert make().get_initial_state(batch_size=4).shape == (4, N)
    assert make().get_initial_state(mx.zeros((6, T, I))).shape == (6, N)


WHERE = {"cpu": mx.cpu, "stream": mx.new_stream(mx.cpu)} | (
    {"gpu": mx.gpu} if mx.is_available(mx.gpu) else {}
)


@pytest.mark.parametrize("where", WHERE)
def test_a_stream_or_device_changes_nothing(make: Any, where: str) -> None:
    values = arrays(sample())
    tolerance = 1e-5 if where == "gpu" else 0
    assert close(make()(**values, stream=WHERE[where])[0], make()(**values, stream=mx.cpu)[0], tolerance)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"lengths": [1, 2]}, ValueError, r"lengths have shape \(2,\): expected \(5,\)"),
        ({"lengths": [1, 2, 3, 4, 8]}, ValueError, "reach from 1 to 8: expected 0 to 7"),
        ({"lengths": [1.5] * B}, TypeError, "lengths must hold whole numbers"),
        ({"mask": np.ones((B, T + 1), bool)}, ValueError, r"mask has shape \(5, 8\): expected \(5, 7\)"),
        ({"ends": np.ones(T, bool)}, ValueError, r"ends has shape \(7,\): expected \(5, 7\)"),
        ({"mask": np.ones((B, T)), "lengths": [1] * B}, ValueError, "both mask and lengths"),
        ({"mask": [[True], [True, False]]}, TypeError, "mask must be one array"),
    ],
)
def test_bad_masks(make: Any, given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()(mx.zeros((B, T, I)), **given)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_inside_compile_are_numpy(kind: str) -> None:
    rnn, x = KINDS[kind](engine="ops"), mx.array(sample()["x"])
    expected = rnn(x, lengths=LENGTHS)[0]
    assert close(mx.compile(lambda x: rnn(x, lengths=LENGTHS)[0])(x), expected)
    with pytest.raises(ValueError, match=r"mask must have values: inside mx\.compile, pass a NumPy array"):
        mx.compile(lambda x, m: rnn(x, mask=m)[0])(x, mx.ones((B, T), mx.bool_))


def test_bad_options() -> None:
    with pytest.raises(ValueError, match="proj_size must be 1 or more, got 0"):
        gl.LTC(CIRCUIT, proj_size=0)


@pytest.mark.parametrize("engine", ["auto", "ops"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 4), (3, 4)])
def test_arrays_that_are_read_backwards_are_taken(shape: tuple[int, int], engine: str) -> None:
    """MLX refuses arrays of negative strides, those of one element, too, which NumPy calls contiguous."""
    circuit, rng = gl.auto_ncp(8, 2, inputs=3), np.random.default_rng(0)
    x, spans = rng.normal(size=(*shape, 3)), rng.uniform(0.5, 2, shape)
    mask, ends, state = rng.random(shape) < 0.7, rng.random(shape) < 0.3, rng.normal(size=(shape[0], 8))
    for network in (gl.LTC(circuit, engine=engine, reverse=True), gl.CfC(circuit, engine=engine)):
        given = [np.flip(np.flip(a).copy()) for a in (x, state, spans, mask, ends)]
        assert all(stride < 0 for a in given for stride in a.strides)
        outputs, last = network(given[0], given[1], given[2], mask=given[3], ends=given[4])
        expected, expected_last = network(x, state, spans, mask=mask, ends=ends)
        assert np.array_equal(np.array(outputs), np.array(expected))
        assert np.array_equal(np.array(last), np.array(expected_last))
