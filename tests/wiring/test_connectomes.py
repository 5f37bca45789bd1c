"""The touch circuit answers as the worm does, and published tables are read as they are."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
import openpyxl
import pytest

import ganglion as gl
from ganglion.errors import CircuitError


class TestTouch:
    def test_every_synapse_has_its_sources(self) -> None:
        circuit = gl.connectomes.tap_withdrawal()
        assert circuit.check() == []
        assert (len(circuit), circuit.number_of_edges()) == (11, 22)
        for _, post, data in circuit.edges(data=True):
            assert data["sign_from"] in ("Chalfie 1985", "Lechner 2020", "assumed")
            assert ("weight" in data) == (post not in ("FWD", "REV"))
        assert "White" in circuit.graph["citation"]
        assert "assumed" in circuit.graph["uncertain"]
        assert gl.connectomes.tap_withdrawal(across=True).number_of_edges() == 26

    def test_halves_excite_themselves_and_inhibit_each_other(self) -> None:
        """So the sign of an answer does not depend on any parameter."""
        forward = {"PLM", "PVC", "DVA", "AVB", "FWD"}
        for pre, post, sign in gl.connectomes.tap_withdrawal().synapses():
            assert sign == (1 if (pre in forward) == (post in forward) else -1), (pre, post)

    def test_untrained_it_withdraws(self) -> None:
        """Touched behind, each of 200 networks goes forward more than at rest; touched in front, less."""
        compiled = gl.compile_circuit(gl.connectomes.tap_withdrawal())
        touches = np.zeros((4, 10, 4), np.float32)
        for row, sensor in enumerate(("PLM", "AVM", "ALM"), start=1):
            touches[row, :, compiled.plan.sensors.index(sensor)] = 1
        forward, reverse = (compiled.plan.neurons.index(name) for name in ("FWD", "REV"))
        for key in range(200):
            mx.random.seed(key)
            y = np.array(gl.LTC(compiled)(mx.array(touches))[0][:, -1])
            rest, behind, *front = y[:, forward] - y[:, reverse]
            assert behind > rest, key
            assert max(front) < rest, key


def test_a_whole_animal(tmp_path: Path) -> None:
    edges, cells = tmp_path / "edges.csv", tmp_path / "cells.csv"
    edges.write_text(
        "Source,Target,Weight,Type\nASHL ,AVAL    ,3,chemical\nAVAL,VD01,2,chemical\nVD01,dBWML1,4,chemical\n"
        "VD01 ,ASHL,1,chemical\nAVAL,AVAR,7,electrical\n"
    )
    cells.write_text(
        "Cell name,Type\nASHL,Amphid\nAVAL,Layer 1 interneuron; motorneuron in White\nAVAR,Layer 1 "
        "interneuron\n"
        "VD1,Ventral cord motor neuron\n"
    )
    circuit = gl.connectomes.celegans(edges, cells)
    assert dict(circuit.nodes(data="role")) == {
        "ASHL.in": "sensory", "ASHL": "inter", "AVAL": "inter", "VD1": "motor", "dBWML1": "motor", "AVAR":
        "inter",
    }  # fmt: skip
    assert circuit.edges["VD1", "dBWML1"] == {"weight": 4, "polarity": -1}
    assert circuit.edges["AVAL", "VD1"]["polarity"] == 1
    assert circuit.origin is not None
    assert (circuit.origin.dropped, circuit.origin.split) == (0, 1)
    assert circuit.edges["AVAL", "AVAR"] == {"weight": 7, "kind": "electrical", "polarity": 1}
    both = gl.connectomes.celegans(edges, cells, electrical="synapses", polarity=-1)
    assert both.edges["AVAR", "AVAL"]["polarity"] == 1  # not that of the neuron's transmitter
    assert gl.connectomes.celegans(edges, cells, electrical="drop").origin.dropped == 1  # type: ignore[union-attr]
    assert "Cook" in circuit.graph["citation"]
    with pytest.raises(CircuitError, match="expected the columns Cell name, Type, got"):
        gl.connectomes.celegans(edges, edges)


def test_the_workbook_of_the_publication(tmp_path: Path) -> None:
    """Its matrices have groups of cells and totals around them; gap junctions stand there twice."""
    book = openpyxl.Workbook()
    book.active.title = "TITLE AND LEGEND"
    matrices = {
        "hermaphrodite chemical": [[3, None, 0], [None, 2, 4]],
        "herm gap jn symmetric": [[None, 7, None], [7, None, None]],
        "herm gap jn asymmetric": [[None, 7, None], [None, None, None]],
        "male chemical": [[9, 9, 9], [9, 9, 9]],
    }
    for title, values in matrices.items():
        sheet = book.create_sheet(title)
        sheet.append([None, None, None, "PHARYNX"])
        sheet.append([])
        sheet.append([None, None, None, "ASHL", "VD01", "dBWML1", None])
        for name, row in zip(("ASHL", "VD01"), values, strict=True):
            sheet.append(["GROUP", None, name, *row, sum(value or 0 for value in row)])
        sheet.append([None, None, None, 9, 9, 9, 9])
    book.save(tmp_path / "SI5.xlsx")
    (tmp_path / "cells.csv").write_text("Cell name,Type\nASHL,Layer 1 interneuron\n")
    circuit = gl.connectomes.celegans(tmp_path / "SI5.xlsx", tmp_path / "cells.csv")
    assert circuit.edges["ASHL", "ASHL"] == {"weight": 3, "polarity": 1}
    assert circuit.edges["VD1", "dBWML1"] == {"weight": 4, "polarity": -1}
    assert circuit.edges["ASHL", "VD1"] == {"weight": 7, "kind": "electrical", "polarity": 1}
    assert circuit.number_of_edges() == 4

    (tmp_path / "text.xlsx").write_text("no workbook")
    with pytest.raises(CircuitError, match=r"text\.xlsx: no workbook can be read from it"):
        gl.connectomes.celegans(tmp_path / "text.xlsx", tmp_path / "cells.csv")
    del book["herm gap jn asymmetric"]
    book.save(tmp_path / "half.xlsx")
    with pytest.raises(CircuitError, match=r"expected sheets such as .*, got 'TITLE AND LEGEND', 'herm"):
        gl.connectomes.celegans(tmp_path / "half.xlsx", tmp_path / "cells.csv")


def test_a_file_that_nobody_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganglion.wiring.connectomes.published.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"give its path as cells=, or pip install cect"):
        gl.connectomes.celegans()


def test_a_fly(tmp_path: Path) -> None:
    (tmp_path / "connections.csv").write_text(
        "pre_root_id,post_root_id,neuropil,syn_count,nt_type\n720575940600000001,720575940600000002,AL,5,ACH\n"
        "720575940600000001,720575940600000002,LH,2,GABA\n720575940600000002,720575940600000003,LH,9,GLUT\n"
    )
    (tmp_path / "classification.csv").write_text(
        "root_id,flow,super_class\n720575940600000001,afferent,sensory\n720575940600000002,intrinsic,central\n"
        "720575940600000003,efferent,descending\n"
    )
    circuit = gl.connectomes.flywire(tmp_path / "connections.csv", tmp_path / "classification.csv")
    first, second, third = circuit
    assert [circuit.nodes[name]["role"] for name in circuit] == ["sensory", "inter", "motor"]
    assert circuit.edges[first, second]["weight"] == 7
    assert circuit.synapses() == [(first, second, 1), (second, third, -1)]
    assert first == "720575940600000001"


def test_a_larva(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(",11,12,13\n11,0,4,0\n12,0,0,2\n13,0,0,0\n")
    circuit = gl.connectomes.larva(tmp_path / "m.csv", roles="infer", polarity=["12"])
    assert circuit.synapses() == [("11", "12", 1), ("12", "13", -1)]
    (tmp_path / "a.csv").write_text("left_id,right_id,celltype\n11,no pair,sensory\n12,13,DN-VNC\n")
    circuit = gl.connectomes.larva(tmp_path / "m.csv", tmp_path / "a.csv", polarity=1)
    assert [circuit.nodes[name]["role"] for name in circuit] == ["sensory", "motor", "motor"]
