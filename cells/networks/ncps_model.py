"""Models of ncps on PyTorch, read by their attributes: torch is not imported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..backbone.ncps import backbone_of_ncps
from ..cfc.ncps import cfc_of_ncps
from ..ltc.ncps import ltc_of_ncps
from ..ncps import NcpsCell

FAMILIES = (ltc_of_ncps, cfc_of_ncps, backbone_of_ncps)


def read_model(model: Any) -> NcpsCell:
    """An `LTC` or `CfC` of ncps on PyTorch, or a cell of one, by its attributes, mixed memory included.

    Raises:
        TypeError: another thing; an ncps model on Keras is one.
        ValueError: a model whose parts were changed.
    """
    cell = getattr(model, "rnn_cell", model)
    kind = f"{type(model).__module__}.{type(model).__name__}"
    if not hasattr(model, "state_dict"):
        on_keras = ": on Keras other equations have the same names" if hasattr(model, "get_weights") else ""
        raise TypeError(f"expected an ncps model on PyTorch, an LTC or a CfC, got {kind}{on_keras}")
    try:
        for family in FAMILIES:
            found = family(cell)
            if found is not None:
                around = {
                    "mixed_memory": bool(getattr(model, "use_mixed", False)),
                    "proj_size": getattr(model, "proj_size", None),
                }
                return replace(found, options=around | found.options, arguments=around | found.arguments)
    except AttributeError as error:
        raise TypeError(f"{kind} is no model of ncps 1.0.1: {error}") from None
    raise TypeError(f"expected an ncps model on PyTorch, an LTC or a CfC, got {kind}: give the one inside it")
