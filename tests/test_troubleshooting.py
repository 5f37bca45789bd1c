"""Every message that the page about troubles explains is one that comes, word for word but for numbers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.commands.exits import explained
from ganglion.training.recipe import WARNED
from ganglion.training.series.reading import read_series

PAGE = Path(__file__).resolve().parents[1] / "docs" / "troubleshooting.md"
HEADINGS = re.findall(r"^### `(.*)`$", PAGE.read_text(), re.MULTILINE)
CIRCUIT = gl.auto_ncp(8, 1, inputs=2, sparsity=0.2)
X = mx.random.normal((32, 12, 2), key=mx.random.key(0))
Y = mx.tanh(mx.cumsum(X, axis=1)[..., :1])


def fit(*data: Any, optimizer: optim.Optimizer | None = None, epochs: int = 1, **options: Any) -> None:
    optimizer = optimizer or optim.Adam(1e-6, bias_correction=True)
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(0), **options)
    gl.fit(rnn, data, loss=gl.training.mse, optimizer=optimizer, epochs=epochs, progress=False)


def one_missing_value() -> None:
    x = np.array(X)
    x[3, 4, 1] = np.nan
    fit(x, Y)


def elsewhere(code: str, **environment: str) -> Callable[[], str]:
    """What another process writes to standard error."""

    def run() -> str:
        given = os.environ | environment
        command = [sys.executable, "-c", "import ganglion as gl, mlx.core as mx\n" + code]
        return subprocess.run(command, env=given, capture_output=True, text=True, check=False).stderr

    return run


def weights_of(rnn: Any) -> list[tuple[str, mx.array]]:
    return tree_flatten(rnn.parameters())  # type: ignore[return-value]


def uncaptured() -> None:
    rnn = gl.LTC(CIRCUIT)
    optimizer = optim.Adam(0.01, bias_correction=True)
    gradients_of = nn.value_and_grad(rnn, gl.training.mse)

    @mx.compile
    def step(x: mx.array, y: mx.array) -> mx.array:
        loss, gradients = gradients_of(rnn, x, y)
        optimizer.update(rnn, gradients)
        return loss

    mx.eval(step(X, Y))
    mx.eval(rnn.parameters())


def twice(rnn: Any) -> None:
    mx.eval(mx.grad(lambda x: mx.grad(lambda x: rnn(x)[0].sum())(x).sum())(X))


def dates(folder: Path) -> None:
    (folder / "d.csv").write_text("time,a,b\n01/02/2024,1,2\n02/02/2024,1,2\n")
    read_series(folder / "d.csv", inputs=["a"], targets=["b"], time="time")


RUN = "gl.LTC(gl.auto_ncp(8, 1, inputs=2))(mx.zeros((1, 3, 2)))"
FORK = f"""
import os, sys
{RUN}
pid = os.fork()
if pid == 0:
    try:
        {RUN}
    except RuntimeError as error:
        os.write(2, str(error).encode())
    os._exit(0)
os.waitpid(pid, 0)
"""
DEAD = gl.Circuit()
for name, role in (("s", "sensory"), ("a", "inter"), ("m", "motor")):
    DEAD.add_neuron(name, role=role)
DEAD.add_synapse("s", "a", polarity=1)

# By the first words of a heading. What is called gets an empty folder, and may return a text.
CAUSES: dict[str, Callable[[Path], Any]] = {
    "building kernels": lambda folder: elsewhere(RUN, GANGLION_CACHE=str(folder), CXX="/bin/false")(),
    "running plain": lambda folder: elsewhere(RUN, GANGLION_CACHE=str(folder), CXX="/bin/false")(),
    "the cache of": lambda folder: (
        (folder / "open").mkdir()
        or (folder / "open").chmod(0o777)
        or elsewhere(RUN, GANGLION_CACHE=str(folder / "open" / "cache"), CXX="/bin/false")()
    ),
    "the loss is": lambda _: one_missing_value(),
    "the outputs hardly": lambda _: fit(X, 1e3 * Y, epochs=120),
    "the time spans": lambda _: fit(X, Y, mx.full((32, 12), 1e-4), time_scale=1.0),
    "this Adam": lambda _: fit(X, Y, optimizer=optim.Adam(0.01)),
    "array 2": lambda _: fit(X, Y, 1.7e9 + np.arange(12.0) * np.ones((32, 1))),
    "the input": lambda _: gl.LTC(CIRCUIT)(mx.zeros((4, 5, 3))),
    "mask has": lambda _: gl.LTC(CIRCUIT)(X, mask=np.ones((32, 12, 1))),
    "the time span of": lambda _: gl.LTC(CIRCUIT)(X, timespans=-mx.ones((32, 12))),
    "the weights": lambda _: gl.LTC(gl.auto_ncp(8, 1, inputs=2, sparsity=0.2, seed=3)).load_weights(
        weights_of(gl.LTC(CIRCUIT))
    ),
    "ode_unfolds": lambda _: setattr(gl.LTC(CIRCUIT), "ode_unfolds", 3),
    "expected a Circuit": lambda _: gl.LTC("c.json"),  # type: ignore[call-overload]
    "no path": lambda _: "\n".join(map(str, gl.check(DEAD))),
    "[eval]": lambda _: uncaptured(),
    "addmm()": lambda _: nn.Sequential(gl.LTC(CIRCUIT), nn.Linear(1, 2))(X),
    "the fused engine": lambda _: twice(gl.LTC(CIRCUIT, engine="fused")),
    "this process": lambda _: elsewhere(FORK)(),
    "neuron 'A'": lambda _: gl.circuit_from([("A", "B")], polarity=1),
    "may begin": dates,
    "needs the package": lambda _: explained(ModuleNotFoundError("no", name="anywidget")),
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_message_comes(heading: str, tmp_path: Path) -> None:
    (cause,) = (cause for words, cause in CAUSES.items() if heading.startswith(words))
    told = ""
    WARNED.clear()  # what is said once, perhaps by another test of this process
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            told = str(cause(tmp_path))
        except Exception as error:  # whatever comes is compared
            told = str(error)
    told = "\n".join([told, *(str(warning.message) for warning in warned)])
    words = re.sub(r"\\\.\\\.\\\.", ".*", re.escape(heading))
    assert re.search(words, told), told


def test_every_cause_has_its_heading() -> None:
    assert [words for words in CAUSES if not any(heading.startswith(words) for heading in HEADINGS)] == []
    assert len(HEADINGS) == len(set(HEADINGS)) == len(CAUSES)


def test_what_helps_helps() -> None:
    assert nn.Sequential(gl.LTC(CIRCUIT, return_state=False), nn.Linear(1, 2))(X).shape == (32, 12, 2)
    twice(gl.LTC(CIRCUIT, engine="ops"))
