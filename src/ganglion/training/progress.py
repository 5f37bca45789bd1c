"""A progress bar on the terminal."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from .run import Callback, Run

INTERVAL = 0.5
"""Seconds between two looks at the run: drawing costs more than many a step."""
WIDE = 100
"""Columns of a terminal that has room for the best loss besides."""


class ProgressBar(Callback):
    """Steps, time to go and losses of a run, on standard error; nothing where that is no terminal."""

    def __init__(self, title: str = "training") -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),  # so that only the bar gets shorter
            TextColumn("steps"),
            TimeRemainingColumn(elapsed_when_finished=True, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[news]}"),
        )
        console = Console(stderr=True)
        self._bar = Progress(*columns, console=console, auto_refresh=False, disable=not console.is_terminal)
        self._title, self._next = title, 0.0

    def on_start(self, run: Run) -> None:
        total = run.epochs * run.steps_per_epoch
        self._task = self._bar.add_task(self._title, total=total, completed=run.step, news="")
        self._bar.start()

    def on_step(self, run: Run) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + INTERVAL
            self.draw(run)

    def on_epoch(self, run: Run) -> None:
        self.on_step(run)

    def on_end(self, run: Run) -> None:
        if self._bar.tasks:  # the run did start
            self.draw(run)
            self._bar.stop()

    def draw(self, run: Run) -> None:
        """Show where the run is."""
        news = f"epoch {min(run.epoch + 1, run.epochs)}: loss {run.loss:.4g}"
        if run.history.validation:
            news += f", validation {run.history.validation[-1]:.4g}"
            if self._bar.console.width >= WIDE:
                news += f" (best {min(run.history.validation):.4g})"
        self._bar.update(self._task, completed=run.step, news=news, refresh=True)
