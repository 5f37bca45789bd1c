"""The page about an experiment."""

from __future__ import annotations

from html import escape
from typing import Any

from .. import shown
from ..wiring import Circuit
from ..wiring.electrical import drawn_sign, size_of

MOST_TRIALS, MOST_CURVES, MOST_CIRCUITS = 15, 8, 3
_STYLE = """body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;
color-scheme:light dark}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}"""


def page_of(found: Any, title: str) -> str:
    """The page as HTML, in which everything is."""
    ranked = found.ranked()
    sections = [f"<h1>{escape(title)}</h1><p>{escape(repr(found))}</p>"]
    if ranked:
        names = list(found.space)
        head = ("trial", *names, "repeat", "value", "seconds")
        rows = [
            (
                r.number,
                *(_short(found.space[n].shown(r.parameters[n])) for n in names),
                r.repeat,
                f"{r.value:.5g}",
                f"{r.seconds:.3g}",
            )
            for r in ranked[:MOST_TRIALS]
        ]
        sections += [_section("The best trials", shown.table("", rows, head)), _circuits(found, ranked)]
        curves = {
            f"trial {r.number}": [r.curve[step] for step in sorted(r.curve)]
            for r in ranked[:MOST_CURVES]
            if r.curve
        }
        if curves:
            sections.append(_section("Learning curves", shown.curves_picture(curves, "value by report")))
        effects = found.effects()
        parts = []
        for name in names:
            levels = [level for level in effects if level.factor == name]
            parts.append(_bars(name, levels))
        sections.append(_section("The effect of each factor", shown.page(*parts)))
    failed = [r for r in found if r.state == "fail"]
    if failed:
        errors = [(r.number, r.error) for r in failed[:MOST_TRIALS]]
        sections.append(_section(f"{len(failed)} failed", shown.table("", errors, ("trial", "error"))))
    body = "\n".join(sections)
    style = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{style}</head><body>{body}</body></html>\n"


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}" if content else ""


def _circuits(found: Any, ranked: list[Any]) -> str:
    """The circuits of the best trials, each once."""
    parts: dict[str, str] = {}
    for result in ranked:
        for name, factor in found.space.items():
            told = result.parameters[name]
            circuit = factor.value(told)
            key = f"{name} = {factor.shown(told)}"
            if isinstance(circuit, Circuit) and key not in parts and len(parts) < MOST_CIRCUITS:
                parts[key] = (
                    f'<div style="max-width:32em"><div><b>{escape(key)}</b></div>{_drawn(circuit)}</div>'
                )
    return _section("Their circuits", shown.page(*parts.values()))


def _drawn(circuit: Circuit) -> str:
    names = [str(name) for name in circuit]
    place = {name: k for k, name in enumerate(circuit)}
    roles = [str(data.get("role")) for _, data in circuit.nodes(data=True)]
    synapses = [(place[u], place[v], drawn_sign(data)) for u, v, data in circuit.edges(data=True)]
    return f"{shown.circuit_picture(names, roles, synapses)}<div>{size_of(circuit)}</div>"


def _bars(name: str, levels: list[Any]) -> str:
    """Means and intervals of a factor's levels on one line each."""
    low, high = min(level.low for level in levels), max(level.high for level in levels)
    span, width, row = (high - low) or 1.0, 220.0, 22
    lines = []
    for k, level in enumerate(levels):
        a, m, b = (8 + width * (value - low) / span for value in (level.low, level.mean, level.high))
        y = row * k + 12
        lines.append(
            f'<line x1="{a:.1f}" x2="{b:.1f}" y1="{y}" y2="{y}" stroke="currentColor"/>'
            f'<circle cx="{m:.1f}" cy="{y}" r="4" fill="currentColor"/>'
            f'<text x="{width + 22}" y="{y + 4}" font-size="12" fill="currentColor">'
            f"{escape(_short(level.level))}: {level.mean:.4g} ({level.trials})</text>"
        )
    height = row * len(levels) + 4
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(name)}" '
        f'width="{width + 240:.0f}" height="{height}">{"".join(lines)}</svg>'
    )
    return f"<div><b>{escape(name)}</b><div>{picture}</div><div>{low:.4g} to {high:.4g}</div></div>"


def _short(value: str) -> str:
    return value if len(value) <= 44 else f"{value[:43]}\u2026"
