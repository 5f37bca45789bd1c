"""Networks as NIR graphs, which programs and chips for spiking networks read."""

from __future__ import annotations

import os
from typing import Any

import mlx.nn as nn
import numpy as np

from ..arguments import instance, real
from ..arguments import path as as_path
from ..cells import LIF, RNN, CTRNNCell
from ..cells.strengths import Floats, as_floats
from ..compile.synapses import Synapses
from ..distribution import how_to_install
from ..errors import FileError
from ..storage import replacing

KNOWN = "gl.LIF and gl.CTRNNCell with activation='linear' have"
Nodes = dict[str, Any]


def export_nir(model: nn.Module, path: str | os.PathLike[str], *, timespan: float | None = None) -> None:
    r"""Write a network as a NIR graph, weights included.

    NIR knows leaky integrators, thresholds and linear maps, and no rates such as tanh. So two cells have a
    graph there, which gives their numbers where inputs are held between samples:

    | cell | node ``neurons`` | beside it |
    |---|---|---|
    | ``CTRNNCell(activation="linear")`` | LI: tau, v_leak = rate_b, r = 1 | ``recurrent``: Linear |
    | ``LIF`` | LI: tau = 1 / leak | ``spikes``: Threshold, ``recurrent``: Linear |

    A `LIF` here is reset by its threshold, and NIR's LIF node to a fixed value, which is another number after
    every spike. So the reset is in the graph as what it is, an inhibition of the neuron by its own spikes:
    :math:`W - \mathrm{diag}(e^{-g \Delta t} \vartheta)` in ``recurrent``. A sample there is one step, and
    what drives the neurons has the factor :math:`r = 1 / (1 - e^{-g \Delta t})`, as LI integrates it over
    the step. It needs the extra ``nir``.

    The nodes are ``input`` (I), ``sensory`` (Linear, (N, I)), ``neurons``, ``recurrent`` (N, N), ``motor``
    (Linear, (M, N)) and ``output`` (M), with neurons in the order of the plan.

    Args:
        model: an `RNN` over one of these cells that reads forwards.
        path: where to write, such as ``policy.nir``.
        timespan: the time of a sample, in the unit of the data, on which only a `LIF` depends; the
            `time_scale` of the cell, or 1, if not given.

    Raises:
        TypeError: no network over a cell.
        ValueError: a cell that NIR has no nodes for, the message says which part; or a number that is
            not finite.
        FileError: a file that does not end in .nir.
        ImportError: nir is not installed.
        OSError: the file cannot be written.

    Example:
        >>> gl.export_nir(gl.RNN(gl.LIF(circuit)), "policy.nir")
        >>> graph = nir.read("policy.nir")

    Source: Pedersen et al., Neuromorphic intermediate representation, Nature Communications 2024.
    """
    target = as_path("path", path)
    if target.suffix != ".nir":
        raise FileError(f"{target} must end in .nir")
    if timespan is not None:
        real("timespan", timespan, above=0)
    instance("model", model, nn.Module, "a network over a cell, such as gl.RNN(gl.LIF(circuit))")
    cell = _cell_of(model)
    unit = cell.time_scale or 1.0
    span = unit if timespan is None else float(timespan)
    p = {name: as_floats(array) for name, array in cell.effective().items()}
    for name, values in p.items():
        if not np.isfinite(values).all():
            raise ValueError(f"export_nir: {name} has a number that is not finite")
    try:
        import nir
    except ImportError:
        raise ImportError(
            f"export_nir needs nir, which is not installed: {how_to_install('nir')}", name="nir"
        ) from None
    nodes, edges = (_spiking if isinstance(cell, LIF) else _leaky)(nir, cell, p, span)
    with replacing(target) as file:
        nir.write(file, nir.NIRGraph(nodes=nodes, edges=edges, metadata={"timespan": span}))


def _cell_of(model: nn.Module) -> Any:
    """The cell of a network that a graph says all of."""
    cell: Any = getattr(model, "cell", None)
    if not isinstance(model, RNN):
        raise TypeError(
            f"export_nir takes an RNN over a cell, got {type(model).__name__}: {KNOWN} nodes in NIR"
        )
    if model.reverse or model.proj_size is not None:
        raise ValueError("export_nir: a graph of NIR reads forwards, and has no projection of the outputs")
    if type(cell) not in (LIF, CTRNNCell):
        raise ValueError(f"NIR has no node for the equation of {type(cell).__name__}: {KNOWN} some")
    if isinstance(cell, CTRNNCell):
        if cell.activation != "linear":
            raise ValueError(f"NIR has no node for the activation {cell.activation!r}: {KNOWN} some")
        if not cell.leak or cell.clip is not None:
            raise ValueError("NIR has no node for a CTRNNCell without leak, or with a clip")
    if len(cell.compiled.plan.electrical):
        raise ValueError("NIR has no node for electrical synapses, and this circuit has some")
    return cell


def _leaky(nir: Any, cell: Any, p: dict[str, Floats], _: float) -> tuple[Nodes, list[tuple[str, str]]]:
    plan, tau = cell.compiled.plan, np.logaddexp(0.0, p["tau"]) * (cell.time_scale or 1.0)
    nodes, edges = _around(nir, plan, p["sensory_rate_w"])
    nodes["neurons"] = nir.LI(tau=tau, r=np.ones_like(tau), v_leak=p["rate_b"])
    nodes["recurrent"] = nir.Linear(weight=_matrix(plan.recurrent, p["rate_w"]))
    edges += [("neurons", "recurrent"), ("recurrent", "neurons"), ("neurons", "motor")]
    return nodes, edges


def _spiking(nir: Any, cell: Any, p: dict[str, Floats], span: float) -> tuple[Nodes, list[tuple[str, str]]]:
    plan = cell.compiled.plan
    unit = cell.time_scale or 1.0
    kept = np.exp(-p["leak"] * span / unit)
    if (kept == 1.0).any():
        who = plan.neurons[int(np.argmax(kept == 1.0))]
        raise ValueError(f"NIR: neuron {who!r} has leak 0, and no node LI has an infinite time constant")
    gain = 1.0 / (1.0 - kept)
    nodes, edges = _around(nir, plan, p["sensory_w"])
    nodes["neurons"] = nir.LI(tau=unit / p["leak"], r=gain, v_leak=p["bias"] * gain)
    nodes["spikes"] = nir.Threshold(threshold=p["threshold"])
    weight = _matrix(plan.recurrent, p["w"]) - np.diag(kept * p["threshold"])
    nodes["recurrent"] = nir.Linear(weight=weight)
    edges += [("neurons", "spikes"), ("spikes", "recurrent"), ("recurrent", "neurons"), ("spikes", "motor")]
    return nodes, edges


def _around(nir: Any, plan: Any, sensory: Floats) -> tuple[Nodes, list[tuple[str, str]]]:
    """What brings inputs to the neurons, and picks the motor neurons."""
    nodes = {
        "input": nir.Input(input_type=np.array([plan.n_inputs])),
        "sensory": nir.Linear(weight=_matrix(plan.sensory, sensory)),
        "motor": nir.Linear(weight=np.eye(plan.n_outputs, plan.n_neurons)),
        "output": nir.Output(output_type=np.array([plan.n_outputs])),
    }
    return nodes, [("input", "sensory"), ("sensory", "neurons"), ("motor", "output")]


def _matrix(synapses: Synapses, weights: Floats) -> Floats:
    """(post, pre), as NIR has it."""
    found = np.zeros((synapses.n_post, synapses.n_pre))
    found[synapses.post, synapses.pre] = weights
    return found
