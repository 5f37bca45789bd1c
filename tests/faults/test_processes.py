"""Networks in other threads and processes, and after a fork, in which MLX would wait for ever."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from numpy.typing import NDArray

import ganglion as gl

ROOT = Path(__file__).resolve().parents[2]
CIRCUIT = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)

FORKED = """
import os, pathlib, signal, sys, tempfile
import mlx.core as mx, mlx.nn as nn, mlx.optimizers as optim, numpy as np
import ganglion as gl
from ganglion import forks

forks.PATIENCE = 1.0
circuit = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
x, y = np.ones((4, 5, 3), np.float32), np.ones((4, 5, 2), np.float32)
rnn, ops = gl.LTC(circuit), gl.CfC(circuit, engine="ops")
stack, both, cell = gl.Stack([gl.LTC(circuit)]), gl.Bidirectional(gl.LTC(circuit)), gl.LTCCell(circuit)
steps, kernel_steps, linear = ops.stream(), rnn.stream(), nn.Linear(3, 2)
mx.eval(rnn(x), linear.parameters(), stack.parameters(), both.parameters(), cell.parameters())
place = pathlib.Path(tempfile.mkdtemp())
gl.save(rnn, place / "rnn.safetensors")

def fit(model, loss):
    adam = optim.Adam(0.1, bias_correction=True)
    gl.fit(model, (x, y), loss=loss, optimizer=adam, epochs=1, progress=False)

doors = {
    "a network": lambda: rnn(x),
    "operations": lambda: ops(x),
    "a stack": lambda: stack(x),
    "both directions": lambda: both(x),
    "a cell": lambda: cell(x[:, 0]),
    "a new network": lambda: gl.LTC(circuit),
    "a step": lambda: steps(x[0, 0]),
    "a step of kernels": lambda: kernel_steps(x[0, 0]),
    "fit": lambda: fit(rnn, gl.training.mse),
    "fit of another model": lambda: fit(linear, lambda model, a, b: mx.square(model(a) - b).mean()),
    "save": lambda: gl.save(rnn, place / "other.safetensors"),
    "load": lambda: gl.load(place / "rnn.safetensors"),
    "save_weights": lambda: rnn.save_weights(str(place / "weights.safetensors")),
    "export_mlx": lambda: gl.export_mlx(rnn, place / "rnn.mlxfn", x.shape),
    "lesion": lambda: gl.lesion(rnn, ["inter_0"]),
    "memory": lambda: rnn.memory(4, 5),
    "check_cell": lambda: gl.testing.check_cell(cell),
}
if os.fork() == 0:
    signal.alarm(60)
    for name, door in doors.items():
        try:
            door()
            print(name, "went through")
        except RuntimeError as error:
            print(name, "refused" if "forked from one in which MLX had computed" in str(error) else error)
    print(sorted(path.name for path in place.iterdir()))
    print(len(gl.compile_circuit(circuit).plan.neurons))  # what needs no MLX goes on
    sys.stdout.flush()
    os._exit(0)
pid, status = os.wait()
print("exit", status)
mx.eval(rnn(x))  # the process itself goes on
"""

UNUSED = """
import os, signal, sys
import mlx.core as mx, numpy as np
import ganglion as gl

circuit = gl.auto_ncp(12, 2, inputs=3, sparsity=0.5, seed=1)
if os.fork() == 0:
    signal.alarm(60)
    outputs, _ = gl.LTC(circuit, key=mx.random.key(1))(np.ones((4, 5, 3), np.float32))
    print(outputs.shape, bool(mx.isfinite(outputs).all()))
    sys.stdout.flush()
    os._exit(0)
print("exit", os.wait()[1])
"""


def python(program: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_after_a_fork_whatever_computes_is_refused_rather_than_hangs() -> None:
    *doors, files, neurons, end = python(FORKED)
    assert len(doors) == 17
    assert [line for line in doors if not line.endswith(" refused")] == []
    assert files == "['rnn.safetensors']"
    assert (neurons, end) == ("12", "exit 0")


def test_a_fork_before_the_first_computation_computes() -> None:
    assert python(UNUSED) == ["(4, 5, 2) True", "exit 0"]


def network() -> gl.LTC:
    return gl.LTC(CIRCUIT, key=mx.random.key(3))


def outputs_elsewhere(weights: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    rnn = gl.LTC(CIRCUIT)
    rnn.load_weights([(name, mx.array(value)) for name, value in weights.items()])
    return np.array(rnn(X)[0])


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_network_in_another_process_gives_the_same_numbers(method: str) -> None:
    rnn = network()
    weights = {f"cell.{name}": np.array(value) for name, value in rnn.cell.parameters().items()}
    with multiprocessing.get_context(method).Pool(1) as pool:
        found = pool.apply(outputs_elsewhere, (weights,))
    np.testing.assert_array_equal(found, np.array(rnn(X)[0]))


@pytest.mark.parametrize("engine", ["fused", "ops"])
def test_threads_share_a_network(engine: str) -> None:
    rnn = network()
    rnn.engine = engine
    expected = np.array(rnn(X)[0])
    found: list[NDArray[np.float32]] = []

    def work() -> None:
        for _ in range(5):
            found.append(np.array(rnn(X)[0]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    for one in found:
        np.testing.assert_array_equal(one, expected)
