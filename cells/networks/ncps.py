"""Weights of ncps models on PyTorch, carried onto our synapses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...compile import Synapses
from ...compile.synapses import Index
from ..backbone.cell import BackboneCfCCell
from ..cell import NCPRNNCell
from ..cfc.cell import CfCCell
from ..cfc.compat import compat_plans
from ..cfc.operations import HEADS, MAPS
from ..ltc.cell import NEURAL, SYNAPTIC, LTCCell
from ..wrappers import MixedMemoryCell
from .rnn import RNN

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

FLOATS, WHOLE = ("float", "bfloat"), ("int", "uint", "bool")
"""How the names of the types of weights, and of masks besides, begin."""


def load_ncps(rnn: RNN, state_dict: Mapping[str, Any]) -> None:
    """Load the weights of an ncps 1.0.1 torch model: an `LTC` or a `CfC`, with or without wiring.

    A wired CfC is loaded into ``CfC(circuit, ncps_compat=True)``, a model with mixed memory or a projection
    into a network made with ``mixed_memory=True`` or ``proj_size``. Either everything is loaded or nothing.

    Args:
        rnn: the network to load into; its circuit must have the neuron ids of the ncps wiring, as
            `from_ncps` and the generators give them.
        state_dict: name -> array of floating-point numbers, which become float32; for example
            ``model.state_dict()``.

    Raises:
        ValueError: a missing key, a wrong shape or type, a value that is not finite, or a mask that is not
            this network's circuit; the message names it, and nothing is loaded.

    Example:
        >>> gl.load_ncps(rnn, model.state_dict())
    """
    parameters = ncps_parameters(rnn, state_dict)
    for name, values in parameters.items():
        if not bool(mx.isfinite(values).all()):
            raise ValueError(f"{name} holds values that are not finite: nothing was loaded")
    rnn.load_weights(list(parameters.items()))


def ncps_parameters(rnn: RNN, state_dict: Mapping[str, Any] | Entries) -> dict[str, mx.array]:
    """The entries of an ncps state dict as parameters of the network by path, without loading them.

    The mapping only picks entries, so gradients with respect to ncps parameters map in the same way.

    Raises:
        ValueError: a missing key, a wrong shape, or a mask that is not this network's circuit.
    """
    entries = state_dict if isinstance(state_dict, Entries) else Entries(state_dict)
    cell, memory = rnn.cell, isinstance(rnn.cell, MixedMemoryCell)
    for prefix, present, option in (
        ("lstm.", memory, "mixed_memory=True"),
        ("fc.", rnn.proj_size is not None, "proj_size"),
    ):
        if not present and any(name.startswith(prefix) for name in entries.values):
            raise ValueError(f"the state dict has {prefix}weights: expected a network made with {option}")
    found: dict[str, Floats] = {}
    if isinstance(cell, MixedMemoryCell):
        found |= _under("cell", _memory_parameters(cell, entries))
        cell = cell.cell
    found |= _under("cell.cell" if memory else "cell", _cell_parameters(cell, entries))
    if rnn.proj_size is not None:
        for part in ("weight", "bias"):
            found[f"projection.{part}"] = entries.get(f"fc.{part}", tuple(rnn.projection[part].shape))
    return {name: mx.array(values) for name, values in found.items()}


def _cell_parameters(cell: NCPRNNCell, entries: Entries) -> dict[str, Floats]:
    if isinstance(cell, LTCCell):
        return _ltc_parameters(cell, entries)
    if isinstance(cell, BackboneCfCCell):
        return _backbone_parameters(cell, entries)
    if isinstance(cell, CfCCell) and cell.ncps_compat:
        return _cfc_parameters(cell, entries)
    raise ValueError(
        "an ncps CfC with a wiring can only be loaded into CfC(circuit, ncps_compat=True): "
        "its recurrence and time gates do not follow the circuit"
    )


def _under(path: str, found: dict[str, Floats]) -> dict[str, Floats]:
    return {f"{path}.{name}": values for name, values in found.items()}


class Entries:
    """An ncps state dict read with checks; a prefix such as ``rnn_cell.`` does not matter."""

    def __init__(self, state_dict: Mapping[str, Any]) -> None:
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"expected a mapping of names to arrays, got {type(state_dict).__name__}")
        prefix = "rnn_cell."
        self.values = {name.split(prefix, 1)[-1]: value for name, value in state_dict.items()}

    def get(self, name: str, shape: tuple[int, ...]) -> Floats:
        return self._read(name, shape, FLOATS)

    def _read(self, name: str, shape: tuple[int, ...], dtypes: tuple[str, ...]) -> Floats:
        if name not in self.values:
            raise ValueError(f"the state dict has no {name!r}; it has {', '.join(sorted(self.values))}")
        array = _array(name, self.values[name])
        if not array.dtype.name.startswith(dtypes):
            given = getattr(self.values[name], "dtype", array.dtype)
            raise ValueError(f"{name!r} holds {given}: expected floating-point numbers")
        if array.shape != shape:
            raise ValueError(f"{name!r} has shape {array.shape}: the circuit needs {shape}")
        with np.errstate(over="ignore"):  # what float32 cannot hold is not finite, and refused as that
            return array.astype(np.float32)

    def check_mask(
        self, name: str, ours: Mask, pre: Sequence[str], post: Sequence[str], *, post_first: bool = False
    ) -> None:
        """Refuse weights of another wiring than `ours`, (pre, post); theirs may be stored (post, pre)."""
        if name not in self.values:
            return
        stored = self._read(name, ours.T.shape if post_first else ours.shape, (*FLOATS, *WHOLE))
        theirs = (stored.T if post_first else stored) != 0
        if (theirs != ours).any():
            i, j = (int(k) for k in np.argwhere(theirs != ours)[0])
            there, here = ("a", "no") if theirs[i, j] else ("no", "a")
            raise ValueError(
                f"{name!r} is another wiring: it has {there} synapse {pre[i]} -> {post[j]}, "
                f"the circuit has {here} such synapse"
            )


def _array(name: str, value: Any) -> NDArray[Any]:
    """An entry of a state dict in NumPy, which has no bfloat16: such numbers become float32."""
    try:
        if hasattr(value, "detach"):  # a torch tensor
            value = value.detach().cpu()
            value = (value.float() if value.is_floating_point() else value).numpy()
        elif isinstance(value, mx.array) and value.dtype == mx.bfloat16:
            value = value.astype(mx.float32)
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # sparse, without data, ragged
        raise ValueError(f"{name!r} does not become an array: {error}") from None


def _mask(synapses: Synapses) -> Mask:
    """(n_pre, n_post) true where there is a synapse."""
    mask = np.zeros((synapses.n_pre, synapses.n_post), bool)
    mask[synapses.pre, synapses.post] = True
    return mask


def _ltc_parameters(cell: LTCCell, entries: Entries) -> dict[str, Floats]:
    plan = cell.compiled.plan
    found: dict[str, Floats] = {}
    for prefix, synapses in (("", plan.recurrent), ("sensory_", plan.sensory)):
        sources = plan.sensors if prefix else plan.neurons
        entries.check_mask(f"{prefix}sparsity_mask", _mask(synapses), sources, plan.neurons)
        for name in SYNAPTIC:
            matrix = entries.get(f"{prefix}{name}", (synapses.n_pre, synapses.n_post))
            found[f"{prefix}{name}"] = matrix[synapses.pre, synapses.post]
    for name in NEURAL:
        found[name] = entries.get(name, (plan.n_neurons,))
    for side, n in (("input", plan.n_inputs), ("output", plan.n_outputs)):
        for name in (f"{side}_w", f"{side}_b"):
            if cell[name] is not None:
                found[name] = entries.get(name, (n,))
    return found


def _cfc_parameters(cell: CfCCell, entries: Entries) -> dict[str, Floats]:
    """Each layer of ncps holds matrices (units of the layer, [units of the layer before, own units])."""
    plan, maps = cell.signal, MAPS[cell.mode]
    sensors, n = plan.n_inputs, plan.n_neurons
    sources = plan.sensors + plan.neurons  # the rows of the matrices below
    signal = np.concatenate([_mask(plan.sensory), _mask(plan.recurrent)])
    matrices = {name: np.zeros((sensors + n, n), np.float32) for name in maps}
    per_neuron = ("w_tau", "A") if cell.mode == "pure" else ()
    found = {name: np.zeros(n, np.float32) for name in (*(f"{name}_b" for name in maps), *per_neuron)}

    before = np.arange(sensors)
    for k, (start, stop) in enumerate(compat_plans(plan).layers):
        own = np.arange(start, stop)
        rows = np.concatenate([before, sensors + own])
        block = np.ix_(rows, own)
        entries.check_mask(
            f"layer_{k}.sparsity_mask",
            signal[block],
            [sources[row] for row in rows],
            plan.neurons[start:stop],
            post_first=True,
        )
        for name in maps:
            matrices[name][block] = entries.get(f"layer_{k}.{name}.weight", (len(own), len(rows))).T
            found[f"{name}_b"][own] = entries.get(f"layer_{k}.{name}.bias", (len(own),))
        for name in per_neuron:
            found[name][own] = entries.get(f"layer_{k}.{name}", (1, len(own)))[0]
        before = sensors + own

    for name, matrix in matrices.items():
        on = plan if name in HEADS else cell.compiled.plan
        found[f"sensory_{name}_w"] = matrix[on.sensory.pre, on.sensory.post]
        found[f"{name}_w"] = matrix[sensors + on.recurrent.pre, on.recurrent.post]
    return found


def _backbone_parameters(cell: BackboneCfCCell, entries: Entries) -> dict[str, Floats]:
    # torch numbers the activations (and, with dropout, those layers) of its Sequential too.
    theirs = sorted({int(n.split(".")[1]) for n in entries.values if n.startswith("backbone.")})
    names = {name: name for name in MAPS[cell.mode]}
    names |= {f"backbone.{k}": f"backbone.{number}" for k, number in enumerate(theirs)}
    found: dict[str, Floats] = {}
    layers = [(f"backbone.{k}", layer) for k, layer in enumerate(cell.backbone)]
    for ours, layer in layers + [(name, cell[name]) for name in MAPS[cell.mode]]:
        for part in ("weight", "bias"):
            found[f"{ours}.{part}"] = entries.get(f"{names.get(ours, ours)}.{part}", tuple(layer[part].shape))
    if cell.mode == "pure":
        for name in ("w_tau", "A"):
            found[name] = entries.get(name, (1, cell.n_neurons))[0]
    return found


def _memory_parameters(cell: MixedMemoryCell, entries: Entries) -> dict[str, Floats]:
    """The LSTM's kernels, whose columns are four gates after each other, each over all neurons."""
    n, features = cell.n_neurons, cell.n_inputs
    order = _state_order(cell.cell)
    columns = np.concatenate([gate * n + order for gate in range(4)])
    kernel, recurrent = np.zeros((features, 4 * n), np.float32), np.zeros((n, 4 * n), np.float32)
    bias = np.zeros(4 * n, np.float32)
    kernel[:, columns] = entries.get("lstm.input_map.weight", (4 * n, features)).T
    recurrent[np.ix_(order, columns)] = entries.get("lstm.recurrent_map.weight", (4 * n, n)).T
    bias[columns] = entries.get("lstm.input_map.bias", (4 * n,))
    return {"input_kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}


def _state_order(cell: NCPRNNCell) -> Index:
    """Which neuron stands where in a state of ncps: its wired CfC orders them by layer."""
    if not isinstance(cell, CfCCell):
        return np.arange(cell.n_neurons, dtype=np.int32)
    layers = compat_plans(cell.signal).layers
    return np.concatenate([np.arange(start, stop, dtype=np.int32) for start, stop in layers])
