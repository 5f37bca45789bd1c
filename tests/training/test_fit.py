"""`fit` does what the same loop by hand does, and what its arguments say."""

from __future__ import annotations

import math
import re
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.training.data import Batches, as_data

SEED, BATCH, EPOCHS = 5, 4, 3


def network(seed: int = 0) -> gl.LTC:
    mx.random.seed(seed)
    return gl.LTC(gl.random(4, inputs=2, outputs=2), ode_unfolds=2)


def task(items: int = 10) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(items, 5, 2))
    return x, np.tanh(x)


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: np.array(array) for name, array in nn.utils.tree_flatten(model.parameters())}


def fit(model: nn.Module, data: Any, **options: Any) -> gl.training.History:
    settings = {
        "loss": gl.training.mse, "optimizer": optim.Adam(0.05), "epochs": EPOCHS, "batch_size": BATCH,
        "seed": SEED, "progress": False, **options,
    }  # fmt: skip
    return gl.fit(model, data, **settings)


def test_fit_is_the_loop_by_hand() -> None:
    x, y = (mx.array(a.astype(np.float32)) for a in task())
    by_hand, optimizer = network(), optim.Adam(0.05)
    loss_and_gradients = nn.value_and_grad(by_hand, gl.training.mse)
    curve = []
    for epoch in range(EPOCHS):
        order, total = np.random.default_rng([SEED, epoch]).permutation(len(x)), 0.0
        for start in range(0, len(x), BATCH):
            chosen = mx.array(order[start : start + BATCH])
            loss, gradients = loss_and_gradients(by_hand, x[chosen], y[chosen])
            gradients, _ = optim.clip_grad_norm(gradients, 0.1)
            optimizer.update(by_hand, gradients)
            by_hand.apply_constraints()
            mx.eval(by_hand.parameters(), optimizer.state)
            total += loss.item() * len(chosen)
        curve.append(total / len(x))
    fitted = network()
    history = fit(fitted, (x, y), clip_norm=0.1)
    assert history.loss == curve
    assert all(np.array_equal(array, weights(by_hand)[name]) for name, array in weights(fitted).items())


def test_arrays_of_any_kind_give_the_same() -> None:
    x, y = task()
    kinds = [
        (x, y),
        (mx.array(x.astype(np.float32)), mx.array(y.astype(np.float32))),
        (x.tolist(), y.tolist()),
    ]
    curves = [fit(network(), data).loss for data in kinds]
    assert curves[0] == curves[1] == curves[2]


def test_an_object_with_items_is_data() -> None:
    class Items:
        def __len__(self) -> int:
            return 10

        def __getitem__(self, items: np.ndarray) -> tuple[mx.array, ...]:
            return tuple(mx.array(a[items].astype(np.float32)) for a in task())

    assert fit(network(), Items()).loss == fit(network(), task()).loss


def test_validation_keeps_the_best_epoch() -> None:
    """The first epoch is best, because the validation targets are those of the untrained network."""
    x, y = task()
    model = network()
    start = np.array(model(x)[0])
    history = fit(model, (x, 3 * y), validation=(x, start), epochs=4)
    assert history.best == 0
    once = network()
    fit(once, (x, 3 * y), epochs=1)
    assert all(np.array_equal(array, weights(once)[name]) for name, array in weights(model).items())


def test_the_best_epoch_is_kept_as_it_was_measured() -> None:
    class Shrinks(gl.training.Callback):
        def on_epoch(self, run: gl.training.Run) -> None:
            run.model.cell.w *= 0.5

    x, y = task()
    model = network()
    history = fit(model, (x, y), validation=(x, y), callbacks=[Shrinks()])
    now = gl.training.mse(model, mx.array(x.astype(np.float32)), mx.array(y.astype(np.float32))).item()
    assert now == pytest.approx(history.validation[history.best], rel=1e-5)


def test_validation_is_the_mean_over_items() -> None:
    x, y = task(7)
    model = network()
    history = fit(model, (x, y), validation=(x, y), epochs=1, batch_size=3)
    expected = float(np.mean((np.array(model(x)[0]) - y) ** 2))
    assert history.validation[0] == pytest.approx(expected, rel=1e-5)


def test_patience_stops() -> None:
    x, y = task()
    history = fit(network(), (x, y), validation=(x, -9 * np.ones_like(y)), patience=2, epochs=50)
    assert len(history.loss) == len(history.validation) < 50
    assert history.stale == 2


def test_constraints_of_every_network_are_applied() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [network(1), network(2)]

        def __call__(self, x: mx.array) -> mx.array:
            return self.layers[1](self.layers[0](x)[0])[0]

    model = Two()
    fit(model, task(), optimizer=optim.SGD(30.0), epochs=1)
    values = weights(model)
    for name in ("w", "sensory_w", "cm", "gleak"):
        assert all((values[f"layers.{k}.cell.{name}"] >= 0).all() for k in range(2))
    assert any((values[f"layers.{k}.cell.w"] == 0).any() for k in range(2))


def test_callbacks_see_the_run_and_can_stop_it() -> None:
    seen: list[tuple[str, int]] = []

    class Watch(gl.training.Callback):
        def on_start(self, run: gl.training.Run) -> None:
            seen.append(("start", run.step))

        def on_step(self, run: gl.training.Run) -> None:
            seen.append(("step", run.step))
            assert math.isfinite(run.loss)
            if run.step == 4:
                run.stop = "enough"

        def on_epoch(self, run: gl.training.Run) -> None:
            seen.append(("epoch", run.epoch))

        def on_end(self, run: gl.training.Run) -> None:
            seen.append(("end", run.step))

    history = fit(network(), task(), callbacks=[Watch()])
    assert seen == [
        ("start", 0),
        ("step", 1),
        ("step", 2),
        ("step", 3),
        ("epoch", 1),
        ("step", 4),
        ("end", 4),
    ]
    assert len(history.loss) == 1


def test_masks_and_timespans_reach_the_loss() -> None:
    x, y = task(4)
    spans = np.full((4, 5), 0.5)
    mask = np.ones((4, 5))
    mask[:, 3:] = 0
    y_padded = y.copy()
    y_padded[:, 3:] = 1e6
    model = network()
    masked = gl.training.mse(model, *(mx.array(a.astype(np.float32)) for a in (x, y_padded, spans, mask)))
    short = gl.training.mse(model, *(mx.array(a[:, :3].astype(np.float32)) for a in (x, y, spans)))
    assert masked.item() == pytest.approx(short.item(), rel=1e-6)


def test_cross_entropy_learns_classes() -> None:
    x, _ = task(40)
    labels = (x[:, -1, 0] > 0).astype(np.int64)
    mx.random.seed(0)
    rnn = gl.CfC(gl.random(6, inputs=2, outputs=2), return_sequences=False)
    history = fit(rnn, (x, labels), loss=gl.training.cross_entropy, epochs=15)
    assert history.loss[-1] < 0.7 * history.loss[0]


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    x, y = task()
    y[3] = np.nan
    reason = (
        r"the loss is not finite at step \d \(epoch 1, batch \d\): array 1 of the data holds nan at item 3: "
        r"give np.isfinite\(y\), of the targets' shape \(B, 5, 2\), as mask, the last of the data "
        r"\(x, y, timespans, mask\)$"
    )
    with pytest.raises(FloatingPointError, match=reason):
        fit(network(), (x, y))
    spans = np.ones(y.shape[:2], np.float32)
    assert np.isfinite(fit(network(), (x, y, spans, np.isfinite(y)), epochs=1).loss).all()  # as it says
    x[2] = np.nan
    with pytest.raises(
        FloatingPointError, match=r"array 0 .* item 2: give \(B, T\) booleans, false for a sample"
    ):
        fit(network(), (x, np.nan_to_num(y)))


def test_losses_take_the_arrays_that_networks_take() -> None:
    x, y = task()
    rnn, mask, spans = (
        network(),
        np.arange(x.shape[1])[None] < np.full(len(x), 5)[:, None],
        np.ones(y.shape[:2]),
    )
    for loss, target in ((gl.training.mse, y), (gl.training.cross_entropy, np.zeros(y.shape[:2], int))):
        given = (x, target, spans, mask)
        assert loss(rnn, *given).item() == loss(rnn, *map(mx.array, given)).item()
    whole = gl.training.mse(rnn, x, y).item()
    assert gl.training.mse(rnn, x, y, mask=np.isfinite(y)).item() == pytest.approx(whole)
    assert gl.training.outputs_of(rnn, x).shape == y.shape
    with pytest.raises(TypeError, match="y must hold real numbers"):
        gl.training.mse(rnn, x, np.full(y.shape, "a"))
    with pytest.raises(ValueError, match="the classes hold NaN"):
        gl.training.cross_entropy(rnn, x, np.full(y.shape[:2], np.nan))


def test_the_mode_of_the_model_comes_back() -> None:
    modes: list[bool] = []

    def loss(model: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        modes.append(model.training)
        return gl.training.mse(model, x, y)

    model = network()
    fit(model, task(), loss=loss, validation=task(), epochs=1)
    assert modes == [True, True, True, False, False, False]
    assert model.training


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"epochs": 0}, ValueError, "epochs is 0"),
        ({"batch_size": 2.5}, ValueError, "batch_size is 2.5"),
        ({"patience": 3}, ValueError, "patience needs validation"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every is 0"),
        ({"checkpoint_every": 5}, ValueError, "checkpoint_every needs a checkpoint directory"),
        ({"validation": ()}, ValueError, r"arrays of \[\] items"),
    ],
)
def test_arguments_out_of_range_are_refused(
    options: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        fit(network(), task(), **options)


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (task()[0], TypeError, "expected a tuple of arrays"),
        ((task()[0], task(9)[1]), ValueError, r"arrays of \[10, 9\] items"),
        ((np.zeros((0, 5, 2)), np.zeros((0, 5, 2))), ValueError, "at least 1"),
        (7, TypeError, "the data are a int"),
        ((task()[0], task()[1][:, :1]), ValueError, "the targets"),
    ],
)
def test_data_that_do_not_fit_are_refused(data: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        fit(network(), data)


def test_batches_of_several_processes_make_up_the_joint_batch() -> None:
    from ganglion.training.ranks import Ranks

    data = as_data((np.arange(11),))
    joint = list(Batches(data, 4, 0).epoch(3))
    parts = [list(Batches(data, 4, 0, Ranks(None, rank, 3)).epoch(3)) for rank in range(3)]
    for step, (batch, items, weight) in enumerate(joint):
        shares = [part[step] for part in parts]
        assert weight == 1
        assert sum(share[2] for share in shares) == pytest.approx(3)
        held = [np.array(share[0][0]) for share in shares if share[2] > 0]
        assert np.concatenate(held).tolist() == np.array(batch[0]).tolist()
        assert all(share[1] == items for share in shares)


@pytest.mark.parametrize(("width", "best"), [(80, False), (120, True)])
def test_a_progress_bar_keeps_its_figures_on_a_narrow_terminal(
    width: int, best: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as if it were a terminal
    monkeypatch.setenv("COLUMNS", str(width))
    fit(network(), task(200), progress=True, epochs=20, validation=task())
    drawn = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", capsys.readouterr().err)
    last = [line for line in re.split(r"[\r\n]", drawn) if "training" in line][-1]
    assert "1000/1000 steps" in last
    assert re.search(r"epoch 20: loss [\d.e-]+, validation [\d.e-]+", last)
    assert ("best" in last) == best
