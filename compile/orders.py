"""Orders that gather a circuit's synapses in few tiles."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from .arranged import STATE_ROLES
from .grouping import grouped
from .plan import Plan
from .synapses import Index, Synapses
from .tiling import Order, inverse

ORDERS = ("role", "rcm", "given", "block")


def find_orders(plan: Plan, name: str, block_size: int) -> tuple[Order, Order]:
    """The order of the recurrent and of the sensory synapses of a plan.

    =========  =======================================================================================
    name       neurons with state come
    =========  =======================================================================================
    ``role``   motor, command, inter; inside a role as in the circuit: the order of the plan
    ``given``  as in the circuit, whatever their role
    ``rcm``    by reverse Cuthill-McKee inside each role, so that synapses lie near the diagonal
    ``block``  presynaptic and postsynaptic neurons each in an order of their own, see `grouping.py`
    =========  =======================================================================================

    Sensory neurons come as in the circuit; for ``rcm`` by the mean position of the neurons they feed.

    Source: Cuthill and McKee, Reducing the bandwidth of sparse symmetric matrices, ACM 1969, reversed as by
    George, 1971; the implementation is SciPy's.
    """
    if name == "block":
        roles = [plan.role_slice(role) for role in STATE_ROLES]
        ranges = [(role.start, role.stop) for role in roles]
        starts = [find_orders(plan, start, block_size) for start in ("role", "given", "rcm")]
        recurrent, sensory = (
            grouped(synapses, candidates, ranges, block_size)
            for synapses, candidates in zip(
                (plan.recurrent, plan.sensory), zip(*starts, strict=True), strict=True
            )
        )
        return recurrent, sensory
    neurons = {"role": _plan_order, "given": _given_order, "rcm": _rcm_order}[name](plan)
    sensors = np.arange(plan.n_inputs, dtype=np.int32)
    if name == "rcm":
        sensors = _by_mean_target(plan.sensory, inverse(neurons))
    return Order(neurons, neurons), Order(sensors, neurons)


def _plan_order(plan: Plan) -> Index:
    return np.arange(plan.n_neurons, dtype=np.int32)


def _given_order(plan: Plan) -> Index:
    return _plan_order(plan) if plan.place is None else np.argsort(plan.place).astype(np.int32)


def _rcm_order(plan: Plan) -> Index:
    s = plan.recurrent
    ones = np.ones(len(s), np.int8)
    graph = csr_array((ones, (s.pre, s.post)), shape=(s.n_pre, s.n_post))
    order = reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)
    role = np.repeat(np.arange(len(plan.counts)), plan.counts)
    return np.asarray(order[np.argsort(role[order], kind="stable")], np.int32)


def _by_mean_target(s: Synapses, position: Index) -> Index:
    """Presynaptic neurons by the mean position of their targets; those without targets come last."""
    count = np.bincount(s.pre, minlength=s.n_pre)
    total = np.bincount(s.pre, weights=position[s.post], minlength=s.n_pre)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    return np.argsort(mean, kind="stable").astype(np.int32)
