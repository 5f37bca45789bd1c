"""Many LTCs that differ from one in little, in one kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..variants import Differences, Parts, Variants, also, built, inputs_of, spread
from .kernel import FOLDER, SYNAPTIC

NEURONAL = ("gleak", "vleak", "cm")


def ltc_variants(cell: Any, differences: Differences) -> Variants:
    """The kernel for networks that differ from an LTC; see `variants` of the cell."""
    plan, d = cell.compiled.plan, differences
    synaptic = {prefix: [f"{prefix}{name}" for name in SYNAPTIC] for prefix in ("", "sensory_")}
    removed = {prefix: d.removed(f"{prefix}w") for prefix in synaptic}
    changed = {prefix: d.changed(*names) & ~removed[prefix] for prefix, names in synaptic.items()}
    shows_else, inputs = inputs_of(d)
    parts = Parts.of(
        plan.recurrent, plan.sensory, removed[""], changed[""], removed["sensory_"], changed["sensory_"],
        shows_else, d.changed(*NEURONAL) | d.held[0],
    )  # fmt: skip
    given: dict[str, Any] = dict(inputs)
    for prefix, names in synaptic.items():
        given |= {name: spread(d, name, changed[prefix]) for name in names}
    networks, neurons, _ = parts.drives
    given |= {name: np.append(d.base[name], d.at(name, networks, neurons)) for name in NEURONAL}
    given["own_cm"] = np.append(d.base["cm"], d.at("cm", *parts.neurons))
    jobs, (its, active, begins) = parts.jobs, parts.read
    given |= {"ptr": plan.recurrent.ptr, "pre": plan.recurrent.pre}
    given |= dict(zip(("drive_synapse", "drive_input", "drive_ptr"), parts.seen, strict=True))
    given |= jobs.named()
    given |= {"active_ptr": begins, "active": also(changed[""], its, active)}
    given["active_pre"] = parts.place[its, plan.recurrent.pre[active]]
    for name, neutral in (("output_w", 1.0), ("output_b", 0.0)):
        shown = np.indices((d.count, plan.n_outputs), np.int32).reshape(2, -1)
        given[name] = d.at(name, *shown) if name in d.base else np.full(shown.shape[1], neutral)
    sizes = {
        "N": plan.n_neurons, "E": len(plan.recurrent), "Q": len(parts.neurons[0]), "P": len(given["w"]),
        "A": len(active), "J": len(jobs.drive), "L": len(jobs.synapse), "D": len(given["gleak"]),
        "S": len(given["drive_synapse"]), "R": len(given["sensory_w"]), "UNFOLDS": cell.ode_unfolds,
    }  # fmt: skip
    return built(
        FOLDER, "ltc_variants_forward", parts, d, plan.n_outputs, given, sizes, {"EPSILON": cell.epsilon}
    )
