"""Neural circuit policies: sensory -> inter -> command -> motor, with recurrent command neurons.

The wiring of Lechner, Hasani et al., Neural circuit policies enabling auditable autonomy, Nature Machine
Intelligence 2 (2020), drawn in the order in which ncps 1.0.1 draws it, so that a seed means the same circuit.
"""

from __future__ import annotations

import numpy as np

from ...arguments import MOST_NEURONS, counted, fraction, seed_number, whole
from ..circuit import Circuit
from ..guards import announce
from .assemble import Ints, Links, assemble, join


def ncp(
    *,
    inter: int,
    command: int,
    motor: int,
    inputs: int,
    sensory_fanout: int,
    inter_fanout: int,
    recurrent_command_synapses: int,
    motor_fanin: int,
    seed: int = 22222,
) -> Circuit:
    """A neural circuit policy with given sizes; half of the synapses are inhibitory.

    A neuron that the random choices left without a synapse from the layer before (a command neuron: to the
    motor neurons) gets as many as its like have on average, and at least one.

    Args:
        inter, command, motor, inputs: number of neurons of each role; `inputs` is of sensory neurons.
        sensory_fanout: synapses from each sensory neuron to inter neurons.
        inter_fanout: synapses from each inter neuron to command neurons.
        recurrent_command_synapses: how often a synapse between two random command neurons is drawn. A pair
            that is drawn again gets the new polarity, so there may be fewer synapses than draws.
        motor_fanin: synapses onto each motor neuron from command neurons.
        seed: the same arguments give the synapses and polarities of `NCP` in ncps 1.0.1, bit for bit.

    Raises:
        ValueError: a number out of its range, such as a fan-out above the size of the next layer.
        TypeError: an argument that is no number.

    Example:
        >>> circuit = ncp(inter=18, command=12, motor=6, inputs=8, sensory_fanout=6, inter_fanout=4,
        ...               recurrent_command_synapses=10, motor_fanin=6)
    """
    inter, command = whole("inter", inter, most=MOST_NEURONS), whole("command", command, most=MOST_NEURONS)
    motor, inputs = whole("motor", motor, most=MOST_NEURONS), whole("inputs", inputs, most=MOST_NEURONS)
    sensory_fanout = _fan("sensory_fanout", sensory_fanout, inter, "inter")
    inter_fanout = _fan("inter_fanout", inter_fanout, command, "command")
    motor_fanin = _fan("motor_fanin", motor_fanin, command, "command")
    draws = whole("recurrent_command_synapses", recurrent_command_synapses, least=0)
    announce(inputs * sensory_fanout + inter * inter_fanout + draws + motor * motor_fanin)
    rng = np.random.RandomState(seed_number(seed))

    # The order of the draws is that of ncps. It limits the fan-in of command neurons by their own number.
    sensory = _project(rng, inputs, inter, sensory_fanout, most=inputs)
    onto_command = _project(rng, inter, command, inter_fanout, most=command)
    within_command = _recur(rng, command, draws)
    # Motor neurons choose their command neurons, so here pre and post are exchanged.
    post, pre, polarity = _project(rng, motor, command, motor_fanin, most=motor)
    onto_motor = Links(pre, post, polarity)

    sizes = {"sensory": inputs, "motor": motor, "command": command, "inter": inter}
    first_motor, first_command, first_inter = np.cumsum([inputs, motor, command])
    links = join(
        sensory.shifted(0, first_inter),
        onto_command.shifted(first_inter, first_command),
        within_command.shifted(first_command, first_command),
        onto_motor.shifted(first_command, first_motor),
    )
    return assemble(sizes, links)


def auto_ncp(units: int, outputs: int, *, inputs: int, sparsity: float = 0.5, seed: int = 22222) -> Circuit:
    """A neural circuit policy whose sizes follow from the number of units and a sparsity.

    Of the units that are not outputs, 40 % are command neurons and the rest inter neurons. Fan-outs and
    fan-ins are the fraction `1 - sparsity` of the layer they choose from, and the command neurons draw
    twice that many recurrent synapses.

    Args:
        units: number of neurons with state, outputs included.
        outputs: number of motor neurons, below `units - 2`.
        inputs: number of sensory neurons.
        sparsity: from 0.1 (dense) to 1.0 (each neuron has the least number of synapses).
        seed: the same arguments give the synapses and polarities of `AutoNCP` in ncps 1.0.1, bit for bit.

    Raises:
        ValueError: a number out of its range.
        TypeError: an argument that is no number.

    Example:
        >>> circuit = auto_ncp(64, 8, inputs=16, sparsity=0.5, seed=22222)
    """
    units, outputs = whole("units", units, most=MOST_NEURONS), whole("outputs", outputs)
    if outputs >= units - 2:
        raise ValueError(
            f"outputs must be below units - 2, which is {units - 2}, got {counted(outputs, 'output')} "
            f"of {counted(units, 'unit')}"
        )
    density = 1.0 - fraction("sparsity", sparsity, low=0.1)
    command = max(int(0.4 * (units - outputs)), 1)
    inter = units - outputs - command
    return ncp(
        inter=inter,
        command=command,
        motor=outputs,
        inputs=inputs,
        sensory_fanout=max(int(inter * density), 1),
        inter_fanout=max(int(command * density), 1),
        recurrent_command_synapses=max(int(command * density * 2), 1),
        motor_fanin=max(int(command * density), 1),
        seed=seed,
    )


def _fan(name: str, value: int, size: int, layer: str) -> int:
    fan = whole(name, value, least=0)
    if fan > size:
        raise ValueError(f"{name} must not exceed the {size} {layer} neurons, got {fan}")
    return fan


def _project(rng: np.random.RandomState, drivers: int, targets: int, fan: int, most: int) -> Links:
    """Every driver chooses `fan` targets; every target that none chose then chooses drivers."""
    driver, target, sign = _choose(rng, drivers, targets, fan)
    forgotten = np.setdiff1d(np.arange(targets), target)
    back = min(max(drivers * fan // targets, 1), most)
    late, late_driver, late_sign = _choose(rng, len(forgotten), drivers, back)
    return join(Links(driver, target, sign), Links(late_driver, forgotten[late], late_sign))


def _choose(rng: np.random.RandomState, choosers: int, size: int, fan: int) -> Links:
    """Each chooser in turn: `fan` different ones out of `size`, then a sign for each."""
    chosen = np.empty((choosers, fan), dtype=np.int64)
    sign = np.empty((choosers, fan), dtype=np.int64)
    for k in range(choosers):
        chosen[k] = rng.choice(size, size=fan, replace=False)
        sign[k] = 2 * rng.randint(0, 2, size=fan) - 1
    return Links(np.repeat(np.arange(choosers), fan), chosen.ravel(), sign.ravel())


def _recur(rng: np.random.RandomState, size: int, draws: int) -> Links:
    """`draws` times a pre, a post and a sign; a pair that is drawn again takes its last sign."""
    limits = np.tile([size, size, 2], draws)
    pre, post, bit = rng.randint(0, limits).reshape(draws, 3).T
    sign: Ints = np.zeros((size, size), dtype=np.int8)
    sign[pre, post] = 2 * bit - 1
    pre, post = np.nonzero(sign)
    return Links(pre, post, sign[pre, post])
