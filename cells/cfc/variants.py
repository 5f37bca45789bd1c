"""Many CfCs that differ from one in little, in one kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import KernelError
from ..variants.cones import Parts
from ..variants.differences import Differences, nonzero
from ..variants.launch import Variants, built
from .kernel import FOLDER
from .operations import MAPS


def cfc_variants(cell: Any, differences: Differences, even: bool) -> Variants:
    """The kernel for networks that differ from a CfC; see `variants` of the cell.

    Where time spans are `even`, all 1, the gate's two maps are one, their sum.
    """
    plan, d, maps = cell.compiled.plan, differences, MAPS[cell.mode]
    if cell.ncps_compat:
        raise KernelError("with ncps_compat, not all maps of a CfC have the same synapses")
    gated = len(maps) > 1
    weights = [f"{name}_w" for name in maps]
    neuronal = [*(f"{name}_b" for name in maps), *(() if gated else ("w_tau", "A"))]
    parts = Parts.of(plan, d, weights, weights, neuronal)
    even = even and gated

    def side_by_side(arrays: list[Any]) -> Any:
        if even:
            arrays = [*arrays[:2], arrays[2] + arrays[3]]
        return np.stack(arrays, axis=1).reshape(-1)

    given: dict[str, Any] = {}
    for side, changed in parts.sides.items():
        behind = nonzero(changed)
        given[f"{side}weight"] = side_by_side([d.behind(f"{side}{name}", *behind) for name in weights])
    networks, neurons, _ = parts.drives
    biases = [d.behind(name, networks, neurons) for name in neuronal[: len(maps)]]
    given["bias"] = side_by_side(biases)
    own = parts.neurons
    for name, values in (("w_tau", np.abs), ("A_", np.array)):
        if gated:
            given[name] = np.zeros(0)
        else:
            given[name] = values(d.behind(name.rstrip("_"), *own))
    given |= _phases(cell, own[1], parts.jobs.neuron)
    count = 3 if even else len(maps)
    sizes = {
        "P": len(given["weight"]) // count, "R": len(given["sensory_weight"]) // count, "D": len(biases[0]),
        "PHASES": len(cell._phases), "MAPS": count,
    }  # fmt: skip
    numbers = {"GATED": float(cell.mode == "default")}
    return built(FOLDER, "cfc_variants_forward", parts, d, plan.n_outputs, given, sizes, numbers)


def _phases(cell: Any, neurons: Any, of_jobs: Any) -> dict[str, Any]:
    """Which neurons and jobs are of which phase."""
    of = np.empty(cell.n_neurons, np.int32)
    for number, phase in enumerate(cell._phases):
        of[phase.start : phase.stop] = number
    order = np.argsort(of[neurons], kind="stable")
    counts = np.bincount(of[neurons], minlength=len(cell._phases))
    bounds = np.array([(phase.start, phase.stop) for phase in cell._phases])
    return {
        "phase_start": np.append(bounds[:, 0], 0),
        "phase_end": np.append(bounds[:, 1], 0),
        "order": order,
        "phase_neurons": np.append(0, np.cumsum(counts)),
        "phase_jobs": np.searchsorted(of_jobs, bounds).reshape(-1),
    }
