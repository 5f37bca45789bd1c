"""What is compared with the references: each check takes a case and raises an AssertionError."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten

import ganglion as gl
from ganglion.cells.timed import usual_span

from . import references
from .cases import Case
from .references import Array, Padded
from .two_ranks import train

LAUNCH = "from mlx._distributed_utils.launch import main; main()"
CLOSE = 2e-5
"""The largest difference of outputs, which are of the size of 1."""


def junk(given: Padded, seed: int) -> tuple[mx.array, mx.array, Array]:
    """The data as they are given to ours: anything where there is no sample."""
    rng = np.random.default_rng(seed)
    anything = rng.choice([np.nan, np.inf, -1e30, 0.0], given.mask.shape)
    x = np.where(given.mask[..., None], given.x, anything[..., None]).astype(np.float32)
    spans = np.where(given.mask, given.spans, anything).astype(np.float32)
    return mx.array(x), mx.array(spans), given.mask


def said(case: Case) -> Array:
    """The outputs of ours, with junk in the padding."""
    x, spans, mask = junk(case.given, case.seed)
    return np.array(case.model(x, timespans=spans, mask=mask)[0])


def targets(case: Case, shape: tuple[int, ...]) -> Array:
    """Random targets."""
    return np.random.default_rng(case.seed + 1).normal(size=shape).astype(np.float32)


def check_outputs(case: Case) -> None:
    """All outputs, where there is no sample too."""
    expected = case.reference(case.given)
    assert np.allclose(said(case), expected.outputs, atol=CLOSE * max(1.0, np.abs(expected.outputs).max()))


def check_rows_alone(case: Case) -> None:
    """A row by itself, without its padding and its neighbours, says the same."""
    whole, row = said(case), case.seed % len(case.given.mask)
    valid = case.given.mask[row]
    x, spans = case.given.x[row, valid][None], case.given.spans[row, valid][None]
    alone = np.array(case.model(mx.array(x), timespans=mx.array(spans))[0])[0]
    assert np.allclose(alone, whole[row, valid], atol=CLOSE * max(1.0, np.abs(alone).max()))


def check_losses(case: Case) -> None:
    """Both losses, with junk in the padding of the targets too."""
    x, spans, mask = junk(case.given, case.seed)
    expected = case.reference(case.given).outputs
    y = targets(case, expected.shape)
    padded = mx.array(np.where(mask[..., None], y, np.nan).astype(np.float32))
    loss = gl.training.mse(case.model, x, padded, spans, mx.array(mask)).item()
    wanted = references.mean_squared_error(expected, y, mask)
    assert abs(loss - wanted) <= 1e-4 * max(1.0, wanted)
    classes = np.random.default_rng(case.seed).integers(0, expected.shape[-1], mask.shape)
    labels = mx.array(np.where(mask, classes, -9).astype(np.int32))
    loss = gl.training.cross_entropy(case.model, x, labels, spans, mx.array(mask)).item()
    wanted = references.mean_cross_entropy(expected, classes, mask)
    assert abs(loss - wanted) <= 1e-4 * max(1.0, wanted)


def check_gradients(case: Case) -> None:
    """Some entries of the loss's gradient, by central differences of the reference."""
    x, spans, mask = junk(case.given, case.seed)
    y = targets(case, case.reference(case.given).outputs.shape)

    def loss(model: nn.Module) -> mx.array:
        return gl.training.mse(model, x, mx.array(y), spans, mx.array(mask))

    _, gradients = nn.value_and_grad(case.model, loss)(case.model)
    found = {name: np.array(g) for name, g in tree_flatten(gradients) if g.size}
    before: Any = dict(tree_flatten(case.model.trainable_parameters()))
    largest = max((np.abs(g).max() for g in found.values()), default=0.0)
    rng, step = np.random.default_rng(case.seed), 1e-2
    for name in rng.permutation(sorted(found))[:4]:
        flat = np.array(before[name]).ravel()
        k = int(rng.integers(flat.size))
        if _bends(name, flat[k], step):
            continue
        slopes = []
        for size in (step, step / 2):
            moved = []
            for sign in (1.0, -1.0):
                other = flat.copy()
                other[k] += sign * size
                case.model.update(tree_unflatten([(name, mx.array(other.reshape(before[name].shape)))]))
                expected = case.reference(case.given).outputs
                moved.append((references.mean_squared_error(expected, y, mask), float(other[k])))
            slopes.append((moved[0][0] - moved[1][0]) / (moved[0][1] - moved[1][1]))
        case.model.update(tree_unflatten([(name, before[name])]))
        slope = (4 * slopes[1] - slopes[0]) / 3  # without the error of order two
        doubt = abs(slopes[1] - slopes[0])
        assert abs(found[name].ravel()[k] - slope) <= 1e-3 * max(largest, 0.1) + doubt, name


def _bends(name: str, value: float, step: float) -> bool:
    """Whether a parameter is beside a kink, or where a fixed sign gives it a gradient to come back by."""
    quantity = name.rpartition(".")[2].removeprefix("sensory_")
    return quantity in ("erev", "ff1_w", "ff2_w", "w_tau", "w") or abs(value) < 2 * step


def check_recordings(case: Case) -> None:
    """States, outputs and times of a recording; its inputs are zeros where there is no sample."""
    if not isinstance(case.model, gl.RNN):
        return
    x, spans, mask = junk(case.given, case.seed)
    recording = gl.record(case.model, x, timespans=spans, mask=mask)
    expected = case.reference(case.given)
    assert np.allclose(recording.states, expected.states, atol=CLOSE)
    assert np.allclose(recording.outputs, expected.outputs, atol=CLOSE)
    assert np.allclose(recording.inputs, np.where(mask[..., None], case.given.x, 0.0))
    known = np.where(mask, case.given.spans, 0.0)
    assert np.allclose(np.broadcast_to(recording.times, mask.shape), np.cumsum(known, axis=1), rtol=1e-6)
    states = np.array(case.model(x, timespans=spans, mask=mask, return_states=True)[-1])
    assert np.allclose(states, expected.states, atol=CLOSE)


def check_files(case: Case) -> None:
    """A network that was saved and loaded says the same to the bit, and its description is the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        gl.save(case.model, path)
        loaded = gl.load(path)
    assert loaded.get_config() == case.model.get_config()
    twin = Case(case.row, loaded, case.reference, case.given, case.seed)
    assert np.array_equal(said(twin), said(case))


def check_exports(case: Case) -> None:
    """The exported function says what the reference says, of regular samples that are all there."""
    x = mx.array(case.given.x)
    model = case.model
    ones = np.full(case.given.mask.shape, usual_span(model))
    regular = Padded(case.given.x, ones, np.ones_like(case.given.mask))
    if case.row == "Scaled":  # without time spans, samples are a unit of its own apart
        regular = Padded(case.given.x, ones * model.time_unit, np.ones_like(case.given.mask))
    expected = case.reference(regular).outputs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.mlxfn"
        gl.export_mlx(model, path, x)
        outputs = mx.import_function(str(path))(x)[0]
    assert np.allclose(np.array(outputs), expected, atol=CLOSE * max(1.0, np.abs(expected).max()))


class _Stop(gl.training.Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, run: gl.training.Run) -> None:
        if run.step == self.step:
            raise KeyboardInterrupt


def check_resume(case: Case) -> None:
    """A run that was interrupted and went on ends as one that was not, to the bit."""
    x, spans, mask = junk(case.given, case.seed)
    y = mx.array(targets(case, case.reference(case.given).outputs.shape))
    data = (x, y, spans, mx.array(mask))
    start = dict(tree_flatten(case.model.parameters()))
    steps = 3 * -(-len(x) // 2)

    def train(folder: str, *callbacks: gl.training.Callback) -> tuple[list[float], list[Array]]:
        history = gl.fit(
            case.model, data, loss=gl.training.mse, optimizer=optim.Adam(1e-3, bias_correction=True),
            epochs=3, batch_size=2, validation=data, checkpoint=folder, checkpoint_every=1,
            callbacks=callbacks, progress=False,
        )  # fmt: skip
        weights = [np.array(array) for _, array in tree_flatten(case.model.parameters())]
        return [*history.loss, *history.validation], weights

    with tempfile.TemporaryDirectory() as folder:
        whole = train(f"{folder}/whole")
        case.model.update(tree_unflatten(list(start.items())))
        try:
            train(f"{folder}/parts", _Stop(1 + case.seed % steps))
        except KeyboardInterrupt:
            case.model.update(tree_unflatten(list(start.items())))  # a new process has fresh weights
        parts = train(f"{folder}/parts")
    assert whole[0] == parts[0]
    assert all(np.array_equal(a, b) for a, b in zip(whole[1], parts[1], strict=True))


def check_distributed(case: Case) -> None:
    """Two processes train as one does with the joint batch."""
    x, spans, mask = junk(case.given, case.seed)
    y = mx.array(targets(case, case.reference(case.given).outputs.shape))
    data = (x, y, spans, mx.array(mask))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gl.save(case.model, folder / "model.safetensors")
        mx.save_safetensors(
            str(folder / "data.safetensors"), dict(zip(["x", "y", "spans", "mask"], data, strict=True))
        )
        port = 23000 + os.getpid() % 2000 * 4
        command = [sys.executable, "-c", LAUNCH, "-n", "2", "--backend", "ring", "--starting-port", str(port)]
        ran = subprocess.run(
            [*command, sys.executable, str(Path(__file__).with_name("two_ranks.py")), name],
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        ranks = [(folder / f"rank-{k}.safetensors", folder / f"rank-{k}.txt") for k in range(2)]
        assert all(path.is_file() for pair in ranks for path in pair), ran.stderr
        theirs = [
            (gl.load(weights), [float(n) for n in losses.read_text().split()]) for weights, losses in ranks
        ]
    mx.random.seed(7)
    loss = train(case.model, data, distributed=False)
    for model, found in theirs:
        assert np.allclose(found, loss, rtol=1e-5, atol=1e-6)
        pairs = zip(tree_flatten(model.parameters()), tree_flatten(case.model.parameters()), strict=True)
        for (path, a), (_, b) in pairs:
            assert np.allclose(np.array(a), np.array(b), atol=CLOSE), path


CHECKS: dict[str, Callable[[Case], None]] = {
    "outputs": check_outputs,
    "rows alone": check_rows_alone,
    "losses": check_losses,
    "gradients": check_gradients,
    "recordings": check_recordings,
    "files": check_files,
    "exports": check_exports,
    "resume": check_resume,
    "distributed": check_distributed,
}
SLOW = ("exports", "resume", "distributed")
