"""The notebook that a program runs in, if any, and a place in its output that can be redrawn."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def in_notebook() -> bool:
    """Whether this runs in a Jupyter kernel or in marimo."""
    return _marimo() is not None or _has_kernel()


class Place:
    """A place in the output of the cell that runs, whose content can be replaced."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, html: str) -> None:
        """Show this instead of what was there."""
        if (marimo := _marimo()) is not None:
            marimo.output.replace(marimo.Html(html))
            return
        tools: Any = import_module("IPython.display")
        if self._handle is None:
            self._handle = tools.display(tools.HTML(html), display_id=True)
        else:
            self._handle.update(tools.HTML(html))


def _marimo() -> Any:
    marimo = sys.modules.get("marimo")
    return marimo if marimo is not None and marimo.running_in_notebook() else None


def _has_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
