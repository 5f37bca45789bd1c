"""What the benchmarks of layouts share: random circuits, one LTC step, one masked product, and a clock."""

from __future__ import annotations

import math
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np

from ganglion.compile.layouts import Projection

BATCH = 32

# Values per array that a measurement may hold: larger batches run in slices, one after the other. A gradient
# holds about ten such arrays.
SLICE = 1 << 26


def random_synapses(neurons: int, density: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The synapses of `density` of all pairs, drawn uniformly without repetition."""
    rng = np.random.default_rng(seed)
    pairs = neurons * neurons
    chosen = np.arange(pairs) if density == 1 else rng.choice(pairs, round(density * pairs), replace=False)
    return chosen // neurons, chosen % neurons


@dataclass(frozen=True)
class Work:
    """One LTC unfold and one product over the same synapses, with their gradients.

    Both take `batch` samples, in slices if arrays would get too large; gradients are by every parameter and
    by the values of the presynaptic neurons.
    """

    projection: Projection
    values: mx.array
    parameters: tuple[mx.array, ...]

    @classmethod
    def on(cls, projection: Projection, seed: int = 0) -> Work:
        """Random values and parameters over a projection, the same for every layout."""
        keys = mx.random.split(mx.random.key(seed), 5)
        k, n = len(projection.synapses), projection.synapses.n_pre
        ranges = ((0.001, 1.0), (0.3, 0.8), (3.0, 8.0), (-1.0, 1.0))
        parameters = [mx.random.uniform(*r, (k,), key=key) for r, key in zip(ranges, keys, strict=False)]
        values = mx.random.uniform(-1.0, 1.0, (BATCH, n), key=keys[4])
        mx.eval(values, parameters)
        return cls(projection, values, tuple(parameters))

    def ltc(self) -> list[mx.array]:
        """One unfold of the LTC: (B, N)."""
        return self._sliced(lambda v: [self._unfold(v, *self.parameters)])

    def ltc_gradients(self) -> list[mx.array]:
        """The unfold and its gradients."""
        return self._with_gradients(self._unfold, self.parameters)

    def matmul(self) -> list[mx.array]:
        """One masked product: (B, N)."""
        return self._sliced(lambda v: [self._product(v, self.parameters[0])])

    def matmul_gradients(self) -> list[mx.array]:
        """The product and its gradients."""
        return self._with_gradients(self._product, self.parameters[:1])

    def _unfold(self, v: mx.array, *parameters: mx.array) -> mx.array:
        s = self.projection
        w, mu, sigma, erev = (s.spread(p) for p in parameters)
        num, den = s.sums(_currents, v, w, mu, sigma, erev)
        return (v + num) / (1.5 + den)

    def _product(self, v: mx.array, w: mx.array) -> mx.array:
        return self.projection.matmul(v, self.projection.weights(w))

    def _sliced(self, run: Callable[[mx.array], list[mx.array]]) -> list[mx.array]:
        at_once = max(1, min(BATCH, SLICE // max(1, self.projection.size)))
        parts = []
        for start in range(0, BATCH, at_once):
            parts.append(run(self.values[start : start + at_once]))
            mx.eval(parts)
        return [mx.concatenate(list(found)) for found in zip(*parts, strict=True)]

    def _with_gradients(self, function: Any, parameters: tuple[mx.array, ...]) -> list[mx.array]:
        total: list[mx.array] = []

        def loss(v: mx.array, *p: mx.array) -> tuple[mx.array, mx.array]:
            y = function(v, *p)
            return (y * y).sum(), y

        def run(v: mx.array) -> list[mx.array]:
            (_, y), (by_v, *by_p) = mx.value_and_grad(loss, tuple(range(len(parameters) + 1)))(v, *parameters)
            total[:] = [a + b for a, b in zip(total, by_p, strict=True)] if total else by_p
            mx.eval(total)
            return [y, by_v]

        return [*self._sliced(run), *total]


def _currents(
    v: mx.array, w: mx.array, mu: mx.array, sigma: mx.array, erev: mx.array
) -> tuple[mx.array, mx.array]:
    a = w * mx.sigmoid(sigma * (v - mu))
    return a * erev, a


def interleaved(
    runs: dict[str, Callable[[], Any]], *, seconds: float = 2.0, most: int = 15
) -> tuple[dict[str, float], dict[str, Any]]:
    """The median time of each run, in turns, until each had its share of `seconds` or `most` turns; results.

    It is the processor time of the process: MLX computes on one thread here, so on an idle machine this is
    the time on the wall, and on a busy one it does not count the others' work.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    results: dict[str, Any] = {}
    for turn in range(most + 1):
        for name, run in runs.items():
            if sum(times[name]) > seconds:
                continue
            start = time.process_time()
            result = run()
            mx.eval(result)
            took = time.process_time() - start
            results.setdefault(name, result)
            # The first turn fills caches; long runs are not repeated for that.
            if turn or took > seconds:
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}, results


def in_turns(
    runs: dict[str, Callable[[], object]],
    turns: int,
    *,
    turn: float = 0.1,
    most: float = math.inf,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """The median milliseconds of a call of each run, in turns; a run waits for what it computes.

    A turn is as many calls as fit into `turn` seconds, as a training or control loop makes them: the threads
    that another package leaves spinning for some milliseconds then disturb only the first call. A run that
    has had `most` seconds gets no other turn.
    """

    def seconds(run: Callable[[], object], calls: int) -> float:
        start = clock()
        for _ in range(calls):
            run()
        return (clock() - start) / calls

    def calls_in_turn(run: Callable[[], object]) -> int:
        first = seconds(run, 1)
        return max(1, round(turn / (first if first > most else min(first, seconds(run, 1)))))

    calls = {name: calls_in_turn(run) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            if calls[name] * sum(times[name]) < most:
                times[name].append(seconds(run, calls[name]))
    return {name: 1e3 * statistics.median(found) for name, found in times.items()}


def machine() -> str:
    """What the figures were measured on, in one line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {platform.system()}, MLX {mx.__version__}, {mx.default_device()}"
