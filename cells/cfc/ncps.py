"""What ncps 1.0.1 on PyTorch calls the options and weights of a CfC with a wiring."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compile import Plan
from ...compile.synapses import Index
from ..ncps import WIRED_CFC, Entries, NcpsCell, Numbers, array_of, mask_of
from .compat import compat_plans
from .operations import HEADS, MAPS


def read_cfc(signal: Plan, gates: Plan, mode: str, entries: Entries) -> dict[str, Numbers]:
    """The parameters from a state dict.

    Each layer of ncps holds matrices (units of the layer, [units of the layer before, own units]).
    """
    maps, sensors, n = MAPS[mode], signal.n_inputs, signal.n_neurons
    sources = signal.sensors + signal.neurons  # the rows of the matrices below
    mask = np.concatenate([mask_of(signal.sensory), mask_of(signal.recurrent)])
    matrices = {name: np.zeros((sensors + n, n), entries.dtype) for name in maps}
    per_neuron = ("w_tau", "A") if mode == "pure" else ()
    found = {name: np.zeros(n, entries.dtype) for name in (*(f"{name}_b" for name in maps), *per_neuron)}

    before = np.arange(sensors)
    for k, (start, stop) in enumerate(compat_plans(signal).layers):
        own = np.arange(start, stop)
        rows = np.concatenate([before, sensors + own])
        block = np.ix_(rows, own)
        entries.check_mask(
            f"layer_{k}.sparsity_mask",
            mask[block],
            [sources[row] for row in rows],
            signal.neurons[start:stop],
            post_first=True,
        )
        for name in maps:
            matrices[name][block] = entries.get(f"layer_{k}.{name}.weight", (len(own), len(rows))).T
            found[f"{name}_b"][own] = entries.get(f"layer_{k}.{name}.bias", (len(own),))
        for name in per_neuron:
            found[name][own] = entries.get(f"layer_{k}.{name}", (1, len(own)))[0]
        before = sensors + own

    for name, matrix in matrices.items():
        on = signal if name in HEADS else gates
        found[f"sensory_{name}_w"] = matrix[on.sensory.pre, on.sensory.post]
        found[f"{name}_w"] = matrix[sensors + on.recurrent.pre, on.recurrent.post]
    return found


def cfc_order(signal: Plan) -> Index:
    """(N,) which neuron stands where in a state of ncps, which orders them by layer."""
    layers = compat_plans(signal).layers
    return np.concatenate([np.arange(start, stop, dtype=np.int32) for start, stop in layers])


def cfc_of_ncps(cell: Any) -> NcpsCell | None:
    """An `ncps.torch.WiredCfCCell` by its attributes; None if it is none."""
    if not hasattr(cell, "layer_0"):
        return None
    wiring = cell._wiring
    adjacency, sensory = np.array(wiring.adjacency_matrix), np.array(wiring.sensory_adjacency_matrix)
    before: list[int] = []
    for k in range(wiring.num_layers):
        own = wiring.get_neurons_of_layer(k)
        # See `ltc_of_ncps`: the wiring may have been built again since.
        mask = array_of(getattr(cell, f"layer_{k}").sparsity_mask).T != 0
        if k:
            adjacency[np.ix_(before, own)] *= mask[: len(before)]
        else:
            sensory[:, own] *= mask[: len(sensory)]
        before = own
    mode = cell.layer_0.mode
    return NcpsCell(
        kind=WIRED_CFC,
        options={"mode": mode},
        arguments={"mode": mode, "ncps_compat": True, "polarity": "init"},  # nothing holds signs there
        sizes=(wiring.input_dim, wiring.units),
        wiring=wiring,
        adjacency=adjacency,
        sensory_adjacency=sensory,
    )
