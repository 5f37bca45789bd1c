"""Prior and posterior of a circuit that is linear in its numbers, against the closed form in float64."""

from __future__ import annotations

from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.sharing import with_penalty

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(5, 12, 2)).astype(np.float32)
NOISE, PRIOR, MEAN = 0.3, {"sensory_w": 0.7, "rest": 0.5}, {"sensory_w": 0.4, "rest": -0.2}


def linear() -> gl.RNN:
    """Two leaky neurons that sensors drive and nothing else: linear in weights and in where they rest."""
    circuit = gl.Circuit()
    for name, role in [("a", "sensory"), ("b", "sensory"), ("m", "motor"), ("n", "motor")]:
        circuit.add_neuron(name, role=role)
    for pre, post in [("a", "m"), ("b", "m"), ("b", "n")]:
        circuit.add_synapse(pre, post, polarity=1)
    priors = {name: gl.Normal(MEAN[name], PRIOR[name]) for name in PRIOR} | {"tau": gl.Fixed(0.8)}
    return gl.RNN(gl.LeakyRate(circuit, priors=priors))


class Closed:
    """The normal equations of the network in float64: its design from the equations' own reference."""

    def __init__(self, rnn: gl.RNN, x: Any) -> None:
        cell: Any = rnn.cell
        sizes = {name: cell[name].size for name in PRIOR}
        before = {name: cell[name] for name in PRIOR}
        columns = []
        for name in PRIOR:
            for k in range(sizes[name]):
                for other in PRIOR:
                    cell[other] = mx.array(
                        np.eye(1, sizes[other], k if other == name else -sizes[other] - 1)[0]
                    )
                columns.append(cell.reference(x)[0].reshape(-1))
        for name, value in before.items():
            cell[name] = value
        self.design = np.array(columns).T
        self.mean = np.concatenate([np.full(sizes[name], MEAN[name]) for name in PRIOR])
        self.precision = np.diag(np.concatenate([np.full(sizes[name], PRIOR[name] ** -2) for name in PRIOR]))
        self.names = [name for name in PRIOR for _ in range(sizes[name])]

    def posterior(self, y: Any) -> tuple[Any, Any]:
        precision = self.design.T @ self.design / NOISE**2 + self.precision
        right = self.design.T @ y.reshape(-1) / NOISE**2 + self.precision @ self.mean
        return np.linalg.solve(precision, right), np.linalg.inv(precision)


@pytest.fixture(scope="module")
def problem() -> tuple[gl.RNN, Closed, Any]:
    mx.random.seed(0)
    rnn = linear()
    closed = Closed(rnn, X)
    truth = np.array([0.8, -0.3, 0.5, 0.2, -0.4])
    y = (closed.design @ truth).reshape(5, 12, 2) + NOISE * CHANCE.normal(size=(5, 12, 2))
    return rnn, closed, y.astype(np.float32)


def in_order(closed: Closed, names: Any) -> list[int]:
    """The places of the closed form's numbers among those of a posterior."""
    found = []
    for kind in PRIOR:
        found += [k for k, name in enumerate(names) if name.startswith(f"{kind} of")]
    return found


def test_fit_comes_to_the_mean_and_laplace_has_the_covariance(problem: Any) -> None:
    rnn, closed, y = problem
    mean, covariance = closed.posterior(y)
    rate = optim.cosine_decay(0.1, 150)
    gl.fit(
        rnn,
        (X, y),
        loss=partial(gl.training.gaussian, noise=NOISE),
        optimizer=optim.Adam(rate, bias_correction=True),
        epochs=150,
        progress=False,
    )
    posterior = gl.laplace(rnn, X, y, noise=NOISE)
    order = in_order(closed, posterior.names)
    assert len(order) == len(posterior.names) == 5  # tau is fixed
    np.testing.assert_allclose(posterior.values[order], mean, atol=5e-3)  # a tenth of a deviation
    np.testing.assert_allclose(posterior.covariance[np.ix_(order, order)], covariance, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(posterior.deviations[order], np.sqrt(np.diag(covariance)), rtol=1e-4)
    alone = [PRIOR[name] for name in closed.names]
    np.testing.assert_allclose(posterior.prior_deviations[order], alone)
    outputs, deviation = posterior.outputs(X)
    spread = np.sqrt(np.einsum("ip,pq,iq->i", closed.design, covariance, closed.design))
    np.testing.assert_allclose(deviation.reshape(-1), spread, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(outputs.reshape(-1), closed.design @ mean, atol=2e-2)
    assert posterior.outputs(X[0])[1].shape == (12, 2)
    draws = posterior.sample(4000, seed=1)[:, order]
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=4 * np.abs(covariance).max() / 60)
    spread = posterior.spread(lambda model: np.array(model.cell.rest), count=200)
    rest = posterior.deviations[[k for k, name in enumerate(posterior.names) if name.startswith("rest")]]
    np.testing.assert_allclose(spread.deviation, rest, rtol=0.2)
    assert "sensory_w of a -> m" in str(posterior)
    assert len(posterior.to_csv().splitlines()) == 6


def test_the_loss_with_its_priors_has_no_slope_at_the_closed_form(problem: Any) -> None:
    rnn, closed, y = problem
    mean, _ = closed.posterior(y)
    before = rnn.trainable_parameters()
    loss = with_penalty(rnn, partial(gl.training.gaussian, noise=NOISE), 5)
    slope = nn.value_and_grad(rnn, loss)
    found = []
    for at in (mean, mean + 0.1):
        rnn.cell.sensory_w, rnn.cell.rest = mx.array(at[:3]), mx.array(at[3:])
        gradients = slope(rnn, mx.array(X), mx.array(y))[1]["cell"]
        found.append(np.abs(np.concatenate([gradients["sensory_w"], gradients["rest"]])).max())
    rnn.update(before)
    assert found[0] < 1e-4 * found[1]


def test_without_data_the_posterior_is_the_prior(problem: Any) -> None:
    rnn, closed, _ = problem
    posterior = gl.laplace(rnn, X, noise=1e6)
    order = in_order(closed, posterior.names)
    np.testing.assert_allclose(posterior.deviations[order], [PRIOR[name] for name in closed.names], rtol=1e-6)


def test_the_noise_follows_from_the_errors_of_the_targets(problem: Any) -> None:
    rnn, closed, y = problem
    outputs = np.array(rnn(X)[0], np.float64)
    expected = np.sqrt(np.square(y - outputs).sum() / (y.size - closed.design.shape[1]))
    assert gl.laplace(rnn, X, y).noise == pytest.approx(expected, rel=1e-5)
    gaps = y.copy()
    gaps[:, ::2] = np.nan
    assert (
        gl.laplace(rnn, X, gaps, noise=NOISE).deviations.min()
        > gl.laplace(rnn, X, noise=NOISE).deviations.min()
    )


def test_an_indicator_says_the_noise_of_each_neuron(problem: Any) -> None:
    rnn, closed, _ = problem
    indicator = gl.Plain(noise=[0.1, 0.4], trained=[])
    posterior = gl.laplace(gl.observe(rnn, "motor", indicator), X)
    weights = np.tile([0.1**-2, 0.4**-2], len(closed.design) // 2)
    expected = np.linalg.inv((closed.design.T * weights) @ closed.design + closed.precision)
    order = in_order(closed, posterior.names)
    np.testing.assert_allclose(posterior.covariance[np.ix_(order, order)], expected, rtol=1e-4, atol=1e-9)


def test_what_neither_data_nor_priors_tell_is_infinite() -> None:
    mx.random.seed(0)
    rnn = gl.LTC(gl.auto_ncp(6, 1, inputs=1, seed=3))
    posterior = gl.laplace(rnn, X[..., :1], noise=0.1)
    unsure = {name for name, d in zip(posterior.names, posterior.deviations, strict=True) if np.isinf(d)}
    assert {f"gleak of {name}" for name in rnn.cell.neurons} < unsure
    assert "neither data nor priors" in posterior.describe()
    assert np.isfinite(posterior.outputs(X[..., :1])[1]).all()  # what nothing tells moves no output


def test_wrong_calls_are_told(problem: Any) -> None:
    rnn, _, y = problem
    with pytest.raises(ValueError, match="noise of outputs, or targets"):
        gl.laplace(rnn, X)
    with pytest.raises(ValueError, match="the targets have shape"):
        gl.laplace(rnn, X, y[:, :3], noise=0.1)
    with pytest.raises(TypeError, match="function of a network"):
        gl.laplace(rnn, X, noise=0.1).spread(3)
