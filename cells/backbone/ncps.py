"""What ncps 1.0.1 on PyTorch calls the options and weights of a CfC without wiring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ncps import FREE_CFC, Entries, NcpsCell, Numbers, Options

# Our activations that ncps has too, by the class that computes them there.
ACTIVATIONS = {"LeCun": "lecun_tanh", "ReLU": "relu", "Tanh": "tanh", "SiLU": "silu", "GELU": "gelu"}


def read_backbone(
    shapes: Mapping[str, tuple[int, ...]], layers: int, dropout: bool, entries: Entries
) -> dict[str, Numbers]:
    """The parameters from a state dict; `shapes` are those of our parameters by name."""
    # torch numbers the activations of its Sequential too, and a dropout behind each layer but the first.
    step = 3 if dropout else 2
    theirs = [max(0, k * step - (step - 2)) for k in range(layers)]
    stored = entries.numbers("backbone")
    theirs = stored if len(stored) == layers else theirs
    found = {}
    for name, shape in shapes.items():
        if name in ("w_tau", "A"):
            found[name] = entries.get(name, (1, *shape))[0]
        else:
            head, place, *part = name.split(".")
            there = f"{head}.{theirs[int(place)]}.{part[0]}" if head == "backbone" else name
            found[name] = entries.get(there, shape)
    return found


def backbone_options(mode: str, layers: int, units: int, activation: str, dropout: float) -> Options:
    """Our options in the words of ncps, without those that change nothing."""
    options: Options = {"mode": mode, "backbone_layers": layers}
    if layers:
        options |= {"backbone_units": units, "activation": activation}
    if layers > 1:
        options["backbone_dropout"] = dropout
    return options


def backbone_of_ncps(cell: Any) -> NcpsCell | None:
    """An `ncps.torch.CfCCell` by its attributes; None if it is none."""
    if not hasattr(cell, "ff1") or not hasattr(cell, "hidden_size"):
        return None
    if cell.sparsity_mask is not None:
        raise ValueError("the ncps CfCCell has a sparsity_mask: expected the model that it is a layer of")
    parts = list(cell.backbone) if cell.backbone_layers else []
    linear = [part for part in parts if hasattr(part, "weight")]
    dropped = [part.p for part in parts if hasattr(part, "p")]
    names = {type(part).__name__ for part in parts if part not in linear and not hasattr(part, "p")}
    activations = {ACTIVATIONS.get(name, name) for name in names}
    if len(linear) != cell.backbone_layers or len(activations) > 1 or len(set(dropped)) > 1:
        raise ValueError(
            f"the backbone of the ncps model was changed: it holds {', '.join(map(repr, parts))}"
        )
    units = linear[0].out_features if linear else 0
    options = backbone_options(
        cell.mode, cell.backbone_layers, units, "".join(activations), dropped[0] if dropped else 0.0
    )
    arguments = {("backbone_activation" if n == "activation" else n): v for n, v in options.items()}
    return NcpsCell(
        kind=FREE_CFC, options=options, arguments=arguments, sizes=(cell.input_size, cell.hidden_size)
    )
