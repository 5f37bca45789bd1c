"""How values show themselves in a notebook: small tables and pictures in plain HTML, light and dark alike.

Colours of text and lines are those of the notebook; nothing is loaded, and every text is escaped. A terminal
shows the `repr` as ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from .palette import EITHER

ROLES = ("sensory", "inter", "command", "motor")
SIGNS = {1: EITHER.excitatory, -1: EITHER.inhibitory}
CURVES = tuple(
    (color, dash)
    for dashes in (("", "7 3", "2 2", "7 2 2 2"), ("3 5", "10 4", "1 4", "4 2 1 2"))
    for color, dash in zip(EITHER.categories, dashes, strict=True)
)
MOST_SYNAPSES = 2000


def page(*parts: str) -> str:
    """Parts beside each other."""
    inner = "".join(f'<div style="margin:0 1.5em .5em 0">{part}</div>' for part in parts if part)
    return f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start">{inner}</div>'


def table(title: str, rows: Iterable[Sequence[object]], head: Sequence[str] = ()) -> str:
    """A table with a title; the first cell of a row names it."""
    border = "padding:.15em .7em .15em 0;text-align:left;border-bottom:1px solid rgba(128,128,128,.35)"

    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f'<{tag} style="{border}">{escape(str(c))}</{tag}>' for c in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    top = line(head, "th") if head else ""
    return f'<div><b>{escape(title)}</b><table style="border-collapse:collapse">{top}{body}</table></div>'


def text(title: str, words: str) -> str:
    """A paragraph with a title."""
    return f'<div style="max-width:38em"><b>{escape(title)}</b><div>{escape(words)}</div></div>'


def circuit_picture(
    names: Sequence[str], roles: Sequence[str], synapses: Sequence[tuple[int, int, int]]
) -> str:
    """Neurons in a column for each role, and their synapses; nothing for a circuit too large to see."""
    columns = [role for role in ROLES if role in roles]
    if not columns or len(synapses) > MOST_SYNAPSES:
        return ""
    column = {role: k for k, role in enumerate(columns)}
    members = {role: [k for k, other in enumerate(roles) if other == role] for role in columns}
    tallest = max(map(len, members.values()))
    step = max(4.0, min(26.0, 240 / tallest))
    width, height = 60 + 130 * max(len(columns) - 1, 0), tallest * step + 30
    place = {
        k: (30 + 130 * column[role], height / 2 + (row - (len(members[role]) - 1) / 2) * step + 8)
        for role in columns
        for row, k in enumerate(members[role])
    }
    faint = max(0.12, min(0.8, 40 / max(len(synapses), 1)))
    lines = []
    for pre, post, sign in synapses:
        if pre in place and post in place:
            (x, y), (u, v) = place[pre], place[post]
            bend = 18 if x == u else 0.12 * (v - y)
            path = f"M{x:.1f} {y:.1f}Q{(x + u) / 2 + bend:.1f} {(y + v) / 2 - 10:.1f} {u:.1f} {v:.1f}"
            color = SIGNS.get(sign, EITHER.electrical)
            lines.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-opacity="{faint:.2f}"/>')
    radius = min(7.0, step / 2.6)
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_fill(roles[k])}">'
        f"<title>{escape(names[k])} ({escape(roles[k])})</title></circle>"
        for k, (x, y) in place.items()
    ]
    heads = [
        f'<text x="{30 + 130 * k}" y="11" text-anchor="middle" font-size="11" fill="currentColor">'
        f"{role}</text>"
        for role, k in column.items()
    ]
    return _svg(width, height, "circuit", [*lines, *dots, *heads])


def _fill(role: str) -> str:
    return EITHER.roles.get(role, EITHER.muted)


def matrix_picture(rows: int, columns: int, cells: Iterable[tuple[int, int, int]], what: str) -> str:
    """Synapses as cells, pre down and post across, by sign; large matrices are binned."""
    most = 160
    scale = max(rows, columns, 1) / min(most, max(rows, columns, 1))
    side = max(2.0, min(10.0, 220 * scale / max(rows, columns, 1)))
    found: dict[tuple[int, int], int] = {}
    for i, j, sign in cells:
        place = (int(i / scale), int(j / scale))
        found[place] = sign if found.get(place, sign) == sign else 0
    squares = [
        f'<rect x="{j * side:.1f}" y="{i * side:.1f}" width="{side:.1f}" height="{side:.1f}" '
        f'fill="{SIGNS.get(sign, EITHER.muted)}"/>'
        for (i, j), sign in found.items()
    ]
    width, height = math.ceil(columns / scale) * side, math.ceil(rows / scale) * side
    frame = (
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="none" stroke="currentColor" opacity=".4"/>'
    )
    picture = _svg(width + 1, height + 1, what, [*squares, frame])
    return f"<div>{picture}<div>{escape(what)}</div></div>"


def curves_picture(curves: Mapping[str, Sequence[float]], what: str) -> str:
    """Lines over the index of their values; what is not finite is a gap."""
    shown = {name: values for name, values in list(curves.items())[: len(CURVES)] if len(values)}
    finite = [v for values in shown.values() for v in values if math.isfinite(v)]
    if not finite:
        return ""
    width, height, low, high = 320.0, 150.0, min(finite), max(finite)
    span = (high - low) or 1.0
    drawn = []
    for (color, dash), values in zip(CURVES, shown.values(), strict=False):
        stride = max(1, len(values) // 600)
        path, gap = [], True
        for k in range(0, len(values), stride):
            value = float(values[k])
            if math.isfinite(value):
                x = width * k / max(len(values) - 1, 1)
                path.append(f"{'M' if gap else 'L'}{x:.1f} {height - height * (value - low) / span:.1f}")
            gap = not math.isfinite(value)
        drawn.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{color}" '
            f'stroke-width="1.5" stroke-dasharray="{dash}"/>'
        )
    frame = f'<rect width="{width}" height="{height}" fill="none" stroke="currentColor" opacity=".3"/>'
    keys = " ".join(
        '<svg width="24" height="6" style="vertical-align:middle"><line x2="24" y1="3" y2="3" '
        f'stroke="{color}" stroke-width="2" stroke-dasharray="{dash}"/></svg> {escape(name)}'
        for (color, dash), name in zip(CURVES, shown, strict=False)
    )
    note = f"{escape(what)}, from {low:.4g} to {high:.4g}"
    return f"<div>{_svg(width, height, what, [frame, *drawn])}<div>{keys}</div><div>{note}</div></div>"


def _svg(width: float, height: float, what: str, parts: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(what)}" width="{width:.0f}" '
        f'height="{height:.0f}" viewBox="-2 -2 {width + 4:.0f} {height + 4:.0f}">{"".join(parts)}</svg>'
    )


def human_bytes(n: float) -> str:
    """A number of bytes for people: 1.5 KiB, 20 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024:
            return f"{n:.3g} {unit}" if n < 999.5 else f"{n:.0f} {unit}"
        n /= 1024
    return f"{n:.3g} TiB"
