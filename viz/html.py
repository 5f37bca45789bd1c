"""A circuit as one HTML file that shows, plays and edits it without Python, a server or the network."""

from __future__ import annotations

import html
import json
import math
import os
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from ..arguments import flag, instance, one_of, text
from ..arguments import path as as_path
from ..recording import Recording
from ..storage import replace_files
from ..wiring.files.json_format import encode
from ..wiring.roles import require_digraph
from .layout import page_places

THEMES = ("auto", "light", "dark")
_BUILT = Path(__file__).parent / "editor" / "page" / "dist"
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>html, body {{ margin: 0; height: 100%; }} main {{ height: 100vh; }}
{styles}</style>
<main id="ganglion"></main>
<script type="application/json" id="ganglion-data">{data}</script>
<script type="module">{module}</script>
</html>
"""


def to_html(
    circuit: nx.DiGraph[Any],
    path: str | os.PathLike[str] | None = None,
    *,
    recording: Recording | None = None,
    title: str | None = None,
    theme: str = "auto",
    readonly: bool = False,
) -> str:
    """A page that shows the circuit, plays the recording and, unless `readonly`, edits and gives JSON back.

    The page holds all it needs: it works from a disk, in a mail and offline, and asks for nothing.

    Args:
        circuit: any DiGraph whose names and attributes JSON can hold.
        path: where to write the page, whole or not at all; None only returns it.
        recording: what the neurons did, as `gl.record` gives it; of a batch the first sequence is played.
        title: of the page; by default the circuit's `name`, or "circuit".
        theme: "auto" follows the reader's system; "light" or "dark".
        readonly: the page changes nothing.

    Returns:
        The text of the page.

    Raises:
        CircuitError: a name or an attribute that JSON cannot hold.
        ValueError: an unknown theme.

    Example:
        >>> gl.viz.to_html(circuit, "circuit.html", recording=gl.record(rnn, x))
    """
    one_of("theme", theme, THEMES)
    readonly = flag("readonly", readonly)
    if not isinstance(circuit, nx.Graph) and hasattr(circuit, "to_circuit"):
        circuit = circuit.to_circuit()
    require_digraph(circuit, "to_html()")
    if recording is not None:
        instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    file = None if path is None else as_path("path", path)
    title = text("title", title) if title is not None else str(circuit.graph.get("name") or "circuit")
    data = {
        "circuit": json.loads(encode(circuit)) | {"places": page_places(circuit)},
        "recording": None if recording is None else _played(recording),
        "options": {"theme": theme, "readonly": readonly},
        "title": title,
    }
    # Inside a script element only `<` can end it; JSON may write it as an escape everywhere.
    page = _PAGE.format(
        title=html.escape(title),
        styles=(_BUILT / "editor.css").read_text(encoding="utf-8"),
        data=json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c"),
        module=(_BUILT / "editor.js").read_text(encoding="utf-8"),
    )
    if file is not None:
        replace_files({file: page.encode("utf-8", "replace")})
    return page


def _played(recording: Recording) -> dict[str, Any]:
    """A recording in the page's words."""
    one = recording.sequence(0) if recording.batched else recording
    motors = [name for name, role in zip(one.neurons, one.roles, strict=True) if role == "motor"]
    return {
        "neurons": list(one.neurons),
        "sensors": list(one.sensors),
        "outputs": motors,
        "times": np.asarray(one.times, dtype=float).tolist(),
        "states": _rows(one.states),
        "inputs": _rows(one.inputs),
        "outputs_values": _rows(one.outputs),
    }


def _rows(values: NDArray[Any]) -> list[list[float | None]]:
    """The rows of an array to four digits; JSON has no NaN."""
    return [[float(f"{v:.4g}") if math.isfinite(v) else None for v in row] for row in values.tolist()]
