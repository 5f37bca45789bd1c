"""The GPU's source: it compiles as CUDA where nvcc is installed, and its body runs on the CPU."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells.offers import cell_kernel
from ganglion.compile.kernels import gpu, sequence

from ..support.electrical import with_pairs
from ..support.kernels import kernel_named
from ..support.networks import quadratic_loss, random_parameters, relative_error
from .emulate import EmulatedRunner, cuda_function

CIRCUIT = gl.auto_ncp(13, 3, inputs=4, seed=3)
NETWORKS: dict[str, Any] = {
    "ltc": lambda **o: gl.LTC(CIRCUIT, **o),
    "ltc-electrical": lambda **o: gl.LTC(with_pairs(CIRCUIT), **o),
    "cfc": lambda **o: gl.CfC(CIRCUIT, **o),
    "cfc-synchronous": lambda **o: gl.CfC(CIRCUIT, mode="no_gate", schedule="synchronous", **o),
    "cfc-pure": lambda **o: gl.CfC(CIRCUIT, mode="pure", **o),
    "dense": lambda **o: gl.CfC(
        gl.dense(4, 7), backbone_units=9, backbone_layers=2, backbone_activation="gelu", **o
    ),
    "dense-pure": lambda **o: gl.CfC(gl.dense(4, 7), mode="pure", backbone_layers=0, **o),
}
on_all_networks = pytest.mark.parametrize("name", NETWORKS)


def make(name: str, reverse: bool = False) -> Any:
    rnn = NETWORKS[name](reverse=reverse)
    rnn.engine = "fused"
    return rnn


@pytest.fixture(
    params=[
        "emulated",
        pytest.param(
            "device",
            marks=[pytest.mark.gpu, pytest.mark.skipif(not mx.is_available(mx.gpu), reason="needs a GPU")],
        ),
    ]
)
def on_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Lets the kernels run as on a GPU from then on: emulated on the CPU, or on a real one."""

    def move() -> None:
        if request.param == "emulated":
            monkeypatch.setattr(sequence, "CPURunner", EmulatedRunner)
        else:
            mx.set_default_device(mx.gpu)

    before = mx.default_device()
    mx.set_default_device(mx.cpu)
    yield move
    mx.set_default_device(before)


@on_all_networks
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("spans", ["uneven", "one", "events", "events, backwards"])
def test_the_body_computes_what_the_cpu_computes(
    name: str, every: int, spans: str, on_gpu: Callable[[], None]
) -> None:
    rng = np.random.default_rng(5)
    rnn = make(name, reverse=spans == "events, backwards")
    rnn.checkpoint_every = every
    if not name.startswith("dense"):
        random_parameters(rnn, rng)
    inputs = {
        "x": rng.uniform(-1, 1, (3, 5, rnn.cell.n_inputs)).astype(np.float32),
        "state": rng.uniform(-1, 1, (3, rnn.cell.n_neurons)).astype(np.float32),
    }
    events: dict[str, Any] = {}
    if spans != "one":
        inputs["timespans"] = rng.uniform(0.2, 2.0, (3, 5)).astype(np.float32)
    if spans.startswith("events"):
        events = {"mask": rng.random((3, 5)) < 0.6, "ends": rng.random((3, 5)) < 0.3}
        inputs["x"][~events["mask"]] = inputs["timespans"][~events["mask"]] = np.nan
        inputs["timespans"][0, 1] = 0.0
    targets = (np.zeros((3, 5, rnn.cell.n_outputs)), np.zeros((3, rnn.cell.n_neurons)))
    loss, gradients = quadratic_loss(rnn, inputs, *targets, **events)
    on_gpu()
    other_loss, others = quadratic_loss(rnn, inputs, *targets, **events)
    assert other_loss == pytest.approx(loss, rel=1e-5)
    for quantity, gradient in gradients.items():
        assert relative_error(others[quantity], gradient) < 1e-4, quantity


@on_all_networks
@pytest.mark.parametrize("direction", [0, 1])
def test_nvcc_compiles_the_source(name: str, direction: int, tmp_path: Path) -> None:
    nvcc = shutil.which("nvcc")
    runner = cell_kernel(make(name).cell).sequence.runners(EmulatedRunner)[direction]
    source = tmp_path / "kernel.cu"
    source.write_text("#include <cstdint>\n" + cuda_function(runner))
    # Without nvcc, the host's compiler still checks what both languages share (in the test above).
    if nvcc is None:
        return
    command = [nvcc, "-cubin", "-arch=sm_80", "-o", str(tmp_path / "kernel.cubin"), str(source)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_what_does_not_fit_lies_in_main_memory() -> None:
    kernel = kernel_named("ltc_forward")
    small = {"N": 100, "I": 2, "M": 1, "E": 500, "S": 20, "K": 0, "UNFOLDS": 6, "COUPLED": 0}
    large = small | {"N": 6000}
    assert [len(arrays) for arrays in gpu.memory_of(kernel, small)] == [16, 0, 0]
    _, _, own = gpu.memory_of(kernel, large)
    assert {array.name for array in own} == {"v", "load", "before", "still"}


@pytest.mark.parametrize("neurons", [1, 13, 64, 200, 5000])
def test_every_neuron_has_threads_that_fill_warps(neurons: int) -> None:
    circuit = gl.random(neurons, inputs=2, outputs=1, sparsity=0.999, seed=0)
    runner, _ = cell_kernel(gl.LTC(circuit).cell).sequence.runners(gpu.GPURunner)
    assert isinstance(runner, gpu.GPURunner)
    assert 32 <= runner.threads <= gpu.MOST_THREADS
    assert runner.threads % 32 == 0 == 32 % runner.parts


def test_metal_has_no_more_arrays_than_a_function_can_take() -> None:
    for name in ("ltc", "cfc", "dense"):
        kernel = kernel_named(f"{name}_backward")
        assert 4 + len(kernel.of("rows", "saved")) + len(gpu.output_names(kernel)) <= 31


def test_the_cpu_is_the_default_device_of_these_tests() -> None:
    assert mx.default_device().type == mx.cpu
