"""A circuit of the size of a fly's brain: compile it, run an LTC step, and see how time and memory grow.

    python benchmarks/fly.py                # about two minutes
    python benchmarks/fly.py --neurons 139255 --synapses 2700000
    python benchmarks/fly.py --neurons 139255 --synapses 2700000 --ties     # trained, shared by type
    python benchmarks/fly.py --cores        # the fused kernel on one core and on all; half a minute

The circuit is synthetic: degrees are heavy-tailed (Pareto), neurons and synapses as many as in the connectome
of an adult Drosophila brain. Every size runs in a process of its own, so that peak memory, which includes the
interpreter, the libraries and the circuit itself, is that of one size. The step has 6 unfolds, a batch of 16
and layout="edge". Exponents are slopes of log(time) and log(memory above that of the imports) over log(E).

The row with ties trains: 60 types of neurons, every parameter of synapses one value per type of the first
neuron (w times a count), every parameter of neurons one value per type, and four steps of Adam on a batch of
4 sequences of 3 samples with the engine that "auto" chooses. Its peak includes gradients and optimizer.

With --cores, the fused kernel runs, forward and with gradients, with one thread and with all in turn; times
are medians by the clock, on a machine that nobody else should use. What a synapse costs is by unfold and row,
and by row of a whole batch where there is one row.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from measure import machine
from mlx.utils import tree_flatten

import ganglion as gl

FLY = (139_255, 2_700_000)
SIZES = (1_000, 10_000, 100_000)
BATCH, UNFOLDS, ROUNDS = 16, 6, 9
ROLES = {"sensory": 0.06, "motor": 0.01, "command": 0.03}


def main() -> None:
    """Print a line for each size, in processes of their own, and the exponents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--neurons", type=int, help="one size, in this process, as a line of JSON")
    parser.add_argument("--synapses", type=int)
    parser.add_argument("--ties", action="store_true", help="train with parameters shared by type")
    parser.add_argument("--cores", action="store_true", help="the fused kernel on one core and on all")
    options = parser.parse_args()
    if options.cores:
        on_cores()
        return
    if options.neurons:
        size = options.neurons, options.synapses
        print(json.dumps(trained(*size) if options.ties else measured(*size)))
        return
    print(f"{machine()}, batch {BATCH}, {UNFOLDS} unfolds")
    per_neuron = FLY[1] / FLY[0]
    rows = [in_a_process(n, round(per_neuron * n)) for n in SIZES]
    rows.append(in_a_process(*FLY))
    print("      N          E  largest in-degree  compile s  compile MB  step s  step MB  error")
    for row in rows:
        print(
            f"{row['neurons']:7d}  {row['synapses']:9d}  {row['degree']:17d}  {row['compile_s']:9.2f}  "
            f"{row['compile_mb']:10.0f}  {row['step_s']:6.2f}  {row['step_mb']:7.0f}  {row['error']:.0e}"
        )
    tied = in_a_process(*FLY, "--ties")
    print(
        f"trained with ties, {tied['parameters']} numbers in the place of {tied['free']}: "
        f"{tied['step_s']:.1f} s a step, peak {tied['step_mb']:.0f} MB, "
        f"{tied['compile_mb']:.0f} before the first; "
        f"loss {tied['first']:.4f} to {tied['last']:.4f}; gradients differ from sums by {tied['error']:.0e}"
    )
    for what in ("compile_s", "step_s", "compile_mb", "step_mb"):
        values = [row[what] - (row["imports_mb"] if what.endswith("mb") else 0) for row in rows]
        slope = np.polyfit(np.log([row["synapses"] for row in rows]), np.log(values), 1)[0]
        print(f"{what.replace('_', ' '):11s} grows with E to the power of {slope:.2f}")


def on_cores() -> None:
    """Print the times of the fused kernel with one thread and with all, by the size of the batch."""
    many = os.cpu_count() or 1
    print(f"{machine()}, the fused kernel, samples of {UNFOLDS} unfolds")
    print("      N          E  samples  batch             1 thread ms  all threads ms  ratio  ns a synapse")
    for neurons, synapses, steps in ((500, 10_000, 20), (51_500, 1_000_000, 1), (*FLY, 1)):
        pre, post, polarity, roles = synthetic(neurons, synapses)
        compiled = gl.compile_circuit(gl.Plan.from_arrays(pre, post, polarity, roles), layout="edge")
        rnn = gl.LTC(compiled, ode_unfolds=UNFOLDS, engine="fused")
        gradients = nn.value_and_grad(rnn, lambda x, rnn=rnn: rnn(x)[0].sum())
        for batch in (1, BATCH):
            x = mx.random.uniform(shape=(batch, steps, compiled.plan.n_inputs), key=mx.random.key(0))
            mx.eval(rnn.parameters(), x)
            evaluations = len(compiled.plan.recurrent) * UNFOLDS * steps * max(batch, BATCH)
            for what, call in (("forward", rnn), ("gradients", gradients)):
                one, all_ = in_turn(lambda call=call, x=x: mx.eval(call(x)), ("1", str(many)))
                print(
                    f"{neurons:7d}  {synapses:9d}  {steps:7d}  {batch:5d}  {what:9s} {1e3 * one:13.2f}  "
                    f"{1e3 * all_:14.2f}  {one / all_:5.2f}  {1e9 * one / evaluations:12.3f}",
                    flush=True,
                )


def in_turn(call: Callable[[], None], threads: tuple[str, ...]) -> list[float]:
    """The median seconds of a call with so many threads and so many, one after the other."""
    times: dict[str, list[float]] = {count: [] for count in threads}
    for _ in range(ROUNDS):
        for count in threads:
            os.environ["GANGLION_NUM_THREADS"] = count
            call()  # what the threads' caches hold is this one's again
            start = time.perf_counter()
            call()
            times[count].append(time.perf_counter() - start)
    return [float(np.median(times[count])) for count in threads]


def in_a_process(neurons: int, synapses: int, *options: str) -> dict[str, float]:
    """One size in a process of its own."""
    command = [sys.executable, __file__, "--neurons", str(neurons), "--synapses", str(synapses), *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def measured(neurons: int, synapses: int) -> dict[str, float]:
    """Compile one circuit and run one step over it."""
    imports_mb = peak_mb()
    pre, post, polarity, roles = synthetic(neurons, synapses)
    start = time.process_time()
    plan = gl.Plan.from_arrays(pre, post, polarity, roles)
    compiled = gl.compile_circuit(plan, layout="edge")
    index = [s.spread(mx.zeros((len(s.synapses),))) for s in (compiled.recurrent, compiled.sensory)]
    mx.eval(index)  # the parts of the layout are made when they are first needed
    compile_s, compile_mb = time.process_time() - start, peak_mb()

    rnn = gl.LTC(compiled, ode_unfolds=UNFOLDS, engine="ops")
    x = mx.random.uniform(shape=(BATCH, 1, plan.n_inputs), key=mx.random.key(0))
    mx.eval(rnn.parameters(), x)
    times = []
    for _ in range(3):
        start = time.process_time()
        y, state = rnn(x)
        mx.eval(y, state)
        times.append(time.process_time() - start)
    return {
        "neurons": neurons,
        "synapses": synapses,
        "degree": int(np.bincount(post).max()),
        "imports_mb": imports_mb,
        "compile_s": compile_s,
        "compile_mb": compile_mb,
        "step_s": float(np.median(times)),
        "step_mb": peak_mb(),
        "error": checked(rnn, plan, np.array(x[:1, 0]), np.array(state[:1])),
    }


SYNAPTIC, NEURAL, TYPES = ("w", "mu", "sigma", "erev"), ("gleak", "vleak", "cm"), 60


def trained(neurons: int, synapses: int) -> dict[str, float]:
    """Train an LTC whose parameters are shared by type; its gradients beside sums over the groups."""
    pre, post, polarity, roles = synthetic(neurons, synapses)
    rng = np.random.default_rng(60)
    types, counts = rng.integers(0, TYPES, neurons), 1 + rng.poisson(4.0, synapses)
    plan = gl.Plan.from_arrays(
        pre, post, polarity, roles, neurons={"type": types}, synapses={"count": counts}
    )
    ties = {f"{side}{name}": ("type", None) for side in ("", "sensory_") for name in SYNAPTIC}
    ties |= dict.fromkeys(NEURAL, "type")
    compiled = gl.compile_circuit(plan, layout="edge")
    rnn = gl.LTC(compiled, ode_unfolds=UNFOLDS, tie=ties, scale={"w": "count", "sensory_w": "count"})
    x = mx.random.uniform(shape=(4, 3, plan.n_inputs), key=mx.random.key(0))
    y = mx.random.uniform(shape=(4, 3, plan.n_outputs), key=mx.random.key(1))
    mx.eval(rnn.parameters(), x, y)
    compile_mb = peak_mb()
    optimizer = optim.Adam(1e-3, bias_correction=True)
    loss_and_gradients = nn.value_and_grad(rnn, lambda model: mx.square(model(x)[0] - y).mean())
    losses, times = [], []
    for _ in range(4):
        start = time.process_time()
        loss, gradients = loss_and_gradients(rnn)
        optimizer.update(rnn, gradients)
        rnn.apply_constraints()
        mx.eval(loss, rnn.parameters(), optimizer.state)
        times.append(time.process_time() - start)
        losses.append(loss.item())
    step_mb = peak_mb()  # what comes now is the check
    kept = sum(value.size for _, value in tree_flatten(rnn.parameters()))
    free = gl.untie(rnn)
    values = sum(value.size for _, value in tree_flatten(free.parameters()))
    tied = loss_and_gradients(rnn)[1]["cell"]["w"]
    each = nn.value_and_grad(free, lambda model: mx.square(model(x)[0] - y).mean())(free)[1]["cell"]["w"]
    of_type = np.asarray(plan.attributes.neurons["type"])[plan.recurrent.pre]
    counted = np.array(each, np.float64) * plan.attributes.recurrent["count"]
    order = sorted(range(TYPES), key=lambda k: repr((k,)))
    sums = np.bincount(of_type, counted, TYPES)[order]
    return {
        "parameters": kept,
        "free": values,
        "compile_mb": compile_mb,
        "step_s": float(np.median(times[1:])),
        "step_mb": step_mb,
        "first": losses[0],
        "last": losses[-1],
        "error": float(np.abs(np.array(tied) - sums).max() / np.abs(sums).max()),
    }


def synthetic(neurons: int, synapses: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Neurons with Pareto-distributed numbers of partners; one in four synapses inhibits."""
    rng = np.random.default_rng(139)
    counts = {role: max(1, round(share * neurons)) for role, share in ROLES.items()}
    roles = [role for role, count in counts.items() for _ in range(count)]
    roles += ["inter"] * (neurons - len(roles))
    gives, takes = (1 + rng.pareto(1.8, neurons) for _ in range(2))
    most = neurons / 20  # partners per neuron: nobody knows everybody
    gives, takes = np.minimum(gives, most), np.minimum(takes, most)
    takes[: counts["sensory"]] = 0
    pairs = np.zeros(0, np.int64)
    while len(pairs) < synapses:
        more = int(1.2 * (synapses - len(pairs))) + 100
        pre = rng.choice(neurons, more, p=gives / gives.sum())
        post = rng.choice(neurons, more, p=takes / takes.sum())
        pairs = np.unique(np.concatenate([pairs, pre * np.int64(neurons) + post]))
    pairs = rng.permutation(pairs)[:synapses]
    polarity = rng.choice(np.array([1, 1, 1, -1], np.int8), synapses)
    return (pairs // neurons).astype(np.int32), (pairs % neurons).astype(np.int32), polarity, roles


def checked(rnn: gl.LTC, plan: gl.Plan, x: np.ndarray, state: np.ndarray) -> float:
    """The largest difference of one sample's state from the equation in float64 NumPy."""
    p = {name: np.array(value, np.float64) for name, value in rnn.cell.parameters().items()}

    def sums(prefix: str, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = plan.sensory if prefix else plan.recurrent
        w, mu, sigma, erev = (p[prefix + name] for name in ("w", "mu", "sigma", "erev"))
        a = w / (1 + np.exp(-sigma * (v[s.pre] - mu)))
        return tuple(np.bincount(s.post, weights=term, minlength=s.n_post) for term in (a * erev, a))

    v, cm_dt = np.zeros(plan.n_neurons), p["cm"] * UNFOLDS
    num_in, den_in = sums("sensory_", x[0] * p["input_w"] + p["input_b"])
    for _ in range(UNFOLDS):
        num, den = sums("", v)
        v = (cm_dt * v + p["gleak"] * p["vleak"] + num_in + num) / (cm_dt + p["gleak"] + den_in + den + 1e-8)
    return float(np.abs(state[0] - v).max())


def peak_mb() -> float:
    """The largest memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
