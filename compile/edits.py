"""Plans made from plans: what is left without some neurons and synapses."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from ..arguments import instance, label, several, text
from ..errors import CircuitError
from ..wiring.guards import pair_of
from ..wiring.roles import synapse_label
from .arranged import STATE_ROLES
from .plan import Plan
from .synapses import Synapses


def without(plan: Plan, neurons: str | Iterable[str] = (), synapses: Iterable[tuple[str, str]] = ()) -> Plan:
    """The plan that is left when neurons, with all their synapses, and single synapses are removed.

    What is left keeps its names and its order. Sensory neurons can be removed as well.

    Args:
        plan: the plan, which stays as it is.
        neurons: a role, a name, or names of neurons.
        synapses: (pre, post) names of synapses; where there is only an electrical one, of that.

    Raises:
        CircuitError: a neuron or synapse that does not exist, or no motor neuron would be left.

    Example:
        >>> plan = gl.compile_circuit(gl.auto_ncp(32, 4, inputs=8)).plan
        >>> without(plan, ["inter_0"]).n_neurons                           # 31
    """
    instance("plan", plan, Plan, "a Plan")
    state, sensor = ({name: k for k, name in enumerate(names)} for names in (plan.neurons, plan.sensors))
    kept, kept_sensors = np.ones(plan.n_neurons, bool), np.ones(plan.n_inputs, bool)
    for name in _group(plan, neurons):
        name = text("a neuron to remove", name)
        if name in state:
            kept[state[name]] = False
        elif name in sensor:
            kept_sensors[sensor[name]] = False
        else:
            raise CircuitError(f"the circuit has no neuron {label(name)}: it cannot be removed")

    live, live_sensory = np.ones(len(plan.recurrent), bool), np.ones(len(plan.sensory), bool)
    coupled = np.ones(len(plan.electrical), bool)
    for pre, post in map(pair_of, several("synapses", synapses, "(pre, post)")):
        pre, post = text("a synapse's pre", pre), text("a synapse's post", post)
        recurrent = pre in state
        part, names, alive = (
            (plan.recurrent, state, live) if recurrent else (plan.sensory, sensor, live_sensory)
        )
        place = part.find(np.array([names.get(pre, -1)]), np.array([state.get(post, -1)]))[0]
        if place < 0:
            ends = np.sort([[state.get(pre, -1), state.get(post, -1)]])
            place, alive = plan.electrical.find(*ends.T)[0], coupled
        if place < 0:
            raise CircuitError(f"the circuit has no {synapse_label(pre, post)}: it cannot be removed")
        alive[place] = False

    motor, command, inter = (int(kept[plan.role_slice(role)].sum()) for role in STATE_ROLES)
    if not motor:
        raise CircuitError("no motor neuron would be left: a network needs at least one output")
    live &= kept[plan.recurrent.pre] & kept[plan.recurrent.post]
    coupled &= kept[plan.electrical.pre] & kept[plan.electrical.post]
    live_sensory &= kept_sensors[plan.sensory.pre] & kept[plan.sensory.post]
    return Plan(
        neurons=tuple(compress(plan.neurons, kept)),
        sensors=tuple(compress(plan.sensors, kept_sensors)),
        counts=(motor, command, inter),
        recurrent=_remaining(plan.recurrent, kept, kept, live),
        sensory=_remaining(plan.sensory, kept_sensors, kept, live_sensory),
        place=None if plan.place is None else plan.place[kept],
        attributes=plan.attributes.chosen(
            neurons=kept, sensors=kept_sensors, recurrent=live, sensory=live_sensory, electrical=coupled
        ),
        electrical=_remaining(plan.electrical, kept, kept, coupled),
    )


def _group(plan: Plan, neurons: str | Iterable[str]) -> Iterable[str]:
    """The names that a role, one name or names stand for."""
    if not isinstance(neurons, str):
        return several("neurons", neurons, "names")
    if neurons == "sensory":
        return plan.sensors
    return plan.neurons[plan.role_slice(neurons)] if neurons in STATE_ROLES else [neurons]


Mask = NDArray[np.bool_]


def _remaining(synapses: Synapses, pre: Mask, post: Mask, live: Mask) -> Synapses:
    """The synapses that live, which are between neurons that are kept, with the neurons numbered anew."""
    new_pre, new_post = (np.cumsum(kept, dtype=np.int32) - 1 for kept in (pre, post))
    return Synapses(
        new_pre[synapses.pre[live]].astype(np.int32),
        new_post[synapses.post[live]].astype(np.int32),
        synapses.polarity[live],
        int(pre.sum()),
        int(post.sum()),
    )
