"""Files: what is written comes back, in every format, and replaces what was there as a whole."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Callable
from enum import IntEnum
from inspect import signature
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganglion import storage
from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, read, write

ENDINGS = [".json", ".graphml", ".csv"]


def contents(graph: nx.DiGraph[Any]) -> tuple[Any, ...]:
    return list(graph.nodes(data=True)), list(graph.edges(data=True)), graph.graph


def reflex() -> Circuit:
    circuit = Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neuron("leg", role="motor")
    circuit.add_synapse("eye", "leg", polarity=-1)
    return circuit


# Circuits as users may make them

any_text = st.text(min_size=1, max_size=8)  # of any character but surrogates: commas, quotes, line ends, NUL
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&\"', ;"),
    min_size=1,
    max_size=8,
)
plain_numbers = st.integers() | st.floats(allow_nan=False) | st.booleans()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def circuits(
    draw: st.DrawFn,
    names: st.SearchStrategy[Any],
    keys: st.SearchStrategy[str],
    values: st.SearchStrategy[Any],
) -> Circuit:
    """Circuits with extra attributes; nothing in them need make sense."""
    circuit = Circuit()
    keys = keys.filter(
        lambda key: key not in ("role", "polarity", "id", "source", "target", "neuron", "pre", "post")
    )
    extra = st.dictionaries(keys, values, max_size=2)
    circuit.graph.update(draw(extra))
    chosen = draw(st.lists(names, max_size=5, unique_by=(lambda name: name, str)))
    roles = st.sampled_from(["sensory", "inter", "command", "motor"])
    for name in chosen:
        circuit.add_nodes_from([(name, {"role": draw(roles), **draw(extra)})])
    if chosen:
        pairs = st.lists(st.tuples(*[st.sampled_from(chosen)] * 2), max_size=6, unique=True)
        for pre, post in draw(pairs):
            circuit.add_edges_from([(pre, post, {"polarity": draw(st.sampled_from([1, -1])), **draw(extra)})])
    return circuit


json_names = st.recursive(
    any_text | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2).map(tuple),
    max_leaves=3,
)
in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestRoundTrip:
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_a_generated_circuit(self, ending: str, tmp_path: Path) -> None:
        circuit = auto_ncp(32, 4, inputs=6)
        write(circuit, tmp_path / f"c{ending}")
        again = read(tmp_path / f"c{ending}")
        assert type(again) is Circuit
        assert contents(again) == contents(circuit)

    @in_one_folder
    @given(circuits(json_names, st.text(max_size=8), json_values))
    def test_json_keeps_everything(self, tmp_path: Path, circuit: Circuit) -> None:
        write(circuit, tmp_path / "c.json")
        again = read(tmp_path / "c.json")
        assert contents(again) == contents(circuit)
        assert [type(name) for name in again] == [type(name) for name in circuit]

    @in_one_folder
    @given(circuits(xml_text, xml_text, xml_text | st.just("") | plain_numbers))
    def test_graphml_keeps_texts_and_numbers(self, tmp_path: Path, circuit: Circuit) -> None:
        write(circuit, tmp_path / "c.graphml")
        assert contents(read(tmp_path / "c.graphml")) == contents(circuit)

    @in_one_folder
    @given(st.data())
    def test_csv_keeps_texts_and_numbers(self, tmp_path: Path, data: st.DataObject) -> None:
        texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
        kind = data.draw(st.sampled_from([texts, st.integers(), st.floats(allow_nan=False), st.booleans()]))
        circuit = data.draw(circuits(texts, texts, kind))
        circuit.graph.clear()
        write(circuit, tmp_path / "c.csv")
        assert contents(read(tmp_path / "c.csv")) == contents(circuit)

    def test_json_keeps_lone_surrogates(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["label"] = "\udc80"
        write(circuit, tmp_path / "c.json")
        assert contents(read(tmp_path / "c.json")) == contents(circuit)

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_numpy_scalars_become_numbers(self, ending: str, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"].update(a=np.float32(0.5), b=np.int64(3), c=np.bool_(True), d=np.str_("x"))
        circuit.edges["eye", "leg"]["polarity"] = np.int8(-1)
        write(circuit, tmp_path / f"c{ending}")
        again = read(tmp_path / f"c{ending}")
        assert again.nodes["eye"] == {"role": "sensory", "a": 0.5, "b": 3, "c": True, "d": "x"}
        assert [type(again.nodes["eye"][key]) for key in "abcd"] == [float, int, bool, str]
        assert again.edges["eye", "leg"] == {"polarity": -1}

    def test_json_turns_tuples_and_arrays_into_lists(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"].update(position=(0.5, np.float64(1)), matrix=np.eye(2, dtype=int))
        write(circuit, tmp_path / "c.json")
        assert read(tmp_path / "c.json").nodes["eye"] == {
            "role": "sensory",
            "position": [0.5, 1.0],
            "matrix": [[1, 0], [0, 1]],
        }

    def test_names_that_are_no_texts(self, tmp_path: Path) -> None:
        circuit = nx.relabel_nodes(reflex(), {"eye": 3, "leg": (0, 1)})
        for ending in ENDINGS:
            write(circuit, tmp_path / f"c{ending}")
        assert list(read(tmp_path / "c.json")) == [3, (0, 1)]
        assert list(read(tmp_path / "c.graphml")) == list(read(tmp_path / "c.csv")) == ["3", "(0, 1)"]

    def test_any_digraph_with_roles_and_polarities(self, tmp_path: Path) -> None:
        write(nx.DiGraph(reflex()), tmp_path / "c.json")
        assert contents(read(tmp_path / "c.json")) == contents(reflex())

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_an_empty_circuit(self, ending: str, tmp_path: Path) -> None:
        write(Circuit(), tmp_path / f"c{ending}")
        assert len(read(tmp_path / f"c{ending}")) == 0

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_writing_changes_nothing(self, ending: str, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["x"] = np.float32(1)
        write(circuit, tmp_path / f"c{ending}")
        assert isinstance(circuit.nodes["eye"]["x"], np.float32)


class TestOthersReadIt:
    def test_networkx_reads_our_json(self, tmp_path: Path) -> None:
        circuit = auto_ncp(16, 4, inputs=3)
        write(circuit, tmp_path / "c.json")
        document = json.loads((tmp_path / "c.json").read_text("utf-8"))
        reader = nx.node_link_graph
        argument = "edges" if "edges" in signature(reader).parameters else "link"  # before networkx 3.4
        graph = reader(document, **{argument: "edges"})
        assert contents(graph) == contents(circuit)

    def test_networkx_reads_our_graphml(self, tmp_path: Path) -> None:
        circuit = auto_ncp(16, 4, inputs=3)
        circuit.nodes["inter_0"].update(bias=0.5, fixed=True, label="<&> é")
        circuit.graph["name"] = "small"
        write(circuit, tmp_path / "c.graphml")
        graph = nx.read_graphml(tmp_path / "c.graphml")
        assert contents(graph)[:2] == contents(circuit)[:2]
        assert graph.graph["name"] == "small"

    def test_we_read_graphml_of_networkx(self, tmp_path: Path) -> None:
        circuit = auto_ncp(16, 4, inputs=3)
        circuit.nodes["inter_0"].update(bias=0.5, fixed=True, label="<&> é")
        nx.write_graphml(nx.DiGraph(circuit), tmp_path / "c.graphml")
        assert contents(read(tmp_path / "c.graphml")) == contents(circuit)

    def test_json_is_one_line_per_neuron_and_synapse(self, tmp_path: Path) -> None:
        write(reflex(), tmp_path / "c.json")
        assert (tmp_path / "c.json").read_text("utf-8").splitlines() == [
            '{"format": "ganglion-circuit", "version": 1, "directed": true, "multigraph": false,',
            '"graph": {},',
            '"nodes": [',
            ' {"id": "eye", "role": "sensory"},',
            ' {"id": "leg", "role": "motor"}',
            "],",
            '"edges": [',
            ' {"source": "eye", "target": "leg", "polarity": -1}',
            "]}",
        ]

    def test_csv_is_two_plain_tables(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["leg"].update(label="left, hind", mass=0.5, fixed=True)
        circuit.edges["eye", "leg"]["delay"] = 2
        write(circuit, tmp_path / "c.csv")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c.neurons.csv", "c.synapses.csv"]
        assert (tmp_path / "c.neurons.csv").read_text("utf-8").splitlines() == [
            "neuron,role,label,mass:float,fixed:bool",
            "eye,sensory,,,",
            'leg,motor,"left, hind",0.5,true',
        ]
        assert (tmp_path / "c.synapses.csv").read_text("utf-8").splitlines() == [
            "pre,post,polarity,delay:int",
            "eye,leg,-1,2",
        ]

    @pytest.mark.parametrize("name", ["c.csv", "c.neurons.csv", "c.synapses.csv"])
    def test_either_table_stands_for_both(self, name: str, tmp_path: Path) -> None:
        write(reflex(), tmp_path / name)
        assert contents(read(tmp_path / name)) == contents(reflex())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c.neurons.csv", "c.synapses.csv"]


class Level(IntEnum):
    HIGH = 2


class TestWhatCannotBeWritten:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ({1, 2}, "it holds a set"),
            (b"x", "it holds a bytes"),
            (1 + 2j, "it holds a complex"),
            (np.complex64(1), "it holds a complex"),
            (float("nan"), "it holds nan, which JSON does not have"),
            ([1, {"x": np.inf}], "it holds inf, which JSON does not have"),
            ({3: "x"}, "it holds a dict with the key 3, and JSON has only texts as keys"),
            (Path("x"), "it holds a PosixPath"),
        ],
    )
    def test_json(self, value: Any, reason: str, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["leg"]["extra"] = value
        with pytest.raises(CircuitError) as caught:
            write(circuit, tmp_path / "c.json")
        assert str(caught.value) == f"attribute 'extra' of neuron 'leg' cannot be written to JSON: {reason}"
        del circuit.nodes["leg"]["extra"]
        circuit.edges["eye", "leg"]["extra"] = value
        with pytest.raises(CircuitError, match=r"attribute 'extra' of synapse 'eye' -> 'leg' cannot"):
            write(circuit, tmp_path / "c.json")
        assert list(tmp_path.iterdir()) == []

    def test_json_of_a_value_in_itself(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.graph["loop"] = []
        circuit.graph["loop"].append(circuit.graph["loop"])
        with pytest.raises(
            CircuitError, match="attribute 'loop' of the circuit cannot be written to JSON: it is nested"
        ):
            write(circuit, tmp_path / "c.json")

    def test_json_of_an_integer_without_end(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["big"] = 10**5000
        with pytest.raises(CircuitError, match=r"neuron 'eye' cannot be written to JSON: .*integer string"):
            write(circuit, tmp_path / "c.json")

    @pytest.mark.parametrize("name", [frozenset({1}), float("inf"), (1, None)])
    def test_json_of_other_names(self, name: Any, tmp_path: Path) -> None:
        with pytest.raises(CircuitError, match=r"the name .* is a .*; JSON holds texts, numbers and tuples"):
            write(nx.relabel_nodes(reflex(), {"eye": name}), tmp_path / "c.json")

    def test_json_of_the_keys_it_uses(self, tmp_path: Path) -> None:
        """Attributes may have the names that the form uses itself, or their escaped form."""
        circuit = reflex()
        circuit.nodes["eye"].update({"id": 5, "@id": 6, "@@id": 7, "@x": 8})
        circuit.edges["eye", "leg"].update(source="textbook", target=3)
        write(circuit, tmp_path / "c.json")
        assert contents(read(tmp_path / "c.json")) == contents(circuit)

    @pytest.mark.parametrize("ending", [".graphml", ".csv"])
    @pytest.mark.parametrize("value", [[1], None, {"a": 1}, Level.HIGH])
    def test_graphml_and_csv(self, ending: str, value: Any, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["leg"]["extra"] = value
        kind = type(value).__name__
        with pytest.raises(CircuitError, match=f"attribute 'extra' of neuron 'leg' is a {kind}; .* numbers"):
            write(circuit, tmp_path / f"c{ending}")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("ending", [".graphml", ".csv"])
    def test_names_with_the_same_text(self, ending: str, tmp_path: Path) -> None:
        circuit = nx.relabel_nodes(reflex(), {"eye": 1, "leg": "1"})
        with pytest.raises(CircuitError, match="neurons 1 and '1' would both be called '1' in this format"):
            write(circuit, tmp_path / f"c{ending}")
        write(circuit, tmp_path / "c.json")
        assert list(read(tmp_path / "c.json")) == [1, "1"]

    def test_graphml_of_characters_that_xml_forbids(self, tmp_path: Path) -> None:
        with pytest.raises(
            CircuitError, match=r"neuron 'e\\x00' holds the character '\\x00', which XML forbids"
        ):
            write(nx.relabel_nodes(reflex(), {"eye": "e\0"}), tmp_path / "c.graphml")
        circuit = reflex()
        circuit.nodes["eye"]["label"] = "\udc80"
        with pytest.raises(CircuitError, match="attribute 'label' of neuron 'eye' holds the character"):
            write(circuit, tmp_path / "c.graphml")

    @pytest.mark.parametrize("ending", [".graphml", ".csv"])
    def test_an_integer_without_end(self, ending: str, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["big"] = 10**5000
        with pytest.raises(CircuitError, match=r"neuron 'eye' cannot be written: .*integer string"):
            write(circuit, tmp_path / f"c{ending}")

    def test_graphml_of_an_attribute_of_the_circuit_that_no_text_names(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.graph[1] = "one"
        with pytest.raises(CircuitError, match="the circuit has an attribute named 1; in files only texts"):
            write(circuit, tmp_path / "c.graphml")

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            (("text", 1), "attribute 'x' of neuron 'leg' is 1, but another one is of type str"),
            ((True, 1), "attribute 'x' of neuron 'leg' is 1, but another one is of type bool"),
            (
                (0.5, 2**60),
                "attribute 'x' of neuron 'leg' is 1152921504606846976, but another one is of type float",
            ),
            (
                (2**60 + 1, 0.5),
                "attribute 'x' of neuron 'eye' is 1152921504606846977, but another one is of type float",
            ),
            (
                ("", "b"),
                "attribute 'x' of neuron 'eye' is an empty text, which in CSV means that it is not set",
            ),
            (("a", "b" * 200_000), "neuron 'leg' holds over 131072 characters in one cell"),
            (("a\0", "b"), r"neuron 'eye' holds the character '\\x00', which CSV cannot hold"),
            (("a", "\ud800"), r"neuron 'leg' holds the character '\\ud800', which CSV cannot hold"),
        ],
    )
    def test_csv_cells(self, values: tuple[Any, Any], reason: str, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["x"], circuit.nodes["leg"]["x"] = values
        with pytest.raises(CircuitError, match=reason):
            write(circuit, tmp_path / "c.csv")

    def test_csv_mixes_integers_and_floats(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.nodes["eye"]["x"], circuit.nodes["leg"]["x"] = 1, 0.5
        write(circuit, tmp_path / "c.csv")
        assert read(tmp_path / "c.csv").nodes["eye"]["x"] == 1

    def test_csv_of_an_attribute_called_like_a_column(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.edges["eye", "leg"]["post"] = 1
        with pytest.raises(
            CircuitError, match="synapse 'eye' -> 'leg' has an attribute 'post', which is a column"
        ):
            write(circuit, tmp_path / "c.csv")

    def test_csv_warns_about_attributes_of_the_circuit(self, tmp_path: Path) -> None:
        circuit = reflex()
        circuit.graph["name"] = "reflex"
        with pytest.warns(
            UserWarning, match="attributes of the circuit itself: name will be missing"
        ) as caught:
            write(circuit, tmp_path / "c.csv")
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_faulty_circuits(self, ending: str, tmp_path: Path) -> None:
        path = tmp_path / f"c{ending}"
        circuit = reflex()
        del circuit.nodes["leg"]["role"]
        with pytest.raises(CircuitError, match="neuron 'leg' has no role"):
            write(circuit, path)
        circuit.nodes["leg"]["role"] = "muscle"
        with pytest.raises(
            CircuitError, match="neuron 'leg': unknown role 'muscle'; expected one of sensory"
        ):
            write(circuit, path)
        circuit.nodes["leg"]["role"] = "motor"
        circuit.edges["eye", "leg"]["polarity"] = 0.5
        with pytest.raises(
            CircuitError, match=r"synapse 'eye' -> 'leg' has polarity 0.5; expected \+1 or -1"
        ):
            write(circuit, path)
        del circuit.edges["eye", "leg"]["polarity"]
        with pytest.raises(CircuitError, match="synapse 'eye' -> 'leg' has no polarity"):
            write(circuit, path)
        circuit.nodes["eye"][7] = "seven"
        with pytest.raises(CircuitError, match="neuron 'eye' has an attribute named 7; in files only texts"):
            write(circuit, path)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("graph", [nx.Graph(), nx.MultiDiGraph(), {"nodes": []}])
    def test_no_digraph(self, graph: Any, tmp_path: Path) -> None:
        with pytest.raises(TypeError, match=r"write\(\) takes a networkx.DiGraph, got"):
            write(graph, tmp_path / "c.json")


class TestEndings:
    @pytest.mark.parametrize("name", ["c.yaml", "c", ".json", "json", ".gz"])
    def test_unknown(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=rf"{name} must end in \.json, .*, \.graphml, .*[.]gz"):
            write(reflex(), tmp_path / name)
        with pytest.raises(FileNotFoundError, match="there is no file"):
            read(tmp_path / name)
        (tmp_path / name).write_text("To whom it may concern")
        with pytest.raises(
            ValueError, match=r"its format cannot be told; expected the ending \.json, .* or format="
        ):
            read(tmp_path / name)

    def test_in_capitals(self, tmp_path: Path) -> None:
        for name in ("C.JSON", "C.GraphML", "C.CSV"):
            write(reflex(), tmp_path / name)
            assert contents(read(tmp_path / name)) == contents(reflex())
        assert (tmp_path / "C.neurons.CSV").exists()

    def test_paths_may_be_texts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        write(reflex(), "c.json")
        assert contents(read("c.json")) == contents(reflex())


def failing_replace(times: int) -> Callable[[Any, Any], None]:
    """`os.replace`, but the call after `times` calls fails; those after that succeed again."""
    calls = iter(range(1000))
    replace = os.replace

    def fail(source: Any, target: Any) -> None:
        if next(calls) == times:
            raise OSError(28, "No space left on device")
        replace(source, target)

    return fail


class Killed(BaseException):
    """Stands for a crash: from here on nothing is done any more."""


def crashing_replace(times: int) -> Callable[[Any, Any], None]:
    calls = iter(range(1000))
    replace = os.replace

    def crash(source: Any, target: Any) -> None:
        if next(calls) >= times:
            raise Killed
        replace(source, target)

    return crash


def dying_replace(times: int) -> Callable[[Any, Any], None]:
    calls = iter(range(1000))
    replace = os.replace

    def die(source: Any, target: Any) -> None:
        if next(calls) >= times:
            os._exit(9)
        replace(source, target)

    return die


class TestAtomicWriting:
    @pytest.fixture(params=ENDINGS)
    def path(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        return tmp_path / f"c{request.param}"

    def bigger(self) -> Circuit:
        circuit = reflex()
        circuit.add_neuron("hub")
        circuit.add_synapse("eye", "hub")
        return circuit

    def test_nothing_else_is_left(self, path: Path) -> None:
        for circuit in (reflex(), self.bigger()):
            write(circuit, path)
            assert contents(read(path)) == contents(circuit)
        assert len(list(path.parent.iterdir())) == (2 if path.suffix == ".csv" else 1)

    @pytest.mark.parametrize("times", range(5))
    def test_a_failing_disk(self, path: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        write(reflex(), path)
        before = sorted(path.parent.iterdir())
        monkeypatch.setattr(storage.os, "replace", failing_replace(times))
        renames = 4 if path.suffix == ".csv" else 1
        if times < renames:
            with pytest.raises(OSError, match="No space left"):
                write(self.bigger(), path)
            assert contents(read(path)) == contents(reflex())
        else:
            write(self.bigger(), path)
        assert sorted(path.parent.iterdir()) == before

    def test_a_failing_write(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: int) -> None:
            raise OSError(28, "No space left on device")

        write(reflex(), path)
        before = sorted(path.parent.iterdir())
        monkeypatch.setattr(storage.os, "fsync", fail)
        with pytest.raises(OSError, match="No space left") as caught:
            write(self.bigger(), path)
        assert caught.value.filename in map(str, before)
        assert sorted(path.parent.iterdir()) == before
        assert contents(read(path)) == contents(reflex())

    @pytest.mark.parametrize("times", range(5))
    def test_a_crash_between_renames(self, path: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever is there afterwards reads as the old circuit or the new one, or is an error."""
        write(reflex(), path)
        with monkeypatch.context() as patch:
            patch.setattr(storage.os, "replace", crashing_replace(times))
            with contextlib.suppress(Killed):
                write(self.bigger(), path)
        try:
            found = contents(read(path))
        except FileNotFoundError:
            assert path.suffix == ".csv"
        else:
            assert found in (contents(reflex()), contents(self.bigger()))

    def test_the_next_write_removes_what_a_crash_left(self, path: Path) -> None:
        """A process that ends in the middle of a write: after the new files, after each rename."""
        write(reflex(), path)
        before = sorted(path.parent.iterdir())
        for times in range(4 if path.suffix == ".csv" else 1):
            child = os.fork()
            if child == 0:
                try:
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setattr(storage.os, "replace", dying_replace(times))
                        write(self.bigger(), path)
                finally:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
            assert sorted(path.parent.iterdir()) != before
            write(reflex(), path)
            assert sorted(path.parent.iterdir()) == before

    def test_files_of_a_writer_at_work_stay(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process writes the same file between our writing and our renaming."""
        replace, others = os.replace, []

        def meanwhile(source: Any, target: Any) -> None:
            monkeypatch.setattr(storage.os, "replace", replace)
            child = os.fork()
            if child == 0:
                try:
                    write(reflex(), path)
                    os._exit(0)
                finally:
                    os._exit(1)
            others.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            replace(source, target)

        monkeypatch.setattr(storage.os, "replace", meanwhile)
        write(self.bigger(), path)
        assert others == [0]
        assert contents(read(path)) == contents(self.bigger())

    def test_a_pipe_is_refused(self, tmp_path: Path) -> None:
        """Renaming over a device would remove it."""
        os.mkfifo(tmp_path / "c.json")
        with pytest.raises(OSError, match=r"cannot write .*c.json: it is no regular file"):
            write(reflex(), tmp_path / "c.json")
        assert (tmp_path / "c.json").is_fifo()

    def test_permissions(self, path: Path) -> None:
        mask = os.umask(0o027)
        try:
            write(reflex(), path)
        finally:
            os.umask(mask)
        files = list(path.parent.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o640}
        for file in files:
            file.chmod(0o604)
        write(self.bigger(), path)
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o604}

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        link = tmp_path / "c.json"
        link.symlink_to(tmp_path / "data" / "real.json")
        write(reflex(), link)
        assert link.is_symlink()
        assert contents(read(tmp_path / "data" / "real.json")) == contents(reflex())
        assert list((tmp_path / "data").iterdir()) == [tmp_path / "data" / "real.json"]

    def test_a_long_name(self, tmp_path: Path) -> None:
        path = tmp_path / f"{'n' * 250}.json"
        write(reflex(), path)
        assert contents(read(path)) == contents(reflex())

    def test_no_such_directory(self, path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"cannot write .*: there is no directory .*nowhere"):
            write(reflex(), path.parent / "nowhere" / path.name)

    def test_a_directory_of_that_name(self, tmp_path: Path) -> None:
        (tmp_path / "c.json").mkdir()
        with pytest.raises(IsADirectoryError, match=r"cannot write .*c.json: it is a directory"):
            write(reflex(), tmp_path / "c.json")

    def test_a_read_only_directory(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(storage.os, "access", lambda *_: False)  # a superuser may write to any directory
        with pytest.raises(PermissionError, match=r"cannot write .*: the directory .* is read-only"):
            write(reflex(), path)
        assert list(path.parent.iterdir()) == []

    def test_a_read_only_file(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(reflex(), path)
        monkeypatch.setattr(storage.os, "access", lambda *_: False)  # a superuser may write to any file
        with pytest.raises(PermissionError, match="the file is read-only"):
            write(self.bigger(), path)
        assert contents(read(path)) == contents(reflex())
