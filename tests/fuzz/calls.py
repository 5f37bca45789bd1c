"""A right call of every public name, from which `api` makes wrong ones by changing arguments.

A row gives the callable, its arguments by name, and what a refused call must leave as it was. Rows are made
anew for every call, because edits, training and files change what they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np

import ganglion as gl
from ganglion.training.series.sequences import read_columns
from ganglion.wiring import edits

from . import calls_of_meaning, calls_of_ops, calls_of_studies
from .rows import (
    CIRCUIT,
    COLUMNS,
    COMPILED,
    HELD,
    OTHER,
    PLAN,
    POST,
    PRE,
    WEIGHTS,
    Call,
    X,
    Y,
    cfc,
    circuit,
    effects,
    fit_row,
    flat,
    loaded_row,
    ltc,
    method,
    on_circuit,
    plain,
    read_row,
    recording,
    series,
    session,
    spiking,
    undone,
)


def _predict() -> Call:
    train = TABLE["train_series"]()  # the table and, once, the run
    if not Path("run").exists():
        train.function(**train.arguments)
    return Call(
        gl.training.series.predict_series, {"run": Path("run"), "data": Path("c.csv"), "out": Path("o.csv")}
    )


def _score() -> Call:
    made = _predict().arguments
    return Call(gl.training.series.score_series, {name: made[name] for name in ("run", "data")})


def _check(cell: Any, skip: Any = ()) -> Any:
    """`check_cell` with one of its checks, since all of them take seconds."""
    checks = gl.testing.CHECKS
    gl.testing.CHECKS = {"declared": checks["declared"]}
    try:
        return gl.testing.check_cell(cell, skip)
    finally:
        gl.testing.CHECKS = checks


TABLE: dict[str, Callable[[], Call]] = {
    # generators
    "auto_ncp": plain(gl.auto_ncp, units=8, outputs=2, inputs=3),
    "ncp": plain(
        gl.ncp,
        inter=4,
        command=3,
        motor=2,
        inputs=3,
        sensory_fanout=2,
        inter_fanout=2,
        recurrent_command_synapses=2,
        motor_fanin=2,
    ),
    "fully_connected": plain(gl.fully_connected, units=4, inputs=2),
    "random": plain(gl.random, units=6, inputs=2, sparsity=0.5),
    "layered": plain(gl.layered, layers=[4, 3], inputs=2, outputs=1),
    "dense": plain(gl.dense, inputs=3, units=4),
    "Dense": plain(gl.Dense, inputs=3, units=4),
    "from_graph": plain(gl.from_graph, graph=nx.path_graph(6), inputs=2, outputs=1),
    "from_ncps": plain(gl.from_ncps, source=CIRCUIT),
    "tap_withdrawal": plain(gl.connectomes.tap_withdrawal),
    "celegans": plain(gl.connectomes.celegans, edges="a.csv", cells="b.csv"),
    "flywire": plain(gl.connectomes.flywire, connections="a.csv", neurons="b.csv"),
    "larva": plain(gl.connectomes.larva, matrix="a.csv", polarity=1),
    # circuits
    "Circuit": plain(gl.Circuit, incoming_graph_data=CIRCUIT),
    "circuit_from": plain(gl.circuit_from, source=CIRCUIT),
    "check": on_circuit(gl.check),
    "summary": on_circuit(gl.wiring.summary),
    "projections": on_circuit(gl.wiring.projections),
    "changed": on_circuit(gl.wiring.changed, name="p"),
    "add_neuron": method(circuit, "add_neuron", name="new", role="inter"),
    "add_neurons": method(circuit, "add_neurons", names=["new", "more"], role="inter"),
    "add_synapse": method(circuit, "add_synapse", pre="motor_0", post="inter_0"),
    "add_synapses": method(
        circuit, "add_synapses", synapses=[("motor_0", "inter_0"), ("motor_1", "inter_0", -1)]
    ),
    "connect": method(
        circuit, "connect", pre="motor", post="inter", rule="fixed_indegree", indegree=1, seed=1
    ),
    "remove_neuron": method(circuit, "remove_neuron", name="inter_0"),
    "remove_neurons": method(circuit, "remove_neurons", neurons=["inter_0"]),
    "remove_synapse": method(circuit, "remove_synapse", pre=PRE, post=POST),
    "remove_synapses": method(circuit, "remove_synapses", synapses=CIRCUIT.synapses()[:2]),
    "flip": method(circuit, "flip", pre=PRE, post=POST),
    "set_role": method(circuit, "set_role", name="inter_0", role="command"),
    "rename": method(circuit, "rename", names={"inter_0": "new"}),
    "neurons": method(circuit, "neurons", role="inter"),
    "synapses": method(circuit, "synapses", pre="inter", post="motor"),
    "subgraph": method(circuit, "subgraph", nodes="inter"),
    "edge_subgraph": method(circuit, "edge_subgraph", edges=CIRCUIT.synapses()[:2]),
    "read": read_row,
    "write": on_circuit(gl.write, path="out.json"),
    # edits
    "Add": plain(edits.Add, neurons=[("new", HELD)], synapses=[("new", "motor_0", {"polarity": 1})]),
    "Remove": plain(edits.Remove, neurons=["inter_0"], synapses=[(PRE, POST)]),
    "Set": plain(
        edits.Set, neurons=[("inter_0", "tag", 1)], synapses=[(PRE, POST, "tag", 1)], circuit=[("tag", 1)]
    ),
    "Rename": plain(edits.Rename, names={"inter_0": "new"}),
    "Connect": plain(edits.Connect, pre="motor", post="inter", rule="fixed_indegree", indegree=1, seed=1),
    "Redraw": plain(edits.Redraw, name="p", fields={"seed": 2}),
    "Generate": plain(edits.Generate, generator="random", arguments={"units": 3, "outputs": 1, "inputs": 1}),
    "Batch": plain(edits.Batch, edits=[edits.Remove(neurons=["inter_0"])], label="x"),
    "from_json": plain(edits.from_json, data={"kind": "remove", "neurons": ["inter_0"]}),
    "apply": method(lambda: edits.Remove(neurons=["inter_0"]), "apply", circuit=CIRCUIT.copy()),
    "EditSession": plain(gl.EditSession, circuit=CIRCUIT.copy()),
    "session.apply": method(session, "apply", edit=edits.Remove(neurons=["inter_1"])),
    "session.undo": method(session, "undo"),
    "session.redo": method(undone, "redo"),
    "session.replay": method(session, "replay", record={"edit": {"kind": "remove", "neurons": ["inter_1"]}}),
    "session.observe": method(session, "observe", observer=print),
    "session.batch": lambda: Call(lambda label="", by="python": session().batch(label, by).__enter__(), {}),
    # compile
    "compile_circuit": plain(gl.compile_circuit, source=CIRCUIT, layout="auto"),
    "make_plan": plain(gl.compile.make_plan, source=CIRCUIT),
    "without": plain(gl.compile.without, plan=PLAN, neurons=["inter_0"], synapses=[("sensory_0", "inter_1")]),
    "Plan": plain(
        gl.Plan,
        neurons=PLAN.neurons,
        sensors=PLAN.sensors,
        counts=PLAN.counts,
        recurrent=PLAN.recurrent,
        sensory=PLAN.sensory,
    ),
    "Plan.from_arrays": plain(
        gl.Plan.from_arrays, pre=[0, 1], post=[1, 2], polarity=[1, -1], roles=["sensory", "inter", "motor"]
    ),
    "Plan.role_slice": method(lambda: PLAN, "role_slice", role="motor"),
    "Synapses": plain(
        gl.compile.Synapses,
        pre=PLAN.recurrent.pre,
        post=PLAN.recurrent.post,
        polarity=PLAN.recurrent.polarity,
        n_pre=8,
        n_post=8,
    ),
    "Synapses.sorted": plain(gl.compile.Synapses.sorted, pre=[0], post=[1], polarity=[1], n_pre=2, n_post=2),
    "with_plan": method(lambda: COMPILED, "with_plan", plan=PLAN),
    "masked_matmul": plain(gl.masked_matmul, x=mx.ones((2, 8)), w=WEIGHTS, synapses=COMPILED.recurrent),
    "synaptic_sum": plain(gl.synaptic_sum, a=WEIGHTS, synapses=COMPILED.recurrent),
    "CircuitArrays": plain(
        gl.wiring.CircuitArrays,
        pre=np.array([0], np.int32),
        post=np.array([1], np.int32),
        polarity=np.array([1], np.int8),
        roles=("sensory", "motor"),
        names=("a", "b"),
    ),
    # cells and networks
    **{
        name: plain(getattr(gl, name), circuit=CIRCUIT)
        for name in (
            *("LTC", "CfC", "LTCCell", "CfCCell", "CTRNNCell", "CTGRUCell"),
            *("STC", "LRC", "LRCU", "LeakyRate", "LIF", "MinGRU"),
        )
    },
    "LiquidCell": plain(gl.LiquidCell, units=4),
    "BackboneCfCCell": plain(gl.cells.BackboneCfCCell, units=gl.dense(3, 4)),
    "NCPDense": plain(gl.NCPDense, units=4),
    "NCPRNNCell": plain(gl.NCPRNNCell, units=4),
    "MissingValueCell": plain(gl.MissingValueCell, cell=gl.LTCCell(CIRCUIT)),
    "MixedMemoryCell": plain(gl.MixedMemoryCell, cell=gl.LTCCell(CIRCUIT)),
    "RNN": plain(gl.RNN, cell=gl.LTCCell(CIRCUIT)),
    "Bidirectional": lambda: Call(gl.Bidirectional, {"rnn": gl.CfC(CIRCUIT)}),
    "Stack": lambda: Call(gl.Stack, {"layers": [gl.CfC(CIRCUIT)]}),
    "Scaled": lambda: Call(
        gl.Scaled, {"model": gl.CfC(CIRCUIT), "inputs": ["a", "b", "c"], "outputs": ["d", "e"]}
    ),
    "Stream": lambda: Call(gl.Stream, {"network": ltc()}),
    "BoundedStream": lambda: Call(gl.BoundedStream, {"stream": ltc().stream()}),
    "bounded()": lambda: Call(gl.BoundedStream(ltc().stream(4)).__call__, {"x": X[:, 0]}),
    "ltc()": lambda: Call(ltc().__call__, {"x": X}),
    "cfc()": lambda: Call(cfc().__call__, {"x": X}),
    "cell()": lambda: Call(ltc().cell.__call__, {"x": X[:, 0]}),
    "bidirectional()": lambda: Call(gl.Bidirectional(gl.CfC(CIRCUIT)).__call__, {"x": X}),
    "stack()": lambda: Call(gl.Stack([gl.CfC(CIRCUIT)]).__call__, {"x": X}),
    "scaled()": lambda: Call(gl.Scaled(cfc(), ["a", "b", "c"], ["d", "e"]).__call__, {"x": X}),
    "scaled.predict": lambda: Call(gl.Scaled(cfc(), ["a", "b", "c"], ["d", "e"]).predict, {"x": X}),
    "scaled.stream()": lambda: Call(
        gl.Scaled(cfc(), ["a", "b", "c"], ["d", "e"]).stream().__call__, {"x": X[0, 0]}
    ),
    "dense()": lambda: Call(gl.NCPDense(4).__call__, {"x": X}),
    "stream()": lambda: Call(ltc().stream().__call__, {"x": X[0, 0]}),
    "stream.reset": lambda: Call(ltc().stream(2).reset, {"chosen": np.array([True, False])}),
    "rnn.stream": method(ltc, "stream", batch_size=2),
    "rnn.memory": method(ltc, "memory", batch=2, steps=3),
    "rnn.build": lambda: Call(gl.CfC(gl.dense(3, 4)).build, {"input_shape": (1, 1, 3)}),
    "get_initial_state": method(ltc, "get_initial_state", batch_size=2),
    "compute_output_shape": method(ltc, "compute_output_shape", input_shape=(4, 5, 3)),
    "from_config": lambda: Call(gl.CfC.from_config, {"config": cfc().get_config()}),
    "save_weights": method(cfc, "save_weights", file="w.safetensors"),
    "load_weights": lambda: Call(gl.CfC(CIRCUIT).load_weights, {"file_or_weights": list(flat(cfc()))}),
    "set_dtype": lambda: Call(gl.CfC(CIRCUIT).set_dtype, {"dtype": mx.float32}),
    "record": lambda: Call(gl.record, {"rnn": ltc(), "x": X}),
    "saliency": lambda: Call(gl.saliency, {"rnn": cfc(), "x": X}),
    "rest": lambda: Call(gl.rest, {"network": ltc(), "inputs": {"sensory_0": 0.5}, "timespan": 0.5}),
    "solver_error": lambda: Call(gl.solver_error, {"network": ltc(), "x": X}),
    "time_constants": lambda: Call(gl.time_constants, {"rnn": ltc(), "recording": recording()}),
    "ensemble": lambda: Call(gl.ensemble, {"networks": [gl.CfC(CIRCUIT), gl.CfC(CIRCUIT)]}),
    "Ensemble": lambda: Call(gl.cells.Ensemble, {"networks": [gl.CfC(CIRCUIT), gl.CfC(CIRCUIT)]}),
    "untie": lambda: Call(gl.untie, {"network": ltc()}),
    "lesion": lambda: Call(gl.lesion, {"network": ltc(), "neurons": ["inter_0"]}),
    "perturbed": lambda: Call(gl.perturbed, {"network": ltc()}),
    "silenced": lambda: Call(gl.silenced, {"network": ltc(), "neurons": "inter", "to": 0.5}),
    "each": plain(gl.each, neurons="command"),
    "Protocol": plain(gl.studies.Protocol, every=0.5, until=4.0, unit="s"),
    "During": plain(gl.studies.During, perturbation=gl.studies.Silence("inter_0"), start=1.0, stop=2.0),
    "protocol": plain(gl.protocol, every=0.5, until=4.0, unit="s"),
    "study": lambda: Call(
        gl.study,
        {"network": ltc(), "perturbations": gl.each("command"), "x": X, "resamples": 10, "progress": False},
    ),
    "experiment": lambda: Call(
        gl.experiment, {"train": lambda trial: trial["x"], "space": {"x": [1, 2]}, "store": "e.journal"}
    ),
    "plot_protocol": lambda: Call(
        gl.viz.plot_protocol, {"protocol": gl.protocol(until=4.0).step("a", at=1.0)}
    ),
    "plot_study": lambda: Call(gl.viz.plot_study, {"study": effects()}),
    "plot_history": lambda: Call(
        gl.viz.plot_history, {"history": gl.training.History([1.0, 0.5], [1.0, 0.7], [0.1, 0.1])}
    ),
    "carried": lambda: Call(gl.carried, {"network": ltc(), "source": OTHER}),
    "transfer": lambda: Call(
        gl.transfer,
        {"parameters": ltc().parameters(), "old_plan": PLAN, "new_plan": gl.compile_circuit(OTHER).plan},
    ),
    "load_ncps": lambda: Call(gl.load_ncps, {"rnn": gl.LTC(CIRCUIT), "source": gl.to_ncps(ltc())}),
    "ncps_options": lambda: Call(gl.ncps_options, {"rnn": ltc()}),
    "ncps_parameters": lambda: Call(
        gl.cells.ncps_parameters, {"rnn": ltc(), "state_dict": gl.to_ncps(ltc())}
    ),
    "to_ncps": lambda: Call(gl.to_ncps, {"rnn": ltc()}),
    "check_cell": lambda: Call(_check, {"cell": cfc().cell}),
    "Recording": lambda: Call(
        gl.Recording,
        {
            name: getattr(recording(), name)
            for name in ("states", "inputs", "outputs", "times", "neurons", "sensors", "roles")
        },
    ),
    "recording.of": method(recording, "of", neuron="motor_0"),
    "recording.sequence": method(recording, "sequence", index=1),
    "Calcium": plain(gl.Calcium, rise=0.5, decay=1.0),
    "Plain": plain(gl.Plain, gain=20.0, noise=0.5, offset=-60.0),
    "observe": lambda: Call(gl.observe, {"rnn": gl.LTC(CIRCUIT), "neurons": ["inter_0"]}),
    "synapse": plain(gl.synapse, low=0.1, high=1.0),
    **{
        name: plain(getattr(gl, name), low=0.1, high=1.0)
        for name in ("electrical", "neuron", "sensor", "motor")
    },
    # files, training, export
    "save": lambda: Call(gl.save, {"model": cfc(), "path": "m.safetensors"}),
    "load": loaded_row,
    "provenance": lambda: Call(gl.provenance, loaded_row().arguments),
    "circuit_of": lambda: Call(gl.circuit_of, {"source": ltc()}),
    "export_c": lambda: Call(gl.export_c, {"model": ltc(), "path": "p.c"}),
    "export_onnx": lambda: Call(gl.export_onnx, {"model": ltc(), "path": "p.onnx"}),
    "export_lems": lambda: Call(
        gl.export_lems,
        {
            "model": ltc(),
            "path": "p.xml",
            "x": X[0],
            "timespans": 0.5,
            "state": None,
            "unit": "s",
            "step": 0.1,
        },
    ),
    "export_nir": lambda: Call(gl.export_nir, {"model": spiking(), "path": "p.nir", "timespan": 0.5}),
    "export_mlx": lambda: Call(gl.export_mlx, {"model": cfc(), "path": "p.mlxfn", "example": mx.array(X)}),
    "fit": fit_row,
    "mse": lambda: Call(gl.training.mse, {"model": cfc(), "x": mx.array(X), "y": mx.array(Y)}),
    "likelihood": lambda: Call(
        gl.training.likelihood,
        {"model": gl.observe(ltc(), "motor", gl.Plain(noise=0.1)), "x": mx.array(X), "y": mx.array(Y)},
    ),
    "cross_entropy": lambda: Call(
        gl.training.cross_entropy, {"model": cfc(), "x": mx.array(X), "y": mx.zeros((4, 5), mx.int32)}
    ),
    "outputs_of": lambda: Call(gl.training.outputs_of, {"model": cfc(), "x": mx.array(X)}),
    "History.from_json": plain(
        gl.training.History.from_json, document={"loss": [1.0], "validation": [], "seconds": [1.0]}
    ),
    "Columns": plain(gl.training.series.Columns, inputs=("a",), targets=("b",)),
    "Settings": plain(gl.training.series.Settings),
    "read_series": series(gl.read_series, path=Path("c.csv"), inputs=["sensory_0"], targets=["motor_0"]),
    "read_columns": series(read_columns, path=Path("c.csv"), columns=COLUMNS),
    "Habits": plain(gl.training.series.Habits),
    "union_grid": lambda: Call(
        gl.union_grid, {"x": [X[0]], "timespans": [0.5], "y": [Y[0]], "times": [np.arange(5) / 4]}
    ),
    "pad": lambda: Call(gl.pad, {"arrays": [X[0], X[1, :3]]}),
    "since_seen": lambda: Call(gl.since_seen, {"timespans": [1.0, 2.0], "mask": [True, False]}),
    "train_series": series(
        gl.training.series.train_series,
        circuit=Path("c.json"),
        data=Path("c.csv"),
        out=Path("run"),
        targets=["motor_0", "motor_1"],
        epochs=1,
        settings=gl.training.series.Settings(window=8),
        progress=False,
    ),
    "predict_series": _predict,
    "score_series": _score,
    # pictures
    **{
        name: plain(getattr(gl.viz, name), circuit=CIRCUIT)
        for name in (
            "plot_circuit",
            "plot_masks",
            "plot_degrees",
            "plot_balance",
            "plot_summary",
            "layout",
            "to_html",
        )
    },
    "plot_diff": plain(gl.viz.plot_diff, before=CIRCUIT, after=OTHER),
    "plot_paths": plain(gl.viz.plot_paths, circuit=CIRCUIT, source="sensory_0", target="motor_0"),
    **{
        name: (lambda name=name: Call(getattr(gl.viz, name), {"recording": recording()}))
        for name in ("plot_activity", "plot_correlation", "plot_heatmap", "plot_traces", "plot_phase")
    },
    "plot_saliency": lambda: Call(
        gl.viz.plot_saliency, {"recording": recording(), "saliency": gl.saliency(ltc(), X)}
    ),
    "plot_time_constants": lambda: Call(
        gl.viz.plot_time_constants,
        {"recording": recording(), "time_constants": gl.time_constants(ltc(), recording())},
    ),
    "animate_activity": lambda: Call(
        gl.viz.animate_activity, {"circuit": CIRCUIT, "recording": recording().sequence(0)}
    ),
    "styled": lambda: Call(lambda **given: gl.viz.styled(**given).__enter__(), {"excitatory": "black"}),
    "current": plain(gl.viz.current),
    **calls_of_ops.ROWS,
    **calls_of_studies.ROWS,
    **calls_of_meaning.ROWS,
    "Picture.save": lambda: Call(gl.viz.plot_masks(CIRCUIT).save, {"path": "f.png"}),
}

UNTRIED = {
    "edit": "starts a server or a widget: tests/editor",
    "Callback": "a class to derive from",
    "NCPLayer": "a class to derive from",
    "CellWrapper": "a class to derive from",
    "Observed": "made by observe",
    "Indicator": "a class to derive from",
    "EquationCell": "a class to derive from",
    "Edit": "a class to derive from",
    "Perturbation": "a class to derive from",
    "Perturbed": "made by perturbed",
    "Each": "made by each",
    "Study": "made by study",
    "Combined": "made by combined",
    "CombinedRow": "made by combined",
    "Prior": "a class to derive from",
    "Posterior": "made by laplace",
    "Spread": "made by Ensemble.spread",
    "SimulatorPrior": "made by simulator",
    "Identifiability": "made by identifiability",
    "Combination": "made by identifiability",
    "Row": "made by study",
    "Look": "made by study",
    "Experiment": "made by experiment",
    "Result": "made by experiment",
    "Trial": "made by experiment",
    "Projection": "made by compile_circuit or connect",
    "Problem": "made by check",
    "Summary": "made by summary and fit",
    "Origin": "made by circuit_from",
    "Memory": "made by memory",
    "Report": "made by report",
    "CompiledCircuit": "made by compile_circuit",
    "BlockProjection": "made by compile_circuit",
    "DenseProjection": "made by compile_circuit",
    "EdgeProjection": "made by compile_circuit",
    "MixedProjection": "made by compile_circuit",
    "Done": "made by an edit",
    "Entry": "made by a session",
    "Run": "made by fit",
    "History": "made by fit",
    "Outcome": "made by train_series",
    "Score": "made by score_series",
    "Series": "made by read_series",
    "predict": "of an Outcome: see train_series",
    "Animation": "made by animate_activity",
    "Picture": "made by plots",
    "DiffPicture": "made by plot_diff",
    "PathPicture": "made by plot_paths",
    "Place": "made by plots",
    "Style": "made by current",
}
"""Public names without a row, and why."""
