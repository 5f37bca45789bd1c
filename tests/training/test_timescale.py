"""What `fit` says of time spans that do not suit an LTC's time constants."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

CIRCUIT = gl.auto_ncp(12, 2, inputs=3)


def said(unit: float, network: Any = None, **bad: float) -> list[str]:
    """The warnings of a fit whose time spans are about `unit`."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 20, 3)).astype(np.float32)
    y = np.zeros((8, 20, 2), np.float32)
    spans = unit * rng.uniform(0.5, 1.5, (8, 20)).astype(np.float32)
    mask = np.ones((8, 20), bool)
    if bad:
        mask[:, 3], x[:, 3], spans[:, 3] = False, np.nan, bad["span"]
    network = gl.LTC(CIRCUIT, time_scale=1.0) if network is None else network
    optimizer = optim.Adam(0.01, bias_correction=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gl.fit(
            network, (x, y, spans, mask), loss=gl.training.mse, optimizer=optimizer, epochs=1, progress=False
        )
    return [str(one.message) for one in caught if "time spans have the median" in str(one.message)]


@pytest.mark.parametrize("unit", [0.2, 1.0, 2.0])
def test_spans_like_the_time_constants_pass(unit: float) -> None:
    assert said(unit) == []


@pytest.mark.parametrize(
    ("unit", "what"), [(1e-3, "hardly move"), (1e3, "forget all between two samples"), (3.6e6, "forget all")]
)
def test_spans_of_another_unit_are_told(unit: float, what: str) -> None:
    (message,) = said(unit)
    assert what in message
    assert float(message.split("median ")[1].split(" ")[0]) == pytest.approx(unit, rel=0.1)


def test_the_remedy_that_is_named_works() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 20, 3)).astype(np.float32)
    spans = np.full((4, 20), 1e3, np.float32)
    network = gl.LTC(CIRCUIT)
    scaled = gl.Scaled(network, ["a", "b", "c"], ["y", "z"], time_unit=1e3)
    near, far = scaled(x, timespans=spans)[0], network(x, timespans=spans / 1e3)[0]
    np.testing.assert_allclose(np.array(near), np.array(far), atol=1e-6)
    (message,) = said(1e3)
    named = float(message.split("time_scale=")[1].split(" ")[0])
    assert said(1e3, gl.LTC(CIRCUIT, time_scale=named)) == []


def test_samples_that_are_not_there_count_for_nothing() -> None:
    assert said(1.0, span=float("nan")) == []
    assert len(said(1e3, span=0.0)) == 1


def test_a_cell_without_time_constants_passes() -> None:
    assert said(1e3, gl.CfC(CIRCUIT)) == []


def test_so_does_a_network_in_units_of_data() -> None:
    columns = list("abc"), list("yz")
    assert said(1e3, gl.Scaled(gl.LTC(CIRCUIT, time_scale=1.0), *columns, time_unit=1e3)) == []
    assert len(said(1e3, gl.Scaled(gl.LTC(CIRCUIT, time_scale=1.0), *columns))) == 1


def test_weights_from_elsewhere_without_a_time_scale_are_told() -> None:
    trained = gl.CfC(CIRCUIT)
    trained.update(gl.CfC(CIRCUIT).parameters())
    (message,) = said(1e3, trained)
    assert "which nobody has chosen" in message
    assert trained.time_scale is None


def chosen(network: Any, unit: float = 0.02, **given: Any) -> gl.training.History:
    """A fit whose time spans have the median `unit`, but for those that a mask leaves out."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 20, 3)).astype(np.float32)
    spans = np.full((8, 20), unit, np.float32)
    spans[:, 0] = 0.0
    spans[:, 1:6], spans[:, 15:] = 0.9 * unit, 1.2 * unit
    mask = np.ones((8, 20), bool)
    mask[:, 11:15], spans[:, 11:15] = False, 77.0
    options: dict[str, Any] = {
        "loss": gl.training.mse, "optimizer": optim.Adam(0.01, bias_correction=True), "epochs": 2,
        "progress": False,
    }  # fmt: skip
    return gl.fit(network, (x, np.zeros((8, 20, 2), np.float32), spans, mask), **options | given)


@pytest.mark.parametrize(
    ("make", "scale"),
    [
        (lambda: gl.LTC(CIRCUIT), 0.02),
        (lambda: gl.LTC(CIRCUIT, mixed_memory=True), 0.02),
        (lambda: gl.CfC(gl.dense(3, 2)), 0.02),
        (lambda: gl.RNN(gl.CTRNNCell(CIRCUIT), engine="ops"), 0.02),
        (lambda: gl.RNN(gl.CTGRUCell(CIRCUIT)), 0.02),
        (lambda: gl.Stack([gl.CfC(CIRCUIT), gl.NCPDense(2)]), 0.02),
        (lambda: gl.Bidirectional(gl.CfC(CIRCUIT), "sum"), 0.02),
        (lambda: gl.Scaled(gl.CfC(CIRCUIT), list("abc"), list("yz"), time_unit=0.1), 0.2),
        (lambda: gl.CfC(CIRCUIT, time_scale=3.0), 3.0),
        (lambda: gl.RNN(gl.CTRNNCell(CIRCUIT, tau=2.0), engine="ops"), None),
        (lambda: gl.LTC(CIRCUIT, initial_ranges={"cm": (0.1, 0.2)}), None),
    ],
)
def test_fit_chooses_the_median_of_the_time_spans(make: Any, scale: float | None) -> None:
    network = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = chosen(network)
    cells = [part for part in network.modules() if isinstance(part, gl.NCPRNNCell)]
    assert {cell.time_scale for cell in cells} == {scale}
    told, unit = scale in (0.02, 0.2), getattr(network, "time_unit", 1.0)
    assert history.summary is not None
    assert history.summary.time_scale == (scale if told else None)
    assert ("chose time_scale" in str(history.summary)) == told
    assert (f"chose time_scale={scale} inside time_unit=0.1" in str(history.summary)) == (unit == 0.1)


def test_it_chooses_once_and_files_and_checkpoints_keep_it(tmp_path: Path, capsys: Any) -> None:
    network = gl.CfC(CIRCUIT, key=mx.random.key(1))
    twin = gl.CfC(CIRCUIT, key=mx.random.key(1))
    chosen(network, progress=True)
    assert "time_scale=0.02, the median time span of the data" in capsys.readouterr().err
    chosen(network, unit=5.0)
    assert network.time_scale == 0.02
    chosen(twin, checkpoint=tmp_path / "run", epochs=1)
    assert gl.load(tmp_path / "run").time_scale == 0.02
    again = gl.CfC(CIRCUIT, key=mx.random.key(1))
    chosen(again, checkpoint=tmp_path / "run")
    whole = gl.CfC(CIRCUIT, key=mx.random.key(1))
    chosen(whole)
    for (name, one), (_, other) in zip(
        tree_flatten(again.parameters()), tree_flatten(whole.parameters()), strict=True
    ):
        assert mx.array_equal(one, other).item(), name


def test_layers_that_are_one_network_have_one() -> None:
    shared = gl.LTC(gl.fully_connected(2, inputs=2, outputs=2, seed=1))
    x = np.zeros((2, 5, 2), np.float32)
    given: dict[str, Any] = {"loss": gl.training.mse, "optimizer": optim.SGD(0.0), "epochs": 1}
    gl.fit(gl.Stack([shared, shared]), (x, x, np.full((2, 5), 0.5, np.float32)), progress=False, **given)
    assert shared.time_scale == 0.5


def test_a_network_of_before_is_in_its_own_time(tmp_path: Path) -> None:
    gl.save(gl.LTC(CIRCUIT), tmp_path / "before.safetensors")
    network = gl.load(tmp_path / "before.safetensors")
    with pytest.warns(UserWarning, match="hardly move"):
        chosen(network, unit=1e-3)
    assert network.time_scale is None


def test_spans_and_scale_times_a_thousand_train_alike() -> None:
    near, far = (gl.LTC(CIRCUIT, key=mx.random.key(1)) for _ in range(2))
    one, other = chosen(near), chosen(far, unit=20.0)
    np.testing.assert_allclose(other.loss, one.loss, rtol=1e-4)
    assert far.time_scale == 20.0


def test_members_of_an_ensemble_have_the_median_and_cells_of_somebodys_own_are_told() -> None:
    x, y = (
        np.random.default_rng(0).normal(size=(8, 20, 3)).astype(np.float32),
        np.zeros((8, 20, 2), np.float32),
    )
    spans = np.full((8, 20), 100.0, np.float32)

    def loss(model: Any, x: mx.array, y: mx.array, timespans: mx.array) -> mx.array:
        said = model(x, timespans=timespans)
        return mx.mean((said[0] if isinstance(said, tuple) else said) - y) ** 2

    class Own(nn.Module):
        def __init__(self, **given: Any) -> None:
            super().__init__()
            self.inner = gl.LTC(CIRCUIT, **given)

        def __call__(self, x: mx.array, timespans: mx.array | None = None) -> mx.array:
            return self.inner(x, timespans=timespans)[0]

    def trained(model: Any) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            given = {"loss": loss, "optimizer": optim.SGD(0.0), "epochs": 1, "progress": False}
            gl.fit(model, (x, y, spans), **given)
        return [str(one.message) for one in caught if "time spans have the median" in str(one.message)]

    ensemble = gl.ensemble([gl.LTC(CIRCUIT, key=mx.random.key(k)) for k in range(2)])
    assert trained(ensemble) == []
    together = np.array(ensemble(x, timespans=100.0)[0])
    for k in range(2):
        alone = gl.LTC(CIRCUIT, key=mx.random.key(k), time_scale=100.0)
        assert ensemble.member(k).time_scale == 100.0
        np.testing.assert_allclose(together[k], np.array(alone(x, timespans=100.0)[0]), atol=1e-5)
    later = gl.ensemble([gl.LTC(CIRCUIT) for _ in range(2)])
    later.update({"members": later.members | {"cell": later.members["cell"] | {"cm": mx.ones((2, 12))}}})
    trained(later)
    assert later.member(0).time_scale is None  # weights from elsewhere are in their own time
    (told,) = trained(Own())
    assert "the LTCCell in this Own has no time scale, which fit leaves to you" in told
    assert "time_scale=100.0" in told
    assert trained(Own(time_scale=100.0)) == []


def test_a_module_that_knows_no_time_spans_is_given_none() -> None:
    layer, x, spans = nn.GRU(3, 2), mx.ones((4, 5, 3)), mx.full((4, 5), 2.0)
    said = np.array(gl.training.outputs_of(layer, x, spans))
    np.testing.assert_array_equal(said, np.array(layer(x)))
    mask = mx.array(np.arange(5) < 3)[None] * mx.ones((4, 1))
    np.testing.assert_array_equal(np.array(gl.training.outputs_of(layer, x, spans, mask))[:, :3], said[:, :3])
