"""Read, check, compile, run and draw a connectome from published files: times, memory and counts.

python benchmarks/connectomes.py worm                         # the files that pip install cect brings
python benchmarks/connectomes.py worm EDGES CELLS
python benchmarks/connectomes.py larva MATRIX ANNOTATIONS
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx

import ganglion as gl


def timed(what: str, act: Callable[[], Any]) -> Any:
    """What `act` returns, after a line with its time and the memory that the process has used at most."""
    start = time.process_time(), time.perf_counter()
    result = act()
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {cpu:.2f} s | {wall:.2f} s | {peak:.0f} MiB |")
    return result


def main(which: str, *paths: str) -> None:
    mx.eval(gl.LTC(gl.auto_ncp(8, 2, inputs=3))(mx.zeros((1, 2, 3)))[0])  # load and build once
    print("| step | processor | wall | peak memory |\n|---|---|---|---|")
    load = gl.connectomes.celegans if which == "worm" else partial(gl.connectomes.larva, polarity=1)
    circuit = timed("read", lambda: load(*paths))
    problems = timed("check", circuit.check)
    compiled = timed("compile", lambda: gl.compile_circuit(circuit))
    rnn = timed("make an LTC", lambda: gl.LTC(compiled))
    x = mx.random.normal((1, 32, compiled.plan.n_inputs))
    timed("first pass of 32 steps", lambda: mx.eval(rnn(x)[0]))
    timed("second pass", lambda: mx.eval(rnn(x)[0]))
    timed("draw", lambda: gl.viz.plot_circuit(circuit))
    print(f"\n{circuit.origin}\n\n{len(problems)} warnings of check.\n")
    print(gl.wiring.summary(circuit))


if __name__ == "__main__":
    main(*sys.argv[1:])
