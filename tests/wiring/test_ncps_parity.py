"""For the same seed and sizes, circuits equal those of ncps 1.0.1 bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ncps import wirings
from numpy.typing import NDArray

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, check, from_ncps, fully_connected, ncp, random

seeds = st.integers(0, 2**32 - 1)


def matrices(circuit: Circuit) -> tuple[NDArray[Any], NDArray[Any]]:
    """Adjacency and sensory adjacency of a circuit whose sensory neurons come first, as ncps has them."""
    arrays = circuit.to_arrays()
    inputs = arrays.roles.count("sensory")
    units = len(arrays.names) - inputs
    matrix = np.zeros((inputs + units, units), dtype=np.int32)
    matrix[arrays.pre, arrays.post - inputs] = arrays.polarity
    return matrix[inputs:], matrix[:inputs]


def assert_equal(circuit: Circuit, wiring: Any, inputs: int) -> None:
    wiring.build(inputs)
    adjacency, sensory = matrices(circuit)
    np.testing.assert_array_equal(adjacency, wiring.adjacency_matrix)
    np.testing.assert_array_equal(sensory, wiring.sensory_adjacency_matrix)
    states = [role for role in circuit.to_arrays().roles if role != "sensory"]
    assert states == [wiring.get_type_of_neuron(k) for k in range(wiring.units)]
    converted = from_ncps(wiring)
    assert list(converted.nodes(data=True)) == list(circuit.nodes(data=True))
    assert list(converted.edges(data=True)) == list(circuit.edges(data=True))


# units, inputs, outputs, sparsity, seed; with the lists behind and their uses below, 52 settings.
PLAIN = [
    (1, 1, 1, 0.0, 0),
    (2, 1, None, 0.5, 1),
    (3, 7, 1, 0.9, 2),
    (8, 4, 2, 0.25, 1111),
    (16, 8, None, 0.75, 22222),
    (19, 3, 4, 0.1, 4),
    (32, 8, 4, 0.9, 2**32 - 1),
    (33, 1, 33, 0.99, 6),
    (40, 64, 5, 0.5, 7),
    (64, 16, 8, 0.95, 8),
    (101, 5, 3, 0.8, 9),  # above 10,000 pairs NumPy chooses in another way,
    (120, 2, 9, 0.999, 10),  # and in yet another if few are chosen
]
POLICIES = [  # units, inputs, outputs, sparsity, seed
    (4, 1, 1, 0.1, 0),
    (5, 3, 2, 0.5, 1),
    (8, 2, 2, 0.9, 2),
    (16, 8, 4, 0.3, 22222),
    (19, 32, 4, 0.5, 1111),
    (28, 1, 1, 1.0, 5),
    (32, 8, 10, 0.7, 2**32 - 1),
    (48, 5, 44, 0.5, 7),
    (64, 16, 8, 0.5, 22222),
    (64, 8, 10, 0.5, 8),
    (100, 40, 12, 0.6, 9),
    (150, 20, 7, 0.15, 10),
]
SIZES = [  # inter, command, motor, inputs, sensory_fanout, inter_fanout, recurrent draws, motor_fanin, seed
    (1, 1, 1, 1, 1, 1, 1, 1, 0),
    (18, 12, 6, 8, 6, 4, 10, 6, 22222),
    (12, 8, 4, 2, 4, 5, 6, 4, 1),
    (5, 4, 3, 1, 0, 0, 0, 0, 2),  # only what forgotten neurons get
    (30, 3, 2, 4, 2, 1, 40, 1, 3),  # many recurrent draws of few pairs
    (3, 30, 2, 4, 3, 2, 25, 3, 4),  # most command neurons forgotten
    (40, 10, 1, 1, 3, 10, 0, 10, 5),  # most inter neurons forgotten
    (7, 7, 7, 7, 7, 7, 7, 7, 6),
    (25, 16, 9, 50, 1, 3, 100, 2, 2**32 - 1),
    (64, 32, 16, 20, 20, 10, 64, 12, 1234),
]


@pytest.mark.parametrize(("units", "inputs", "outputs", "sparsity", "seed"), PLAIN)
def test_random(units: int, inputs: int, outputs: int | None, sparsity: float, seed: int) -> None:
    circuit = random(units, inputs=inputs, outputs=outputs, sparsity=sparsity, seed=seed)
    assert_equal(circuit, wirings.Random(units, outputs, sparsity, seed), inputs)


@pytest.mark.parametrize("self_connections", [True, False])
@pytest.mark.parametrize(("units", "inputs", "outputs", "_", "seed"), PLAIN[:9])
def test_fully_connected(
    units: int, inputs: int, outputs: int | None, _: float, seed: int, self_connections: bool
) -> None:
    circuit = fully_connected(
        units, inputs=inputs, outputs=outputs, self_connections=self_connections, seed=seed
    )
    assert_equal(circuit, wirings.FullyConnected(units, outputs, seed, self_connections), inputs)


@pytest.mark.parametrize(("units", "inputs", "outputs", "sparsity", "seed"), POLICIES)
def test_auto_ncp(units: int, inputs: int, outputs: int, sparsity: float, seed: int) -> None:
    circuit = auto_ncp(units, outputs, inputs=inputs, sparsity=sparsity, seed=seed)
    assert_equal(circuit, wirings.AutoNCP(units, outputs, sparsity, seed), inputs)


@pytest.mark.parametrize("size", SIZES)
def test_ncp(size: tuple[int, ...]) -> None:
    assert_ncp_equal(*size)


def assert_ncp_equal(
    inter: int,
    command: int,
    motor: int,
    inputs: int,
    sensory_fanout: int,
    inter_fanout: int,
    recurrent: int,
    motor_fanin: int,
    seed: int,
) -> None:
    circuit = ncp(
        inter=inter,
        command=command,
        motor=motor,
        inputs=inputs,
        sensory_fanout=sensory_fanout,
        inter_fanout=inter_fanout,
        recurrent_command_synapses=recurrent,
        motor_fanin=motor_fanin,
        seed=seed,
    )
    wiring = wirings.NCP(inter, command, motor, sensory_fanout, inter_fanout, recurrent, motor_fanin, seed)
    assert_equal(circuit, wiring, inputs)


@given(data=st.data(), seed=seeds, sizes=st.tuples(*[st.integers(1, 24)] * 4))
def test_ncp_of_any_size(data: st.DataObject, seed: int, sizes: tuple[int, ...]) -> None:
    inter, command, _, _ = sizes
    fans = [data.draw(st.integers(0, most)) for most in (inter, command, 30, command)]
    assert_ncp_equal(*sizes, *fans, seed)


@given(
    seed=seeds,
    units=st.integers(1, 40),
    inputs=st.integers(1, 40),
    sparsity=st.floats(0, 1, exclude_max=True),
)
def test_random_of_any_size(seed: int, units: int, inputs: int, sparsity: float) -> None:
    circuit = random(units, inputs=inputs, sparsity=sparsity, seed=seed)
    assert_equal(circuit, wirings.Random(units, None, sparsity, seed), inputs)


def test_the_default_seeds_are_those_of_ncps() -> None:
    assert_equal(fully_connected(6, inputs=2), wirings.FullyConnected(6), 2)
    assert_equal(random(6, inputs=2), wirings.Random(6), 2)
    assert_equal(auto_ncp(16, 4, inputs=2), wirings.AutoNCP(16, 4), 2)
    sizes = {"sensory_fanout": 4, "inter_fanout": 3, "recurrent_command_synapses": 5, "motor_fanin": 2}
    circuit = ncp(inter=8, command=6, motor=2, inputs=3, **sizes)
    assert_equal(circuit, wirings.NCP(8, 6, 2, **sizes), 3)


def test_names_and_order() -> None:
    circuit = ncp(
        inter=2,
        command=1,
        motor=2,
        inputs=2,
        sensory_fanout=1,
        inter_fanout=1,
        recurrent_command_synapses=1,
        motor_fanin=1,
    )
    assert list(circuit) == [
        "sensory_0",
        "sensory_1",
        "motor_0",
        "motor_1",
        "command_0",
        "inter_0",
        "inter_1",
    ]
    assert check(circuit) == []


def test_from_ncps_of_a_wiring_made_by_hand() -> None:
    wiring = wirings.Wiring(3)
    wiring.set_output_dim(1)
    wiring.build(2)
    wiring.add_synapse(1, 0, -1)
    wiring.add_synapse(2, 2, 1)
    wiring.add_sensory_synapse(1, 2, 1)
    circuit = from_ncps(wiring)
    assert dict(circuit.nodes(data="role")) == {
        "sensory_0": "sensory",
        "sensory_1": "sensory",
        "motor_0": "motor",
        "inter_0": "inter",
        "inter_1": "inter",
    }
    assert circuit.synapses() == [
        ("sensory_1", "inter_1", 1),
        ("inter_0", "motor_0", -1),
        ("inter_1", "inter_1", 1),
    ]


def test_from_ncps_copies() -> None:
    wiring = wirings.AutoNCP(16, 4)
    wiring.build(3)
    circuit = from_ncps(wiring)
    before = wiring.adjacency_matrix.copy()
    circuit.remove_neuron("command_0")
    np.testing.assert_array_equal(wiring.adjacency_matrix, before)


class TestWiringsThatAreRefused:
    def test_not_built(self) -> None:
        with pytest.raises(CircuitError, match=r"not been built: call wiring\.build\(inputs\)"):
            from_ncps(wirings.AutoNCP(16, 4))

    def test_no_outputs(self) -> None:
        wiring = wirings.Wiring(3)
        wiring.build(2)
        with pytest.raises(CircuitError, match="no output size"):
            from_ncps(wiring)

    def test_illegal_polarity(self) -> None:
        wiring = wirings.FullyConnected(4, 2)
        wiring.build(2)
        wiring.adjacency_matrix[3, 1] = 2
        with pytest.raises(CircuitError, match=r"'inter_1' -> 'motor_1' has polarity 2; expected \+1 or -1"):
            from_ncps(wiring)

    def test_ids_in_another_order(self) -> None:
        class MotorLast(wirings.Wiring):
            def get_type_of_neuron(self, neuron_id: int) -> str:
                return "motor" if neuron_id == 2 else "inter"

        wiring = MotorLast(3)
        wiring.set_output_dim(1)
        wiring.build(1)
        with pytest.raises(CircuitError, match=r"neuron 2 \(motor\) stands behind a neuron of type inter"):
            from_ncps(wiring)

    def test_unknown_type(self) -> None:
        class Odd(wirings.Wiring):
            def get_type_of_neuron(self, neuron_id: int) -> str:
                return "glia"

        wiring = Odd(1)
        wiring.set_output_dim(1)
        wiring.build(1)
        with pytest.raises(CircuitError, match="neuron 0 is of type 'glia'"):
            from_ncps(wiring)

    def test_no_wiring(self) -> None:
        with pytest.raises(TypeError, match="expected an ncps Wiring, got Circuit"):
            from_ncps(Circuit())
