"""Whether the kernels compute and how fast, on a Mac or any other machine: a report for an issue.

make mac                    # the processor's kernels, which run there by default
GANGLION_METAL=1 make mac   # those for Metal, which nobody has ever run
"""

from __future__ import annotations

import platform
import statistics
import sys
import time

import mlx.core as mx

import ganglion as gl

from .support.families import BOUNDS, far_from_golden, networks


def milliseconds(rnn: gl.RNN, engine: str, rounds: int = 5) -> float:
    """The median time of a forward pass over 32 sequences of 32 steps."""
    rnn.engine = engine
    x = mx.random.normal((32, 32, 4), key=mx.random.key(1))
    mx.eval(rnn(x)[0])
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        mx.eval(rnn(x)[0])
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def main() -> None:
    processor = platform.processor() or platform.machine()
    print(f"{platform.platform()}, {processor}, Python {platform.python_version()}")
    print(f"MLX {mx.__version__} on {mx.default_device()}, Ganglion {gl.__version__}\n")
    print(gl.LTC(gl.auto_ncp(12, 3, inputs=4)).explain())
    print("\n| network | outputs differ by | gradients | kernel ms | operations ms |\n|---|---|---|---|---|")
    missed = []
    for name, rnn in networks().items():
        try:
            far = far_from_golden(name, "fused")
            times = [f"{milliseconds(rnn, engine):.2f}" for engine in ("fused", "ops")]
        except Exception as error:  # a report, which says of each family how it went
            print(f"| {name} | {type(error).__name__}: {error} | | | |")
            missed.append(name)
            continue
        print(f"| {name} | {far['outputs']:.0e} | {far['gradients']:.0e} | {' | '.join(times)} |", flush=True)
        missed += [name for what, bound in BOUNDS.items() if not far[what] <= bound]
    if missed:
        sys.exit(f"not as in the golden file: {', '.join(dict.fromkeys(missed))}")


if __name__ == "__main__":
    main()
