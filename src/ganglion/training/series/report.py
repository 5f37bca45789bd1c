"""The report of a run: one HTML file with its pictures inside."""

from __future__ import annotations

import base64
import html
import io
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ...arguments import counted
from ...interchange.origins import provenance_of
from ...storage import replace_files
from . import pictures
from .directory import REPORT
from .job import CELLS, Outcome, errors_of, known_of, predict
from .sequences import Series

SHOWN = 200
"""Samples of the validation data that the pictures show."""
MATTER = 20
"""Neurons that the table of those that matter most has."""

_TRAINED = (
    "<p>Signs and strengths (the widths) as they were trained; sensory neurons are named by the columns that "
    "they are given, motor neurons by those that they say.</p>"
)

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
h1, td {{ overflow-wrap: anywhere; }}
img {{ max-width: 100%; height: auto; }}
table {{ border-collapse: collapse; }}
td, th {{ padding: 0.2rem 1rem 0.2rem 0; text-align: left; border-bottom: 1px solid #8884; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #121212; }}
  img {{ filter: invert(0.93) hue-rotate(180deg); }} /* a dark ground, and every colour keeps its hue */
}}
</style>
<h1>{title}</h1>
{body}
</html>
"""


@dataclass(frozen=True)
class Need:
    """What a network does without one of its neurons.

    Attributes:
        name: of the neuron, sensory ones by their columns.
        role: "sensory", "inter" or "command".
        errors: the root mean squared error of each target without it.
        rise: the mean over targets of how far the error rises, in the unit that the network sees.
    """

    name: str
    role: str
    errors: list[float]
    rise: float


@dataclass(frozen=True)
class Needs:
    """The neurons of a network, those first that its predictions need most.

    Attributes:
        neurons: all but motor ones, which are predictions themselves.
        errors: with all of them.
        samples: how many the errors are over, from the beginnings of the validation sequences.
    """

    neurons: list[Need]
    errors: list[float]
    samples: int


def write_report(outcome: Outcome, directory: Path, needs: Needs | None = None) -> Path:
    """Write the report of a run into its directory, and return its path.

    Args:
        outcome: of the run.
        directory: its own.
        needs: which neurons matter most, where that was found out.

    Raises:
        OSError: the file cannot be written.
    """
    path = directory / REPORT
    replace_files({path: _page(outcome, needs).encode()})
    return path


def _page(outcome: Outcome, needs: Needs | None = None) -> str:
    one = max(outcome.held_out, key=lambda series: len(series.x))
    shown = one.part(slice(SHOWN))
    what = "targets and predictions over time, and one over the other"
    sections = [
        ("Result", _results(outcome)),
        (
            "Predictions",
            _held_out(outcome) + _which(outcome, one) + _picture(pictures.predictions(outcome, shown), what),
        ),
        ("Learning curve", _picture(pictures.curves(outcome), "training and validation loss of each epoch")),
        ("Activity", _picture(pictures.activity(outcome, shown), "the state of every neuron over time")),
        (
            "Circuit",
            _TRAINED
            + _picture(pictures.circuit(outcome), "neurons and synapses with their trained strengths"),
        ),
        ("Neurons that matter most", _needed(outcome, needs)),
        ("Masks", _picture(pictures.masks(outcome), "which neuron reaches which")),
        ("Settings", _table(_settings(outcome))),
        ("Provenance", _table(_provenance(outcome))),
    ]
    title = f"{CELLS[outcome.settings.cell].__name__} for {', '.join(outcome.columns.targets)}"
    body = "\n".join(f"<h2>{name}</h2>\n{content}" for name, content in sections)
    return PAGE.format(title=html.escape(title), body=body)


def _results(outcome: Outcome) -> str:
    rows: list[tuple[object, ...]] = [
        (
            "target",
            "samples with it",
            "RMSE",
            "RMSE of the mean",
            "mean absolute error",
            "R\N{SUPERSCRIPT TWO}",
        )
    ]
    said = np.concatenate([predict(outcome.model, series) for series in outcome.held_out])
    truth = np.concatenate([series.y for series in outcome.held_out])
    for k, name in enumerate(outcome.columns.targets):
        known = np.isfinite(truth[:, k])
        own, wrong = truth[known, k], said[known, k] - truth[known, k]
        mean = outcome.baselines[k]
        share = f"{1 - (outcome.errors[k] / mean) ** 2:.4g}" if mean > 0 else "\N{EN DASH}"
        absolute = f"{np.abs(wrong).mean():.4g}" if len(own) else "\N{EN DASH}"
        errors = f"{outcome.errors[k]:.4g}", f"{outcome.baselines[k]:.4g}", absolute, share
        rows.append((name, len(own), *errors))
    epochs, best = len(outcome.history.loss), outcome.history.best
    samples = sum(len(series.x) for series in outcome.held_out)
    says = (
        f"<p>On {counted(samples, 'sample')} held out for validation, of which those with a target "
        "count, after epoch "
        f"{(best or 0) + 1} of {epochs}. That epoch has the least mean square of the errors below, each in "
        "the unit that the network sees: a choice that flatters it. <code>ganglion predict --errors</code> "
        "tests it on other data. The mean is that of the training data, and R\N{SUPERSCRIPT TWO} the part "
        "of its squared error that the network does away with.</p>"
    )
    return says + _table(rows, head=True) + _missing(outcome)


def _held_out(outcome: Outcome) -> str:
    """The error in each sequence, where several were held out."""
    if len(outcome.held_out) < 2:
        return ""
    targets = outcome.columns.targets
    heads = (head for t in targets for head in (f"samples with {t}", f"RMSE of {t}"))
    rows: list[tuple[object, ...]] = [(outcome.columns.group or "sequence", *heads)]
    for series in outcome.held_out:
        wrong = errors_of([predict(outcome.model, series)], [series])
        pairs = zip(known_of(series).tolist(), wrong, strict=True)
        rows.append((series.group, *(cell for count, e in pairs for cell in (count, f"{e:.4g}"))))
    return _table(rows, head=True)


def _needed(outcome: Outcome, found: Needs | None) -> str:
    """The neurons without which the errors rise most."""
    if found is None:
        return (
            "<p>Not computed: all neurons are motor neurons, they are too many to cut off one by one, or the "
            "samples that time allows have no target.</p>"
        )
    targets = outcome.columns.targets
    rows: list[tuple[object, ...]] = [("cut off", "role", *(f"RMSE of {name}" for name in targets))]
    rows.append(("none", "", *(f"{error:.4g}" for error in found.errors)))
    for one in found.neurons[:MATTER]:
        rows.append((one.name, one.role, *(f"{error:.4g}" for error in one.errors)))
    most = f"The {MATTER} of {len(found.neurons)} neurons" if len(found.neurons) > MATTER else "Neurons"
    samples = sum(len(series.x) for series in outcome.held_out)
    over = f"the first {found.samples} of " if found.samples < samples else ""
    says = (
        f"<p>{most} without which the errors rise most. Each is cut off by itself from all others, as "
        f"<code>gl.study</code> does, over {over}{counted(samples, 'sample')} held out. A sensory neuron is "
        "a column; motor neurons are the predictions themselves.</p>"
    )
    return says + _table(rows, head=True)


def _missing(outcome: Outcome) -> str:
    if not outcome.missing:
        return ""
    done = {
        "impute": "the number before it stands for a missing input",
        "mask": "the network does not see rows in which an input is missing",
    }[outcome.habits.missing]
    cells = ", ".join(f"{count} in {html.escape(name)}" for name, count in outcome.missing.items())
    return f"<p>Cells without a number: {cells}; {done}, and a missing target counts in no error.</p>"


def _settings(outcome: Outcome) -> list[tuple[object, ...]]:
    columns = {name: value for name, value in asdict(outcome.columns).items() if value is not None}
    texts = {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in columns.items()}
    written = {name: value for name, value in asdict(outcome.habits).items() if value not in (None, False)}
    return list({**texts, **asdict(outcome.settings), **written}.items())


def _provenance(outcome: Outcome) -> list[tuple[object, ...]]:
    """What the model's file says, too; the settings of training stand above."""
    found = provenance_of(outcome.model)
    found |= {name: ", ".join(found[name].values()) for name in ("engines", "circuits")}
    found |= {"data": found.pop("training", {}).get("data")}
    return list(found.items())


def _table(rows: list[tuple[object, ...]], *, head: bool = False) -> str:
    lines = []
    for number, row in enumerate(rows):
        tag = "th" if head and number == 0 else "td"
        lines.append("".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in row))
    return "<table>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "\n</table>"


def _picture(figure: Figure, what: str) -> str:
    data = io.BytesIO()
    with warnings.catch_warnings():  # names are in the tables, too, where the browser has every character
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure.savefig(data, format="png", dpi=110)
    text = base64.b64encode(data.getvalue()).decode()
    return f'<img alt="{html.escape(what)}" src="data:image/png;base64,{text}">'


def _which(outcome: Outcome, one: Series) -> str:
    """Which of the held out sequences the pictures show."""
    name = "the sequence" if one.group is None else f"{outcome.columns.group} = {one.group}"
    among = f", one of {len(outcome.held_out)} that were held out" if len(outcome.held_out) > 1 else ""
    part = (
        f"The first {SHOWN} of {counted(len(one.x), 'sample')}"
        if len(one.x) > SHOWN
        else f"The {counted(len(one.x), 'sample')}"
    )
    return f"<p>{html.escape(f'{part} of {name}{among}.')}</p>"
