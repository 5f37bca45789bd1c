"""What a dense layer takes for its wiring, as a compiled circuit: a circuit, a matrix, or a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, cast

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..arguments import counted
from ..compile import CompiledCircuit, Plan, Source, Synapses, compile_circuit
from ..wiring.rules import RULES, Groups, draw
from .values import real_array

# A circuit in any form; an (in, out) matrix of NumPy, SciPy or MLX; a rule by name, or as a dict
# {"rule": name, its arguments, "inhibitory": share, "seed": number}.
Pattern: TypeAlias = "Source | Mapping[str, Any] | str | Any"


def is_rule(pattern: Pattern) -> bool:
    """Whether a pattern can only be drawn when the number of inputs is known."""
    return isinstance(pattern, str) or (isinstance(pattern, Mapping) and not isinstance(pattern, nx.Graph))


def wired(pattern: Pattern, units: int, inputs: int | None = None) -> tuple[CompiledCircuit, bool]:
    """The synapses of a dense layer of `units` units, and whether the pattern says anything of their signs.

    A circuit's synapses between neurons with state, electrical ones among them, are left out. A matrix has a
    synapse where it is not zero, and says signs if it has negative entries; a rule says them if it has a
    share of inhibitory ones.

    Raises:
        CircuitError: the circuit breaks a rule.
        ValueError: sizes that differ from those of the layer, or a matrix that is none.
        TypeError: nothing of the above.
    """
    if is_rule(pattern):
        assert inputs is not None
        return _drawn(pattern, inputs, units)
    if isinstance(pattern, CompiledCircuit | Plan | nx.DiGraph):
        compiled = pattern if isinstance(pattern, CompiledCircuit) else compile_circuit(cast(Source, pattern))
        plan = compiled.plan
        if plan.n_neurons != units:
            raise ValueError(
                f"{counted(units, 'unit')} for a wiring of {counted(plan.n_neurons, 'neuron')} with state"
            )
        if not len(plan.recurrent) and not len(plan.electrical):
            return compiled, True
        nothing = Synapses.none(units)
        said = replace(plan.attributes, recurrent={}, electrical={})
        return compiled.with_plan(replace(plan, recurrent=nothing, electrical=nothing, attributes=said)), True
    matrix = _matrix(pattern)
    if matrix.shape[1] != units:
        raise ValueError(
            f"{counted(units, 'unit')} for a wiring of shape {matrix.shape}: expected (inputs, {units})"
        )
    pre, post = np.nonzero(matrix)
    signs = np.sign(matrix[pre, post]).astype(np.int8)
    return _compiled(pre, post, signs, *matrix.shape), bool((signs < 0).any())


def _drawn(pattern: Pattern, inputs: int, units: int) -> tuple[CompiledCircuit, bool]:
    given: dict[str, Any] = {"rule": pattern} if isinstance(pattern, str) else dict(cast("Any", pattern))
    rule, seed, inhibitory = given.pop("rule", None), given.pop("seed", None), given.pop("inhibitory", None)
    if unknown := set(given) - {chosen.argument for chosen in RULES.values()}:
        raise TypeError(
            f"the wiring has {', '.join(map(str, unknown))}: expected rule, its argument, seed and inhibitory"
        )
    groups = Groups(inputs, units, np.full(units, -1, np.int64))
    pre, post, signs = draw(cast(str, rule), groups, given, inhibitory or 0.0, seed)
    return _compiled(pre, post, signs, inputs, units), inhibitory is not None


def _matrix(pattern: Any) -> NDArray[Any]:
    if sparse.issparse(pattern):
        pattern = pattern.toarray()
    if not hasattr(pattern, "shape") and not isinstance(pattern, list | tuple):
        raise TypeError(
            f"the wiring is a {type(pattern).__name__}: expected a circuit, an (in, out) matrix, or a rule "
            'such as {"rule": "fixed_indegree", "indegree": 4, "seed": 1}'
        )
    matrix = np.array(real_array("the wiring", pattern))
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"the wiring has shape {matrix.shape}: expected (inputs, units)")
    if not np.isfinite(matrix).all():
        raise ValueError("the wiring holds values that are not finite: expected 0 where there is no synapse")
    return matrix


def _compiled(
    pre: NDArray[Any], post: NDArray[Any], signs: NDArray[np.int8], inputs: int, units: int
) -> CompiledCircuit:
    roles = ("sensory",) * inputs + ("motor",) * units
    return compile_circuit(Plan.from_arrays(pre, post + inputs, signs, roles))
