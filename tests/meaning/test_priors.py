"""Priors: where parameters begin, what is added to a loss, what is not trained, and that files keep them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from scipy import stats

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=3)
X = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(6, 5, 2)).astype(np.float32)
KNOWN: list[tuple[gl.Prior, Any, float]] = [
    (gl.Normal(0.3, 0.2), stats.norm(0.3, 0.2), 0.1),
    (gl.LogNormal(0.3, 0.5), stats.lognorm(0.5, scale=0.3), 0.4),
    (gl.HalfNormal(0.5), stats.halfnorm(scale=0.5), 0.4),
    (gl.Uniform(-0.5, 1.0), stats.uniform(-0.5, 1.5), 0.4),
]


@pytest.mark.parametrize(("prior", "known", "at"), KNOWN, ids=lambda value: str(value)[:8])
def test_a_distribution_is_that_of_scipy(prior: gl.Prior, known: Any, at: float) -> None:
    values = np.array([at, 1.7 * at])
    np.testing.assert_allclose(np.array(prior.log_density(mx.array(values))), known.logpdf(values), rtol=1e-5)
    shares = np.array([0.01, 0.3, 0.9])
    np.testing.assert_allclose(prior.quantile(shares), known.ppf(shares), rtol=1e-9)
    step = 1e-3

    def log(by: float) -> float:  # of a log-normal one, that of the logarithm
        if isinstance(prior, gl.LogNormal):
            return float(known.logpdf(at * np.exp(by / at)) + by / at)
        return float(known.logpdf(at + by))

    bent = -(log(step) - 2 * log(0.0) + log(-step)) / step**2
    assert prior.precision(np.array([at]))[0] == pytest.approx(bent, rel=1e-3, abs=1e-6)


def test_parameters_begin_where_their_priors_draw_them_and_the_others_as_ever() -> None:
    priors = {
        "w": gl.LogNormal(5.0, 0.01),
        "vleak": {"motor": gl.Normal(-3.0, 1e-3), "inter_0": gl.Fixed(2.0)},
        "sensory_w": {("sensory_1", None): gl.Uniform(7.0, 8.0), ("sensory_0", "inter"): gl.HalfNormal(1e-3)},
        "erev": gl.LogNormal(2.0, 0.01),
    }
    rnn, plain = (gl.LTC(CIRCUIT, key=mx.random.key(1), priors=p) for p in (priors, None))
    cell, plan = rnn.cell, rnn.cell.compiled.plan
    used = {name: np.array(value) for name, value in cell.effective().items()}
    assert 4.7 < used["w"].min() < used["w"].max() < 5.3
    np.testing.assert_allclose(used["vleak"][:2], -3.0, atol=0.01)
    assert used["vleak"][plan.neurons.index("inter_0")] == 2.0
    np.testing.assert_allclose(used["erev"], 2.0 * plan.recurrent.polarity, rtol=0.05)
    for value, i, j in zip(used["sensory_w"], plan.sensory.pre, plan.sensory.post, strict=True):
        if plan.sensors[i] == "sensory_1":
            assert 7.0 <= value <= 8.0
        elif (plan.sensors[i], plan.roles[j]) == ("sensory_0", "inter"):
            assert value < 0.01
    for name in ("mu", "sigma", "gleak", "cm", "sensory_erev"):
        assert mx.array_equal(cell[name], plain.cell[name])


def test_a_place_is_also_a_value_of_an_attribute() -> None:
    circuit = CIRCUIT.copy()
    for k, (pre, post) in enumerate(circuit.edges):
        circuit.edges[pre, post]["transmitter"] = "gaba" if k % 2 else "ach"
    rnn = gl.LTC(circuit, priors={"w": {"transmitter=gaba": gl.Uniform(7.0, 8.0)}})
    plan = rnn.cell.compiled.plan
    ends = zip(plan.recurrent.pre.tolist(), plan.recurrent.post.tolist(), strict=True)
    gaba = [circuit.edges[plan.neurons[i], plan.neurons[j]]["transmitter"] == "gaba" for i, j in ends]
    assert ((np.array(rnn.cell.w) >= 7.0) == np.array(gaba)).all()
    assert gl.LTC.from_config(rnn.get_config()).cell.priors_placed["w"].count == sum(gaba)


def test_the_loss_gets_minus_the_logarithm_over_the_number_of_items() -> None:
    priors = {"w": gl.LogNormal(0.3, 0.5), "vleak": gl.Normal(0.1, 0.2)}
    mx.random.seed(0)
    rnn = gl.LTC(CIRCUIT, priors=priors)
    used = {name: np.array(value, np.float64) for name, value in rnn.cell.effective().items()}
    log = (
        stats.lognorm(0.5, scale=0.3).logpdf(used["w"]).sum()
        + stats.norm(0.1, 0.2).logpdf(used["vleak"]).sum()
    )
    assert rnn.cell.log_prior().item() == pytest.approx(log, rel=1e-5)
    loss = partial(gl.training.gaussian, noise=0.5)
    outputs = np.array(rnn(X)[0], np.float64)
    likelihood = stats.norm(outputs, 0.5).logpdf(Y).sum()
    assert loss(rnn, mx.array(X), mx.array(Y)).item() == pytest.approx(-likelihood / 6, rel=1e-5)
    for size in (6, 3):  # of a batch, which changes nothing of the share of an item
        history = gl.fit(
            rnn, (X, Y), loss=loss, optimizer=optim.SGD(1e-12), epochs=1, batch_size=size, progress=False
        )
        assert history.loss[0] == pytest.approx((-likelihood - log) / 6, rel=1e-4)


def test_what_is_fixed_is_not_trained_and_fit_gives_priors_that_files_keep(tmp_path: Path) -> None:
    mx.random.seed(0)
    rnn = gl.LTC(CIRCUIT, priors={"cm": gl.Fixed(0.5), "vleak": {"motor": gl.Normal(0.0, 1e-3)}})
    priors = {"gleak": gl.LogNormal(0.3, 0.5), "w": {("inter", None): gl.HalfNormal(0.5)}}
    gl.fit(
        rnn,
        (X, Y),
        loss=partial(gl.training.gaussian, noise=0.5),
        optimizer=optim.Adam(0.05, bias_correction=True),
        epochs=2,
        progress=False,
        priors=priors,
    )
    used = rnn.cell.effective()
    assert (np.array(used["cm"]) == 0.5).all()
    assert np.abs(np.array(used["vleak"])[:2]).max() < 0.2
    gl.save(rnn, tmp_path / "m.safetensors")
    again = gl.load(tmp_path / "m.safetensors")
    assert mx.array_equal(again(X)[0], rnn(X)[0])
    assert again.cell.log_prior().item() == pytest.approx(rnn.cell.log_prior().item(), rel=1e-6)
    kept = again.get_config()["priors"]
    assert set(kept) == {"cm", "vleak", "gleak", "w"}
    assert again.cell.priors_placed["gleak"].count == 12


def test_priors_of_members_are_refused_and_not_left_out() -> None:
    members = [gl.LTC(CIRCUIT, priors={"gleak": gl.HalfNormal(0.5)}) for _ in range(2)]

    def loss(model: Any, x: mx.array, y: mx.array) -> mx.array:
        return mx.square(model(x)[0] - y).mean(axis=(1, 2, 3)).sum()

    with pytest.raises(ValueError, match="members of this Ensemble have priors"):
        gl.fit(gl.ensemble(members), (X, Y), loss=loss, optimizer=optim.SGD(0.1), epochs=1, progress=False)


def test_a_number_below_zero_is_led_back_and_not_lost() -> None:
    prior = gl.LogNormal(0.3, 0.5)
    value, slope = mx.value_and_grad(lambda v: -prior.log_density(v).sum())(mx.array([-0.01, 0.0, 0.3]))
    assert np.isfinite(value.item())
    assert (np.array(slope)[:2] < 0).all()


WRONG: list[tuple[Any, type[Exception], str]] = [
    ({"w": gl.Normal(0.0, 1.0)}, ValueError, "w is never negative"),
    ({"w": 0.3}, TypeError, r"expected such as gl\.Normal"),
    ({"v": gl.Normal(0.0, 1.0)}, ValueError, "no parameter 'v'"),
    ({"gleak": {"motr": gl.HalfNormal(1.0)}}, ValueError, "did you mean 'motor'"),
    ({"w": {"inter": gl.HalfNormal(1.0)}}, ValueError, "expected a pair"),
    ({"w": {"kind=x": gl.HalfNormal(1.0)}}, ValueError, "no attribute 'kind'"),
    ({"gleak": {"motor": gl.HalfNormal(1.0), "motor_0": gl.HalfNormal(2.0)}}, ValueError, "twice"),
    ({"erev": gl.Normal(0.0, 1.0)}, ValueError, "keeps the signs"),
    ([1], TypeError, "must be a mapping"),
]


@pytest.mark.parametrize(("priors", "error", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_a_wrong_prior_is_one_sentence(priors: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        gl.LTC(CIRCUIT, polarity="fixed", priors=priors)
    if "signs" not in words:
        with pytest.raises(error):
            gl.fit(
                gl.LTC(CIRCUIT),
                (X, Y),
                loss=gl.training.mse,
                optimizer=optim.SGD(0.1),
                epochs=1,
                priors=priors,
            )


def test_wrong_numbers_of_a_prior_are_refused() -> None:
    for make in (
        lambda: gl.Normal(0.0, -1.0),
        lambda: gl.LogNormal(0.0, 1.0),
        lambda: gl.HalfNormal(0.0),
        lambda: gl.Uniform(1.0, 1.0),
        lambda: gl.Fixed(float("nan")),
    ):
        with pytest.raises(ValueError, match=r"must be|expected"):
            make()


def test_ties_and_softplus_have_priors_of_what_is_kept() -> None:
    rnn = gl.LTC(
        CIRCUIT,
        tie={"w": ()},
        positive="softplus",
        priors={"w": gl.LogNormal(2.0, 1e-3), "cm": gl.Fixed(0.4)},
    )
    np.testing.assert_allclose(np.array(rnn.cell.effective()["w"]), 2.0, rtol=0.01)
    np.testing.assert_allclose(np.array(rnn.cell.effective()["cm"]), 0.4, rtol=1e-6)
    assert rnn.cell.priors_placed["w"].count == 1
    assert rnn.cell.log_prior().item() == pytest.approx(
        stats.lognorm(1e-3, scale=2.0).logpdf(float(rnn.cell.effective()["w"][0])), abs=0.05
    )
