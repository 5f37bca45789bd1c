"""What became of a run, in one line: which epoch was kept, and what in the network or the data stands out."""

from __future__ import annotations

from dataclasses import dataclass

from ..arguments import counted


@dataclass(frozen=True)
class Summary:
    """What became of a run of `fit`.

    Attributes:
        epochs: how many there were.
        kept: the epoch, from 0, whose parameters the network has; None for those of the last step.
        by: the number that chose it, in words.
        dropped: epochs after it, whose parameters are gone.
        refused: epochs that could not be chosen, because their validation was no number.
        sign_changes, synapses: how many weights have another sign than the synapse they are on, and of how
            many.
        zeros: how many of the parameters on synapses are exactly zero.
        still, neurons: how many neurons do not move while the network reads data, and of how many.
        padding, samples: how many samples a mask leaves out, and of how many.
        stuck: why the network seems to say no more than the mean of its targets; None if it says more.
        time_scale: what was chosen for networks that had none, as their `repr` has it; None if nothing was.
        time_unit: the time of the data that they are given as 1: the `time_unit` of a `Scaled`.
        ode_unfolds: what was chosen for a network with "auto"; None if nothing was.
    """

    epochs: int
    kept: int | None
    by: str
    dropped: int
    refused: int
    sign_changes: int
    synapses: int
    zeros: int
    still: int
    neurons: int
    padding: int
    samples: int
    stuck: str | None
    time_scale: float | None = None
    ode_unfolds: int | None = None
    time_unit: float = 1.0

    def __str__(self) -> str:
        kept = "the last step's weights" if self.kept is None else f"the weights of epoch {self.kept + 1}"
        facts = [f"{counted(self.epochs, 'epoch')}, kept {kept}, {self.by}"]
        for number, words in (
            (self.dropped, f"dropped {counted(self.dropped, 'later epoch')}"),
            (self.refused, f"{counted(self.refused, 'epoch')} without a finite validation"),
            (
                self.sign_changes,
                f"{self.sign_changes} of {self.synapses} weights against their sign",
            ),
            (self.zeros, f"{counted(self.zeros, 'weight')} at zero"),
            (self.still, f"{self.still} of {self.neurons} neurons do not move"),
            (self.padding, f"{self.padding} of {self.samples} samples are padding"),
        ):
            if number:
                facts.append(words)
        if self.time_scale is not None:
            facts.append(f"chose {told_scale(self.time_scale, self.time_unit)}")
        if self.ode_unfolds is not None:
            facts.append(f"chose ode_unfolds={self.ode_unfolds}")
        if self.stuck:
            facts.append(self.stuck)
        return "; ".join(facts)


def told_scale(time_scale: float, unit: float) -> str:
    """A time scale as networks have it, and where that is no time of the data, what it is of."""
    return f"time_scale={time_scale:g}" + ("" if unit == 1.0 else f" inside time_unit={unit:g}")
