"""A file that cannot be read says what is wrong and where, and never a traceback from inside a parser."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganglion.errors import CircuitError
from ganglion.wiring import Circuit, auto_ncp, read, write
from ganglion.wiring.files import source

NODES = [{"id": "eye", "role": "sensory"}, {"id": "leg", "role": "motor"}]
EDGE = {"source": "eye", "target": "leg", "polarity": -1}


def document(**changes: Any) -> str:
    content = {"format": "ganglion-circuit", "version": 1, "graph": {}, "nodes": NODES, "edges": [EDGE]}
    return json.dumps({**content, **changes})


def graphml(body: str, keys: str = "", head: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    return (
        f"{head}\n"
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
        '<key id="r" for="node" attr.name="role" attr.type="string"/>\n'
        f'<key id="p" for="edge" attr.name="polarity" attr.type="int"/>{keys}\n'
        f'<graph edgedefault="directed">\n{body}\n</graph></graphml>\n'
    )


EYE = '<node id="eye"><data key="r">sensory</data></node>'
LEG = '<node id="leg"><data key="r">motor</data></node>'
TO_LEG = '<edge source="eye" target="leg"><data key="p">-1</data></edge>'


def refusal(path: Path, content: str | bytes) -> str:
    """What `read` says about a file, without the path, which must stand in front."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return said_about(path)


def said_about(path: Path) -> str:
    with pytest.raises(CircuitError) as caught:
        read(path)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    message = str(caught.value)
    assert message.startswith(str(path.with_name(path.stem)))
    return re.sub(r"^[,:] ", "", message.removeprefix(str(path)))


class TestJson:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "c.json"

    def test_the_sound_file(self, path: Path) -> None:
        path.write_text(document())
        assert read(path).synapses() == [("eye", "leg", -1)]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "the file is empty"),
            (" \n\n", "the file is empty"),
            (document()[:-30], "line 1, column 164: this is not JSON: Unterminated string starting at"),
            (
                '{"format":\n "ganglion-circuit",\n "version" 1}',
                "line 3, column 12: this is not JSON: Expecting ':' delimiter",
            ),
            (
                "{'format': 1}",
                "line 1, column 2: this is not JSON: Expecting property name enclosed in double quotes",
            ),
            (b"\x00\x01\x02\x03", "line 1, column 1: this is not JSON: Expecting value"),
            (b"\x89PNG\r\n\x1a\n", "line 1: byte 0 is 0x89, which is not UTF-8 text"),
            (document().encode("utf-16")[:-1], "line 1: byte 394 is 0x7d, which is not UTF-16 text"),
            (b'{\n "a": "\xe9"}', "line 2: byte 9 is 0xe9, which is not UTF-8 text"),
            ("[" * 100_000, "the JSON is nested too deeply"),
            # Python's parser is content with this depth, but a name of that many lists is not.
            (
                document(nodes=[{"id": 8}]).replace("8", "[" * 900 + "]" * 900),
                "nodes[0]: a name is nested too deeply",
            ),
            (
                document(edges=[{**EDGE, "polarity": "x" * 1000}]),
                f"edges[0]: synapse 'eye' -> 'leg' has polarity '{'x' * 199}...; expected +1 or -1",
            ),
            ("[]", 'not a circuit: expected an object with "format": "ganglion-circuit", or with "nodes"'),
            ("3", 'not a circuit: expected an object with "format": "ganglion-circuit", or with "nodes"'),
            ('{"nodes": []}', 'not a circuit: expected an object with "format": "ganglion-circuit"'),
            ('{"nodes": [], "links": [{"source": 1}]}', 'edges[0]: there is no "target" in {}'),
            ('{"nodes": [1], "links": []}', "nodes[0]: expected an object, got 1"),
            (
                '{"nodes": [{"id": 1}], "adjacency": []}',
                "adjacency: expected one list for each of 1 node",
            ),
            ('{"elements": {"nodes": [{}]}}', "nodes[0]: expected an object, got None"),
            (document(version=2), "the format's version is 2; this release reads version 1"),
            (document(version=None), "the format's version is None; this release reads version 1"),
            (document(version=True), "the format's version is True; this release reads version 1"),
            (document(directed=False), 'expected "directed": true and "multigraph": false'),
            (document(multigraph=True), 'expected "directed": true and "multigraph": false'),
            (document(graph=[]), '"graph" must be an object of attributes, got []'),
            (document(nodes={"a": 1}), "\"nodes\" must be a list, got {'a': 1}"),
            (document(edges=None), '"edges" must be a list, got None'),
            (document(nodes=["eye"]), "nodes[0]: expected an object, got 'eye'"),
            (document(nodes=[{"role": "motor"}]), "nodes[0]: there is no \"id\" in {'role': 'motor'}"),
            (document(nodes=[{"id": "eye"}], edges=[]), "nodes[0]: neuron 'eye' has no role"),
            (
                document(nodes=[{"id": None, "role": "motor"}]),
                "nodes[0]: a name is a text, a number or a list of these, got None",
            ),
            (
                document(nodes=[{"id": {"a": 1}, "role": "motor"}]),
                "nodes[0]: a name is a text, a number or a list of these, got {'a': 1}",
            ),
            (
                document(nodes=[{"id": "", "role": "motor"}]),
                "nodes[0]: a neuron's name must have a text that is not empty, got ''",
            ),
            (
                document(nodes=[*NODES, {"id": "x", "role": "muscle"}]),
                "nodes[2]: neuron 'x': unknown role 'muscle'; expected one of sensory, inter, command, motor",
            ),
            (
                document(nodes=[{"id": "x", "role": ["motor"]}], edges=[]),
                "nodes[0]: neuron 'x': unknown role ['motor']; "
                "expected one of sensory, inter, command, motor",
            ),
            (document(nodes=NODES[:1] * 2), "nodes[1]: neuron 'eye' is given twice"),
            (document(edges=[EDGE, EDGE]), "edges[1]: synapse 'eye' -> 'leg' is given twice"),
            (
                document(edges=[{**EDGE, "target": "arm"}]),
                "edges[0]: synapse 'eye' -> 'arm': there is no neuron 'arm'",
            ),
            (
                document(edges=[{**EDGE, "polarity": 2}]),
                "edges[0]: synapse 'eye' -> 'leg' has polarity 2; expected +1 or -1",
            ),
            (
                document(edges=[{**EDGE, "polarity": "1"}]),
                "edges[0]: synapse 'eye' -> 'leg' has polarity '1'; expected +1 or -1",
            ),
            (
                document(edges=[{**EDGE, "polarity": True}]),
                "edges[0]: synapse 'eye' -> 'leg' has polarity True; expected +1 or -1",
            ),
            (
                document(edges=[{"source": "eye", "target": "leg"}]),
                "edges[0]: synapse 'eye' -> 'leg' has no polarity",
            ),
            (document(edges=[{"source": "eye"}]), "edges[0]: there is no \"target\" in {'source': 'eye'}"),
            (
                document().replace('"motor"', '"motor", "role": "inter"'),
                "the key 'role' is given twice in {'id': 'leg', 'role': 'inter'}",
            ),
            (document(graph={"NaN": '"NaN'}).replace("-1", "\nNaN"), "line 2: NaN is not JSON"),
            (document().replace("-1", "-Infinity"), "line 1: -Infinity is not JSON"),
        ],
    )
    def test_refusal(self, path: Path, content: str | bytes, message: str) -> None:
        assert refusal(path, content).startswith(message)

    def test_a_number_without_end(self, path: Path) -> None:
        assert "a number has thousands of digits" in refusal(
            path, document(version=0).replace("0", "1" * 5000)
        )

    def test_the_key_that_is_given_twice_is_found_among_many(self, path: Path) -> None:
        attributes = "".join(f'"k{i}": 1, ' for i in range(100_000))
        assert refusal(path, f'{{{attributes}"k99999": 2}}').startswith("the key 'k99999' is given twice")

    def test_byte_order_mark_and_windows_lines(self, path: Path) -> None:
        path.write_bytes(b"\xef\xbb\xbf" + document().replace(", ", ",\r\n").encode())
        assert read(path).synapses() == [("eye", "leg", -1)]

    def test_a_file_of_networkx(self, path: Path) -> None:
        """Polarities may be whole floats, and the networkx keys may be missing."""
        path.write_text(document(edges=[{**EDGE, "polarity": -1.0}]))
        assert type(read(path).edges["eye", "leg"]["polarity"]) is int


class TestGraphml:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "c.graphml"

    def test_the_sound_file(self, path: Path) -> None:
        path.write_text(graphml(EYE + LEG + TO_LEG))
        assert read(path).synapses() == [("eye", "leg", -1)]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "the file is empty"),
            (graphml(EYE)[:-20], "line 6, column 51: this is not XML: no element found"),
            (graphml("<node"), "line 7, column 1: this is not XML: not well-formed (invalid token)"),
            (b"\x00\x01\x02", "line 1, column 1: this is not XML: not well-formed (invalid token)"),
            (b"\x89PNG\r\n", "line 1, column 1: this is not XML: not well-formed (invalid token)"),
            (b'<graphml a="\xff"/>', "line 1, column 13: this is not XML: not well-formed (invalid token)"),
            (
                graphml("", head='<?xml version="1.0" encoding="klingon"?>'),
                "line 1: this is not XML: unknown encoding: klingon",
            ),
            ("<svg/>", "line 1: the outermost element is <svg>; expected <graphml>"),
            ("<graphml/>", "line 1: there is no <graph>"),
            (
                "<graphml>\n<graph/></graphml>",
                'line 2: expected <graph edgedefault="directed"> (or "undirected": a synapse each way)',
            ),
            (
                graphml(EYE).replace('"directed"', '"sideways"'),
                'line 5: expected <graph edgedefault="directed"> (or "undirected": a synapse each way)',
            ),
            (
                graphml("").replace("</graph>", '</graph>\n<graph edgedefault="directed"/>'),
                "line 8: a second <graph>; a file holds one circuit",
            ),
            (graphml(f"{EYE}\n<node/>"), "line 7: this <node> has no id"),
            (graphml(f"{EYE}\n<edge source='eye'/>"), "line 7: this <edge> has no target"),
            (graphml(f"{EYE}\n{EYE}"), "line 7: neuron 'eye' is given twice"),
            (graphml(f"{EYE}\n<node id='x'/>"), "line 7: neuron 'x' has no role"),
            (
                graphml(EYE.replace("sensory", "retina")),
                "line 6: neuron 'eye': unknown role 'retina'; expected one of sensory, inter, command, motor",
            ),
            (graphml(f"{TO_LEG}\n{EYE}"), "line 6: synapse 'eye' -> 'leg': there is no neuron 'leg'"),
            (
                graphml(f"{EYE}{LEG}\n{TO_LEG}\n{TO_LEG}").replace(
                    "<graph ", '<graph id="ganglion-circuit" '
                ),
                "line 8: synapse 'eye' -> 'leg' is given twice",
            ),
            (
                graphml(f"{EYE}{LEG}\n{TO_LEG.replace('-1', '0')}"),
                "line 7: synapse 'eye' -> 'leg' has polarity 0; expected +1 or -1",
            ),
            (
                graphml(f"{EYE}{LEG}<edge source='eye' target='leg'/>"),
                "line 6: synapse 'eye' -> 'leg' has no polarity",
            ),
            (
                graphml(f"{EYE}{LEG}\n{TO_LEG.replace('-1', 'inhibitory')}"),
                "line 7: attribute 'polarity' is of type int, got 'inhibitory'",
            ),
            (
                graphml('<node id="x"><data key="z">1</data></node>'),
                "line 6: this <data> has the undeclared key 'z'",
            ),
            (
                graphml('<node id="x"><data>1</data></node>'),
                "line 6: this <data> has the undeclared key None",
            ),
            (
                graphml(f'<edge source="x" target="y"><graph edgedefault="directed">{EYE}</graph></edge>'),
                "line 6: a <graph> inside <edge> is no part of a circuit",
            ),
            (graphml("<hyperedge/>"), "line 6: a <hyperedge> inside <graph> is no part of a circuit"),
            (graphml("", keys='<key for="node"/>'), "line 4: this <key> has no id"),
            (graphml("", keys='\n<key id="r" for="node"/>'), "line 5: the key 'r' is declared twice"),
            (
                graphml(EYE.replace("</node>", '<data key="r">motor</data></node>')),
                "line 6: attribute 'role' is given twice",
            ),
            (
                graphml("<node id='x'><default>1</default></node>"),
                "line 6: a <default> inside <node> is no part of a circuit",
            ),
            (
                graphml(
                    EYE,
                    keys='<key id="n" for="node" attr.name="n" attr.type="int"><default>x</default></key>',
                ),
                "line 4: attribute 'n' is of type int, got 'x'",
            ),
            (
                graphml(
                    '<node id="x"><data key="n">1</data></node>',
                    keys='<key id="n" for="node" attr.name="n" attr.type="vector_int"/>',
                ).replace(">1<", ">1, x<"),
                "line 6: attribute 'n' is of type vector_int, got '1, x'",
            ),
            ("<graphml>" + "<a>" * 50, "line 1: more than 32 elements are inside one another"),
            ("<graphml>" + "<a>" * 1_000_000, "line 1: more than 32 elements are inside one another"),
        ],
    )
    def test_refusal(self, path: Path, content: str | bytes, message: str) -> None:
        assert refusal(path, content).startswith(message)

    @pytest.mark.parametrize(
        "declaration",
        [
            '<!DOCTYPE graphml [<!ENTITY a "ha">'
            + "".join(
                f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
            )
            + "]>",
            f'<!DOCTYPE graphml [<!ENTITY a "{"x" * 100_000}">]>',
            '<!DOCTYPE graphml [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE graphml SYSTEM "http://127.0.0.1:9/x.dtd">',
        ],
        ids=["billion laughs", "quadratic blowup", "external entity", "external declaration"],
    )
    def test_entities_are_refused_before_they_are_expanded(self, path: Path, declaration: str) -> None:
        body = f'<node id="{"&j;" * 100}"/>'
        content = graphml(body, head=f'<?xml version="1.0"?>{declaration}')
        start = time.perf_counter()
        message = refusal(path, content)
        assert (
            message == "line 1: a document type declaration (<!DOCTYPE) is refused: it could define entities"
        )
        assert time.perf_counter() - start < 5  # expanding them would take hours, or all the memory

    def test_what_editors_add_is_passed_over(self, path: Path) -> None:
        keys = (
            '<key id="g" for="node" yfiles.type="nodegraphics"/>'
            '<key id="n" for="node" attr.name="size" attr.type="double"><default>1.5</default></key>'
        )
        node = (
            '<node id="eye"><desc>left</desc><data key="r">sensory</data><data key="g">'
            '<y:ShapeNode xmlns:y="http://www.yworks.com/xml/graphml"><y:data>x</y:data></y:ShapeNode></data></node>'
        )
        path.write_text(
            graphml(node + LEG.replace("</node>", '<data key="n">2</data></node>') + TO_LEG, keys)
        )
        assert dict(read(path).nodes(data=True)) == {
            "eye": {"role": "sensory", "size": 1.5},
            "leg": {"role": "motor", "size": 2.0},
        }

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
    def test_encodings_that_xml_declares(self, path: Path, encoding: str) -> None:
        declared = encoding.removesuffix("-sig")
        content = graphml(
            EYE.replace("eye", "œil" if "utf" in encoding else "bébé"),
            head=f'<?xml version="1.0" encoding="{declared}"?>',
        )
        path.write_bytes(content.replace("\n", "\r\n").encode(encoding))
        assert list(read(path)) == ["œil" if "utf" in encoding else "bébé"]


class TestCsv:
    NEURONS = "neuron,role\neye,sensory\nleg,motor\n"
    SYNAPSES = "pre,post,polarity\neye,leg,-1\n"

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "c.csv"

    def save(self, path: Path, neurons: str | bytes | None, synapses: str | bytes | None) -> None:
        for table, content in (("neurons", neurons), ("synapses", synapses)):
            if content is not None:
                data = content.encode() if isinstance(content, str) else content
                path.with_name(f"c.{table}.csv").write_bytes(data)

    def test_the_sound_file(self, path: Path) -> None:
        self.save(path, self.NEURONS, self.SYNAPSES)
        assert read(path).synapses() == [("eye", "leg", -1)]

    @pytest.mark.parametrize(
        ("neurons", "message"),
        [
            ("", ": the file is empty"),
            (b"\x00\x01\xfe", ", line 1: byte 2 is 0xfe, which is not UTF-8 text"),
            (
                "colour,role\nred,motor\n",
                ", line 1: which column names the neurons? They are 'colour', 'role'",
            ),
            ("neuron,role,x,x\n", ", line 1: column 'x' is there twice"),
            ("neuron,role,x:int,x\n", ", line 1: column 'x' is there twice"),
            ("neuron,role,\n", ", line 1: a column has no name"),
            ("neuron,role\neye,sensory\nleg\n", ", line 3: expected 2 cells, as in the header, got 1"),
            ("neuron,role\neye,sensory,left\n", ", line 2: expected 2 cells, as in the header, got 3"),
            (
                "neuron,role\n\neye,retina\nleg,motor\n",
                ", line 3: neuron 'eye': unknown role 'retina'; "
                "expected one of sensory, inter, command, motor",
            ),
            (
                "neuron,role\neye,\nleg,motor\n",
                ", line 2: neuron 'eye' has no role",
            ),
            ("neuron,role\n,motor\n", ", line 2: a neuron's name must have a text that is not empty, got ''"),
            ("neuron,role\neye,sensory\neye,motor\n", ", line 3: neuron 'eye' is given twice"),
            (
                'neuron,role\n"two\nlines",sensory\n"two\nlines",sensory\n',
                ", line 4: neuron 'two\\nlines' is given twice",
            ),
            ("neuron,role,age:int\neye,sensory,old\n", ", line 2: column 'age' is of type int, got 'old'"),
            ("neuron,role,old:bool\neye,sensory,1\n", ", line 2: column 'old' is of type bool, got '1'"),
            ('neuron,role\n"eye,sensory\n', ", line 2: this is not CSV: unexpected end of data"),
            ('neuron,role\n"eye"s,sensory\n', ", line 2: this is not CSV: ',' expected after '\"'"),
            (
                f"neuron,role\n{'x' * 200_000},motor\n",
                ", line 2: this is not CSV: field larger than field limit (131072)",
            ),
        ],
    )
    def test_neuron_table(self, path: Path, neurons: str | bytes, message: str) -> None:
        self.save(path, neurons, self.SYNAPSES)
        assert said_about(path).startswith(str(path.with_name("c.neurons.csv")) + message)

    @pytest.mark.parametrize(
        ("synapses", "message"),
        [
            ("", ": the file is empty"),
            ("pre,post\neye,leg\n", ", line 2: synapse 'eye' -> 'leg' has no polarity, nor has any other;"),
            (
                "a,b\neye,leg\n",
                ": which columns hold the ends of an edge? They are 'a', 'b'; ends=(pre, post)",
            ),
            (
                "pre,post,polarity\neye,leg,1\neye,arm,1\n",
                ", line 3: synapse 'eye' -> 'arm': there is no neuron 'arm'",
            ),
            (
                "pre,post,polarity\neye,leg,2\n",
                ", line 2: synapse 'eye' -> 'leg' has polarity 2.0; expected +1 or -1",
            ),
            (
                "pre,post,polarity\neye,leg,no\n",
                ", line 2: synapse 'eye' -> 'leg' has polarity 'no'; expected +1 or -1",
            ),
            (
                "pre,post,polarity\neye,leg,\n",
                ", line 2: synapse 'eye' -> 'leg' has no polarity",
            ),
            ("pre,post,polarity\neye,leg,1\neye,leg,-1\n", ", line 3: synapse 'eye' -> 'leg' is given twice"),
            ("pre,post,polarity\neye,leg\n", ", line 2: expected 3 cells, as in the header, got 2"),
        ],
    )
    def test_synapse_table(self, path: Path, synapses: str, message: str) -> None:
        self.save(path, self.NEURONS, synapses)
        assert said_about(path).startswith(str(path.with_name("c.synapses.csv")) + message)

    def test_the_column_that_is_there_twice_is_found_among_many(self, path: Path) -> None:
        columns = ",".join(f"k{i}" for i in range(100_000))
        self.save(path, f"neuron,role,{columns},k99999\n", self.SYNAPSES)
        assert said_about(path).endswith("line 1: column 'k99999' is there twice")

    def test_a_missing_table(self, path: Path) -> None:
        self.save(path, self.NEURONS, None)
        with pytest.raises(
            FileNotFoundError, match=r"no file .*c\.synapses\.csv; .* c.neurons.csv and c.synapses"
        ):
            read(path)

    def test_byte_order_mark_and_windows_lines(self, path: Path) -> None:
        self.save(
            path,
            b"\xef\xbb\xbf" + self.NEURONS.replace("\n", "\r\n").encode(),
            self.SYNAPSES.replace("\n", "\r\n").replace("-1", "-1.0"),
        )
        assert read(path).synapses() == [("eye", "leg", -1)]

    def test_tables_that_are_replaced_meanwhile(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(auto_ncp(16, 4, inputs=3), path)
        read_file = source.read_file

        def replaced_in_between(table: Path) -> bytes:
            if table.name == "c.synapses.csv":
                monkeypatch.undo()
                write(auto_ncp(16, 4, inputs=3, seed=1), path)
            return read_file(table)

        monkeypatch.setattr(source, "read_file", replaced_in_between)
        with pytest.raises(CircuitError, match=r"c\.neurons\.csv: the file was replaced while it was read"):
            read(path)


@pytest.mark.parametrize("ending", [".json", ".graphml", ".csv"])
class TestAnyFormat:
    def test_missing(self, ending: str, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"there is no file .*[/\\]c\."):
            read(tmp_path / f"c{ending}")

    def test_a_directory(self, ending: str, tmp_path: Path) -> None:
        name = "c.neurons.csv" if ending == ".csv" else f"c{ending}"
        (tmp_path / name).mkdir()
        with pytest.raises(CircuitError, match=f"{re.escape(name)}: this is a directory, expected a file"):
            read(tmp_path / name)

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
    @given(data=st.data())
    def test_damage(self, ending: str, tmp_path: Path, data: st.DataObject) -> None:
        """However a file is damaged, it is a circuit or a CircuitError that names the file."""
        path = tmp_path / f"c{ending}"
        circuit = Circuit(auto_ncp(6, 1, inputs=2))
        circuit.nodes["inter_0"].update(label='left, "hind"', size=0.5)
        write(circuit, path)
        damaged = data.draw(st.sampled_from(sorted(tmp_path.iterdir())))
        content = bytearray(damaged.read_bytes())
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.sampled_from([start, start + 1, start + 3, len(content)]))
        content[start:stop] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"\n", b",", b"<", b"{", b"&#0;"])
        )
        damaged.write_bytes(content)
        try:
            outcome = type(read(path)).__name__
        except CircuitError as error:
            outcome = str(error)
        assert outcome == "Circuit" or outcome.startswith(str(tmp_path))
