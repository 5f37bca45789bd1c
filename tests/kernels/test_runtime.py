"""The engine at run time: threads, memory, transformations of MLX, and what happens when it cannot run."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import resource
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells.ltc.kernel import LTC_PARAMETERS, ltc_kernel
from ganglion.cells.networks import engine
from ganglion.compile.kernels import SAVED_MOST, build, cpu, gpu, nodes, operations, processor
from ganglion.errors import KernelError

CIRCUIT = gl.auto_ncp(24, 4, inputs=3, seed=1)


WAYS = {"nodes": nodes._found, "function": lambda: "switched off"}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of kernels into MLX."""
    monkeypatch.setattr(nodes, "_found", WAYS[request.param])
    return str(request.param)


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that are no nodes of MLX's graph."""
    monkeypatch.setattr(nodes, "_found", WAYS["function"])


@pytest.fixture
def rnn() -> Any:
    return gl.LTC(CIRCUIT, engine="fused", key=mx.random.key(3))


@pytest.fixture
def x() -> mx.array:
    return mx.array(np.random.default_rng(0).normal(size=(70, 5, 3)).astype(np.float32))


@pytest.fixture
def untold() -> Iterator[None]:
    """As if nobody had been warned yet."""
    engine._tell_once.cache_clear()
    yield
    engine._tell_once.cache_clear()


def loss_and_gradients(rnn: Any, x: mx.array) -> list[np.ndarray]:
    def loss(parameters: dict[str, Any]) -> mx.array:
        rnn.update(parameters)
        return (rnn(x)[0] ** 2).sum()

    before = rnn.trainable_parameters()
    value, gradients = mx.value_and_grad(loss)(before)
    rnn.update(before)
    return [np.array(value), *(np.array(g) for g in gradients["cell"].values())]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


@pytest.mark.usefixtures("way")
def test_results_do_not_depend_on_the_number_of_threads(
    rnn: Any, x: mx.array, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for count in ("1", "2", "3", "8"):
        monkeypatch.setenv("GANGLION_NUM_THREADS", count)
        results.append([np.array(rnn(x)[0]), *loss_and_gradients(rnn, x)])
    assert all(same(results[0], other) for other in results[1:])


@pytest.mark.parametrize("count", ["0", "-1", "two", ""])
def test_a_bad_number_of_threads_is_named(
    rnn: Any, x: mx.array, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    monkeypatch.setenv("GANGLION_NUM_THREADS", count)
    with pytest.raises(KernelError, match=f"GANGLION_NUM_THREADS is {count!r}"):
        rnn(x)


@pytest.mark.usefixtures("way")
def test_eight_threads_can_call_one_network(rnn: Any, x: mx.array) -> None:
    expected = [np.array(rnn(x[:n])[0]) for n in range(1, 9)]
    wrong: list[int] = []

    def call(n: int) -> None:
        for _ in range(20):
            if not np.array_equal(np.array(rnn(x[:n])[0]), expected[n - 1]):
                wrong.append(n)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


CROWDED = """
import os, resource
import ganglion as gl, mlx.core as mx, numpy as np
from ganglion.compile.kernels import threads
from pathlib import Path

def pages(): return int(Path("/proc/self/statm").read_text().split()[0])
def running(): return len(os.listdir("/proc/self/task"))

rnn = gl.LTC(gl.auto_ncp(24, 4, inputs=3, seed=1), engine="fused")
x = mx.ones((70, 5, 3))
os.environ["GANGLION_NUM_THREADS"] = "1"
alone = np.array(rnn(x)[0])
os.environ["GANGLION_NUM_THREADS"] = "3"
threads.pool()
before = running()
most = pages() * resource.getpagesize() + (16 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
together = np.array(rnn(x)[0])
print(running() - before, np.array_equal(alone, together))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_system_that_refuses_threads_only_makes_calls_slower() -> None:
    def large_stacks() -> None:  # which the bound in the program has no room for
        resource.setrlimit(resource.RLIMIT_STACK, (64 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1]))

    ran = subprocess.run(
        [sys.executable, "-c", CROWDED], capture_output=True, text=True, preexec_fn=large_stacks, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "0 True\n"), ran.stderr


def test_a_fork_leaves_kernels_that_run() -> None:
    """MLX itself does not survive a fork, but a stepper needs none of it."""
    program = """
import os, signal, sys
import ganglion as gl, numpy as np
from ganglion.cells.offers import cell_kernel
from ganglion.compile.kernels.stepper import Stepper

os.environ["GANGLION_NUM_THREADS"] = "3"
kernel = cell_kernel(gl.LTC(gl.auto_ncp(24, 4, inputs=3)).cell)
step = Stepper(kernel.sequence, 70, kernel.parameters)
step()
expected = step.outputs.copy()
pid = os.fork()
signal.alarm(60)
step.state[:] = 0
step()
if pid == 0:
    os._exit(0 if np.array_equal(step.outputs, expected) else 1)
sys.exit(os.waitpid(pid, 0)[1] or not np.array_equal(step.outputs, expected))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC])
@pytest.mark.parametrize("batch", [1, 9, 40])
@pytest.mark.usefixtures("older")
def test_what_is_saved_for_gradients_stays_within_its_bound(
    make: Any, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = engine.cell_kernel(make(CIRCUIT).cell).sequence
    taken: list[int] = []
    aligned = cpu._aligned
    monkeypatch.setattr(cpu, "_aligned", lambda count: taken.append(4 * count) or aligned(count))
    rnn = make(CIRCUIT, engine="fused")
    for less, expected in ((0, sequence.saved_bytes(batch, 5)), (1, 0)):
        before = SAVED_MOST.set(sequence.saved_bytes(batch, 5) - less)
        try:
            mx.eval(mx.grad(lambda x: rnn(x, timespans=2.0)[0].sum())(mx.ones((batch, 5, 3))))
        finally:
            SAVED_MOST.reset(before)
        assert sum(taken[:-1]) == expected  # the last are the gradients' totals
        taken.clear()


@pytest.mark.usefixtures("way")
def test_ten_thousand_calls_keep_memory_flat(rnn: Any) -> None:
    x = mx.zeros((1, 2, 3))
    gradient = mx.grad(lambda x: rnn(x)[0].sum())

    def call(times: int) -> None:
        for k in range(times):
            mx.eval(rnn(x) if k % 10 else gradient(x))

    call(500)
    gc.collect()
    before = resident()
    call(10_000)
    gc.collect()
    assert resident() - before < 4 << 20


def resident() -> int:
    """Bytes of resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


@pytest.mark.usefixtures("way")
def test_long_sequences_train_with_few_kept_states() -> None:
    rnn = gl.LTC(gl.auto_ncp(8, 2, inputs=1), engine="fused", ode_unfolds=2, checkpoint_every=100)
    x = mx.array(np.sin(np.arange(10_000, dtype=np.float32) / 50)[:, None])
    every = loss_and_gradients(rnn, x)
    rnn.checkpoint_every = 1
    assert same(every, loss_and_gradients(rnn, x))


@pytest.mark.usefixtures("older")
def test_inside_compile_and_vmap_operations_run(rnn: Any, x: mx.array, untold: None) -> None:
    rnn.engine = "auto"
    expected = np.array(rnn(x)[0])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for transform in (mx.compile, mx.vmap, mx.compile):
            found = np.array(transform(lambda x: rnn(x)[0])(x))
            assert np.abs(found - expected).max() < 1e-5
    assert len(told) == 1
    assert "mx.compile and mx.vmap" in str(told[0].message)
    assert "leave what calls the network uncompiled" in str(told[0].message)


@pytest.mark.usefixtures("older")
def test_fused_inside_compile_is_an_error(rnn: Any, x: mx.array) -> None:
    with pytest.raises(KernelError, match=r"mx\.compile and mx\.vmap"):
        mx.compile(lambda x: rnn(x)[0])(x)


@pytest.mark.usefixtures("way")
def test_gradients_in_every_way_of_asking(rnn: Any, x: mx.array) -> None:
    x = x[:3]
    direct = mx.grad(lambda x: (rnn(x)[0] ** 2).sum())(x)
    _, pulled = mx.vjp(lambda x: rnn(x)[0], [x], [2 * rnn(x)[0]])
    assert np.array_equal(np.array(direct), np.array(pulled[0]))
    checkpointed = mx.grad(lambda x: (mx.checkpoint(lambda x: rnn(x)[0])(x) ** 2).sum())(x)
    assert np.allclose(np.array(direct), np.array(checkpointed), atol=1e-6)


@pytest.mark.usefixtures("older")
def test_what_has_no_derivative_says_so(rnn: Any, x: mx.array) -> None:
    def loss(x: mx.array) -> mx.array:
        return (rnn(x)[0] ** 2).sum()

    with pytest.raises(KernelError, match="second derivatives"):
        mx.eval(mx.grad(lambda x: mx.grad(loss)(x).sum())(x[:2]))
    with pytest.raises(KernelError, match="forward-mode"):
        mx.jvp(loss, [x[:2]], [x[:2]])


@pytest.mark.parametrize("transform", [mx.vmap, mx.compile])
@pytest.mark.usefixtures("older")
def test_gradients_alone_inside_a_transformation_say_so(rnn: Any, x: mx.array, transform: Any) -> None:
    """There, the forward pass has run and gradients have no values."""
    gradient = transform(lambda scale: mx.grad(lambda x: (rnn(x)[0] * scale).sum())(x[:2]))
    with pytest.raises(KernelError, match=r"gradients need values.*use engine='ops'"):
        gradient(mx.ones((3,)) if transform is mx.vmap else mx.array(1.0))


@pytest.mark.usefixtures("way")
def test_a_parameter_of_another_size_is_named(rnn: Any, x: mx.array) -> None:
    rnn.cell.w = mx.zeros((3,))
    with pytest.raises(KernelError, match=r"w of the kernel ltc_forward has shape \(3,\)"):
        rnn(x)


@pytest.mark.usefixtures("way")
def test_arrays_need_not_lie_row_after_row(rnn: Any, x: mx.array) -> None:
    turned = mx.array(np.ascontiguousarray(np.array(x).swapaxes(0, 1))).swapaxes(0, 1)
    assert np.array_equal(np.array(rnn(turned)[0]), np.array(rnn(x)[0]))


@pytest.mark.usefixtures("way")
def test_a_change_in_place_is_seen(rnn: Any, x: mx.array) -> None:
    before = np.array(rnn(x)[0])
    rnn.cell.output_b[0] = 1.0
    assert np.allclose(np.array(rnn(x)[0])[..., 0], before[..., 0] + 1.0, atol=1e-6)


def test_copies_and_pickles_run(rnn: Any, x: mx.array) -> None:
    expected = np.array(rnn(x)[0])
    for twin in (copy.deepcopy(rnn), pickle.loads(pickle.dumps(rnn))):
        assert np.array_equal(np.array(twin(x)[0]), expected)


def test_a_cell_without_kernel_runs_operations() -> None:
    class Twice(gl.LTCCell):
        def step(self, prepared: Any, x: mx.array, state: mx.array, timespan: mx.array) -> mx.array:
            return 2 * super().step(prepared, x, state, timespan)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = gl.RNN(Twice(CIRCUIT))(mx.zeros((2, 3)))[0]
    assert y.shape == (2, 4)
    with pytest.raises(KernelError, match="no fused kernel for Twice"):
        gl.RNN(Twice(CIRCUIT), engine="fused")(mx.zeros((2, 3)))


def test_without_a_compiler_operations_run_and_one_warning_says_so(
    x: mx.array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untold: None
) -> None:
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path))
    monkeypatch.setenv("CXX", "/nowhere/c++")
    known = (build.compiler, build._identity, cpu.kernel_function, nodes._found, operations._library)
    for forget in known:
        forget.cache_clear()
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            rnn = gl.LTC(CIRCUIT)
            for _ in range(3):
                assert rnn(x)[0].shape == (70, 5, 4)
        assert [str(w.message) for w in told] == [
            "running plain operations instead of a fused kernel: no C++ compiler: looked for /nowhere/c++"
        ]
        with pytest.raises(KernelError, match="no C"):
            gl.LTC(CIRCUIT, engine="fused")(x)
    finally:
        monkeypatch.undo()
        for forget in known:
            forget.cache_clear()


@pytest.mark.parametrize("kind", ["ltc", "cfc", "dense"])
@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16])
def test_parameters_in_half_precision_are_served_too(kind: str, dtype: mx.Dtype, x: mx.array) -> None:
    make = {"ltc": gl.LTC, "cfc": gl.CfC, "dense": lambda _, **o: gl.CfC(gl.dense(3, 8), **o)}[kind]
    fused, plain = (make(CIRCUIT, engine=e, key=mx.random.key(0)) for e in ("fused", "ops"))
    for rnn in (fused, plain):
        rnn.set_dtype(dtype)
    assert "one fused kernel" in fused.explain()
    assert mx.allclose(fused(x)[0], plain(x)[0], atol=2e-2)
    gradients = nn.value_and_grad(fused, lambda m: m(x)[0].sum())(fused)[1]
    assert {value.dtype for _, value in tree_flatten(gradients)} == {dtype}
    assert fused.stream()(x[0, 0]).dtype == mx.float32


@pytest.mark.usefixtures("way")
def test_a_circuit_without_synapses_runs() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("in", role="sensory")
    circuit.add_neuron("out", role="motor")
    for network in (gl.LTC, gl.CfC):
        fused, plain = (network(circuit, engine=e, key=mx.random.key(0)) for e in ("fused", "ops"))
        x = mx.ones((2, 3, 1))
        assert np.allclose(np.array(fused(x)[0]), np.array(plain(x)[0]), atol=1e-6)
        assert mx.grad(lambda x: fused(x)[0].sum())(x).shape == x.shape  # noqa: B023


def test_kernels_of_one_circuit_are_shared() -> None:
    plan = gl.compile_circuit(CIRCUIT).plan
    first = ltc_kernel(plan.recurrent, plan.sensory, 4)
    assert ltc_kernel(plan.recurrent, plan.sensory, 4) is first
    assert len(LTC_PARAMETERS) == 16


def test_explain_says_what_runs_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    told = gl.LTC(CIRCUIT).explain()
    assert "one fused kernel, 'ltc'" in told
    assert "a node of MLX's graph" in told
    assert "plain MLX operations" in gl.CfC(CIRCUIT, engine="ops").explain()
    assert "no fused kernel for CTGRUCell" in gl.RNN(gl.CTGRUCell(CIRCUIT)).explain()
    assert "so every call is an error." in gl.RNN(gl.CTGRUCell(CIRCUIT), engine="fused").explain()
    assert "full matrices" in gl.CfC(gl.dense(3, 5), engine="ops").explain()
    assert "synapses" not in gl.CfC(gl.dense(3, 5)).explain()


def test_on_a_mac_the_processors_kernels_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Metal as the default device, where no kernel has run; GANGLION_METAL=1 asks for those."""
    rnn = gl.LTC(CIRCUIT, engine="fused")
    expected = np.array(rnn(mx.ones((2, 3)))[0])
    monkeypatch.setattr(mx.metal, "is_available", lambda: True)
    monkeypatch.setattr(mx, "default_device", lambda: mx.Device(mx.gpu, 0))
    assert "the CPU, whose memory the GPU shares" in rnn.explain()
    monkeypatch.setattr(gpu.GPURunner, "__call__", lambda *_: pytest.fail("Metal's kernel ran"))
    np.testing.assert_array_equal(np.array(rnn(mx.ones((2, 3)))[0]), expected)
    monkeypatch.setenv("GANGLION_METAL", "1")
    assert "on the GPU" in rnn.explain()


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC])
@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.usefixtures("way")
def test_every_width_of_vectors_computes_the_same(
    make: Any, lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = mx.random.normal((9, 6, 3), key=mx.random.key(0))
    rnn, plain = make(CIRCUIT, engine="fused"), make(CIRCUIT, engine="ops")
    plain.update(rnn.parameters())
    monkeypatch.setattr(cpu, "WIDE", lanes)
    monkeypatch.setattr(cpu, "NARROW", min(8, lanes))
    found, expected = (mx.grad(lambda x, rnn=rnn: mx.square(rnn(x)[0]).sum())(x) for rnn in (rnn, plain))
    np.testing.assert_allclose(np.array(found), np.array(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("flags", "floats"), [("sse2 avx avx2 fma", 8), ("avx2 avx512f avx512dq avx512vl", 16), ("asimd", 4)]
)
def test_lanes_are_as_wide_as_the_processors_vectors(
    flags: str, floats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "features", lambda: f"flags : {flags}")
    monkeypatch.setattr(processor.sys, "platform", "linux")
    assert processor.vector_floats.__wrapped__() == floats
