"""Plans from tables of columns: the circuits of graphs, and clear words where one is not sound."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ganglion as gl

FLOW = ("flow", {"afferent": "sensory", "intrinsic": "inter", "efferent": "motor"})
SIGNS = ("nt_type", {"GABA": -1, None: 1})


def tables() -> tuple[dict[str, Any], dict[str, Any]]:
    ids = np.array([720575940600000003, 720575940600000001, 720575940600000002, 720575940600000004])
    synapses = {
        "pre_root_id": ids[[1, 1, 2, 0, 2]],
        "post_root_id": ids[[2, 0, 0, 3, 2]],
        "syn_count": np.array([5, 2, 9, 4, 1]),
        "nt_type": np.array(["ACH", "ACH", "GABA", "GLUT", "GABA"]),
    }
    neurons = {
        "root_id": ids,
        "flow": np.array(["intrinsic", "afferent", "intrinsic", "efferent"]),
        "cell_type": np.array(["A", "S", "A", "M"]),
    }
    return synapses, neurons


def graph() -> gl.Circuit:
    circuit = gl.Circuit()
    names = ["720575940600000003", "720575940600000001", "720575940600000002", "720575940600000004"]
    for name, role in zip(names, ["inter", "sensory", "inter", "motor"], strict=True):
        circuit.add_neuron(name, role)
    for i, j, sign in [(1, 2, 1), (1, 0, 1), (2, 0, -1), (0, 3, 1), (2, 2, -1)]:
        circuit.add_synapse(names[i], names[j], sign)
    return circuit


def test_tables_give_the_plan_of_the_graph() -> None:
    plan = gl.Plan.read(*tables(), roles=FLOW, polarity=SIGNS)
    assert plan == gl.compile_circuit(graph()).plan
    assert plan.to_circuit().digest() == graph().digest()
    assert plan.attributes.neurons["cell_type"].tolist() == ["M", "A", "A"]
    assert sorted(plan.attributes.recurrent["weight"].tolist()) == [1, 4, 9]
    rnn = gl.LTC(plan, start="weight", tie={"cm": "cell_type"})
    assert rnn.cell.cm.shape == (2,)


def test_npz_of_others_and_of_ours(tmp_path: Path) -> None:
    synapses, neurons = tables()
    np.savez(tmp_path / "s.npz", **synapses)
    np.savez(tmp_path / "n.npz", **neurons)
    plan = gl.Plan.read(tmp_path / "s.npz", tmp_path / "n.npz", roles=FLOW, polarity=SIGNS)
    assert plan == gl.compile_circuit(graph()).plan
    plan.write(tmp_path / "plan.npz")
    again = gl.Plan.read(tmp_path / "plan.npz")
    assert again == plan
    assert again.attributes.to_plain() == plan.attributes.to_plain()


def test_a_plan_keeps_everything_in_its_file(tmp_path: Path) -> None:
    circuit = gl.auto_ncp(16, 3, inputs=4, seed=1)
    circuit.add_node("inter_0", type="A", note="ü", size=2.5)
    pairs = [pair for pair in circuit.edges if circuit.nodes[pair[0]]["role"] != "sensory"]
    circuit.add_edge(*pairs[0], gap=2, weight=3)
    circuit.add_synapse("inter_2", "inter_0", kind="electrical")
    with pytest.warns(UserWarning, match="do not use these attributes"):
        plan = gl.compile_circuit(circuit).plan
    plan.write(tmp_path / "c.npz")
    again = gl.Plan.read(tmp_path / "c.npz")
    assert again == plan
    assert again.to_circuit().digest() == circuit.digest()
    assert again.to_circuit().nodes["inter_0"] == circuit.nodes["inter_0"]
    assert again.to_circuit().edges[pairs[0]] == circuit.edges[pairs[0]]
    with np.load(tmp_path / "c.npz") as file:
        assert file["polarity"].tolist() == plan.to_arrays().polarity.tolist()


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_arrow_files(ending: str, tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    for name, table in zip("sn", tables(), strict=True):
        made = arrow.table({column: arrow.array(values) for column, values in table.items()})
        if ending == "parquet":
            from pyarrow import parquet

            parquet.write_table(made, tmp_path / f"{name}.parquet")
        else:
            from pyarrow import feather

            feather.write_feather(made, tmp_path / f"{name}.feather")
    files = [tmp_path / f"{name}.{ending}" for name in "sn"]
    assert gl.Plan.read(*files, roles=FLOW, polarity=SIGNS) == gl.compile_circuit(graph()).plan
    files[0].write_bytes(files[0].read_bytes()[:100])
    with pytest.raises(gl.CircuitError, match=f"s.{ending} is damaged"):
        gl.Plan.read(*files, roles=FLOW, polarity=SIGNS)


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "s.parquet").write_bytes(b"")
    with pytest.raises(ImportError, match=r"pip install 'ganglion-mlx\[parquet\]'"):
        gl.Plan.read(tmp_path / "s.parquet")


def test_rows_of_one_pair_are_added() -> None:
    synapses, neurons = tables()
    more = {name: np.concatenate([values, values[[0, 2, 2]]]) for name, values in synapses.items()}
    more["nt_type"][5] = "GABA"
    with pytest.warns(UserWarning, match="3 rows repeat a pair of neurons: their weights were added"):
        plan = gl.Plan.read(more, neurons, roles=FLOW, polarity=SIGNS)
    assert len(plan.recurrent) + len(plan.sensory) == 5
    assert sorted(plan.attributes.recurrent["weight"].tolist()) == [1, 4, 27]
    assert sorted(plan.attributes.sensory["weight"].tolist()) == [2, 10]


@pytest.mark.parametrize("sensors", ["split", "drop"])
def test_sensory_neurons_that_receive(sensors: str) -> None:
    synapses, neurons = tables()
    ids = neurons["root_id"]
    more = {
        "pre": np.append(synapses["pre_root_id"], ids[0]),
        "post": np.append(synapses["post_root_id"], ids[1]),
        "count": np.append(synapses["syn_count"], 6),
    }
    with pytest.warns(
        UserWarning, match="split 1 sensory neuron" if sensors == "split" else "onto 1 sensory neuron"
    ):
        plan = gl.Plan.read(more, neurons, roles=FLOW, polarity=1, sensors=sensors)
    assert plan.n_inputs == 1
    assert plan.n_neurons == (4 if sensors == "split" else 3)
    if sensors == "split":
        assert plan.sensors == ("720575940600000001.in",)
        assert plan.attributes.sensors["cell_type"].tolist() == ["S"]
        assert np.isnan(plan.attributes.sensory["weight"]).all()
        gl.circuit_of(gl.LTC(plan))


def test_a_neighbourhood() -> None:
    circuit = gl.auto_ncp(32, 4, inputs=8, seed=3)
    plan = gl.compile_circuit(circuit).plan
    name = plan.neurons[-1]
    near = plan.to_circuit(name)
    expected = {name, *circuit.predecessors(name), *circuit.successors(name)}
    assert set(near) == expected
    assert set(near.edges) == {pair for pair in circuit.edges if set(pair) <= expected}
    assert set(plan.to_circuit([name], distance=0)) == {name}
    assert plan.to_circuit(name, distance=9).digest() == circuit.digest()
    with pytest.raises(gl.CircuitError, match=r"no neuron 'motor_O'.*did you mean 'motor_"):
        plan.to_circuit("motor_O")


def test_a_large_graph_names_the_way_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganglion.wiring.guards.LARGE", 40)
    plan = gl.compile_circuit(gl.auto_ncp(8, 2, inputs=3)).plan  # of fewer
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        circuit = plan.to_circuit()
    said = r"gl\.Plan\.read\(\.\.\.\) and .* plan\.to_circuit"
    with pytest.warns(UserWarning, match=said):
        big = gl.auto_ncp(32, 4, inputs=8)
    with pytest.warns(UserWarning, match=said):
        gl.circuit_from(big)
    assert circuit.number_of_edges() < 40


def test_neurons_without_a_table() -> None:
    plan = gl.Plan.read(
        {"pre": [7, 5], "post": [9, 7], "polarity": [1, -1]}, roles=["sensory", "inter", "motor"]
    )
    assert (plan.sensors, plan.neurons) == (("5",), ("9", "7"))
    assert plan.recurrent.polarity.tolist() == [1]


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({"pre_root_id": None}, {}, "there is no column 'pre'"),
        ({"syn_count": np.array([1, 2])}, {}, "differ in length"),
        ({"syn_count": np.array([1, 2, 3, 4, np.nan])}, {}, "must hold finite numbers"),
        ({}, {"roles": "flow"}, "'afferent' is no role|'intrinsic' is no role|'efferent' is no role"),
        ({}, {"roles": "flwo"}, "no column 'flwo'.*did you mean 'flow'"),
        ({}, {"polarity": "nt_type"}, "is no sign; expected"),
        ({}, {"polarity": "sign"}, "no column 'sign'"),
        (
            {"post_root_id": np.array([1, 2, 3, 4, 5])},
            {},
            "post of 5 synapses is no neuron of the table, such as 1",
        ),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, Any], options: dict[str, Any], match: str) -> None:
    synapses, neurons = tables()
    table = {name: values for name, values in (synapses | change).items() if values is not None}
    with pytest.raises(gl.CircuitError, match=match):
        gl.Plan.read(table, neurons, **({"roles": FLOW, "polarity": SIGNS} | options))


def test_two_hundred_damaged_files(tmp_path: Path) -> None:
    plan = gl.Plan.read(*tables(), roles=FLOW, polarity=SIGNS)
    path = tmp_path / "plan.npz"
    plan.write(path)
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    messages: list[str] = []
    for k in range(200):
        data = bytearray(sound[: int(rng.integers(len(sound)))] if k % 3 == 0 else sound)
        if k % 3 and data:
            for place in rng.integers(0, len(data), 1 + k % 5):
                data[place] = int(rng.integers(256))
        path.write_bytes(bytes(data))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                gl.Plan.read(path)
            except gl.CircuitError as error:
                messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in message for message in messages)


def test_other_endings_and_directories(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.npz, \.parquet or \.feather"):
        gl.Plan.read(tmp_path / "s.csv")
    with pytest.raises(FileNotFoundError):
        gl.Plan.read(tmp_path / "s.npz")
    (tmp_path / "d.npz").mkdir()
    with pytest.raises(ValueError, match="directory"):
        gl.Plan.read(tmp_path / "d.npz")
    with pytest.raises(ValueError, match=r"must end in \.npz"):
        gl.Plan.read(*tables(), roles=FLOW, polarity=SIGNS).write(tmp_path / "p.csv")
