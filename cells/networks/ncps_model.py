"""Models of ncps, read by their attributes: neither torch nor Keras is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ..backbone.ncps import backbone_of_ncps
from ..cfc.ncps import cfc_of_ncps
from ..ltc.ncps import ltc_of_ncps
from ..ncps import NcpsCell, Options

FAMILIES = (ltc_of_ncps, cfc_of_ncps, backbone_of_ncps)


@dataclass(frozen=True)
class NcpsModel:
    """What a model of ncps says of itself.

    Attributes:
        cell: what its cell says.
        around: the options of what is around the cell, as ncps names them.
        returns: which of `return_sequences` and `return_state` it has an option for, and what that is.
        state_dict: its weights, as PyTorch names them.
    """

    cell: NcpsCell
    around: Options
    returns: Options
    state_dict: Mapping[str, Any]


def is_model(thing: Any) -> bool:
    """Whether something looks like a model on PyTorch or Keras, of whatever kind."""
    return hasattr(thing, "state_dict") or hasattr(thing, "get_weights")


def read_model(model: Any) -> NcpsModel:
    """An `LTC` or `CfC` of ncps on PyTorch, or a cell of one, or an `LTC` on Keras, by its attributes.

    Raises:
        TypeError: another thing; a `CfC` on Keras is one.
        ValueError: a model whose parts were changed, or that is not built.
    """
    kind = f"{type(model).__module__}.{type(model).__name__}"
    on_keras = hasattr(model, "get_weights")
    try:
        if on_keras:
            cell, around, state_dict = _on_keras(model)
        elif hasattr(model, "state_dict"):
            cell, state_dict = getattr(model, "rnn_cell", model), model.state_dict()
            around = {
                "mixed_memory": bool(getattr(model, "use_mixed", False)),
                "proj_size": getattr(model, "proj_size", None),
            }
        else:
            raise TypeError(f"expected an ncps model, an LTC or a CfC, got {kind}")
        found = next(filter(None, (family(cell) for family in FAMILIES)), None)
    except AttributeError as error:
        raise TypeError(f"{kind} is no model of ncps 1.0.1: {error}") from None
    if found is None:
        raise TypeError(
            f"expected an ncps model, an LTC or a CfC, got {kind}; of a larger model, give the one inside"
        )
    options = ("return_sequences", "return_state")
    returns = {name: getattr(model, name) for name in options if hasattr(model, name)}
    return NcpsModel(found, around, returns, state_dict)


def _on_keras(model: Any) -> tuple[Any, Options, Mapping[str, Any]]:
    """A cell as PyTorch has it, what is around it, and its weights, of an `LTC` on Keras."""
    cell = getattr(model, "cell", model)
    if not hasattr(cell, "_ode_unfolds"):
        raise TypeError(
            f"the {type(cell).__name__} of ncps on Keras is another equation than the one on PyTorch, which "
            "is the one of this package: only an LTC comes over from Keras, without mixed memory"
        )
    if not hasattr(cell, "_params"):
        raise ValueError("the ncps model on Keras is not built: call it once")
    for option in ("go_backwards", "stateful"):
        if getattr(model, option, False):
            raise ValueError(f"the ncps model on Keras was made with {option}=True, which has no like here")
    weights = dict(cell._params)
    names = ("_ode_unfolds", "_epsilon", "_input_mapping", "_output_mapping")
    like_torch = SimpleNamespace(
        _wiring=getattr(cell, "wiring", None) or cell._wiring,
        _implicit_param_constraints=False,  # there, constraints clip
        sparsity_mask=weights["sparsity_mask"],
        sensory_sparsity_mask=weights["sensory_sparsity_mask"],
        **{name: getattr(cell, name) for name in names},
    )
    return like_torch, {"mixed_memory": False, "proj_size": None}, weights
