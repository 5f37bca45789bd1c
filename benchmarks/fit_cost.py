"""Fit the cost model of `compile/cost.py` to this machine and store it in `compile/cost.json`.

    python benchmarks/fit_cost.py            # about five minutes; --dry shows the fit and stores nothing

For random circuits of several sizes and densities it measures a forward and backward pass of one LTC unfold
("sums") and of one masked product ("matmul") in every layout, and fits call + value * batch * size to the
times so that the relative errors are least.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path

import numpy as np
from measure import BATCH, Work, interleaved, machine, random_synapses
from scipy.optimize import nnls

from ganglion.compile import Plan
from ganglion.compile.layouts import LAYOUTS, lay_out

TARGET = Path(__file__).resolve().parents[1] / "compile" / "cost.json"
NEURONS = (32, 64, 128, 256, 512, 1024)
DENSITIES = (0.01, 0.05, 0.2, 1.0)


def main() -> None:
    """Measure, fit, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dry", action="store_true", help="store nothing")
    parser.add_argument("--neurons", type=int, nargs="+", default=NEURONS)
    options = parser.parse_args()
    samples = measured(options.neurons)
    fits = {
        operation: {layout: fitted(samples[operation, layout]) for layout in LAYOUTS}
        for operation in ("sums", "matmul")
    }
    for operation, by_layout in fits.items():
        for layout, fit in by_layout.items():
            print(
                f"{operation:7s} {layout:6s} call {1e6 * fit['call']:7.1f} us   "
                f"value {1e9 * fit['value']:6.2f} ns   typical error {fit['error']:.0%}"
            )
    stored = {"measured": f"{date.today()}, {machine()}, batch {BATCH}, forward and backward", **fits}
    if not options.dry:
        TARGET.write_text(json.dumps(stored, indent=1) + "\n")
        print(f"stored in {TARGET}")


def measured(neurons: list[int]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """(operation, layout) -> pairs of batch * size and seconds."""
    samples: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for n in neurons:
        for density in DENSITIES:
            pre, post = random_synapses(n, density, seed=n)
            synapses = Plan.from_arrays(pre, post, np.ones(len(pre)), ["motor"] * n).recurrent
            work = {layout: Work.on(lay_out(synapses, layout)) for layout in LAYOUTS}
            for operation, run in (("sums", Work.ltc_gradients), ("matmul", Work.matmul_gradients)):
                times, _ = interleaved({name: lambda w=w, run=run: run(w) for name, w in work.items()})
                for name, seconds in times.items():
                    samples.setdefault((operation, name), []).append(
                        (BATCH * work[name].projection.size, seconds)
                    )
            print(f"measured {n} neurons, density {density:.0%}", flush=True)
    return samples


def fitted(samples: list[tuple[float, float]]) -> dict[str, float]:
    """call and value that fit the times best, relative to the times."""
    size, seconds = np.array(samples).T
    # In nanoseconds per value the unknowns are of one magnitude.
    (call, value), _ = nnls(np.stack([1e-4 / seconds, 1e-9 * size / seconds], axis=1), np.ones(len(size)))
    call, value = 1e-4 * call, 1e-9 * value
    error = float(np.median(np.abs((call + value * size) / seconds - 1)))
    return {"call": float(f"{call:.3g}"), "value": float(f"{value:.3g}"), "error": round(error, 2)}


if __name__ == "__main__":
    main()
