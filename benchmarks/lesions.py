"""Every single lesion and cut of a circuit at once, beside a loop of `lesion` and a call.

    python benchmarks/lesions.py --rounds 3

auto_ncp(64, 8), 256 sequences of 32 steps. Both are timed in turn, in processor time and by the clock; the
largest difference of any output stands beside the ratio.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion.cells.networks.varied import varied
from ganglion.studies.perturbed import overlays_of_each

BATCH, STEPS, INPUTS = 256, 32, 16


def loop(network: gl.RNN, singles: list[Any], x: mx.array) -> list[np.ndarray]:
    """A smaller network for each, and its outputs."""
    found = []
    for single in singles:
        removed = {"synapses": [single]} if isinstance(single, tuple) else {"neurons": [single]}
        other = gl.lesion(network, **removed, keep_shapes=False)
        found.append(np.array(other(x)[0]))
    return found


def launch(network: gl.RNN, singles: list[Any], x: mx.array) -> list[np.ndarray]:
    """All of them over the network at once."""
    each = [(gl.studies.Cut(*s) if isinstance(s, tuple) else gl.studies.Lesion(s),) for s in singles]
    return list(varied(network, [overlay for ((_, overlay),) in overlays_of_each(network, each)], x))


def timed(run: Callable[[], Any]) -> tuple[float, float, Any]:
    clock, processor = time.perf_counter(), time.process_time()
    result = run()
    return time.perf_counter() - clock, time.process_time() - processor, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cuts", type=int, default=484, help="how many of the synapses are cut")
    arguments = parser.parse_args()
    circuit = gl.auto_ncp(64, 8, inputs=INPUTS, seed=22222)
    for name, make in (("LTC", gl.LTC), ("CfC", gl.CfC)):
        network = make(circuit)
        x = mx.random.normal((BATCH, STEPS, INPUTS), key=mx.random.key(0))
        plan = network.cell.compiled.plan
        ends = zip(plan.recurrent.pre.tolist(), plan.recurrent.post.tolist(), strict=True)
        cuts = [(plan.neurons[i], plan.neurons[j]) for i, j in ends][: arguments.cuts]
        for what, singles in (("lesions", list(plan.neurons)), ("cuts", cuts)):
            rounds: list[Any] = []
            first: Any = None
            for _ in range(arguments.rounds):
                *one, looped = timed(lambda: loop(network, singles, x))  # noqa: B023
                *other, launched = timed(lambda: launch(network, singles, x))  # noqa: B023
                rounds.append((one, other))
                first = first or (looped, launched)  # others are let go, so that memory is used again
            clock, processor = (
                float(np.median([one[k] / other[k] for one, other in rounds])) for k in (0, 1)
            )
            apart = max(
                float(np.abs(b[..., b.shape[-1] - a.shape[-1] :] - a).max())
                for single, a, b in zip(singles, *first, strict=True)
                if isinstance(single, tuple) or not single.startswith("motor")
            )
            seconds = rounds[-1][1][0]
            ratios = f"{clock:.1f}x by the clock, {processor:.1f}x of processor time"
            print(
                f"{name}, {len(singles)} {what}: {ratios}, {seconds:.2f} s at once, apart {apart:.1e}",
                flush=True,
            )


if __name__ == "__main__":
    main()
