"""A network on plain MLX operations for a while, so that what it does can be written down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_map

from ..cells import RNN, NCPRNNCell
from ..cells.configured import classes_of
from ..cells.overlay import lay_over, overlay_of
from ..compile.layouts.segments import plain
from .describe import build, describe
from .files import load_arrays, parameters_of, take_precision
from .modes import modes_kept
from .randomness import random_state_kept


@contextmanager
def plainly(model: nn.Module) -> Iterator[None]:
    """Let every network inside a model run on operations that can be exported, for a while.

    Gradients of our own cannot, so operations go without; and each network gets a twin in the dense layout,
    whose `prepare` depends on nothing but weights and is computed beforehand.
    """
    networks: list[Any] = [module for _, module in model.named_modules() if isinstance(module, RNN)]
    before = [(network.cell, network.engine) for network in networks]
    mx.disable_compile()  # what is compiled cannot be written down
    # Constants that are strided, such as a transposed matrix, would be written wrongly.
    parameters = model.parameters()
    model.update(tree_map(mx.contiguous, parameters))
    mx.eval(model.parameters())
    try:
        with modes_kept(model), plain(True):
            model.eval()
            for network in networks:
                network.cell, network.engine = _prepared_cell(network), "ops"
            yield
    finally:
        for network, (cell, engine) in zip(networks, before, strict=True):
            network.cell, network.engine = cell, engine
        model.update(parameters)
        if "MLX_DISABLE_COMPILE" not in os.environ:
            mx.enable_compile()


def _prepared_cell(network: RNN) -> NCPRNNCell:
    with random_state_kept(), classes_of(network):
        twin = build(describe(network), largest=2**31, engine="ops", layout="dense")
    take_precision(twin, parameters_of(network))
    load_arrays(twin, parameters_of(network))
    cell: NCPRNNCell = twin.cell
    own = dict(network.cell.named_modules())
    for path, module in cell.named_modules():
        lay_over(module, overlay_of(own[path]))  # what perturbs the network is exported, too
    prepared = cell.prepare()
    mx.eval(list(_arrays_in(prepared)))
    cell.__dict__["prepare"] = lambda: prepared
    return cell


def _arrays_in(value: Any) -> Iterator[mx.array]:
    """All arrays inside dataclasses, dictionaries, lists and tuples, and those that functions are given."""
    if isinstance(value, mx.array):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _arrays_in(getattr(value, field.name))
    elif isinstance(value, partial):
        yield from _arrays_in((value.args, value.keywords))
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _arrays_in(item)
