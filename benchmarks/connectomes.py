"""Read, check, compile, run and draw a connectome from published files: times, memory and counts.

python benchmarks/connectomes.py worm                         # the files that pip install cect brings
python benchmarks/connectomes.py worm EDGES [CELLS]           # such as the publication's workbook, .xlsx
python benchmarks/connectomes.py larva MATRIX ANNOTATIONS
python benchmarks/connectomes.py mushroom-body MATRIX KINDS    # the files that pip install graspologic brings
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
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


# The kinds of cells of a mushroom body: projection, Kenyon, input and output neurons.
MUSHROOM_BODY = {"P": "sensory", "K": "inter", "I": "command", "O": "motor"}


def mushroom_body(matrix: str, kinds: str) -> gl.Circuit:
    """Half of the mushroom body of a larva of Drosophila (Eichler et al., 2017), a nameless matrix."""
    roles = [MUSHROOM_BODY[kind] for kind in Path(kinds).read_text().split()]
    return gl.circuit_from(matrix, roles=dict(enumerate(roles)), polarity=1)


LOADERS: dict[str, Callable[..., gl.Circuit]] = {
    "worm": gl.connectomes.celegans,
    "larva": partial(gl.connectomes.larva, polarity=1),
    "mushroom-body": mushroom_body,
}


def main(which: str, *paths: str) -> None:
    mx.eval(gl.LTC(gl.auto_ncp(8, 2, inputs=3))(mx.zeros((1, 2, 3)))[0])  # load and build once
    print("| step | processor | wall | peak memory |\n|---|---|---|---|")
    circuit = timed("read", lambda: LOADERS[which](*paths))
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
