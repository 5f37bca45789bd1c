"""Many perturbations in one launch: each is the network perturbed alone, and what is left out is not read."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.networks.varied import varied
from ganglion.cells.overlay import laid_over
from ganglion.errors import KernelError
from ganglion.studies import Cut, Flip, Lesion, Noise, Scale, Silence, Stimulate, Together
from ganglion.studies.perturbed import overlays_of_each

CIRCUITS = {
    "policy": gl.auto_ncp(20, 3, inputs=4, seed=3),
    "recurrent": gl.random(16, inputs=4, outputs=3, sparsity=0.7, seed=1),
    "full": gl.fully_connected(9, inputs=4, outputs=2, seed=1),
}
KINDS: dict[str, Any] = {
    "LTC": gl.LTC,
    "LTC, other options": lambda c: gl.LTC(
        c, ode_unfolds=2, input_mapping=None, output_mapping="linear", positive="softplus", polarity="fixed"
    ),
    "CfC": gl.CfC,
    "pure": lambda c: gl.CfC(c, mode="pure"),
    "no gate": lambda c: gl.CfC(c, mode="no_gate", schedule="synchronous"),
}
X = np.random.default_rng(0).normal(size=(5, 7, 4)).astype(np.float32)
SPANS = np.random.default_rng(1).uniform(0, 2, (5, 7)).astype(np.float32) * (np.arange(7) != 3)


def perturbations(rnn: Any) -> list[Any]:
    states, sensors = rnn.cell.neurons, rnn.sensors
    pairs = [(pre, post) for pre, post in rnn.cell.compiled.plan.to_circuit().edges]
    return [
        *map(Lesion, states), *map(Lesion, sensors), *(Cut(*pair) for pair in pairs[:40]),
        *(Flip(*pair) for pair in pairs[:3]), *(Scale(*pair, by=1.5) for pair in pairs[-3:]),
        Silence(states[0], 0.4), Silence(states[-1], "rest"), Silence(sensors[1], 0.5),
        Stimulate(states[2], 0.3), Stimulate(sensors[0], 0.7), Scale(by=0.9), Cut(), Cut(sensors[2]),
        Lesion(list(states)),
        Together((Lesion(states[3]), Silence(states[4], 0.2), Cut(*pairs[5]))), Scale(*pairs[0], by=1.0),
    ]  # fmt: skip


def overlays(rnn: Any, chosen: Any) -> list[Any]:
    return [overlay for ((_, overlay),) in overlays_of_each(rnn, ((each,) for each in chosen))]


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_network_of_a_launch_is_the_one_alone(kind: str, circuit: str) -> None:
    mx.random.seed(0)
    rnn = KINDS[kind](CIRCUITS[circuit])
    chosen = perturbations(rnn)
    laid = overlays(rnn, chosen)
    for spans, state in ((None, None), (SPANS, np.full((5, rnn.cell.n_neurons), 0.3, np.float32))):
        found = list(varied(rnn, laid, X, state, spans))
        assert len(found) == len(chosen)
        for perturbation, overlay, outputs in zip(chosen, laid, found, strict=True):
            with laid_over([(rnn.cell, overlay)]):
                alone = np.array(rnn(X, state, spans)[0])
            np.testing.assert_allclose(outputs, alone, atol=2e-6, err_msg=str(perturbation))


@pytest.mark.parametrize(
    "options", [{"return_sequences": False}, {"reverse": True}, {"proj_size": 4}], ids=lambda o: next(iter(o))
)
def test_options_of_the_network_are_kept(options: Any) -> None:
    rnn = gl.CfC(CIRCUITS["policy"], **options)
    chosen = list(gl.each("command").of(rnn))
    for perturbation, outputs in zip(chosen, varied(rnn, overlays(rnn, chosen), X), strict=True):
        with gl.perturbed(rnn, perturbation):
            np.testing.assert_allclose(outputs, rnn(X)[0], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_of_what_is_left_out(kind: str) -> None:
    """A NaN of a sensor passes by no synapse that is cut, and from no neuron that is removed."""
    circuit = CIRCUITS["policy"]
    rnn = KINDS[kind](circuit)
    x = X.copy()
    x[:, 2, 1] = np.nan
    bad = "sensory_1"
    chosen = [
        Lesion(bad),
        Cut(bad),
        *(Cut(bad, post) for post in circuit.successors(bad)),
        *map(Lesion, rnn.cell.neurons),
    ]
    for perturbation, outputs in zip(chosen, varied(rnn, overlays(rnn, chosen), x), strict=True):
        left = circuit.copy()
        if isinstance(perturbation, Cut):
            left.remove_edges_from(
                [e for e in left.edges if e[0] == bad and perturbation.post in (None, e[1])]
            )
        else:
            left.remove_node(perturbation.neurons)
        for k, motor in enumerate(rnn.cell.neurons[: rnn.cell.n_outputs]):
            reached = bad in left and motor in left and motor in nx.descendants(left, bad)
            assert (np.isnan(outputs[..., k]).any(axis=1) == reached).all(), (perturbation, motor)


def test_a_study_of_plain_operations_reads_nothing_of_what_is_left_out_either() -> None:
    circuit = CIRCUITS["policy"]
    x = X.copy()
    x[:, 2, 1] = np.nan
    for engine in ("ops", "auto"):
        rnn = gl.CfC(circuit, engine=engine)
        (row,) = gl.study(
            rnn, Lesion("sensory_1"), x=x, measure=lambda look: float(np.isnan(look.outputs).sum())
        )
        assert row.value == 0.0
        assert row.baseline > 0.0


def test_many_launches_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rnn = gl.LTC(CIRCUITS["policy"])
    laid = overlays(rnn, gl.each("inter").of(rnn))
    whole = list(varied(rnn, laid, X))
    monkeypatch.setattr("ganglion.cells.networks.varied.MOST", 2)
    for a, b in zip(whole, varied(rnn, laid, X), strict=True):
        np.testing.assert_array_equal(a, b)


class Own(gl.LTCCell):
    def step(self, *given: Any) -> Any:
        return super().step(*given) * 0.5


@pytest.mark.parametrize(
    ("make", "how", "message"),
    [
        (lambda c: gl.LTC(c, engine="ops"), Lesion("inter_0"), "does not run by kernels"),
        (lambda c: gl.LTC(c, solver="rk4", ode_unfolds=60), Lesion("inter_0"), "semi-implicit solver"),
        (lambda c: gl.CfC(c, ncps_compat=True), Lesion("inter_0"), "ncps_compat"),
        (lambda c: gl.RNN(Own(c)), Lesion("inter_0"), "no kernel for variants of this Own"),
        (gl.LTC, Noise("sensory_0"), "no kernel for variants"),
    ],
)
def test_what_has_no_such_kernel_says_so_and_a_study_runs_it_anyway(
    make: Any, how: Any, message: str
) -> None:
    rnn = make(CIRCUITS["policy"])
    with pytest.raises(KernelError, match=message):
        list(varied(rnn, overlays(rnn, [how]), X))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that plain operations run is the point
        (row,) = gl.study(rnn, how, x=X)
    with gl.perturbed(rnn, how):
        changed = np.array(rnn(X)[0])
    assert row.effect == pytest.approx(np.abs(changed - np.array(rnn(X)[0])).mean(), rel=1e-4)


def test_a_network_in_units_of_data_is_run_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = gl.CfC(CIRCUITS["policy"])
    columns = ["a", "b", "c", "d"]
    scaled = gl.Scaled(
        inside, columns, ["p", "q", "r"], mean=[1.0] * 4, spread=[2.0] * 4, offset=[3.0] * 3, time_unit=0.5
    )
    chosen = [Lesion("b"), Silence("c", 4.0), Lesion("inter_0")]
    monkeypatch.setattr(sys.modules["ganglion.studies.study"], "together", None)  # which would not
    found = gl.study(scaled, chosen, x=X, timespans=0.7)
    for perturbation, row in zip(chosen, found, strict=True):
        with gl.perturbed(scaled, perturbation):
            changed = np.array(scaled(X, timespans=0.7)[0])
        expected = np.abs(changed - np.array(scaled(X, timespans=0.7)[0])).mean()
        assert row.effect == pytest.approx(expected, rel=1e-4)
