"""What the demo prints: progress bars while it trains, and a table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean

from mlx.utils import tree_flatten
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..compile import CompiledCircuit
from .data import Digits
from .training import History, Network, Recipe, steps_per_epoch


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        model: its name.
        accuracy: final test accuracy, one per seed.
        seconds: mean seconds of training per epoch, None for a model without epochs.
        synapses: sensory and recurrent synapses, None for a model without them.
        parameters: trainable numbers.
    """

    model: str
    accuracy: tuple[float, ...]
    seconds: float | None
    synapses: int | None
    parameters: int

    @classmethod
    def of_runs(cls, model: str, runs: Sequence[History], rnn: Network, compiled: CompiledCircuit) -> Row:
        """The row of one kind of network, trained once per seed."""
        plan = compiled.plan
        parameters = dict(tree_flatten(rnn.trainable_parameters()))
        return cls(
            model,
            accuracy=tuple(history.accuracy[-1] for history in runs),
            seconds=fmean(second for history in runs for second in history.seconds),
            synapses=len(plan.recurrent.pre) + len(plan.sensory.pre),
            parameters=sum(array.size for array in parameters.values()),
        )

    @classmethod
    def of_baseline(cls, accuracy: float, parameters: int) -> Row:
        """The row of logistic regression."""
        return cls("logistic regression", (accuracy,), None, None, parameters)


def table_of(rows: Sequence[Row]) -> Table:
    """The rows as a table; with several seeds, the mean accuracy stands beside its range."""
    seeds = max(len(row.accuracy) for row in rows)
    caption = "accuracy on the test images" + (f", mean and range of {seeds} seeds" if seeds > 1 else "")
    table = Table(caption=caption, box=box.SIMPLE_HEAD)
    table.add_column("model")
    for title in ("accuracy", *(["range"] if seeds > 1 else []), "s/epoch", "synapses", "parameters"):
        table.add_column(title, justify="right")
    for row in rows:
        low, high = min(row.accuracy), max(row.accuracy)
        table.add_row(
            row.model,
            f"{fmean(row.accuracy):.3f}",
            *([f"{low:.3f}-{high:.3f}" if low < high else ""] if seeds > 1 else []),
            "" if row.seconds is None else f"{row.seconds:.2f}",
            "" if row.synapses is None else str(row.synapses),
            str(row.parameters),
        )
    return table


@contextmanager
def progress_of(
    name: str, recipe: Recipe, digits: Digits, console: Console
) -> Iterator[Callable[[int, History], None]]:
    """A progress bar over one training; what it yields is the ``watch`` of `train`."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=16),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[news]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(name, total=recipe.epochs * steps_per_epoch(digits, recipe), news="")

        def watch(steps: int, history: History) -> None:
            progress.update(task, completed=steps, news=_news(history, recipe.epochs))

        yield watch


def _news(history: History, epochs: int) -> str:
    done = len(history.loss)
    if done == 0:
        return f"epoch 0/{epochs}"
    return f"epoch {done}/{epochs}: loss {history.loss[-1]:.3f}, accuracy {history.accuracy[-1]:.3f}"
