"""Every layout against dense: time, error and what auto chooses.

    python benchmarks/layouts.py                        # all of it, half an hour
    python benchmarks/layouts.py --neurons 64 256       # a part

One table each for one LTC unfold and one masked product, forward and forward with gradients, batch 32, over
random circuits of four sizes and four densities; then the same over circuits in clusters, half or nearly
full, whose neurons were shuffled and where the block layout has the order "block". Layouts take turns; times
are medians of processor time. Errors are the largest differences from dense in outputs and gradients,
relative to the largest entry of each array. `auto` names the layout that `compile_circuit` takes by itself,
with its time relative to the best.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from measure import BATCH, Work, interleaved, machine, random_synapses

from ganglion.compile import CompiledCircuit, MixedProjection, Plan, compile_circuit
from ganglion.compile.layouts import LAYOUTS

NEURONS = (64, 256, 1024, 4096)
DENSITIES = (0.01, 0.05, 0.2, 1.0)
CLUSTERS = ((1024, 32, 0.9), (1024, 32, 0.5), (1024, 128, 0.9), (1024, 128, 0.5))
TABLES = {
    "LTC unfold, forward": (Work.ltc, "for_sums"),
    "LTC unfold, forward and backward": (Work.ltc_gradients, "for_sums"),
    "masked_matmul, forward": (Work.matmul, "for_products"),
    "masked_matmul, forward and backward": (Work.matmul_gradients, "for_products"),
}
HEAD = "    N   synapses   dense ms   block ms    edge ms   block    edge  err block  err edge   auto"
WITHIN = 1.2


@dataclass(frozen=True)
class Case:
    """One circuit: a row of every table."""

    label: str
    plan: Plan
    order: str


def main() -> None:
    """Measure all rows, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--neurons", type=int, nargs="*", default=NEURONS)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each measurement")
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"{machine()}, batch {BATCH}")
    show("random circuits", random_cases(options.neurons), options.seconds)
    show("circuits in clusters, order block", clustered_cases(), options.seconds)
    print(f"\ntook {(time.perf_counter() - start) / 60:.0f} minutes")


def random_cases(sizes: list[int]) -> Iterator[Case]:
    """Synapses drawn uniformly from all pairs."""
    for n in sizes:
        for density in DENSITIES:
            pre, post = random_synapses(n, density, seed=n)
            yield Case(f"{n:5d}  {density:9.0%}", plan_of(n, pre, post), "role")


def clustered_cases() -> Iterator[Case]:
    """Neurons in groups that know only themselves, in no helpful order."""
    for n, size, density in CLUSTERS:
        rng = np.random.default_rng(size)
        group = rng.permutation(np.arange(n) // size)
        pre, post = np.nonzero((group[:, None] == group) & (rng.random((n, n)) < density))
        yield Case(f"{n:5d} {size:4d}/{density:5.0%}", plan_of(n, pre, post), "block")


def plan_of(n: int, pre: np.ndarray, post: np.ndarray) -> Plan:
    """A plan of motor neurons only: all of it is recurrent."""
    return Plan.from_arrays(pre, post, np.ones(len(pre)), ["motor"] * n)


def show(title: str, cases: Iterator[Case], seconds: float) -> None:
    """Measure and print the tables over some circuits."""
    rows: dict[str, list[str]] = {name: [] for name in TABLES}
    good = dict.fromkeys(TABLES, 0)
    for case in cases:
        for name, (row, is_good) in measured(case, seconds).items():
            rows[name].append(row)
            good[name] += is_good
            print(f"{name}: {row}", file=sys.stderr, flush=True)
    for name, lines in rows.items():
        if lines:
            print(f"\n{name}, {title}\n{HEAD}")
            print("\n".join(lines))
            print(f"auto is within {WITHIN} of the best in {good[name]} of {len(lines)}", flush=True)


def measured(case: Case, seconds: float) -> dict[str, tuple[str, bool]]:
    """One row of each table, and whether auto did well."""
    compiled = {layout: compile_circuit(case.plan, layout, order=case.order) for layout in ("auto", *LAYOUTS)}
    work = {layout: Work.on(compiled[layout].recurrent) for layout in LAYOUTS}
    found = {}
    for name, (run, use) in TABLES.items():
        runs = {layout: (lambda w=w, run=run: run(w)) for layout, w in work.items()}
        times, results = interleaved(runs, seconds=seconds)
        errors = compared(results)
        auto = choice(compiled["auto"], use)
        lost = times[auto] / min(times.values())
        ratios = [times["dense"] / times[layout] for layout in ("block", "edge")]
        row = (
            f"{case.label} "
            + " ".join(f"{1e3 * times[layout]:10.3f}" for layout in LAYOUTS)
            + "  "
            + " ".join(f"{ratio:6.2f}x" for ratio in ratios)
            + "   "
            + " ".join(f"{errors[layout]:9.1e}" for layout in ("block", "edge"))
            + f"   {auto} {lost:.2f}"
        )
        found[name] = row, lost <= WITHIN
    return found


def compared(results: dict[str, list[mx.array]]) -> dict[str, float]:
    """The largest difference from dense, for each layout."""
    reference = [np.array(a) for a in results["dense"]]
    errors = {}
    for layout, arrays in results.items():
        differences = []
        for found, expected in zip(arrays, reference, strict=True):
            largest = np.abs(np.array(found) - expected).max(initial=0.0)
            differences.append(largest / np.abs(expected).max(initial=1e-30))
        errors[layout] = max(differences)
    return errors


def choice(compiled: CompiledCircuit, use: str) -> str:
    """The layout that auto took for one use."""
    projection = compiled.recurrent
    return getattr(projection, use).name if isinstance(projection, MixedProjection) else projection.name


if __name__ == "__main__":
    main()
