"""Whether a fitted network says what silencing does: a student beside the teacher that it has seen in part.

    python benchmarks/teacher.py --seeds 0 1 2 3 4

The teacher is an LTC of 20 neurons over a circuit. Ten of them, the motor neurons among them, are seen
through a calcium indicator at 4 Hz, with noise of 5 % of a trace's spread; 30 % of the samples are missing.
Students over the same circuit, of which signs, reversal potentials and the units of the inputs are known,
begin at other parameters. Their loss is the likelihood of the noise and the priors that parameters are drawn
from, as the teacher's were. Gains and offsets of the indicator are not known. Of some that begin, those of
the lowest loss go on.

Students see 96 recordings of 30 s of the whole teacher, and 8 of each of ten of the twenty neurons, drawn by
lot, while it is held at 0, as by light. Held out are recordings of other stimuli, and all silencings of the
other ten neurons: each is held at 0 in turn, or removed, as by a laser, which students have seen of none. Its
effect is the mean change of each trace but its own, in spreads of the trace. What the students say together
is the mean. With ``--silenced 0`` students see no silencing, and all twenty neurons are held out.
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
LEAST, CLEAR = 0.001, 0.05
"""Effects of more than this many spreads of a trace are there, and are clear."""


@dataclass(frozen=True)
class Sizes:
    """How large all of it is; small for a test."""

    neurons: int = 20
    motors: int = 4
    seen: int = 10
    recordings: int = 96
    silenced: int = 10
    repeats: int = 8
    held_out: int = 16
    samples: int = 120
    epochs: int = 190
    batch: int = 16
    rate: float = 0.06

    @property
    def told(self) -> float:
        """Twice the standard error of an effect that is measured in the held-out recordings, in spreads.

        It is the difference of two means, each over all samples that there are.
        """
        return float(2 * NOISE * np.sqrt(2 / (self.held_out * self.samples * (1 - MISSING))))


@dataclass(frozen=True)
class Study:
    """A teacher and what was seen of it."""

    circuit: gl.Circuit
    teacher: gl.Observed
    recordings: Recordings
    spread: Floats
    held_out: Floats


@dataclass(frozen=True)
class Recordings:
    """What students see, as data of `fit`: an item is a few recordings under one perturbation.

    Attributes:
        done: the perturbations; None for none.
        items: (inputs, traces, number of the perturbation) of each item.
    """

    done: list[Any]
    items: list[tuple[Floats, Floats, int]]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, places: NDArray[np.int64]) -> tuple[mx.array, ...]:
        x, traces, which = zip(*(self.items[k] for k in places), strict=True)
        numbers = np.repeat(which, [len(each) for each in x])
        inputs = mx.array(np.concatenate(x))
        return inputs, mx.array(np.concatenate(traces)), mx.array(numbers), spans(inputs)

    @property
    def known(self) -> int:
        """How many measurements there are."""
        return sum(int(np.isfinite(traces).sum()) for _, traces, _ in self.items)

    @property
    def silenced(self) -> list[str]:
        """The neurons that students have seen silenced."""
        return [each.neurons for each in self.done if each is not None]


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

    def measured(traces: Floats) -> Floats:
        traces = traces + rng.normal(size=traces.shape) * spread * NOISE
        traces[rng.random(traces.shape) < MISSING] = np.nan
        return traces.astype(np.float32)

    traces = measured(traces)
    items = [(x[k : k + sizes.batch], traces[k : k + sizes.batch], 0) for k in range(0, len(x), sizes.batch)]
    rng = np.random.default_rng([seed, 1])  # so that teachers do not depend on what is silenced
    done = [gl.studies.Silence(str(name)) for name in rng.permutation(names)[: sizes.silenced]]
    for number, each in enumerate(done, 1):
        x = stimuli(rng, sizes.repeats, sizes.samples)
        with gl.perturbed(teacher, each):
            items.append((x, measured(said(teacher, x)), number))
    return Study(circuit, teacher, Recordings([None, *done], items), spread, held_out)


def begun(study: Study, key: int) -> gl.Observed:
    """A student that knows nothing yet."""
    rnn = gl.LTC(study.circuit, polarity="fixed", time_scale=1.0, key=mx.random.key(key))
    rnn.cell.freeze(keys=list(KNOWN))
    indicator = gl.Calcium(RISE, DECAY, noise=(NOISE * study.spread).tolist())
    return gl.observe(rnn, list(study.teacher.neurons), indicator)


def fitted(student: gl.Observed, study: Study, sizes: Sizes, epochs: int) -> float:
    """Train a student, and return its loss."""
    seen = study.recordings
    known = seen.known

    def loss(model: gl.Observed, x: mx.array, y: mx.array, timespans: mx.array) -> mx.array:
        """The negative logarithm of the posterior, of one measurement."""
        total = gl.training.likelihood(model, x, y, timespans)
        for name, values in model.rnn.cell.parameters().items():
            if (prior := PRIORS.get(name.removeprefix("sensory_"))) is not None:
                total = total + 0.5 * mx.square((values - prior[0]) / prior[1]).sum() / known
        return total

    history = gl.fit(
        student,
        seen,
        loss=gl.studies.under(loss, seen.done),
        optimizer=optimizer(sizes, epochs * len(seen)),
        epochs=epochs,
        batch_size=1,
        clip_norm=10.0,
        progress=False,
    )
    return history.loss[-1]


def optimizer(sizes: Sizes, steps: int) -> optim.Optimizer:
    """Adam with steps in proportion to the spread that a parameter's prior has."""

    def adam(rate: float) -> optim.Adam:
        return optim.Adam(optim.cosine_decay(rate, steps, rate / 100), bias_correction=True)

    def of(prior: str) -> Any:
        return lambda path, _: path.rpartition(".")[2].removeprefix("sensory_") == prior

    rates = [sizes.rate * spread for _, spread in PRIORS.values()]
    return optim.MultiOptimizer([*map(adam, rates), adam(sizes.rate / 2)], [of(name) for name in PRIORS])


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


def students_of(
    study: Study, sizes: Sizes, seed: int, begin: int, go_on: int, steps: Any
) -> list[gl.Observed]:
    """Students, fitted: those of the lowest loss of some that begin."""
    short, long = (-(-count // len(study.recordings)) for count in steps)
    crowd = [begun(study, 1000 + 10 * seed + k) for k in range(begin)]
    losses = [fitted(student, study, sizes, short) for student in crowd]
    students = [crowd[k] for k in np.argsort(losses)[:go_on]]
    for student in students:
        fitted(student, study, sizes, long)
    return students


def shares(students: list[gl.Observed], study: Study, sizes: Sizes) -> list[tuple[float, int]]:
    """Shares of right signs: held-out silencings, held and removed, by bound; then those that were seen."""
    seen = np.isin(study.teacher.rnn.cell.neurons, study.recordings.silenced)
    found, known = [], (1.0, 0)
    for how in (gl.studies.Silence, gl.studies.Lesion):
        theirs = effects(study.teacher, study, how)
        ours = np.mean([effects(student, study, how) for student in students], axis=0)
        found += [right(ours[~seen], theirs[~seen], bound) for bound in (LEAST, sizes.told, CLEAR)]
        if how is gl.studies.Silence and seen.any():
            known = right(ours[seen], theirs[seen], LEAST)
    return [*found, known]


def line(*cells: Any) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--begin", type=int, default=3, help="students that begin")
    parser.add_argument("--students", type=int, default=2, help="and those that go on")
    parser.add_argument(
        "--steps", type=int, nargs=2, default=[300, 3000], help="before they are compared, and on"
    )
    parser.add_argument(
        "--silenced", type=int, default=Sizes.silenced, help="neurons that students see held at 0"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    sizes = Sizes(silenced=arguments.silenced)
    bounds = [f"> {bound:.2g}" for bound in (LEAST, sizes.told, CLEAR)]
    heads = [f"{kind}, {bound} | of" for kind in ("held at 0", "removed") for bound in bounds]
    line("seed", "R2, mean", "least", *heads, "seen held at 0 | of", "s")
    print("|---" * (6 + 2 * len(heads)) + "|")
    rows = []
    for seed in arguments.seeds:
        began = time.process_time()
        study = studied(seed, sizes)
        students = students_of(study, sizes, seed, arguments.begin, arguments.students, arguments.steps)
        r2 = np.mean([explained(student, study) for student in students], axis=0)
        found = shares(students, study, sizes)
        rows.append([r2.mean(), r2.min(), *(number for pair in found for number in pair)])
        signs = [f"{share:.1%} | {count}" for share, count in found]
        line(seed, f"{r2.mean():.4f}", f"{r2.min():.4f}", *signs, f"{time.process_time() - began:.0f}")
    table = np.array(rows)
    right_ones, counts = table[:, 2::2], table[:, 3::2]
    together = (right_ones * counts).sum(axis=0) / np.maximum(counts.sum(axis=0), 1)
    for name, mean in (("mean", right_ones.mean(axis=0)), ("all together", together)):
        signs = [f"{share:.1%} | {count:.0f}" for share, count in zip(mean, counts.sum(axis=0), strict=True)]
        line(name, f"{table[:, 0].mean():.4f}", f"{table[:, 1].min():.4f}", *signs, "")


if __name__ == "__main__":
    main()
