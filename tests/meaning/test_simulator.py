"""A network as a plain function, used as tools of simulation-based inference use one."""

from __future__ import annotations

import pickle
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

CIRCUIT = gl.auto_ncp(8, 2, inputs=2, seed=1)
X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
PRIORS = {
    "gleak": gl.LogNormal(0.3, 0.3),
    "vleak": {"motor": gl.Uniform(-0.3, 0.3)},
    "erev": gl.HalfNormal(1.0),
}


def known(**options: Any) -> gl.LTC:
    mx.random.seed(0)
    return gl.LTC(CIRCUIT, priors=PRIORS, **options)


class Torch:
    """A tensor, as far as anybody asks."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def detach(self) -> Torch:
        return self

    cpu = detach

    def numpy(self) -> Any:
        return self.values


@pytest.mark.parametrize("positive", ["clip", "softplus"])
def test_its_outputs_are_those_of_networks_with_these_numbers(positive: str) -> None:
    rnn = known(positive=positive)
    simulate = gl.simulator(rnn, X)
    before = simulate.theta
    theta = simulate.prior.sample(7, seed=3)
    outputs = simulate(theta)
    assert outputs.shape == (7, 6, 2)
    assert np.array_equal(simulate.theta, before)
    own = gl.LTC(CIRCUIT, positive=positive)
    own.update(rnn.parameters())
    for k, name in enumerate(simulate.names):
        parameter, _, place = name.partition(" of ")
        plan = own.cell.compiled.plan
        if "->" in place:
            pre, post = place.split(" -> ")
            at = list(zip(plan.recurrent.pre.tolist(), plan.recurrent.post.tolist(), strict=True)).index(
                (plan.neurons.index(pre), plan.neurons.index(post))
            )
        else:
            at = plan.neurons.index(place)
        values = np.array(own.cell.effective()[parameter], np.float64)
        values[at] = theta[2, k]
        own.cell.begin_at(parameter, values)
    np.testing.assert_allclose(outputs[2], np.array(own(X)[0]), atol=1e-5)
    np.testing.assert_allclose(simulate(Torch(theta[2])), outputs[2], atol=1e-6)
    np.testing.assert_allclose(simulate(before), np.array(rnn(X)[0]), atol=1e-6)


def test_an_inference_by_simulation_comes_to_its_answer() -> None:
    """Rejection, as the simplest of these methods: numbers whose outputs are nearest are near the truth."""
    priors = {"vleak": {"motor": gl.Uniform(-0.5, 0.5)}}
    simulate = gl.simulator(gl.LTC(CIRCUIT, priors=priors, key=mx.random.key(1)), X, flat=True)
    assert simulate.names == ("vleak of motor_0", "vleak of motor_1")
    truth = simulate.prior.sample((1,), seed=5)
    theta = simulate.prior.sample((1000,), seed=6)
    distance = np.square(simulate(theta) - simulate(truth)).sum(axis=1)
    near = theta[np.argsort(distance)[:20]]
    assert np.abs(near.mean(axis=0) - truth[0]).max() < 0.1
    assert (near.std(axis=0) < 0.5 * theta.std(axis=0)).all()


def test_the_prior_weighs_what_it_draws() -> None:
    prior = gl.simulator(known(), X).prior
    theta = prior.sample(4, seed=1)
    logs = prior.log_prob(theta)
    assert logs.shape == (4,)
    assert np.isfinite(logs).all()
    rnn = known()
    simulate = gl.simulator(rnn, X)
    assert prior.log_prob(simulate.theta) == pytest.approx(rnn.cell.log_prior().item(), rel=1e-5)
    low, high = prior.bounds
    assert ((theta >= low) & (theta <= high)).all()
    outside = theta[0].copy()
    outside[list(prior.names).index("vleak of motor_0")] = 0.5
    assert prior.log_prob(outside) == -np.inf
    assert np.array_equal(prior.sample(2, seed=1), theta[:2]) or prior.sample(2, seed=1).shape == (
        2,
        len(low),
    )


def test_it_pickles_and_has_noise_of_its_own() -> None:
    simulate = gl.simulator(known(), X, noise=0.1, seed=4)
    other = pickle.loads(pickle.dumps(simulate))
    theta = simulate.prior.sample(3, seed=0)
    one = simulate(theta)
    assert np.array_equal(one, other(theta))
    assert 0.05 < np.std(one - simulate(theta)) < 0.3


def test_without_priors_it_takes_all_that_is_trained() -> None:
    rnn = gl.RNN(gl.CTRNNCell(CIRCUIT))
    simulate = gl.simulator(rnn, X[None])
    assert len(simulate.names) == sum(rnn.cell[name].size for name in rnn.cell.declared())
    assert simulate(simulate.theta[None]).shape == (1, 1, 6, 2)
    with pytest.raises(ValueError, match="has no priors"):
        simulate.prior  # noqa: B018


WRONG: list[tuple[Any, str]] = [
    (np.zeros(3), r"theta has shape \(3,\)"),
    ("abc", "real numbers"),
    (np.full((2, 4, 4), 1.0), "theta has shape"),
]


@pytest.mark.parametrize(("theta", "words"), WRONG)
def test_wrong_numbers_are_told(theta: Any, words: str) -> None:
    simulate = gl.simulator(known(), X)
    with pytest.raises((TypeError, ValueError), match=words):
        simulate(theta)


def test_a_number_that_the_network_cannot_have_is_told_by_name() -> None:
    simulate = gl.simulator(known(), X)
    theta = np.stack([simulate.theta] * 2)
    place = list(simulate.names).index("gleak of motor_1")
    theta[1, place] = -0.5
    with pytest.raises(ValueError, match=r"gleak of motor_1 is -0\.5 in row 1"):
        simulate(theta)
    theta[1, place] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        simulate(theta)


def test_every_number_of_every_kind_of_network_has_a_name_of_its_own() -> None:
    for rnn in (
        gl.LTC(CIRCUIT, mixed_memory=True),
        gl.CfC(gl.dense(2, 3)),
        gl.Stack([gl.CfC(CIRCUIT), gl.LTC(gl.auto_ncp(8, 2, inputs=2, seed=2), tie={"w": ()})]),
        gl.observe(gl.LTC(CIRCUIT), "motor", gl.Calcium(0.1, 1.0)),
    ):
        names = gl.simulator(rnn, X).names
        trained: Any = tree_flatten(rnn.trainable_parameters())
        assert len(set(names)) == len(names) == sum(array.size for _, array in trained)
