"""What a page shows beside a circuit: its size, what is wrong with it, and how its projections stand."""

from __future__ import annotations

from typing import Any

import networkx as nx

from ..errors import CircuitError
from ..wiring import changed, check, projections, summary
from ..wiring.files.plain import plain
from .numbers import four


def facts(circuit: nx.DiGraph[Any], revision: int, probe: Any = None) -> dict[str, Any]:
    """The facts of a circuit, as a message."""
    counted = summary(circuit)
    signs = [data.get("polarity") for *_, data in circuit.edges(data=True)]
    with_state = [name for name, data in circuit.nodes(data=True) if data.get("role") != "sensory"]
    pairs = len(circuit) * len(with_state)
    layout = getattr(probe, "layout", None)
    seconds = getattr(probe, "seconds", None)
    order = [*probe.sensors, *probe.neurons] if layout else [str(name) for name in circuit]
    return {
        "type": "facts",
        "revision": revision,
        "facts": {
            "neurons": len(circuit),
            "synapses": len(signs),
            "density": four(len(signs) / pairs) if pairs else None,
            "depth": counted.depth and counted.depth[1],
            "layout": layout,
            "cost": four(1e6 * seconds) if seconds is not None else None,
            "inhibitory": sum(sign == -1 for sign in signs),
        },
        "order": order,
        "problems": [
            {
                "severity": problem.severity,
                "kind": problem.kind,
                "message": problem.message,
                "neuron": _json(problem.neuron),
                "synapse": _json(problem.synapse),
            }
            for problem in check(circuit)
        ],
        "projections": _projections(circuit),
    }


def _projections(circuit: nx.DiGraph[Any]) -> list[dict[str, Any]]:
    try:
        held = projections(circuit)
    except CircuitError:
        return []
    drawn = [data.get("projection") for *_, data in circuit.edges(data=True)]
    return [
        {
            "name": name,
            **{key: value for key, value in projection.to_json().items() if key in ("pre", "post", "rule")},
            "synapses": drawn.count(name),
            "changed": changed(circuit, name),
        }
        for name, projection in held.items()
    ]


def _json(value: Any) -> Any:
    try:
        return plain(value)
    except (TypeError, ValueError):
        return str(value)
