"""What can be written can be read and is the same; what could not be read is refused when it is written.

For circuits of any names and attributes in every format, networks of every kind, configs, checkpoints of
every optimizer, and tables. A refusal leaves no file.
"""

from __future__ import annotations

import json
import math
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.cells import NCPLayer
from ganglion.training.series import Columns, predict_series
from ganglion.training.series.sequences import read_columns
from ganglion.wiring import edits

from ..audit.cases import ROWS as CONTAINERS
from ..audit.cases import cases

ENDINGS = (
    ".json",
    ".graphml",
    ".gexf",
    ".gml",
    ".net",
    ".dot",
    ".nml",
    ".h5",
    ".csv",
    ".tsv",
    ".json.gz",
    ".graphml.gz",
    ".csv.gz",
)
REFUSALS = (gl.CircuitError, gl.FileError, ValueError, TypeError)
TEXTS = st.text(st.characters(), max_size=8)  # half characters and controls included
NAMES = st.one_of(
    TEXTS,
    st.integers(-3, 10**20),
    st.floats(),
    st.booleans(),
    st.tuples(st.integers(0, 3), TEXTS),
    st.none(),
    st.sampled_from(
        [
            "id",
            "a",
            "A",
            " a",
            "a ",
            "a\tb",
            "a,b",
            '"',
            "'",
            "\n",
            "\r\n",
            "#",
            "%",
            "<b>",
            "&amp;",
            "nan",
            "null",
            "1",
            "1.0",
            "01",
            "-",
            "[x]",
            "{x}",
            "sensory",
            "motor",
            "\x00",
            "\x1f",
            "\x85",
            "\u2028",
        ]
    ),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    TEXTS,
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(TEXTS, st.integers(0, 3), max_size=2),
    st.binary(max_size=3),
    st.sets(st.integers(0, 3), max_size=2),
    st.complex_numbers(),
    st.sampled_from([np.float32(0.1), np.int64(3), np.float64("nan"), np.bool_(True), object]),
)
KEYS = st.one_of(
    TEXTS, st.sampled_from(["weight", "x", "id", "label", "source", "target", "note", "@id", "key", "role "])
)


@st.composite
def wild_circuits(draw: st.DrawFn) -> nx.DiGraph:
    """A circuit whose names and attributes may be anything."""
    graph = nx.DiGraph(**{k: v for k, v in draw(st.dictionaries(KEYS, VALUES, max_size=1)).items() if k})
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=repr))
    for name in names:
        if name is not None:
            graph.add_node(name, **{"role": draw(st.sampled_from(["sensory", "inter", "command", "motor"]))})
    for name in list(graph):
        for key, value in draw(st.dictionaries(KEYS, VALUES, max_size=1)).items():
            if key != "role":
                graph.nodes[name][key] = value
    targets = [name for name in graph if graph.nodes[name]["role"] != "sensory"]
    if targets:
        pair = st.tuples(st.sampled_from(list(graph)), st.sampled_from(targets))
        for pre, post in draw(st.lists(pair, max_size=4)):
            more = {
                k: v for k, v in draw(st.dictionaries(KEYS, VALUES, max_size=1)).items() if k != "polarity"
            }
            graph.add_edge(pre, post, polarity=draw(st.sampled_from([1, -1])))
            graph.edges[pre, post].update(more)
    return graph


def as_text(value: Any) -> str:
    return str(value)


@pytest.mark.parametrize("ending", ENDINGS)
def test_circuits(ending: str) -> None:
    kept = 0

    @settings(max_examples=12 if ending == ".dot" else 30, deadline=None)
    @given(wild_circuits())
    def written(graph: nx.DiGraph) -> None:
        nonlocal kept
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            path = Path(folder) / f"c{ending}"
            try:
                gl.write(graph, path)
            except REFUSALS:
                assert list(Path(folder).iterdir()) == []
                return
            again = gl.read(path)
            kept += 1
            same = str if ending.startswith(".json") is False else repr
            assert [same(name) for name in again] == [same(_plain(name)) for name in graph]
            assert [again.nodes[a]["role"] for a in again] == [graph.nodes[g]["role"] for g in graph]
            ours = {(same(_plain(u)), same(_plain(v))): d["polarity"] for u, v, d in graph.edges(data=True)}
            theirs = {(same(u), same(v)): d["polarity"] for u, v, d in again.edges(data=True)}
            assert theirs == ours
            if ending.startswith(".json"):  # which keeps everything
                for a, g in zip(again, graph, strict=True):
                    assert _alike(again.nodes[a], graph.nodes[g])
                assert _alike(again.graph, graph.graph)

    written()
    assert kept > 0


def _plain(name: Any) -> Any:
    return (
        tuple(map(_plain, name))
        if isinstance(name, tuple)
        else name.item()
        if hasattr(name, "item")
        else name
    )


def _alike(ours: Any, theirs: Any) -> bool:
    """Equal but for what JSON has no word for: NumPy's scalars and tuples."""
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_alike(ours[k], theirs[k]) for k in ours)
    if isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_alike, ours, theirs))
    return bool(ours == _plain(theirs)) and type(ours) is type(_plain(theirs))


@pytest.mark.parametrize("row", CONTAINERS)
def test_networks(row: str) -> None:
    @settings(max_examples=5, deadline=None)
    @given(st.data())
    def saved(data: st.DataObject) -> None:
        case = data.draw(cases((row,)))
        broken = data.draw(st.sampled_from([None, None, math.nan, math.inf]))
        _saved(case.model, broken)

    saved()


OTHERS = {
    "CTRNN": lambda c: gl.RNN(gl.CTRNNCell(c, activation="relu", tau=0.5, clip=2.0)),
    "CTGRU": lambda c: gl.RNN(gl.CTGRUCell(c, scales=3)),
    "liquid": lambda c: gl.RNN(gl.LiquidCell(gl.dense(2, 4), backbone_units=8)),
    "backbone": lambda c: gl.CfC(gl.dense(2, 4), backbone_layers=2, backbone_activation="silu"),
    "mixed": lambda c: gl.LTC(c, mixed_memory=True),
    "missing": lambda _: gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.random(5, inputs=6, outputs=1, seed=1)))),
    "ranges": lambda c: gl.LTC(c, initial_ranges={"w": (0.5, 0.6)}),
    "compat": lambda c: gl.CfC(c, ncps_compat=True),
    "half": lambda c: _half(gl.CfC(c)),
    "own": lambda c: gl.Stack([nn.Linear(2, 2), gl.CfC(c)]),
    "function": lambda c: gl.RNN(gl.CTRNNCell(c, activation=mx.tanh)),
    "strange names": lambda c: gl.LTC(nx.relabel_nodes(c, {n: f"{n}\ud800\x00\n" for n in c})),
    "scaled": lambda c: gl.Scaled(
        gl.CfC(c), ["\ud800", ""], ["\x00"], mean=[1e-300, 1e30], spread=[1e-30, 1e30]
    ),
}


def _half(model: Any) -> Any:
    model.set_dtype(mx.bfloat16)
    return model


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks(name: str) -> None:
    circuit = gl.random(5, inputs=2, outputs=1, sparsity=0.3, seed=1)
    model = OTHERS[name](circuit)
    if isinstance(model, NCPLayer) and not model.built:
        model.build((1, 1, 2))
    _saved(model, None)
    _saved(model, math.nan)


def _saved(model: Any, broken: float | None) -> None:
    if broken is not None:
        found = [(n, a) for n, a in tree_flatten(model.parameters()) if mx.issubdtype(a.dtype, mx.floating)]
        name, array = next((n, a) for n, a in found if a.size)  # a circuit may have no synapse
        model.load_weights([(name, mx.full(array.shape, broken, array.dtype))], strict=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.safetensors"
        try:
            gl.save(model, path)
        except REFUSALS:
            assert list(Path(folder).iterdir()) == []
            return
        assert broken is None
        again = gl.load(path)
    ours, theirs = dict(tree_flatten(model.parameters())), dict(tree_flatten(again.parameters()))
    assert ours.keys() == theirs.keys()
    assert all(mx.array_equal(ours[n], theirs[n]).item() and ours[n].dtype == theirs[n].dtype for n in ours)
    assert again.get_config() == model.get_config()
    config = json.loads(json.dumps(model.get_config()))
    assert NCPLayer.from_config(config).get_config() == model.get_config()


OPTIMIZERS = {
    "SGD": lambda: optim.SGD(0.01, momentum=0.9),
    "RMSprop": lambda: optim.RMSprop(0.01),
    "Adagrad": lambda: optim.Adagrad(0.01),
    "AdaDelta": lambda: optim.AdaDelta(0.01),
    "Adam": lambda: optim.Adam(optim.cosine_decay(0.01, 20), bias_correction=True),
    "AdamW": lambda: optim.AdamW(0.01, bias_correction=True),
    "Adamax": lambda: optim.Adamax(0.01),
    "Lion": lambda: optim.Lion(0.001),
    "Adafactor": lambda: optim.Adafactor(0.01, relative_step=False, scale_parameter=False),
    "Muon": lambda: optim.Muon(0.01),
}


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if hasattr(optim, n)])
def test_checkpoints(name: str, tmp_path: Path) -> None:
    """A run that was written goes on as if it had not ended, whatever the optimizer keeps."""
    x = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)

    def trained(epochs: int, directory: Path | None) -> Any:
        model = gl.CfC(gl.random(4, inputs=2, outputs=1, seed=1), key=mx.random.key(3))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gl.fit(model, (x, x[..., :1]), loss=gl.training.mse, optimizer=OPTIMIZERS[name](), epochs=epochs,
                   batch_size=3, checkpoint=directory, progress=False)  # fmt: skip
        return dict(tree_flatten(model.parameters()))

    straight = trained(2, None)
    trained(1, tmp_path)
    resumed = trained(2, tmp_path)
    assert all(mx.array_equal(straight[n], resumed[n]).item() for n in straight)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=6), min_size=4, max_size=4, unique=True), st.data())
def test_tables(names: list[str], data: st.DataObject) -> None:
    """Columns of any name: a table that a run was trained on is read, and what it predicts is read, too."""
    import csv

    a, b, y, g = names
    numbers = st.floats(-1e6, 1e6, allow_nan=False)
    groups = data.draw(st.lists(st.text(min_size=1, max_size=4), min_size=2, max_size=4))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(names)
                for k in range(8):
                    row = [repr(data.draw(numbers)) for _ in range(3)]
                    writer.writerow([*row, groups[k * len(groups) // 8]])
        except UnicodeEncodeError:
            return
        columns = Columns((a, b), (y,), None, g)
        try:
            found, digest = read_columns(path, columns)
        except gl.FileError:
            return
        assert sum(len(one.x) for one in found) == 8
        assert read_columns(path, columns)[1] == digest


def test_predictions_are_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ..fuzz.calls import TABLE

    monkeypatch.chdir(tmp_path)
    call = TABLE["train_series"]()
    call.function(**call.arguments)
    predict_series(Path("run"), Path("c.csv"), Path("said.csv"))
    found, _ = read_columns(Path("said.csv"), Columns(("motor_0", "motor_1"), ()), targets=False)
    assert found[0].x.shape == (40, 2)
    assert np.isfinite(found[0].x).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, st.dictionaries(KEYS, VALUES, max_size=2)), max_size=3))
def test_edits(neurons: list[Any]) -> None:
    """An edit that can be made comes back from JSON as itself."""
    try:
        edit = edits.Add(neurons=[(name, {"role": "inter", **data}) for name, data in neurons])
    except REFUSALS:
        return
    text = json.dumps(edit.to_json(), allow_nan=False)
    assert edits.from_json(json.loads(text)) == edit
