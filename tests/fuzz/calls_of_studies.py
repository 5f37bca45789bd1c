"""Right calls of what studies and experiments are made of; perturbations are laid over a network."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ganglion as gl
from ganglion import studies

from .rows import CIRCUIT, Call, effects, ltc, method, series


def over(kind: type[studies.Perturbation], **arguments: Any) -> Callable[[], Call]:
    """A perturbation of these arguments, laid over a network."""

    def lay(**given: Any) -> None:
        with gl.perturbed(ltc(), kind(**given)) as network:
            str(studies.Together((kind(**given),)))
            assert network is ltc()

    lay.__signature__ = inspect.signature(kind)  # type: ignore[attr-defined]
    return lambda: Call(lay, arguments)


def sweep() -> Call:
    """A sweep over one circuit, whose training is left out."""
    series(print)()
    Path("sweep.toml").write_text(
        'circuits = ["c.json"]\ndata = "c.csv"\ntargets = ["motor_0", "motor_1"]\nepochs = 1\n'
    )
    return Call(studies.sweep, {"path": "sweep.toml", "store": "s.journal", "progress": False})


def found() -> studies.Experiment:
    """What an experiment of two trials found."""
    return gl.experiment(lambda trial: trial["x"], {"x": [1, 2]}, store="found.journal")


def trial() -> studies.Trial:
    return studies.Trial(0, 1, 0, {"x": 1}, Path("trial"))


def evolved() -> Call:
    starts = {"start": gl.Circuit(CIRCUIT)}
    return Call(studies.Evolving, {"starts": starts, "most_synapses": 20, "share": 0.1})


ROWS: dict[str, Callable[[], Call]] = {
    "Lesion": over(studies.Lesion, neurons="inter_0"),
    "Silence": over(studies.Silence, neurons="inter", to=0.5),
    "Scale": over(studies.Scale, pre="inter", post="command", by=0.5),
    "Cut": over(studies.Cut, pre="inter", post="command"),
    "Flip": over(studies.Flip, pre="inter", post="command"),
    "Stimulate": over(studies.Stimulate, neurons="inter_0", current=0.5),
    "Noise": over(studies.Noise, neurons="sensory_0", mean=0.0, spread=1.0, seed=2),
    "Together": over(studies.Together, parts=(studies.Lesion("inter_0"), studies.Cut("inter", "command"))),
    "study.effects": method(effects, "effects", measure="output change"),
    "study.of": method(effects, "of", measure="output change"),
    "study.to_csv": method(effects, "to_csv", path="effects.csv"),
    "experiment.report": lambda: Call(found().report, {"path": "report.html"}),
    "trial.report": lambda: Call(trial().report, {"step": 1, "value": 0.5}),
    "sweep": sweep,
    "under": lambda: Call(
        studies.under, {"loss": gl.training.mse, "perturbations": [studies.Lesion("inter_0")]}
    ),
    "combined": lambda: Call(studies.combined, {"studies": [effects(), effects()]}),
    "Evolving": evolved,
    "Generator": lambda: Call(studies.Generator, {"function": gl.random, "ranges": {"units": (4, 8)}}),
}
