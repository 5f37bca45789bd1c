"""What a page can take home: the circuit in every format, as a script, as a page of its own, as C."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from ..errors import CircuitError
from ..wiring import write
from ..wiring.files.formats import endings, of_ending
from ..wiring.roles import label
from .session import EditSession

MIME = {"json": "application/json", "graphml": "application/xml", "csv": "text/csv", "py": "text/x-python"}


def exported(what: Any, session: EditSession, network: Any, stem: str) -> list[tuple[str, str]]:
    """The files of an export, as names and texts.

    Raises:
        CircuitError: an unknown format, something that it does not hold, or no network to export.
    """
    if what == "python":
        return [(f"{stem}.py", session.as_python())]
    if what == "html":
        from .. import viz

        return [(f"{stem}.html", viz.to_html(session.circuit))]
    if what == "c":
        return _as_c(network, stem)
    form = of_ending(Path(f"circuit.{what}")) if isinstance(what, str) and what.isalpha() else None
    if form is None:
        raise CircuitError(
            f"what can be exported is python, html, c, and a circuit as {endings()}; got {label(what, 60)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{stem}.{what}"
        write(session.circuit, path)
        return [(path.name, path.read_text(encoding="utf-8")) for path in form.targets(path)]


def _as_c(network: Any, stem: str) -> list[tuple[str, str]]:
    from ..interchange import export_c

    if network is None:
        raise CircuitError(
            "there is no network to export: live running is off, or the circuit cannot be compiled yet"
        )
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)  # what the functions in the file are called by
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name if re.match(r'[A-Za-z_]', name) else f'network_{name}'}.c"
        export_c(network, path)
        files = (path, path.with_suffix(".h"))
        return [(file.name, file.read_text(encoding="utf-8")) for file in files]
