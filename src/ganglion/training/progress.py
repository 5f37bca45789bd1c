"""How a run of `fit` shows itself: a bar on a terminal, a bar and curves in a notebook, lines in a log."""

from __future__ import annotations

import sys
import time
from html import escape

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from .. import shown
from ..arguments import counted
from ..notebook import Place, in_notebook
from .run import Callback, Run

INTERVAL = 0.5
"""Seconds between two looks at the run: drawing costs more than many a step."""
WIDE = 100
"""Columns of a terminal that has room for the best loss besides."""


def progress_for(title: str = "training") -> Callback:
    """What shows a run where this program writes to."""
    if in_notebook():
        return NotebookBar(title)
    return ProgressBar(title) if Console(stderr=True).is_terminal else Lines()


class Lines(Callback):
    """A line for each epoch on standard error, and what is worth knowing of a run's beginning and end."""

    def on_start(self, run: Run) -> None:
        if line := resumed(run):
            self.say(line)

    def on_epoch(self, run: Run) -> None:
        seconds = f", {run.history.seconds[-1]:.3g} s" if run.history.seconds else ""
        self.say(f"{news(run, f'epoch {run.epoch} of {run.epochs}')}{seconds}")

    def on_end(self, run: Run) -> None:
        if line := stopped(run):
            self.say(line)

    def say(self, line: str) -> None:
        """Write a line."""
        print(f"fit: {line}", file=sys.stderr, flush=True)


class Drawn(Callback):
    """What is drawn again and again while a run goes on."""

    _next = 0.0

    def on_step(self, run: Run) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self.draw(run)

    def on_epoch(self, run: Run) -> None:
        self.on_step(run)

    def draw(self, run: Run) -> None:
        """Show where the run is."""
        raise NotImplementedError


class ProgressBar(Drawn):
    """Steps, time to go and losses of a run, on the terminal."""

    def __init__(self, title: str = "training") -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),  # so that only the bar gets shorter
            TextColumn("steps"),
            TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[news]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._title = title

    def on_start(self, run: Run) -> None:
        total = run.epochs * run.steps_per_epoch
        self._task = self._bar.add_task(self._title, total=total, completed=run.step, news="")
        self._bar.start()
        if line := resumed(run):
            self._bar.console.print(f"fit: {line}", markup=False, highlight=False)

    def on_end(self, run: Run) -> None:
        if self._bar.tasks:  # the run did start
            self.draw(run)
            self._bar.stop()
        if line := stopped(run):
            self._bar.console.print(f"fit: {line}", markup=False, highlight=False)

    def draw(self, run: Run) -> None:
        """Show where the run is."""
        text = news(run, f"epoch {current(run)}", best=self._bar.console.width >= WIDE)
        self._bar.update(self._task, completed=run.step, news=text, refresh=True)


class NotebookBar(Drawn):
    """A bar and the curves of a run in the output of a notebook's cell."""

    def __init__(self, title: str = "training", place: Place | None = None) -> None:
        self._title, self._place = title, place or Place()
        self._words: list[str] = []
        self._started = False

    def on_start(self, run: Run) -> None:
        self._started = True
        if line := resumed(run):
            self._words.append(line)
        self.draw(run)

    def on_end(self, run: Run) -> None:
        if line := stopped(run):
            self._words.append(line)
        if self._started:
            self.draw(run)

    def draw(self, run: Run) -> None:
        """Show where the run is."""
        total = max(run.epochs * run.steps_per_epoch, 1)
        bar = f'<progress value="{run.step}" max="{total}" aria-label="{escape(self._title)}"></progress>'
        steps = f"{run.step} of {counted(run.epochs * run.steps_per_epoch, 'step')}"
        lines = [f"{bar} {steps}", escape(news(run, f"epoch {current(run)} of {run.epochs}", best=True))]
        lines += map(escape, self._words)
        history = run.history
        curves = shown.curves_picture(
            {"loss": history.loss, "validation": history.validation}, "loss by epoch"
        )
        text = "".join(f"<div>{line}</div>" for line in lines)
        self._place.show(shown.page(f"<div><b>{escape(self._title)}</b>{text}</div>", curves))


def current(run: Run) -> int:
    """The epoch that is trained, from 1."""
    return min(run.epoch + 1, run.epochs)


def news(run: Run, epoch: str, *, best: bool = False) -> str:
    """An epoch and its losses."""
    text = f"{epoch}: loss {run.loss:.4g}"
    if run.history.validation:
        text += f", validation {run.history.validation[-1]:.4g}"
        text += f" (best {min(run.history.validation):.4g})" if best else ""
    return text


def resumed(run: Run) -> str | None:
    """Where a run goes on, if it does not begin."""
    if not run.step:
        return None
    return f"goes on from a checkpoint after step {run.step}, in epoch {current(run)}"


def stopped(run: Run) -> str | None:
    """Why a run ended before its last epoch, if somebody said so."""
    if run.stop is None:
        return None
    when = f"in epoch {run.epoch + 1}" if run.batch else f"after epoch {run.epoch}"
    return f"stopped {when} of {run.epochs}: {run.stop}"
