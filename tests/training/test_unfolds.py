"""How many steps of a solver `fit` chooses where "auto" is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.networks.solving import TRIED

CIRCUIT = gl.auto_ncp(8, 2, inputs=3, seed=1)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 8, 3)).astype(np.float32)
Y = np.zeros((4, 8, 2), np.float32)
SPANS = RNG.uniform(0.5, 1.5, (4, 8)).astype(np.float32)
TOLERANCE = 0.01


def key() -> mx.array:
    return mx.random.key(0)


def fitted(network: Any, spans: np.ndarray = SPANS, **given: Any) -> gl.training.History:
    options: dict[str, Any] = {
        "loss": gl.training.mse, "optimizer": optim.Adam(1e-4, bias_correction=True), "epochs": 1,
        "progress": False,
    }  # fmt: skip
    return gl.fit(network, (X, Y, spans), **options | given)


MADE: dict[str, Any] = {
    "LTC": lambda **given: gl.LTC(CIRCUIT, key=key(), **given),
    "memory": lambda **given: gl.LTC(CIRCUIT, key=key(), mixed_memory=True, engine="ops", **given),
    "CTRNN": lambda **given: gl.RNN(gl.CTRNNCell(CIRCUIT, key=key(), tau=0.2, **given), engine="ops"),
    "LRC": lambda **given: gl.RNN(gl.LRC(CIRCUIT, key=key(), **given), engine="ops"),
    "liquid": lambda **given: gl.RNN(gl.LiquidCell(gl.dense(3, 2), key=key(), **given)),
    "scaled": lambda **given: gl.Scaled(
        gl.LTC(CIRCUIT, key=key(), **given), list("abc"), list("yz"), scale=50.0
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_the_error_is_below_the_tolerance_and_of_fewer_steps_is_not(name: str) -> None:
    network = MADE[name](ode_unfolds="auto", time_scale=1.0)
    history = fitted(network)
    inner = getattr(network, "model", network)
    (unfolds,) = {part.ode_unfolds for part in inner.modules() if hasattr(part, "ode_unfolds")}
    assert history.summary is not None
    assert history.summary.ode_unfolds == unfolds
    assert f"ode_unfolds={unfolds}" in str(history.summary)

    def error(steps: int) -> float:
        fresh = MADE[name](ode_unfolds=steps, time_scale=1.0)
        return float(gl.solver_error(getattr(fresh, "model", fresh), X, timespans=SPANS).max())

    assert error(unfolds) <= TOLERANCE
    fewer = [steps for steps in TRIED if steps < unfolds]
    assert not fewer or error(fewer[-1]) > TOLERANCE


def test_it_is_chosen_once_kept_and_told(tmp_path: Path, capsys: Any) -> None:
    network = gl.LTC(CIRCUIT, key=key(), ode_unfolds="auto")
    assert network.cell.ode_unfolds == 6
    assert gl.LTC.from_config(network.get_config()).awaits_unfolds
    fitted(network, checkpoint=tmp_path / "run", progress=True)
    chosen = network.cell.ode_unfolds
    assert f"ode_unfolds={chosen}, for an error of the solver below 0.01" in capsys.readouterr().err
    assert chosen != 6
    assert gl.load(tmp_path / "run").cell.ode_unfolds == chosen
    gl.save(network, tmp_path / "network.safetensors")
    for twin in (gl.load(tmp_path / "network.safetensors"), gl.lesion(network, ["inter_0"])):
        assert twin.cell.ode_unfolds == chosen
        assert not twin.awaits_unfolds
    fitted(network, spans=10 * SPANS)
    assert network.cell.ode_unfolds == chosen
    again = gl.LTC(CIRCUIT, key=key(), ode_unfolds="auto")
    fitted(again, checkpoint=tmp_path / "run", epochs=2)
    assert again.cell.ode_unfolds == chosen


def test_a_method_says_the_same_as_the_function() -> None:
    network = gl.LTC(CIRCUIT, key=key())
    np.testing.assert_array_equal(
        network.solver_error(X, SPANS), gl.solver_error(network, X, timespans=SPANS)
    )


def test_what_cannot_be_chosen_is_refused() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT, ode_unfolds="auto"), gl.NCPDense(2)])
    with pytest.raises(
        ValueError, match="for a network alone or in Scaled, and not for the networks in this Stack"
    ):
        fitted(stack)
    with pytest.raises(ValueError, match="not for the networks in this Ensemble"):
        fitted(gl.ensemble([gl.LTC(CIRCUIT, ode_unfolds="auto")]))
    with pytest.raises(TypeError, match="ode_unfolds must be a whole number"):
        gl.LTC(CIRCUIT, ode_unfolds="many")
    with pytest.raises(ValueError, match="updated once per sample: it has no ode_unfolds"):
        gl.LIF(CIRCUIT, ode_unfolds="auto")
