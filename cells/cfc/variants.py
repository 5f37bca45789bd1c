"""Many CfCs that differ from one in little, in one kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import KernelError
from ..variants import Differences, Parts, Variants, also, built, inputs_of, spread
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
    names = {prefix: [f"{prefix}{name}_w" for name in maps] for prefix in ("", "sensory_")}
    removed = {prefix: d.removed(*its) for prefix, its in names.items()}
    changed = {prefix: d.changed(*its) & ~removed[prefix] for prefix, its in names.items()}
    neuronal = [*(f"{name}_b" for name in maps), *(() if gated else ("w_tau", "A"))]
    shows_else, inputs = inputs_of(d)
    parts = Parts.of(
        plan.recurrent, plan.sensory, removed[""], changed[""], removed["sensory_"], changed["sensory_"],
        shows_else, d.changed(*neuronal) | d.held[0],
    )  # fmt: skip
    even = even and gated

    def side_by_side(arrays: list[Any]) -> Any:
        if even:
            arrays = [*arrays[:2], arrays[2] + arrays[3]]
        return np.stack(arrays, axis=1).reshape(-1)

    given: dict[str, Any] = dict(inputs)
    for prefix, its in names.items():
        given[f"{prefix}weight"] = side_by_side([spread(d, name, changed[prefix]) for name in its])
    networks, neurons, _ = parts.drives
    biases = [np.append(d.base[name], d.at(name, networks, neurons)) for name in neuronal[: len(maps)]]
    given["bias"] = side_by_side(biases)
    own = parts.neurons
    for name, values in (("w_tau", np.abs), ("A_", np.array)):
        if gated:
            given[name] = np.zeros(0)
        else:
            of = name.rstrip("_")
            given[name] = values(np.append(d.base[of], d.at(of, *own)))
    jobs, (its_network, active, begins) = parts.jobs, parts.read
    given |= dict(zip(("drive_synapse", "drive_input", "drive_ptr"), parts.seen, strict=True))
    given |= jobs.named() | {"ptr": plan.recurrent.ptr, "pre": plan.recurrent.pre}
    given["active_ptr"] = begins
    given["active"] = also(changed[""], its_network, active)
    given["active_pre"] = parts.place[its_network, plan.recurrent.pre[active]]
    given |= _phases(cell, own[1], jobs.neuron)
    count = 3 if even else len(maps)
    sizes = {
        "N": plan.n_neurons, "E": len(plan.recurrent), "Q": len(own[0]), "P": len(given["weight"]) // count,
        "A": len(active), "J": len(jobs.drive), "L": len(jobs.synapse), "D": len(biases[0]),
        "S": len(given["drive_synapse"]), "R": len(given["sensory_weight"]) // count,
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
