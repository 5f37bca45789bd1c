"""Over an ensemble, every number that is shown has its spread beside it."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

CIRCUIT = gl.auto_ncp(8, 2, inputs=2, seed=1)
X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def ensemble() -> gl.Ensemble:
    circuit = CIRCUIT.copy()
    circuit.add_synapse("inter_0", "inter_1", kind="electrical", weight=1)
    return gl.ensemble([gl.LTC(circuit, key=mx.random.key(k)) for k in range(5)])


def test_a_circuit_has_means_and_deviations(ensemble: gl.Ensemble) -> None:
    circuit = gl.circuit_of(ensemble)
    each = [gl.circuit_of(ensemble.member(k)) for k in range(5)]
    for pre, post, data in circuit.edges(data=True):
        signed = np.array([one.edges[pre, post]["polarity"] * one.edges[pre, post]["weight"] for one in each])
        assert data["polarity"] * data["weight"] == pytest.approx(signed.mean(), rel=1e-6)
        assert data["weight_sd"] == pytest.approx(signed.std(ddof=1), rel=1e-6)
        if "gap" in data:
            assert data["gap_sd"] == pytest.approx(np.std([e.edges[pre, post]["gap"] for e in each], ddof=1))
    for name in ensemble.member(0).cell.neurons:
        constants = [one.nodes[name]["time_constant"] for one in each]
        assert circuit.nodes[name]["time_constant"] == pytest.approx(np.mean(constants))
        assert circuit.nodes[name]["time_constant_sd"] == pytest.approx(np.std(constants, ddof=1))
    assert sum("gap" in data or "kind" in data for _, _, data in circuit.edges(data=True)) == 1


def test_time_constants_and_saliency_have_theirs(ensemble: gl.Ensemble) -> None:
    recordings = gl.record(ensemble, X)
    found = gl.time_constants(ensemble, recordings)
    each = [gl.time_constants(ensemble.member(k), recordings[k]) for k in range(5)]
    np.testing.assert_allclose(found.mean, np.mean(each, axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.deviation, np.std(each, axis=0, ddof=1), rtol=1e-5)
    found = gl.saliency(ensemble, X)
    each = [gl.saliency(ensemble.member(k), X) for k in range(5)]
    np.testing.assert_allclose(found.deviation, np.std(each, axis=0, ddof=1), rtol=1e-5)
    with pytest.raises(TypeError, match="tuple of recordings"):
        gl.time_constants(ensemble, recordings[0])


def test_any_number_has_one(ensemble: gl.Ensemble) -> None:
    found = ensemble.spread(lambda rnn: float(rnn.cell.gleak[0]))
    values = [float(ensemble.member(k).cell.gleak[0]) for k in range(5)]
    assert str(found) == f"{np.mean(values):.4g} +- {np.std(values, ddof=1):.2g}"
    with pytest.raises(TypeError, match="function of a network"):
        ensemble.spread(3)
    for refused in (lambda: gl.identifiability(ensemble, X), lambda: gl.simulator(ensemble, X)):
        with pytest.raises(TypeError, match=r"ensemble\.member\(0\)"):
            refused()
