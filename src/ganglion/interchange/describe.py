"""What a model is, in JSON: its kind, its options and its circuit; and the model again from that.

Names in a file choose from the table `KINDS` and nothing else: no module is imported and no code is run
because a file says so. Engine and layout are not part of a model: they are chosen where it runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.nn as nn
import numpy as np

from ..cells import LTC, BackboneCfCCell, CfC
from ..cells.cfc import CfCCell
from ..compile import Plan, compile_circuit
from ..errors import FileError
from ..wiring import Circuit, CircuitArrays, Dense
from ..wiring.files import json_format
from ..wiring.files.source import Source
from .scaled import Scaled
from .tensors import short

Description = dict[str, Any]


@dataclass(frozen=True)
class Execution:
    """How a loaded model is to be run: what a file does not decide."""

    engine: str = "auto"
    layout: str = "dense"


@dataclass(frozen=True)
class Kind:
    """One kind of model that files can hold.

    Attributes:
        model: the class.
        describe: a model -> what `build` needs, as JSON.
        build: that -> a model of the same shapes, with any weights.
    """

    model: type[nn.Module]
    describe: Callable[[Any], Description]
    build: Callable[[Description, Execution], nn.Module]


def describe(model: nn.Module) -> Description:
    """What a model is, without its weights.

    Raises:
        TypeError: a module that files cannot describe, such as one of your own.
    """
    kind = next((name for name, kind in KINDS.items() if type(model) is kind.model), None)
    if kind is None:
        raise TypeError(
            f"a file can hold {', '.join(KINDS)}, not {type(model).__name__}: "
            "keep the weights of your own module by save_weights(path) and build it again in code"
        )
    return {"kind": kind, **KINDS[kind].describe(model)}


def build(description: Description, execution: Execution) -> nn.Module:
    """A model from its description, with weights still to come.

    Raises:
        FileError: the description is of no model that this release knows; the message says what is wrong.
    """
    if not isinstance(description, dict) or description.get("kind") not in KINDS:
        kind = description.get("kind") if isinstance(description, dict) else description
        raise FileError(f"the model's kind is {short(kind)}: this release knows {', '.join(KINDS)}")
    try:
        return KINDS[description["kind"]].build(description, execution)
    except (KeyError, TypeError, ValueError) as error:  # a field is missing, or a constructor refuses it
        reason = f"there is no {error} in it" if isinstance(error, KeyError) else error
        raise FileError(f"the description of the {description['kind']} is not sound: {reason}") from None


def circuit_of(plan: Plan) -> Circuit:
    """The circuit of a plan: compiling it gives an equal plan."""
    roles = ("sensory",) * plan.n_inputs + plan.roles
    parts = (plan.sensory, plan.recurrent)
    pre = np.concatenate([plan.sensory.pre, plan.recurrent.pre + plan.n_inputs])
    post = np.concatenate([part.post for part in parts]) + plan.n_inputs
    polarity = np.concatenate([part.polarity for part in parts])
    return Circuit.from_arrays(CircuitArrays(pre, post, polarity, roles, plan.sensors + plan.neurons))


def plan_of(cell: nn.Module) -> Plan | None:
    """The plan of the circuit that a cell was given; None for a cell without wiring."""
    if isinstance(cell, CfCCell):
        return cell.signal  # `compiled` may hold the additional synapses of ncps's time gates
    plan = getattr(getattr(cell, "compiled", None), "plan", None)
    return plan if isinstance(plan, Plan) else None


def _describe_ltc(model: LTC) -> Description:
    cell = model.cell
    return {
        "circuit": _circuit_json(cell),
        "options": {
            "ode_unfolds": cell.ode_unfolds,
            "input_mapping": _mapping(cell, "input"),
            "output_mapping": _mapping(cell, "output"),
            "positive": cell.positive,
            "polarity": cell.polarity,
            "epsilon": cell.epsilon,
            "return_sequences": model.return_sequences,
        },
    }


def _mapping(cell: nn.Module, side: str) -> str | None:
    present = cell.parameters().keys()
    return "affine" if f"{side}_b" in present else "linear" if f"{side}_w" in present else None


def _describe_cfc(model: CfC) -> Description:
    cell = model.cell
    options: Description = {"mode": cell.mode, "return_sequences": model.return_sequences}
    if isinstance(cell, BackboneCfCCell):
        options["backbone_layers"] = len(cell.backbone)
        options["backbone_activation"] = cell.backbone_activation
        if cell.backbone:
            options["backbone_units"] = len(cell.backbone[0].bias)
        return {"dense": {"inputs": cell.n_inputs, "units": cell.n_neurons}, "options": options}
    options |= {"ncps_compat": cell.ncps_compat, "schedule": cell.schedule, "polarity": cell.polarity}
    return {"circuit": _circuit_json(cell), "options": options}


def _circuit_json(cell: nn.Module) -> Description:
    plan = plan_of(cell)
    assert plan is not None
    document: Description = json.loads(json_format.encode(circuit_of(plan)))
    return document


def _build_rnn(model: type[LTC] | type[CfC]) -> Callable[[Description, Execution], nn.Module]:
    def build_rnn(description: Description, execution: Execution) -> nn.Module:
        options = {**description["options"], "engine": execution.engine}
        if "dense" in description:
            sizes = description["dense"]
            if options.get("backbone_layers", 1) > 100:  # a loop of a billion would hang the reader
                raise ValueError(f"{options['backbone_layers']} backbone layers: expected at most 100")
            return model(Dense(sizes["inputs"], sizes["units"]), **options)
        data = json.dumps(description["circuit"]).encode()
        circuit = json_format.decode(Source(Path("its circuit"), data))
        return model(compile_circuit(circuit, layout=execution.layout), **options)

    return build_rnn


def _describe_scaled(model: Scaled) -> Description:
    return {
        "model": describe(model.model),
        "inputs": list(model.inputs),
        "outputs": list(model.outputs),
        "time_unit": model.time_unit,
    }


def _build_scaled(description: Description, execution: Execution) -> nn.Module:
    model = build(description["model"], execution)
    return Scaled(model, description["inputs"], description["outputs"], time_unit=description["time_unit"])


KINDS: dict[str, Kind] = {
    "LTC": Kind(LTC, _describe_ltc, _build_rnn(LTC)),
    "CfC": Kind(CfC, _describe_cfc, _build_rnn(CfC)),
    "Scaled": Kind(Scaled, _describe_scaled, _build_scaled),
}
"""The kinds of models that files can hold, by the name they have there. A new layer is added here."""
