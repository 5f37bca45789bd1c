"""Whether a fitted network says what silencing does: a student beside the teacher that it has seen in part.

    python benchmarks/teacher.py --seeds 0 1 2 3 4

The teacher is an LTC of 20 neurons over a circuit. Ten of them, the motor neurons among them, are seen
through a calcium indicator at 4 Hz, with noise of 5 % of a trace's spread; 30 % of the samples are missing.
Students over the same circuit, of which signs, reversal potentials and the units of the inputs are known,
begin at other parameters. Their loss is the likelihood of the noise and the priors that parameters are drawn
from, as the teacher's were. Gains and offsets of the indicator are not known. Of some that begin, those of
the lowest loss go on.

Held out are recordings of other stimuli, and all silencings, of which the students saw none: each of the 20
neurons is held at 0 in turn, as by light, or removed, as by a laser. Its effect is the mean change of each
trace but its own, in spreads of the trace. What the students say together is the mean.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from numpy.typing import NDArray

import ganglion as gl

Floats = NDArray[Any]
RATE = 4.0  # samples in a second
RISE, DECAY = 0.2, 1.0  # of the indicator, in seconds
NOISE, MISSING = 0.05, 0.3
KNOWN = ("erev", "sensory_erev", "input_w", "input_b", "output_w", "output_b")
PRIORS = {
    "w": (0.5, 0.29), "mu": (0.55, 0.145), "sigma": (5.5, 1.45), "gleak": (0.5, 0.29), "vleak": (0.0, 0.115),
    "cm": (0.5, 0.058),
}  # fmt: skip
"""Mean and spread of the ranges that an LTC's parameters are drawn from."""
CLEAR = 0.05
"""Effects of more than this many spreads of a trace are clear; below 0.001 there is none."""


@dataclass(frozen=True)
class Sizes:
    """How large all of it is; small for a test."""

    neurons: int = 20
    motors: int = 4
    seen: int = 10
    recordings: int = 96
    held_out: int = 16
    samples: int = 120
    epochs: int = 800
    batch: int = 16
    rate: float = 0.03


@dataclass(frozen=True)
class Study:
    """A teacher and what was seen of it."""

    circuit: gl.Circuit
    teacher: gl.Observed
    x: Floats
    traces: Floats
    spread: Floats
    held_out: Floats


def stimuli(rng: np.random.Generator, recordings: int, samples: int, sensors: int = 4) -> Floats:
    """Steps of random heights and lengths, from half a second to six; three in ten are none."""
    x = np.zeros((recordings, samples, sensors), np.float32)
    for recording in x:
        for sensor in range(sensors):
            at = 0
            while at < samples:
                length = int(rng.integers(2, 24))
                recording[at : at + length, sensor] = rng.uniform(-1.5, 1.5) * (rng.random() < 0.7)
                at += length
    return x


def spans(x: Floats) -> mx.array:
    return mx.full(x.shape[:2], 1 / RATE)


def said(seen: gl.Observed, x: Floats) -> Floats:
    return np.array(seen(x, timespans=spans(x))[0])


def studied(seed: int, sizes: Sizes) -> Study:
    """A teacher, and its traces with noise and gaps."""
    rng = np.random.default_rng(seed)
    circuit = gl.auto_ncp(sizes.neurons, sizes.motors, inputs=4, sparsity=0.5, seed=seed)
    rnn = gl.LTC(circuit, time_scale=1.0, key=mx.random.key(seed))
    names = rnn.cell.neurons
    others = rng.choice(names[sizes.motors :], sizes.seen - sizes.motors, replace=False)
    neurons = [*names[: sizes.motors], *sorted(map(str, others))]
    teacher = gl.observe(rnn, neurons, gl.Calcium(RISE, DECAY))
    x = stimuli(rng, sizes.recordings, sizes.samples)
    held_out = stimuli(rng, sizes.held_out, sizes.samples)
    traces = said(teacher, x)
    spread = traces.std(axis=(0, 1))
    traces = traces + rng.normal(size=traces.shape) * spread * NOISE
    traces[rng.random(traces.shape) < MISSING] = np.nan
    return Study(circuit, teacher, x, traces.astype(np.float32), spread, held_out)


def begun(study: Study, key: int) -> gl.Observed:
    """A student that knows nothing yet."""
    rnn = gl.LTC(study.circuit, polarity="fixed", time_scale=1.0, key=mx.random.key(key))
    rnn.cell.freeze(keys=list(KNOWN))
    indicator = gl.Calcium(RISE, DECAY, noise=(NOISE * study.spread).tolist())
    return gl.observe(rnn, list(study.teacher.neurons), indicator)


def fitted(student: gl.Observed, study: Study, sizes: Sizes, epochs: int) -> float:
    """Train a student, and return its loss."""
    known = float(np.isfinite(study.traces).sum())

    def loss(model: gl.Observed, x: mx.array, y: mx.array, dt: mx.array) -> mx.array:
        """The negative logarithm of the posterior, of one measurement."""
        total = gl.training.likelihood(model, x, y, dt)
        for name, values in model.rnn.cell.parameters().items():
            if (prior := PRIORS.get(name.removeprefix("sensory_"))) is not None:
                total = total + 0.5 * mx.square((values - prior[0]) / prior[1]).sum() / known
        return total

    steps = epochs * -(-len(study.x) // sizes.batch)
    history = gl.fit(
        student,
        (study.x, study.traces, spans(study.x)),
        loss=loss,
        optimizer=optim.Adam(optim.cosine_decay(sizes.rate, steps, sizes.rate / 100), bias_correction=True),
        epochs=epochs,
        batch_size=sizes.batch,
        clip_norm=10.0,
        progress=False,
    )
    return history.loss[-1]


def effects(seen: gl.Observed, study: Study, how: Any = gl.studies.Silence) -> Floats:
    """(neurons, traces) what silencing each neuron does to the mean of each trace but its own."""
    before, found = said(seen, study.held_out), []
    for name in seen.rnn.cell.neurons:
        with gl.perturbed(seen, how(name)):
            change = (said(seen, study.held_out) - before).mean(axis=(0, 1)) / study.spread
        if name in seen.neurons:
            change[seen.neurons.index(name)] = 0.0
        found.append(change)
    return np.array(found)


def explained(student: gl.Observed, study: Study) -> Floats:
    """R2 of each trace over the held-out recordings, of which noise is no part."""
    theirs, ours = said(study.teacher, study.held_out), said(student, study.held_out)
    found: Floats = 1 - ((ours - theirs) ** 2).mean(axis=(0, 1)) / theirs.var(axis=(0, 1))
    return found


def right(ours: Floats, theirs: Floats, least: float) -> tuple[float, int]:
    """The share of effects of at least so many spreads whose sign is right, and how many there are."""
    there = np.abs(theirs) > least
    return float((np.sign(ours) == np.sign(theirs))[there].mean()), int(there.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--begin", type=int, default=8, help="students that begin")
    parser.add_argument("--students", type=int, default=3, help="and those that go on")
    parser.add_argument("--short", type=int, default=150, help="epochs before they are compared")
    parser.add_argument("--epochs", type=int, default=Sizes.epochs)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    sizes = Sizes(epochs=arguments.epochs)
    kinds = (gl.studies.Silence, gl.studies.Lesion)
    print(
        "| seed | R2, mean | least | held at 0, all | of | clear | of | removed, all | of | clear | of | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    shares = []
    for seed in arguments.seeds:
        began = time.process_time()
        study = studied(seed, sizes)
        crowd = [begun(study, 1000 + 10 * seed + k) for k in range(arguments.begin)]
        losses = [fitted(student, study, sizes, arguments.short) for student in crowd]
        students = [crowd[k] for k in np.argsort(losses)[: arguments.students]]
        for student in students:
            fitted(student, study, sizes, sizes.epochs)
        r2 = np.mean([explained(student, study) for student in students], axis=0)
        found: list[tuple[float, int]] = []
        for how in kinds:
            theirs = effects(study.teacher, study, how)
            ours = np.mean([effects(student, study, how) for student in students], axis=0)
            found += [right(ours, theirs, 1e-3), right(ours, theirs, CLEAR)]
        shares.append([r2.mean(), r2.min(), *(share for share, _ in found)])
        signs = " | ".join(f"{share:.1%} | {count}" for share, count in found)
        seconds = time.process_time() - began
        print(f"| {seed} | {r2.mean():.4f} | {r2.min():.4f} | {signs} | {seconds:.0f} |", flush=True)
    mean = np.mean(shares, axis=0)
    signs = " | ".join(f"{share:.1%} |" for share in mean[2:])
    print(f"| mean | {mean[0]:.4f} | {np.min(shares, axis=0)[1]:.4f} | {signs} | |")


if __name__ == "__main__":
    main()
