"""From a circuit to what a machine can run: plan, order, layout, masks.

The room reads as a pipeline, see `pipeline.py`: circuit -> `Plan` (`plan.py`, NumPy only) -> order
(`orders.py`) -> layout (`layouts/`, chosen by `cost.py`) -> `CompiledCircuit`.
"""

from .arranged import STATE_ROLES
from .edits import without
from .layouts import BlockProjection, DenseProjection, EdgeProjection, MixedProjection, Projection
from .operations import masked_matmul, synaptic_sum
from .pipeline import CompiledCircuit, Source, compile_circuit, make_plan
from .plan import Plan
from .report import Report
from .synapses import Synapses

__all__ = [
    "STATE_ROLES",
    "BlockProjection",
    "CompiledCircuit",
    "DenseProjection",
    "EdgeProjection",
    "MixedProjection",
    "Plan",
    "Projection",
    "Report",
    "Source",
    "Synapses",
    "compile_circuit",
    "make_plan",
    "masked_matmul",
    "synaptic_sum",
    "without",
]
