"""Weights of ncps models on PyTorch, carried onto our synapses."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np

from ..ncps import LTC, Entries, InNcps, Numbers, Options, some, under
from ..offers import offers
from ..overlay import refuse_perturbed
from .ncps_model import NcpsModel, is_model, read_model
from .rnn import RNN


def load_ncps(rnn: RNN, source: Any) -> None:
    """Load the weights of an ncps 1.0.1 torch model: an `LTC` or a `CfC`, with or without wiring.

    Give the model itself: then what it computes is compared with what the network computes, option by
    option. A state dict does not say how it is to be used: it is refused where it cannot be the network's,
    and otherwise taken to be. A wired CfC is loaded into ``CfC(circuit, ncps_compat=True)``, a model with
    mixed memory or a projection into a network made with ``mixed_memory=True`` or ``proj_size``. Either
    everything is loaded or nothing.

    Args:
        rnn: the network to load into; its circuit must have the neuron ids of the ncps wiring, as
            `from_ncps` and the generators give them.
        source: the model, or name -> array of floating-point numbers, which become float32; for example
            ``model.state_dict()``.

    Raises:
        ValueError: an option of the model that the network does not have, a missing key, one that the
            network has no parameter for, a wrong shape or type, a value that is not finite, a mask that is
            not this network's circuit, a negative conductance in a state dict, or a sign against a fixed
            polarity; the message names it, and nothing is loaded.
        TypeError: no model of ncps, or a network of several layers.

    Example:
        >>> gl.load_ncps(rnn, model)
    """
    cell = in_ncps(rnn)
    known = not isinstance(source, Mapping) and is_model(source)
    parameters = picked(rnn, Entries(check_options(rnn, source).state_dict if known else source))
    for name, values in parameters.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} holds values that are not finite: nothing was loaded")
    if not known:
        _check_signs(parameters, cell)
    _check_polarity(parameters, cell)
    rnn.load_weights([(name, mx.array(values)) for name, values in parameters.items()])


def ncps_parameters(rnn: RNN, state_dict: Mapping[str, Any]) -> dict[str, mx.array]:
    """The entries of an ncps state dict as parameters of the network by path, without loading them.

    The mapping only picks entries, so gradients with respect to ncps parameters map in the same way.

    Raises:
        ValueError: a missing key, one without a parameter, a wrong shape, or a mask that is not this
            network's circuit.
    """
    return {name: mx.array(values) for name, values in picked(rnn, Entries(state_dict)).items()}


def picked(rnn: RNN, entries: Entries) -> dict[str, Numbers]:
    """The parameters of a network by path, as entries have them."""
    found = under("cell", in_ncps(rnn).read(entries))
    if rnn.proj_size is not None:
        for part in ("weight", "bias"):
            found[f"projection.{part}"] = entries.get(f"fc.{part}", tuple(rnn.projection[part].shape))
    entries.check_all_read()
    return found


def in_ncps(rnn: RNN) -> InNcps:
    """What a network is in ncps: its cell, with the options of what is around it.

    Raises:
        TypeError: no network of one cell.
        ValueError: ncps has no such cell.
    """
    if not isinstance(rnn, RNN):
        raise TypeError(
            f"ncps has networks of one cell, such as gl.LTC or gl.CfC, and no {type(rnn).__name__}: "
            f"give its {'model' if hasattr(rnn, 'model') else 'layers one by one'}"
        )
    refuse_perturbed(rnn, "a model of ncps")
    if rnn.time_scale not in (None, 1.0):
        raise ValueError(
            f"ncps has no time scale, and this network has {rnn.time_scale:g}: give a network with "
            "time_scale=1.0 and the same weights, and ncps the time spans divided by it"
        )
    part: Any = rnn.cell
    while part is not None:
        if not offers(part, "ncps"):
            raise ValueError(f"ncps has no {type(part).__name__}")
        part = getattr(part, "cell", None)
    cell = rnn.cell.ncps()
    return replace(cell, options={"mixed_memory": False, "proj_size": rnn.proj_size} | cell.options)


def ncps_options(rnn: RNN) -> Options:
    """The options with which a model of ncps 1.0.1 on PyTorch computes what a network computes.

    They are the arguments of `ncps.torch.LTC` and `ncps.torch.CfC`
    beside the sizes. The weights do not hold them: a model with another one gives other numbers.

    Raises:
        ValueError: no model of ncps computes what the network computes.
        TypeError: no network of one cell.

    Example:
        >>> model = ncps.torch.LTC(8, wiring, **gl.ncps_options(rnn))
        >>> gl.to_ncps(rnn, model)
    """
    cell = in_ncps(rnn)
    _refuse_parts(rnn)
    if rnn.reverse:
        raise ValueError("ncps on PyTorch reads sequences forward only, and this network from last to first")
    if cell.kind == LTC and cell.options.pop("proj_size") is not None:
        raise ValueError("an ncps LTC has no projection, and this network was made with proj_size")
    return cell.options


def _refuse_parts(rnn: RNN) -> None:
    if rnn.cell.max_step is not None:
        raise ValueError(
            f"ncps has no max_step, and this network has {rnn.cell.max_step:g}: give one without it, and "
            "ncps no longer time spans"
        )


def check_options(rnn: RNN, model: Any) -> NcpsModel:
    """What a model of ncps says, unless it computes something else than a network, whatever its weights."""
    theirs, ours = read_model(model), in_ncps(rnn)
    _refuse_parts(rnn)
    if theirs.cell.kind != ours.kind:
        raise ValueError(f"the ncps model is {theirs.cell.kind}, and this network {ours.kind}")
    if rnn.reverse:
        raise ValueError("the ncps model reads sequences forward, and this network from last to first")
    different = [
        f"{name} is {value!r} in the ncps model and {ours.options[name]!r} in this network"
        for name, value in (theirs.around | theirs.cell.options).items()
        if name in ours.options and ours.options[name] != value
    ]
    if different:
        raise ValueError("; ".join(different))
    if not getattr(model, "batch_first", True):
        warnings.warn(
            "the ncps model was made with batch_first=False and takes (time, batch, features): "
            "this network takes (batch, time, features)",
            stacklevel=3,
        )
    return theirs


def _check_signs(parameters: Mapping[str, Numbers], cell: InNcps) -> None:
    """Refuse values that only a softplus can take: an ncps model without one clips them at zero."""
    for name in cell.non_negative:
        least = parameters[f"cell.{name}"].min(initial=0.0)
        if least < 0:
            raise ValueError(
                f"{name.rpartition('.')[2]!r} holds {least:.6g}, so the ncps model has "
                "implicit_param_constraints=True: expected a network made with positive='softplus'"
            )


def _check_polarity(parameters: Mapping[str, Numbers], cell: InNcps) -> None:
    """Refuse signs that a network with fixed polarity would turn."""
    signs = {name: np.array(sign) for name, sign in cell.signs.items()}
    wrong = {name: int((parameters[f"cell.{name}"] * sign < 0).sum()) for name, sign in signs.items()}
    if any(wrong.values()):
        names = some(name.rpartition(".")[2] for name, count in wrong.items() if count)
        raise ValueError(
            f"{sum(wrong.values())} weights of {names} have another sign than their synapse, which "
            "polarity='fixed' would turn: expected a network made with polarity='init'"
        )
