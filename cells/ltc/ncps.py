"""What ncps 1.0.1 on PyTorch calls the options and weights of an LTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...compile import Plan
from ..ncps import LTC, Entries, NcpsCell, Numbers, Options, array_of, mask_of, read_homes

MAPPINGS = ("affine", "linear")


def read_ltc(plan: Plan, homes: Mapping[str, str], entries: Entries) -> dict[str, Numbers]:
    """The parameters from a state dict, where they have our names: (pre, post) matrices and vectors."""
    synapses = {"recurrent": plan.recurrent, "sensory": plan.sensory}
    sources = {"recurrent": ("", plan.neurons), "sensory": ("sensory_", plan.sensors)}
    for home, (prefix, pre) in sources.items():
        entries.check_mask(f"{prefix}sparsity_mask", mask_of(synapses[home]), pre, plan.neurons)
    sizes = {"neuron": plan.n_neurons, "sensor": plan.n_inputs, "motor": plan.n_outputs}
    return read_homes(homes, sizes, synapses, entries)


def ltc_options(positive: str, ode_unfolds: int, epsilon: float, maps: Mapping[str, str | None]) -> Options:
    """Our options in the words of ncps; `maps` are the mappings by side."""
    return {
        "implicit_param_constraints": positive == "softplus",
        "ode_unfolds": ode_unfolds,
        "epsilon": epsilon,
        **{f"{side}_mapping": mapping for side, mapping in maps.items()},
    }


def ltc_of_ncps(cell: Any) -> NcpsCell | None:
    """An `ncps.torch.LTCCell` by its attributes; None if it is none."""
    if not hasattr(cell, "_ode_unfolds"):
        return None
    maps = {side: getattr(cell, f"_{side}_mapping") for side in ("input", "output")}
    maps = {side: mapping if mapping in MAPPINGS else None for side, mapping in maps.items()}
    positive = "softplus" if cell._implicit_param_constraints else "clip"
    options = ltc_options(positive, cell._ode_unfolds, cell._epsilon, maps)
    shared = {name: value for name, value in options.items() if name != "implicit_param_constraints"}
    wiring = cell._wiring
    # A wiring that was built again, for another model, has more synapses than the masks that this one uses.
    masks = array_of(cell.sparsity_mask), array_of(cell.sensory_sparsity_mask)
    return NcpsCell(
        kind=LTC,
        options=options,
        arguments={"positive": positive, "polarity": "init", **shared},  # nothing holds signs there
        sizes=(wiring.input_dim, wiring.units),
        wiring=wiring,
        adjacency=np.where(masks[0] != 0, wiring.adjacency_matrix, 0),
        sensory_adjacency=np.where(masks[1] != 0, wiring.sensory_adjacency_matrix, 0),
    )
