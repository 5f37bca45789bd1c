"""How fast the fused LTC kernel is, per synapse evaluation and core, beside what the processor can do.

A synapse evaluation is one sigmoid, two multiply-adds and its share of a division; the backward pass
computes the sigmoid again and goes back through it. Times are the processor time of one thread, so that other
work on the machine disturbs them little.

    python benchmarks/kernels.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion.cells.offers import cell_kernel
from ganglion.compile.kernels.build import load_library
from ganglion.compile.kernels.cpu import WIDE, CPURunner
from ganglion.compile.kernels.source import SOURCE, CallSizes

# Independent chains in registers, long enough to hide the latency of each operation.
CEILINGS = """
extern "C" float multiply_add(long times) {
    real chain[12];
    for (int c = 0; c < 12; c++) chain[c] = splat(0.1f * c);
    for (long i = 0; i < times / 12; i++)
        for (int c = 0; c < 12; c++) chain[c] = chain[c] * 0.999f + 0.001f;
    float sum = 0;
    for (int c = 0; c < 12; c++) sum += chain[c][0];
    return sum;
}
extern "C" float sigmoid_of(long times) {
    real chain[8];
    for (int c = 0; c < 8; c++) chain[c] = splat(-0.1f * c);
    for (long i = 0; i < times / 8; i++)
        for (int c = 0; c < 8; c++) chain[c] = sigmoid2(-chain[c]);
    float sum = 0;
    for (int c = 0; c < 8; c++) sum += chain[c][0];
    return sum;
}
"""


def cpu_time(task: Callable[[], object], repeats: int) -> float:
    """The median processor time of a task in seconds, after warming up."""
    times = []
    for _ in range(repeats + 2):
        start = time.thread_time()
        task()
        times.append(time.thread_time() - start)
    return statistics.median(times[2:])


def ceilings(repeats: int) -> tuple[float, float]:
    """Nanoseconds per row of the batch of a multiply-add and of a sigmoid."""
    headers = "".join((SOURCE / name).read_text() for name in ("lanes_cpu.h", "functions.h"))
    library = load_library(f"#define LANES {WIDE}\n{headers}{CEILINGS}", "ceilings")
    times = 2_400_000
    found = [
        cpu_time(lambda function=function: function(times), repeats) * 1e9 / times / WIDE  # type: ignore[misc]
        for function in (library.multiply_add, library.sigmoid_of)
    ]
    return found[0], found[1]


def kernel_times(circuit: gl.Circuit, batch: int, steps: int, repeats: int) -> tuple[int, float, float]:
    """Synapses, and nanoseconds per synapse evaluation of the forward kernel, and of the two in training."""
    cell = gl.LTCCell(circuit)
    sequence, parameters, *_ = cell_kernel(cell)
    forward, backward = sequence.runners(CPURunner)
    rng = np.random.default_rng(0)
    x = mx.array(rng.normal(size=(batch, steps, cell.n_inputs)).astype(np.float32))
    spans, state = mx.ones((batch, steps)), mx.zeros((batch, cell.n_neurons))
    nothing = mx.zeros((0,))  # no row events
    d_outputs = mx.array(rng.normal(size=(batch, steps, cell.n_outputs)).astype(np.float32))
    mx.eval(parameters, x, spans, state, nothing)
    call = CallSizes(steps, steps, 1)
    _, _, kept, *saved = forward(batch, call, (*parameters, x, spans, nothing, state))
    given = (*parameters, x, spans, nothing, kept, d_outputs, state, *saved)
    plan = cell.compiled.plan
    evaluations = batch * steps * (cell.ode_unfolds * len(plan.recurrent) + len(plan.sensory))
    times = (
        cpu_time(lambda: forward(batch, CallSizes(steps), (*parameters, x, spans, nothing, state)), repeats),
        cpu_time(lambda: forward(batch, call, (*parameters, x, spans, nothing, state)), repeats),
        cpu_time(lambda: backward(batch, call, given), repeats),
    )
    ahead, saving, back = (t * 1e9 / evaluations for t in times)
    return len(plan.recurrent) + len(plan.sensory), ahead, saving + back


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=9)
    chosen = parser.parse_args()
    os.environ["GANGLION_NUM_THREADS"] = "1"
    multiply_add, sigmoid = ceilings(chosen.repeats)
    print(f"ceilings, ns per row: multiply-add {multiply_add:.4f}, sigmoid {sigmoid:.4f}")
    circuits = {
        "auto_ncp(64, 8)": (gl.auto_ncp(64, 8, inputs=16), 32),
        "random(512, sparsity=0.95)": (gl.random(512, inputs=16, outputs=8, sparsity=0.95), 16),
    }
    for name, (circuit, steps) in circuits.items():
        synapses, forward, both = kernel_times(circuit, chosen.batch, steps, chosen.repeats)
        print(f"LTC {name}, {synapses} synapses, B={chosen.batch}, T={steps}, ns per synapse evaluation:")
        for what, found in (("forward", forward), ("forward + backward", both)):
            print(
                f"  {what:20} {found:.3f}   the ceilings are {multiply_add / found:5.1%} (multiply-add) "
                f"and {sigmoid / found:5.1%} (sigmoid) of it"
            )


if __name__ == "__main__":
    main()
