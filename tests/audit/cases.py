"""Drawn networks and data, each with its reference: a row per container, options from a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
from hypothesis import strategies as st

import ganglion as gl

from ..support.networks import random_parameters, set_parameters
from ..support.strategies import SEEDS, circuits
from . import references
from .references import Array, Padded, Read

TIME_SCALES = [None, 2.5]
OPTIONS: dict[str, dict[str, list[Any]]] = {
    "LTCCell": {
        "ode_unfolds": [1, 2, 6], "epsilon": [1e-8, 1e-3], "positive": ["clip", "softplus"],
        "polarity": ["init", "fixed"], "input_mapping": ["affine", "linear", None],
        "output_mapping": ["affine", "linear", None], "time_scale": TIME_SCALES,
    },
    "CfCCell": {
        "mode": ["default", "pure", "no_gate"], "schedule": ["layered", "synchronous"],
        "polarity": ["init", "fixed"], "time_scale": TIME_SCALES,
    },
    "RNN": {"engine": ["ops", "fused", "auto"], "checkpoint_every": [1, 3]},
}  # fmt: skip
"""Values of options that cases are drawn from."""
SHARED = dict.fromkeys(("tie", "scale", "fixed", "penalty"), "cells/test_ties.py") | {
    "priors": "meaning/test_priors.py"
}
ELSEWHERE = {
    "LTCCell": {
        "solver": "cells/test_convergence.py", "initial_ranges": "cells/test_cells.py", **SHARED,
        "start": "cells/test_start.py", "max_step": "cells/test_max_step.py",
    },
    "CfCCell": {"ncps_compat": "reference/test_against_ncps.py", **SHARED},
    "RNN": {
        "return_sequences": "cells/test_sequences.py", "return_state": "cells/test_truth.py",
        "reverse": "the row 'reversed'", "proj_size": "the row 'projected'", "cell": "all rows",
    },
    "Stack": {
        "layers": "its row", "dropout": "cells/test_containers.py", "return_state": "cells/test_truth.py",
    },
    "Bidirectional": {"rnn": "its row", "merge": "its row", "backward": "cells/test_containers.py"},
    "Scaled": dict.fromkeys(
        ("model", "inputs", "outputs", "mean", "spread", "offset", "scale", "time_unit"), "its row"
    ),
}  # fmt: skip
"""Options that no case draws, and the test that has them."""
NO_OPTIONS = {"self", "key", "circuit"}


@dataclass(frozen=True)
class Case:
    """A network, data, and what the reference makes of them.

    Attributes:
        row: which container.
        model: ours; called as ``model(x, timespans=, mask=)``.
        reference: what it should say, for its parameters as they are then.
        given: the data.
        seed: for whatever a check draws.
    """

    row: str
    model: Any
    reference: Callable[[Padded], Read]
    given: Padded
    seed: int

    def __repr__(self) -> str:
        return f"Case({self.row!r}, {self.model!r}, {self.given!r}, seed={self.seed})"


def parameters(layer: Any) -> dict[str, Array]:
    """The parameters of a layer, in float64."""
    arrays = {name: a for name, a in layer.parameters().items() if isinstance(a, mx.array)}
    return {name: np.array(array, np.float64) for name, array in arrays.items()}


def network(draw: Any, graph: nx.DiGraph, rng: np.random.Generator, **options: Any) -> tuple[gl.RNN, Any]:
    """An LTC or a CfC with drawn options and random parameters, and its reference with those it has then."""
    kind = draw(st.sampled_from(["LTC", "CfC"]))
    inner = {name: draw(st.sampled_from(values)) for name, values in OPTIONS[f"{kind}Cell"].items()}
    runner = {name: draw(st.sampled_from(values)) for name, values in OPTIONS["RNN"].items()}
    rnn = getattr(gl, kind)(graph, **inner, **runner, **options)
    values = random_parameters(rnn, rng)
    turned = [name for name in values if name.removeprefix("sensory_") in ("erev", "ff1_w", "ff2_w")]
    for name in turned:  # some against the signs of their synapses
        values[name] *= np.where(rng.random(values[name].shape) < 0.3, -1.0, 1.0).astype(np.float32)
    set_parameters(rnn, {name: values[name] for name in turned})

    def reference(given: Padded, of: gl.RNN = rnn) -> Read:
        same = references.cell(kind, graph, inner, parameters(of.cell))
        in_own_time = replace(given, spans=given.spans / (of.cell.time_scale or 1.0))
        return references.read(same, in_own_time, reverse=of.reverse)

    return rnn, reference


Row = Callable[[Any, nx.DiGraph, np.random.Generator], "tuple[Any, Callable[[Padded], Read]]"]


def plain(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    return network(draw, graph, rng)


def backwards(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    return network(draw, graph, rng, reverse=True)


def projected(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    rnn, inside = network(draw, graph, rng, proj_size=3)

    def reference(given: Padded) -> Read:
        read, linear = inside(given), parameters(rnn.projection)
        shown = references.dense(read.outputs, linear["weight"].T, linear["bias"])
        return Read(shown * read.begun[..., None], read.states, read.last, read.begun)

    return rnn, reference


def stacked(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    features = sum(role == "sensory" for _, role in graph.nodes(data="role"))
    activation = draw(st.sampled_from(list(references.ACTIVATIONS)))
    rnn, inside = network(draw, graph, rng)
    model = gl.Stack([gl.NCPDense(features, activation=activation), rnn, gl.NCPDense(2)])
    model.build((1, 1, features))
    for layer in (model.layers[0], model.layers[2]):
        layer.bias = mx.array(rng.normal(size=layer.bias.shape).astype(np.float32))

    def reference(given: Padded) -> Read:
        first, last = parameters(model.layers[0]), parameters(model.layers[2])
        x = references.dense(np.where(given.mask[..., None], given.x, 0.0), **first, activation=activation)
        read = inside(Padded(x, given.spans, given.mask))
        shown = references.dense(read.outputs, **last) * read.begun[..., None]
        return Read(shown, read.states, read.last, read.begun)

    return model, reference


def both_ways(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    merge = draw(st.sampled_from(["concat", "sum", "mean", "max", "mul"]))
    rnn, ahead = network(draw, graph, rng)
    model = gl.Bidirectional(rnn, merge=merge)
    random_parameters(model.backward, rng)

    def reference(given: Padded) -> Read:
        first, second = ahead(given), ahead(given, model.backward)
        shown = references.merged(merge, first.outputs, second.outputs)
        return Read(shown, first.states, first.last, first.begun | second.begun)

    return model, reference


def scaled(draw: Any, graph: nx.DiGraph, rng: np.random.Generator) -> Any:
    rnn, inside = network(draw, graph, rng)
    plan = rnn.cell.compiled.plan
    mean, spread = rng.normal(size=plan.n_inputs) * 3, rng.uniform(0.5, 2.0, plan.n_inputs)
    offset, scale = rng.normal(size=plan.n_outputs), rng.uniform(0.5, 2.0, plan.n_outputs)
    unit = float(rng.uniform(0.2, 3.0))
    names = [f"x{k}" for k in range(plan.n_inputs)], [f"y{k}" for k in range(plan.n_outputs)]
    model = gl.Scaled(rnn, *names, mean=mean, spread=spread, offset=offset, scale=scale, time_unit=unit)

    def reference(given: Padded) -> Read:
        read = inside(Padded((given.x - mean) / spread, given.spans / unit, given.mask))
        return Read(offset + scale * read.outputs, read.states, read.last, read.begun)

    return model, reference


ROWS: dict[str, Row] = {
    "RNN": plain,
    "reversed": backwards,
    "projected": projected,
    "Stack": stacked,
    "Bidirectional": both_ways,
    "Scaled": scaled,
}
"""A row per container, by its class's name; `LTC` and `CfC` are drawn in each."""


@st.composite
def cases(draw: st.DrawFn, rows: tuple[str, ...] = tuple(ROWS)) -> Case:
    """A case of a drawn row: any sound circuit, any mask with a sample in every row, any time spans."""
    row, seed = draw(st.sampled_from(rows)), draw(SEEDS)
    rng = np.random.default_rng(seed)
    mx.random.seed(seed)
    graph = draw(circuits())
    model, reference = ROWS[row](draw, graph, rng)
    batch, steps = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    features = sum(role == "sensory" for _, role in graph.nodes(data="role"))
    mask = rng.random((batch, steps)) < draw(st.sampled_from([0.4, 0.8, 1.0]))
    mask[np.arange(batch), rng.integers(0, steps, batch)] = True
    x = rng.uniform(-1.0, 1.0, (batch, steps, features)).astype(np.float32)
    spans = rng.uniform(0.2, 2.0, (batch, steps)).astype(np.float32)
    return Case(row, model, reference, Padded(x, spans, mask), seed)
