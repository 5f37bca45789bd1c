"""Noise of equations: by seed, row, sample and neuron alone, whoever computes it in how many pieces."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from scipy.stats import kstest, norm

import ganglion as gl
from ganglion.cells.equations import noise
from ganglion.cells.equations.noise import numbered, numbers, places, table
from ganglion.cells.threefry import threefry
from ganglion.compile.kernels import sequence
from ganglion.testing import check_cell

from ..kernels.emulate import EmulatedRunner
from ..support.networks import difference
from .test_kernels import assert_alike, outcome

CIRCUIT = gl.auto_ncp(11, 2, inputs=3, seed=4)
STEPS = 12


class Noisy(gl.EquationCell):
    """Two states with noise, of which one is that of a sum."""

    parameters = {
        "w": gl.synapse("signed_glorot", strength=True),
        "tau": gl.neuron(0.5, 1.5, positive=True),
        "s": gl.neuron(0.2, 0.6),
    }
    synapse = {"i": "w * tanh(v_pre)"}
    dynamics = ("tau * dv/dt = i - v - u", "du/dt = v - u")
    noise = {"u": "0.3 + i**2", "v": "s * (1 + abs(v))"}
    unfolds = 2


class Alone(gl.EquationCell):
    """Nothing but noise."""

    update = ("v = 0 * v", "u = 0 * u")
    noise = {"v": "1", "u": "1"}


class Leak(gl.EquationCell):
    """The process of Ornstein and Uhlenbeck."""

    parameters = {"tau": gl.neuron(1.5), "s": gl.neuron(0.8)}
    dynamics = "tau * dv/dt = -v"
    noise = {"v": "s"}
    solver, unfolds = "exponential", 1


def cell(**options: Any) -> Noisy:
    mx.random.seed(1)
    return Noisy(CIRCUIT, **options)


def batch(rows: int) -> mx.array:
    return mx.array(np.random.default_rng(0).uniform(-1, 1, (rows, STEPS, 3)).astype(np.float32))


@pytest.mark.parametrize("own", [np, mx])
def test_words_are_those_of_threefry(own: Any) -> None:
    """The known answers of its authors."""
    most = (1 << 32) - 1
    for key, counter, expected in (
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((most, most), (most, most), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ):
        words = [tuple(own.array([word], own.uint32) for word in pair) for pair in (key, counter)]
        assert tuple(int(word[0]) for word in threefry(words[0], words[1])) == expected


def test_numbers_are_normal() -> None:
    half = table().astype(float) * 2
    for k, moment in enumerate((1, 3, 15, 105), start=1):
        assert (half ** (2 * k)).mean() == pytest.approx(moment, rel=1e-6)
    drawn = numbers(5, numbered(np.zeros((200, 8), np.float32)), np.arange(1000, dtype=np.uint32), 0, 1)
    ranked = np.sort(drawn.reshape(-1))
    assert kstest(ranked, "norm").pvalue > 0.01
    assert (np.abs(ranked) > 3).mean() == pytest.approx(2 * norm.sf(3), rel=0.1)
    assert abs(np.corrcoef(drawn)[np.triu_indices(200, 1)]).max() < 0.2


def test_neurons_have_places_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places(("a", "c"))[1] == places(("a", "b", "c"))[2]
    monkeypatch.setattr(noise.zlib, "crc32", lambda name: len(name))
    places.cache_clear()
    assert len(set(places(("a", "b", "cc")).tolist())) == 3
    places.cache_clear()


@pytest.mark.parametrize("solver", ["semi_implicit", "euler", "exponential", "rk4"])
def test_operations_are_the_reference(solver: str) -> None:
    for one in (cell(solver=solver, seed=1 << 31), Alone(CIRCUIT, seed=3)):
        x = batch(3)
        spans = np.random.default_rng(1).choice([0.0, 0.3, 1.0], (3, STEPS)).astype(np.float32)
        expected, last = one.reference(x, None, spans)
        y, state = gl.RNN(one, engine="ops")(x, timespans=spans)
        assert difference(y, expected) < 1e-5
        for mine, theirs in zip(state, last, strict=True):
            assert difference(mine, theirs) < 1e-5


@pytest.mark.parametrize(("every", "reverse"), [(1, False), (3, True)])
def test_kernels_are_the_operations(every: int, reverse: bool) -> None:
    ops, fused = (
        outcome(gl.RNN(cell(), engine=engine, checkpoint_every=every, reverse=reverse), 5, 7, 7)
        for engine in ("ops", "fused")
    )
    assert_alike(fused, ops)


def test_the_body_computes_the_same_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(gl.RNN(cell(), engine="fused"), 4, 3, 5)
    monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
    monkeypatch.setattr(sequence.nodes, "usable", lambda: False)
    assert_alike(outcome(gl.RNN(cell(), engine="fused"), 4, 3, 5), expected)


def test_engines_draw_the_same_bits() -> None:
    x = mx.zeros((19, STEPS, 3))
    ops, fused = (gl.RNN(Alone(CIRCUIT, seed=70000), engine=engine)(x) for engine in ("ops", "fused"))
    for one, other in ((ops[0], fused[0]), *zip(ops[1], fused[1], strict=True)):
        np.testing.assert_array_equal(np.array(one), np.array(other))
    drawn = np.array(fused[0])
    assert len(np.unique(drawn)) > 0.99 * drawn.size
    assert drawn.std() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_bits_are_the_same_in_pieces(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In batches, chunks, streams and threads, and the noise goes on behind an episode's end."""
    rnn = gl.RNN(cell(), engine=engine)
    x = batch(40)
    whole, last = rnn(x)
    first, state = rnn(x[:, :5])
    second, end = rnn(x[:, 5:], state)
    np.testing.assert_array_equal(np.array(mx.concatenate([first, second], axis=1)), np.array(whole))
    for one, other in zip(end, last, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))
    np.testing.assert_array_equal(np.array(rnn(x[:17])[0]), np.array(whole[:17]))
    later = tuple(part[17:] for part in rnn.cell.begun(rnn.get_initial_state(batch_size=40)))
    np.testing.assert_array_equal(np.array(rnn(x[17:], later)[0]), np.array(whole[17:]))
    stream = rnn.stream(40)
    assert stream.engine == engine
    for t in range(3):
        np.testing.assert_array_equal(np.array(stream(x[:, t])), np.array(whole[:, t]))
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("GANGLION_NUM_THREADS", threads)
        np.testing.assert_array_equal(np.array(rnn(x)[0]), np.array(whole))
    ends = np.zeros((40, STEPS), bool)
    ends[3, 5] = True
    ended, after = rnn(x, ends=ends)
    np.testing.assert_array_equal(np.array(after[-1]), np.array(last[-1]))
    assert difference(ended[3, 6:], np.array(whole[3, 6:])) > 1e-3


def test_the_variance_of_ornstein_and_uhlenbeck() -> None:
    """With the exponential solver it is right at any step."""
    x, span = mx.zeros((256, 80, 3)), 1.2
    states = gl.RNN(Leak(CIRCUIT, seed=1), engine="ops")(x, timespans=span, return_states=True)[-1]
    later, expected = np.array(states)[:, 10:], 0.8**2 * 1.5 / 2
    assert later.var() == pytest.approx(expected, rel=0.02)
    across = (later[:, 1:] * later[:, :-1]).mean()
    assert across == pytest.approx(expected * np.exp(-span / 1.5), abs=0.02 * expected)


def test_a_noisy_cell_is_a_cell() -> None:
    check_cell(cell())


def test_what_a_seed_does(tmp_path: Any) -> None:
    one, x = cell(seed=5), batch(2)
    before = np.array(gl.RNN(one)(x)[0])
    one.seed = 6
    assert difference(gl.RNN(one)(x)[0], before) > 1e-3
    gl.save(gl.RNN(one), tmp_path / "a.safetensors")
    assert gl.load(tmp_path / "a.safetensors").cell.seed == 6
    for wrong, told in ((-1, "seed"), (1 << 32, "seed"), (0.5, "seed must be a whole number")):
        with pytest.raises((TypeError, ValueError), match=told):
            one.seed = wrong
    assert one.seed == 6
    with pytest.raises(ValueError, match="a Quiet has no noise: it has no seed"):
        type("Quiet", (gl.EquationCell,), {"update": "v = 0 * v"})(CIRCUIT, seed=1)


def test_what_has_no_noise_says_so() -> None:
    rnn = gl.RNN(cell())
    with pytest.raises(TypeError, match="a Noisy has noise, which twice as many steps draw anew"):
        gl.solver_error(rnn, np.array(batch(1)))
    with pytest.raises(ValueError, match="the noise of a Noisy goes on behind an episode"):
        gl.BoundedStream(rnn.stream())
    with pytest.raises(ValueError, match="expected one"):
        gl.MixedMemoryCell(cell())


def test_a_missing_value_keeps_the_noise() -> None:
    inner = Noisy(gl.auto_ncp(11, 2, inputs=9, seed=4))
    rnn = gl.RNN(gl.MissingValueCell(inner))
    _, state = rnn(batch(3))
    assert np.array(state[2])[:, 0].tolist() == [1, 2, 3]


def test_it_is_printed() -> None:
    assert (
        Noisy.latex()
        .splitlines()[-2]
        .endswith(r"- u_j + \tau_j\,s_j\,\left(1 + \left|v_j\right|\right)\,\xi_j \\")
    )
    assert Alone.latex().splitlines()[0] == r"v_j &\leftarrow 0\,v_j + 1\,\xi_j \\"
