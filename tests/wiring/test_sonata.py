"""SONATA: our circuits in HDF5 and back, and small networks of others."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, circuit_from, connectomes, read, write
from ganglion.wiring.files.sonata_format import FORMAT
from ganglion.wiring.files.source import Source

from .test_files import circuits

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)
keys = texts.filter(lambda key: "/" not in key and key[0] not in ".@" and key not in ("syn_weight", "neuron"))
values = texts | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.booleans()


@given(circuits(texts, keys, values))
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_comes_back(circuit: Circuit) -> None:
    files = FORMAT.encode(circuit, True)
    raw = FORMAT.decode([Source(Path(f"c_{k}.h5"), data) for k, data in enumerate(files)], None)
    assert raw.own
    assert raw.graph == circuit.graph
    assert [(node.id, node.data) for node in raw.nodes] == list(circuit.nodes(data=True))
    assert [(edge.pre, edge.post, edge.data) for edge in raw.edges] == list(circuit.edges(data=True))
    types = [{k: type(v) for k, v in d.items()} for _, d in circuit.nodes(data=True)]
    assert [{k: type(v) for k, v in node.data.items()} for node in raw.nodes] == types


@pytest.mark.parametrize("given", ["c.h5", "c_nodes.h5", "c_edges.h5", "c.h5.gz"])
def test_a_circuit_with_attributes_keeps_its_digest(given: str, tmp_path: Path) -> None:
    circuit = connectomes.tap_withdrawal()
    circuit.nodes["AVA"]["position"] = 1.5
    circuit.add_edge("AVA", "AVB", kind="electrical", polarity=1, weight=3.0)
    circuit.edges["AVD", "AVA"]["gap"] = 0.5
    write(circuit, tmp_path / given)
    assert len(list(tmp_path.iterdir())) == 2
    back = read(tmp_path / given)
    assert back.digest() == circuit.digest()
    assert back.graph == circuit.graph
    assert list(back.edges(data=True)) == list(circuit.edges(data=True))


def test_it_is_sonata(tmp_path: Path) -> None:
    write(auto_ncp(6, 2, inputs=2), tmp_path / "c.h5")
    with h5py.File(tmp_path / "c_nodes.h5") as nodes, h5py.File(tmp_path / "c_edges.h5") as edges:
        assert nodes.attrs["magic"] == 0x0A7A
        assert nodes.attrs["version"].tolist() == [0, 1]
        assert nodes["nodes/neurons/node_group_index"][:].tolist() == list(range(8))
        population = edges["edges/neurons_to_neurons"]
        assert population["source_node_id"].attrs["node_population"] == "neurons"
        assert set(population) == {
            "0", "edge_group_id", "edge_group_index", "edge_type_id", "source_node_id", "target_node_id"
        }  # fmt: skip
        assert list(population["0"]) == ["polarity"]


def foreign(folder: Path) -> None:
    """Two populations, attributes by type in tables beside the files, an enumeration, and a matrix."""
    with h5py.File(folder / "v1_nodes.h5", "w") as file:
        for name, types in (("v1", [100, 100, 101]), ("lgn", [200])):
            population = file.create_group(f"nodes/{name}")
            population["node_type_id"] = np.array(types)
            population["node_group_id"] = np.zeros(len(types), int)
            population["node_group_index"] = np.arange(len(types))
            population["node_id"] = np.arange(len(types))
            population["0/tuning"] = np.linspace(0, 1, len(types))
            population["0/positions"] = np.zeros((len(types), 3))
            population["0/@library/layer"] = np.array([b"L4", b"L5"])
            population["0/layer"] = np.arange(len(types)) % 2
    (folder / "v1_node_types.csv").write_text(
        'node_type_id ei pop_name\n100 e "excitatory of V1"\n101 i PV\n200 e LGN\n'
    )
    with h5py.File(folder / "v1_edges.h5", "w") as file:
        for name, pre, post, pairs in (
            ("v1_to_v1", "v1", "v1", [(0, 1), (2, 0)]), ("lgn_to_v1", "lgn", "v1", [(0, 2)])
        ):  # fmt: skip
            population = file.create_group(f"edges/{name}")
            for side, k, of in (("source", 0, pre), ("target", 1, post)):
                population[f"{side}_node_id"] = np.array([pair[k] for pair in pairs])
                population[f"{side}_node_id"].attrs["node_population"] = of
            population["edge_type_id"] = np.ones(len(pairs), int)
            population["0/syn_weight"] = np.arange(1.0, len(pairs) + 1)


def test_a_network_of_others(tmp_path: Path) -> None:
    foreign(tmp_path)
    roles = ("pop_name", {"LGN": "sensory", "excitatory of V1": "motor", "PV": "inter"})
    circuit = circuit_from(tmp_path / "v1_edges.h5", roles=roles, polarity=("ei", {"e": 1, "i": -1}))
    assert list(circuit) == ["lgn_0", "v1_0", "v1_1", "v1_2"]
    assert circuit.nodes["v1_1"] == {
        "ei": "e", "pop_name": "excitatory of V1", "tuning": 0.5, "layer": "L5", "role": "motor"
    }  # fmt: skip
    assert dict(circuit.edges["v1_2", "v1_0"]) == {"weight": 2.0, "polarity": -1}
    assert circuit.edges["lgn_0", "v1_2"]["polarity"] == 1
    assert "'positions' of /nodes/v1/0 was left out: it has 2 axes" in str(circuit.origin)


def test_edges_name_nodes_by_their_own_numbers(tmp_path: Path) -> None:
    foreign(tmp_path)
    how = {
        "roles": ("pop_name", {"LGN": "sensory", "excitatory of V1": "motor", "PV": "inter"}),
        "polarity": 1,
    }
    with h5py.File(tmp_path / "v1_nodes.h5", "r+") as file:
        file["nodes/v1/node_id"][:] = [2, 0, 1]
    circuit = circuit_from(tmp_path / "v1_edges.h5", **how)
    assert [circuit.nodes[f"v1_{k}"]["tuning"] for k in (2, 0, 1)] == [0.0, 0.5, 1.0]
    assert set(circuit.edges) == {("v1_0", "v1_1"), ("v1_2", "v1_0"), ("lgn_0", "v1_2")}
    with h5py.File(tmp_path / "v1_nodes.h5", "r+") as file:
        file["nodes/v1/node_id"][:] = [2, 0, 0]
    with pytest.raises(CircuitError, match="node_id has 2 numbers for 3 nodes"):
        circuit_from(tmp_path / "v1_edges.h5", **how)


def spoil(folder: Path, how: str) -> None:
    nodes, edges = folder / "v1_nodes.h5", folder / "v1_edges.h5"
    if how == "text":
        nodes.write_text("no HDF5")
    elif how == "cut":
        nodes.write_bytes(nodes.read_bytes()[:900])
    elif how == "table":
        (folder / "v1_node_types.csv").write_text("node_type_id ei\n100\n")
    else:
        with h5py.File(edges, "r+") as file:
            population = file["edges/v1_to_v1"]
            if how == "beyond":
                population["target_node_id"][0] = 99
            elif how == "population":
                population["source_node_id"].attrs["node_population"] = "v2"
            elif how == "link":
                del population["source_node_id"]
                population["source_node_id"] = h5py.ExternalLink("/etc/passwd", "/x")
            elif how == "bomb":
                del population["source_node_id"]
                population.create_dataset("source_node_id", (10**12,), "i8", chunks=(1000,))
            elif how == "group":
                population["edge_group_id"], population["edge_group_index"] = np.array([0, 7]), np.arange(2)
            elif how == "none":
                del file["edges"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("text", "v1_nodes.h5: this is no SONATA file, or it is damaged: "),
        ("cut", "v1_nodes.h5: this is no SONATA file, or it is damaged: "),
        ("table", "v1_node_types.csv, line 2: expected 2 cells, as in the header, got 1"),
        ("beyond", "population 'v1_to_v1': target_node_id names node 99, but 'v1' has 3 nodes"),
        ("population", "source_node_id is of the population 'v2', which the nodes do not have"),
        ("link", "population 'v1_to_v1': there is no source_node_id"),
        ("bomb", "source_node_id has shape (1000000000000,): expected one axis of at most"),
        ("group", "one edge is said to be number 1 of group 7, which is not there"),
        ("none", "there are no /edges in it: a SONATA network has nodes and edges"),
    ],
)
def test_wrong_files(how: str, said: str, tmp_path: Path) -> None:
    foreign(tmp_path)
    spoil(tmp_path, how)
    with pytest.raises(CircuitError) as caught:
        read(tmp_path / "v1_nodes.h5", roles="infer", polarity=1)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("a/b", 1, "an attribute named 'a/b', which HDF5 cannot call a column"),
        ("neuron", "x", "has an attribute 'neuron', which in SONATA is its name"),
        ("n", 2**70, "is a number of more than 64 bits"),
        ("n", "a\0b", "holds a character that HDF5 does not"),
        ("n", [1], "is a list; SONATA holds texts, numbers and booleans"),
    ],
)
def test_what_it_has_no_place_for(attribute: str, value: object, said: str, tmp_path: Path) -> None:
    circuit = auto_ncp(6, 2, inputs=2)
    circuit.nodes["motor_0"][attribute] = value
    with pytest.raises(CircuitError) as caught:
        write(circuit, tmp_path / "c.h5")
    assert said in str(caught.value)
    assert not list(tmp_path.iterdir())
