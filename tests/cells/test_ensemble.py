"""Many networks of one circuit in one launch are those networks one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map

import ganglion as gl

K, B, T = 3, 5, 6
CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)
KINDS: dict[str, Callable[..., Any]] = {
    "ltc": partial(gl.LTC, CIRCUIT),
    "fixed": partial(gl.LTC, CIRCUIT, polarity="fixed", return_sequences=False),
    "cfc": partial(gl.CfC, CIRCUIT),
    "backbone": partial(gl.CfC, gl.dense(3, 2), backbone_units=8),
    "ctrnn": lambda key, engine: gl.RNN(gl.CTRNNCell(CIRCUIT, key=key)),
}


@pytest.fixture(params=[(kind, engine) for kind in KINDS for engine in ("fused", "ops")], ids="-".join)
def networks(request: pytest.FixtureRequest) -> list[Any]:
    kind, engine = request.param
    return [KINDS[kind](key=mx.random.key(k), engine=engine) for k in range(K)]


def drawn(*shape: int, seed: int = 0, low: float = -1.0) -> mx.array:
    return mx.random.uniform(low, 1.5, shape, key=mx.random.key(seed))


def agree(found: Any, expected: list[Any], tolerance: float = 1e-6) -> None:
    """A tree with an axis of members, and the trees of the members."""
    stacked: Any = tree_flatten(tree_map(lambda *a: mx.stack(a), *expected))
    ours: Any = dict(tree_flatten(found))
    assert ours.keys() == {name for name, _ in stacked}
    for name, value in stacked:
        assert ours[name].shape == value.shape
        assert value.size == 0 or mx.abs(ours[name] - value).max().item() <= tolerance, name


def test_every_member_computes_as_it_does_alone(networks: list[Any]) -> None:
    ensemble, x, spans = gl.ensemble(networks), drawn(B, T, 3), drawn(B, T, seed=1, low=0.5)
    assert len(ensemble) == K
    agree(ensemble(x), [rnn(x) for rnn in networks])
    agree(ensemble(x[0]), [rnn(x[0]) for rnn in networks])
    state = ensemble(x, timespans=spans)[1]
    alone = [rnn(x, timespans=spans)[1] for rnn in networks]
    agree(ensemble(x, state, spans), [rnn(x, s, spans) for rnn, s in zip(networks, alone, strict=True)])
    agree(ensemble(x, lengths=[6, 1, 3, 2, 5]), [rnn(x, lengths=[6, 1, 3, 2, 5]) for rnn in networks])
    xs = drawn(K, B, T, 3)
    agree(
        ensemble(xs, timespans=mx.stack([spans] * K), own=True),
        [rnn(one, timespans=spans) for rnn, one in zip(networks, xs, strict=True)],
    )


def test_members_leave_as_plain_networks(networks: list[Any]) -> None:
    ensemble, x = gl.ensemble(networks), drawn(B, T, 3)
    for k in (*range(K), -1):
        member = ensemble.member(k)
        assert type(member) is type(networks[k])
        assert np.array_equal(np.array(member(x)[0]), np.array(networks[k](x)[0]))
        assert member.trainable_parameters().keys() == networks[k].trainable_parameters().keys()
    with pytest.raises(IndexError, match="member 3 of an ensemble of 3"):
        ensemble.member(K)


def test_training_together_is_training_alone(networks: list[Any]) -> None:
    ensemble, x, y = gl.ensemble(networks), drawn(B, T, 3), drawn(B, T, 2, seed=1)

    def trained(model: Any, compiled: bool = False, steps: int = 3) -> Any:
        optimizer = optim.Adam(0.02, bias_correction=True)
        optimizer.init(model.trainable_parameters())

        def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:  # of each member its own mean
            outputs = model(x)[0]
            own = y if outputs.shape[-3:-1] == (B, T) else y[:, -1]
            return mx.square(outputs - own).mean(axis=tuple(range(-own.ndim, 0))).sum()

        def step(x: mx.array, y: mx.array) -> mx.array:
            value, gradients = nn.value_and_grad(model, loss)(model, x, y)
            optimizer.update(model, gradients)
            model.apply_constraints()
            return value

        state = [model.state, optimizer.state]
        run = mx.compile(step, inputs=state, outputs=state) if compiled else step
        for _ in range(steps):
            mx.eval(run(x, y), state)
        return model.parameters()

    start = ensemble.parameters()
    expected = [trained(rnn) for rnn in networks]
    agree(trained(ensemble)["members"], expected, 2e-5)
    if networks[0].engine == "fused":  # MLX compiles unrolled operations for minutes
        ensemble.update(start)
        agree(trained(ensemble, compiled=True)["members"], expected, 2e-5)


def test_weights_go_through_a_file(tmp_path: Path) -> None:
    first, second = (
        gl.ensemble([KINDS["cfc"](key=mx.random.key(seed + k), engine="fused") for k in range(K)])
        for seed in (0, 10)
    )
    first.save_weights(str(tmp_path / "w.safetensors"))
    second.load_weights(str(tmp_path / "w.safetensors"))
    assert np.array_equal(np.array(first(drawn(B, T, 3))[0]), np.array(second(drawn(B, T, 3))[0]))


def test_what_does_not_belong_together_is_refused() -> None:
    rnn = gl.LTC(CIRCUIT)
    frozen = gl.LTC(CIRCUIT)
    frozen.cell.freeze(keys="w")
    for networks, told in (
        ([], "at least one network"),
        ([rnn, gl.CfC(CIRCUIT)], "network 1 of the ensemble is another one"),
        ([rnn, gl.LTC(CIRCUIT, ode_unfolds=3)], "network 1 .* same options"),
        ([rnn, gl.LTC(gl.auto_ncp(12, 2, inputs=3, seed=2))], "network 1"),
        ([rnn, frozen], "network 1 of the ensemble is frozen elsewhere"),
    ):
        with pytest.raises(ValueError, match=told):
            gl.ensemble(networks)
    with pytest.raises(TypeError, match=r"every network of an ensemble"):
        gl.ensemble([rnn, nn.Linear(2, 2)])
    ensemble = gl.ensemble([rnn, rnn])
    with pytest.raises(ValueError, match=r"state must have a leading axis of 2 members"):
        ensemble(drawn(B, T, 3), mx.zeros((3, B, 12)))
    with pytest.raises(ValueError, match=r"x must have a leading axis of 2 members"):
        ensemble(drawn(B, T, 3), own=True)
    with pytest.raises(ValueError, match=r"2 features"):
        ensemble(drawn(B, T, 2))


def test_a_call_leaves_the_networks_and_the_ensemble_as_they_were() -> None:
    networks = [gl.LTC(CIRCUIT, key=mx.random.key(k)) for k in range(2)]
    ensemble = gl.ensemble(networks)
    before = [np.array(a) for _, a in tree_flatten(ensemble.parameters())]
    ensemble(drawn(B, T, 3))
    with pytest.raises(ValueError, match="features"):
        ensemble(drawn(B, T, 2))
    ensemble.member(0).cell.w = mx.zeros((1,))
    after = [np.array(a) for _, a in tree_flatten(ensemble.parameters())]
    assert all(map(np.array_equal, before, after))
    assert all(mx.isfinite(a).all() for _, a in tree_flatten(ensemble._network.parameters()) if a.size)


def test_frozen_parameters_stay_frozen() -> None:
    networks = [gl.LTC(CIRCUIT, key=mx.random.key(k)) for k in range(2)]
    for rnn in networks:
        rnn.cell.freeze(keys="w")
    names = {name for name, _ in tree_flatten(gl.ensemble(networks).trainable_parameters())}
    assert "members.cell.mu" in names
    assert "members.cell.w" not in names
