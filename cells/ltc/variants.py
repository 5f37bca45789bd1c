"""Many LTCs that differ from one in little, in one kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..variants.cones import Parts
from ..variants.differences import Differences, nonzero
from ..variants.launch import Variants, built
from .kernel import FOLDER, SYNAPTIC

NEURONAL = ("gleak", "vleak", "cm")


def ltc_variants(cell: Any, differences: Differences) -> Variants:
    """The kernel for networks that differ from an LTC; see `variants` of the cell."""
    plan, d = cell.compiled.plan, differences
    parts = Parts.of(plan, d, SYNAPTIC, ("w",), NEURONAL)
    given: dict[str, Any] = {}
    for side, changed in parts.sides.items():
        behind = nonzero(changed)
        given |= {f"{side}{name}": d.behind(f"{side}{name}", *behind) for name in SYNAPTIC}
    networks, neurons, _ = parts.drives
    given |= {name: d.behind(name, networks, neurons) for name in NEURONAL}
    given["own_cm"] = d.behind("cm", *parts.neurons)
    shown = np.indices((d.count, plan.n_outputs), np.int32).reshape(2, -1)
    for name, neutral in (("output_w", 1.0), ("output_b", 0.0)):
        given[name] = d.at(name, *shown) if name in d.base else np.full(shown.shape[1], neutral)
    sizes = {
        "P": len(given["w"]), "R": len(given["sensory_w"]), "D": len(given["gleak"]),
        "UNFOLDS": cell.ode_unfolds,
    }  # fmt: skip
    return built(
        FOLDER, "ltc_variants_forward", parts, d, plan.n_outputs, given, sizes, {"EPSILON": cell.epsilon}
    )
