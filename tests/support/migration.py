"""What every row of the migration guide's tables promises, as one check per row."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import ncps.wirings
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.cells import BackboneCfCCell

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "migration.md"
B, T = 3, 4
X = mx.array(np.random.default_rng(0).normal(size=(B, T, 8)).astype(np.float32))
SPANS = mx.array(np.random.default_rng(1).uniform(0.5, 2, (B, T)).astype(np.float32))

# Sections of the guide.
EVERY, WIRINGS, LTCS = "Options of every network", "Wirings", "Options of LTC and LTCCell"
CFCS, MEMORY, PORTS = (
    "Options of CfC, CfCCell and WiredCfCCell", "Options of MixedMemoryRNN", "Options of the MLX port",
)  # fmt: skip
CALLS, METHODS = "Arguments of a call", "Properties and methods"
WIRING_OPTIONS, OTHERS = "Options of the wirings", "Other names"


def tables() -> dict[str, dict[str, str]]:
    """Section -> names in the first column -> the second column, from the guide."""
    found: dict[str, dict[str, str]] = {}
    for section in GUIDE.read_text().partition("## Every class and option")[2].split("\n### ")[1:]:
        title, _, text = section.partition("\n")
        rows = re.findall(r"^\| (`.*?) \| (.*) \|$", text, re.MULTILINE)
        found[title] = {name.strip("`").replace("`, `", ", "): ours for name, ours in rows}
    return found


TABLES = tables()
CODE = ("gl.", "rnn", "circuit", "len(", "[len(", "mx.", "nn.", "np.load")


def names_in(*sections: str) -> set[str]:
    """Every name that has a row in one of the sections."""
    return {name for section in sections for row in TABLES[section] for name in row.split(", ")}


def code_of(row: str) -> list[str]:
    """The expressions in a row's second column."""
    section, _, name = row.partition("/")
    spans = re.findall(r"`([^`]*)`", TABLES[section][name])
    return [span for span in spans if span.startswith(CODE) and span != "gl.fit"]


class Given:
    """What the code of a row may name, fresh for every row, and the values of its expressions."""

    def __init__(self, row: str, folder: Path) -> None:
        self.circuit = gl.auto_ncp(16, 2, inputs=8)
        self.circuit.add_edge("inter_0", "motor_1", polarity=1)
        wiring = ncps.wirings.AutoNCP(16, 2)
        wiring.build(8)
        self.wiring, self.cfc = wiring, gl.CfC(gl.dense(8, 16))
        self.rnn = gl.LTC(self.circuit)
        self.y = self.rnn(X)[0]
        self.names = {
            "gl": gl, "mx": mx, "circuit": self.circuit, "wiring": wiring, "rnn": self.rnn, "x": X,
            "y": self.y, "state": mx.zeros((B, 16)), "dt": SPANS, "lengths": [4, 2, 1],
            "config": self.cfc.get_config(),
            "nn": nn, "np": np, "optim": optim, "rate": mx.negative, "pre": [0, 1], "post": [1, 1],
            "polarity": [1, -1], "roles": ["sensory", "motor"], "lidar": X[..., :6], "speed": X[..., 6:],
            "mask": mx.array(np.arange(T) < np.array([[4], [2], [1]])), "cell": self.rnn.cell,
        }  # fmt: skip
        self.folder = folder
        np.savez(folder / "data.npz", x=np.array(X), y=np.zeros((B, T, 2), np.float32))
        self.values = [eval(code, dict(self.names)) for code in code_of(row)]


def run(layer: Any) -> mx.array:
    """The outputs of a layer for the sample batch, whatever the layer is."""
    result = layer(X[:, 0] if isinstance(layer, gl.NCPRNNCell) else X)
    return result[0] if isinstance(result, tuple) else result


CHECKS: dict[str, Callable[[Given], None]] = {}


def row(section: str, *names: str) -> Callable[[Callable[[Given], None]], Callable[[Given], None]]:
    def register(check: Callable[[Given], None]) -> Callable[[Given], None]:
        for name in names:
            CHECKS[f"{section}/{name}"] = check
        return check

    return register


# Classes


@row("Classes", "LTC", "CfC")
def _(g: Given) -> None:
    for rnn in g.values:
        assert isinstance(rnn, gl.RNN)
        assert run(rnn).shape[:2] == (B, T)
    if isinstance(g.values[0], gl.LTC):
        assert gl.ncps_options(g.values[0]).items() <= defaults_of("torch/ltc.py").items()


def defaults_of(part: str) -> dict[str, Any]:
    """The defaults of a class of ncps, read off its source: it need not run here."""
    source = (Path(ncps.wirings.__file__).parents[1] / part).read_text()
    init = next(node for node in ast.walk(ast.parse(source)) if getattr(node, "name", "") == "__init__")
    assert isinstance(init, ast.FunctionDef)
    names = [argument.arg for argument in init.args.args][-len(init.args.defaults) :]
    return dict(zip(names, map(ast.literal_eval, init.args.defaults), strict=True))


@row("Classes", "LTCCell", "CfCCell", "WiredCfCCell")
def _(g: Given) -> None:
    for cell in g.values:
        output, state = cell(X[:, 0], timespan=0.5)
        assert output.shape == (B, cell.n_outputs)
        assert state.shape == (B, cell.n_neurons)


@row("Classes", "MixedMemoryRNN")
def _(g: Given) -> None:
    _, (h, c) = g.values[0](X[:, 0])
    assert h.shape == c.shape == (B, 16)


@row("Classes", "CTRNN, CTRNNCell, CTRNNSECell", "LTC4, LTC4Cell")
def _(g: Given) -> None:
    (rnn,) = g.values
    slow, fast = (rnn(X[:, :1], mx.ones((B, 16)), span)[1] for span in (0.01, 50.0))
    assert float(mx.abs(slow - 1).max()) < 0.05
    assert float(mx.abs(fast).max()) <= 1.0 + 1e-4  # it settles: nothing diverges


@row("Classes", "ELTC, ELTCCell")
def _(g: Given) -> None:
    cell = g.values[0].cell
    assert (cell.solver, cell.ode_unfolds) == ("rk4", 4)
    np.testing.assert_allclose(np.logaddexp(np.array(cell.tau), 0), 1.0, rtol=1e-6)


@row("Classes", "NODE, NODESECell")
def _(g: Given) -> None:
    rnn = g.values[0]
    rnn.cell.update({name: 0 * value for name, value in rnn.cell.parameters().items() if "rate" in name})
    assert mx.allclose(rnn(X, mx.ones((B, 16)))[1], mx.ones((B, 16)))  # nothing fires, and nothing leaks


@row("Classes", "CTGRU, CTGRUCell, CTGRUSECell")
def _(g: Given) -> None:
    rnn = g.values[0]
    soon, late = (float(mx.abs(rnn(0 * X[:, :1], mx.ones((B, 16, 8)), dt)[1]).sum()) for dt in (0.1, 100.0))
    assert late < soon


@row("Classes", "LTCSECell")
def _(g: Given) -> None:
    plan = g.values[0].compiled.plan
    assert len(plan.recurrent) == 64 * 64
    assert len(plan.sensory) == 8 * 64


@row("Classes", "CfCProfiled, HyperProfile, load_profile")
def _(g: Given) -> None:
    assert run(g.values[0]).shape == (B, T, 64)


@row("Classes", "IcraCfCCell")
def _(g: Given) -> None:
    assert run(gl.RNN(g.values[0])).shape == (B, T, 64)

    class Lidar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv1d(1, 4, kernel_size=3)

        def __call__(self, x: mx.array) -> mx.array:
            bins = x[..., :6].reshape(-1, 6, 1)
            seen = nn.relu(self.convolution(bins)).reshape(*x.shape[:-1], -1)
            return mx.concatenate([seen, mx.clip(x[..., 6:], -1, 1)], axis=-1)

    rnn = gl.RNN(BackboneCfCCell(gl.dense(8, 16), features=Lidar()))
    assert run(rnn).shape == (B, T, 16)
    assert rnn.cell.backbone[0].weight.shape[1] == 4 * 4 + 2 + 16


@row("Classes", "NCPLayer, NCPDense, NCPRNNCell")
def _(g: Given) -> None:
    layer, dense, cell = g.values
    assert issubclass(layer, nn.Module)
    assert run(dense).shape == (B, T, 8)
    assert cell.get_initial_state(batch_size=4).shape == (4, 8)


# Options of every network


@row(EVERY, "input_size")
@row(LTCS, "in_features")
@row(PORTS, "input_dim")
def _(g: Given) -> None:
    rnn = gl.LTC(g.values[0])
    assert rnn.input_size == 8
    with pytest.raises(ValueError, match="7 features"):
        rnn(X[..., :7])


@row(EVERY, "units")
def _(g: Given) -> None:
    wired, full = g.values
    assert wired.cell.n_neurons == 16
    assert full.cell.n_neurons == 64
    assert len(full.cell.compiled.plan.recurrent) == 64 * 64


@row(EVERY, "return_sequences")
def _(g: Given) -> None:
    g.values[0].update(g.rnn.parameters())
    assert mx.allclose(run(g.values[0]), g.y[:, -1], atol=1e-6)


@row(EVERY, "return_state")
def _(g: Given) -> None:
    assert isinstance(g.values[0](X), mx.array)
    assert isinstance(nn.Sequential(g.values[0], nn.Linear(2, 1))(X), mx.array)


@row(EVERY, "batch_first, time_major")
def _(g: Given) -> None:
    time_first = X.swapaxes(0, 1)
    outputs = g.rnn(time_first.swapaxes(0, 1))[0].swapaxes(0, 1)
    assert mx.array_equal(outputs.swapaxes(0, 1), g.y)


@row(EVERY, "mixed_memory")
def _(g: Given) -> None:
    assert len(g.values[0](X)[1]) == 2  # golden files hold the parity


@row(EVERY, "proj_size")
def _(g: Given) -> None:
    assert run(g.values[0]).shape == (B, T, 4)


@row(EVERY, "go_backwards")
def _(g: Given) -> None:
    rnn = g.values[0]
    rnn.update(g.rnn.parameters())
    assert mx.allclose(run(rnn)[:, ::-1], g.rnn(X[:, ::-1])[0], atol=1e-6)


@row(EVERY, "stateful")
def _(g: Given) -> None:
    first, state = g.rnn(X[:, :2])
    assert mx.allclose(g.rnn(X[:, 2:], state)[0], g.y[:, 2:], atol=1e-6)
    stream = g.rnn.stream(B)
    assert mx.allclose(mx.stack([stream(X[:, t]) for t in range(T)], axis=1), g.y, atol=1e-6)
    assert mx.allclose(first, g.y[:, :2], atol=1e-6)


@row(EVERY, "unroll")
def _(g: Given) -> None:
    for engine in ("ops", "fused"):
        other = gl.LTC(g.circuit, engine=engine)
        other.update(g.rnn.parameters())
        assert mx.allclose(run(other), g.y, atol=1e-5)


@row(EVERY, "zero_output_for_mask")
def _(g: Given) -> None:
    zeroed = np.array(g.values[0])
    mask = np.array(g.names["mask"])
    assert not zeroed[~mask].any()
    np.testing.assert_array_equal(zeroed[mask], np.array(g.y)[mask])


@row(CALLS, "hx, states, initial_state, state")
def _(g: Given) -> None:
    assert mx.array_equal(g.values[0][0], g.rnn(X)[0])  # the state given is that of zeros
    pair = (mx.zeros((B, 16)), mx.zeros((B, 16)))
    assert gl.LTC(g.circuit, mixed_memory=True)(X, pair)[0].shape == g.y.shape


@row(CALLS, "timespans")
def _(g: Given) -> None:
    expected = g.values[0][0]
    assert mx.array_equal(g.rnn(X, timespans=SPANS[..., None])[0], expected)
    assert not mx.allclose(expected, g.y, atol=1e-3)
    assert mx.array_equal(g.rnn(X, timespans=1.0)[0], g.y)
    assert mx.array_equal(g.rnn(X, timespans=mx.ones((T,)))[0], g.y)


@row(CALLS, "mask")
def _(g: Given) -> None:
    assert mx.array_equal(g.values[0][0], g.values[1][0])
    assert mx.allclose(g.values[0][0][1, 1:], mx.broadcast_to(g.y[1, 1], (3, 2)), atol=1e-6)


# LTC


@row(LTCS, "wiring")
@row(CFCS, "wiring")
def _(g: Given) -> None:
    cell, circuit = g.values
    assert isinstance(cell, gl.LTCCell | gl.CfCCell)
    assert np.array_equal(gl.compile_circuit(circuit).recurrent.polarity, g.wiring.adjacency_matrix)


@row(LTCS, "input_mapping")
def _(g: Given) -> None:
    assert "input_w" in g.values[0].cell.parameters()
    assert "input_b" not in g.values[0].cell.parameters()


@row(LTCS, "output_mapping")
def _(g: Given) -> None:
    y, state = g.values[0](X)
    assert mx.array_equal(y[:, -1], state[:, :2])


@row(LTCS, "ode_unfolds")
def _(g: Given) -> None:
    fine, half = g.values[0], gl.LTC(g.circuit, ode_unfolds=6)
    half.update(fine.parameters())
    once = fine(X[:, :1], timespans=2.0)[1]
    twice = half(mx.repeat(X[:, :1], 2, axis=1), timespans=1.0)[1]
    assert mx.allclose(once, twice, atol=1e-5)  # the same twelve solver steps


@row(LTCS, "epsilon")
def _(g: Given) -> None:
    assert g.values[0].cell.epsilon == 1e-6


@row(LTCS, "implicit_param_constraints")
def _(g: Given) -> None:
    soft, clipped = g.values
    for rnn in g.values:
        rnn.cell.w = rnn.cell.w - 10
        rnn.apply_constraints()
    assert float(soft.cell.w.max()) < 0 < float(soft.cell.effective()["w"].min())
    assert float(clipped.cell.w.max()) == 0


@row(LTCS, "initialization_ranges")
def _(g: Given) -> None:
    cm = np.array(g.values[0].cell.cm)
    assert 0.5 <= cm.min() <= cm.max() <= 0.6


@row(METHODS, "apply_weight_constraints, apply_constraints")
def _(g: Given) -> None:
    g.rnn.cell.gleak = -g.rnn.cell.gleak
    g.rnn.apply_constraints()
    assert float(g.rnn.cell.gleak.max()) == 0


# CfC


@row(CFCS, "hidden_size")
def _(g: Given) -> None:
    assert g.values[0].n_neurons == 64


@row(CFCS, "mode")
def _(g: Given) -> None:
    assert "w_tau" in g.values[0].cell.parameters()
    assert {gl.CfC(g.circuit, mode=mode).cell.mode for mode in ("default", "pure", "no_gate")}


@row(CFCS, "activation", "backbone_activation")
def _(g: Given) -> None:
    cell = getattr(g.values[0], "cell", g.values[0])
    features = mx.concatenate([X[:, 0], mx.zeros((B, 64))], axis=-1)
    expected = nn.silu(cell.backbone[0](features))
    assert mx.allclose(cell.mapped(X[:, 0], mx.zeros((B, 64)))["ff1"], cell.ff1(expected), atol=1e-6)


@row(CFCS, "backbone_units")
def _(g: Given) -> None:
    assert g.values[0].cell.backbone[0].weight.shape == (32, 8 + 64)


@row(CFCS, "backbone_layers")
def _(g: Given) -> None:
    assert len(g.values[0].cell.backbone) == 2


@row(CFCS, "backbone_dropout")
def _(g: Given) -> None:
    rnn = gl.CfC(gl.dense(8, 64), backbone_dropout=0.5, backbone_layers=2, engine="ops")
    rnn.train()
    assert not mx.allclose(run(rnn), run(rnn))
    rnn.eval()
    assert mx.array_equal(run(rnn), run(rnn))
    assert run(g.values[0]).shape == (B, T, 64)


@row(CFCS, "sparsity_mask, input_sparsity, recurrent_sparsity")
def _(g: Given) -> None:
    rnn, plan = g.values
    assert gl.CfC(plan).cell.ff1_w.shape == (1,)
    assert rnn.cell.ff1_w.shape == rnn.cell.compiled.plan.recurrent.pre.shape


@row(CFCS, "fully_recurrent")
def _(g: Given) -> None:
    full, graph = (rnn.cell for rnn in g.values)
    motors = full.compiled.plan.role_slice("motor")
    assert np.array(full.compiled.recurrent.mask)[motors, motors].all()
    assert np.array_equal(graph.compiled.recurrent.mask, gl.compile_circuit(g.circuit).recurrent.mask)


@row(CFCS, "custom_activations")
def _(g: Given) -> None:
    class Cosine(gl.NCPDense):
        def call(self, x: mx.array) -> mx.array:
            return mx.cos(super().call(x))

    rnn = gl.RNN(gl.LiquidCell(gl.dense(8, 4), features=Cosine(6)))
    twin = gl.NCPLayer.from_config(rnn.get_config())
    assert type(twin.cell.features) is Cosine
    assert {"lecun_tanh", "relu", "tanh", "silu", "gelu"} <= set(g.values[0]) <= set(gl.cells.ops.ACTIVATIONS)


# Mixed memory


@row(MEMORY, "rnn_cell")
def _(g: Given) -> None:
    assert isinstance(g.values[0].cell, gl.CfCCell)


@row(MEMORY, "forget_gate_bias")
def _(g: Given) -> None:
    assert g.values[0].forget_bias == 0.5


# The MLX port


@row(PORTS, "solver")
def _(g: Given) -> None:
    assert g.values[0].solver == "explicit"
    assert g.values[1].cell.solver == "rk4"
    assert run(g.values[0]).shape == (B, 2)
    assert run(g.values[1]).shape == (B, T, 2)


@row(PORTS, "ode_unfolds")
def _(g: Given) -> None:
    assert g.values[0].ode_unfolds == 4


@row(PORTS, "activation")
def _(g: Given) -> None:
    assert float(g.values[0](X[:, 0], timespan=100.0)[1].min()) > 0  # a sigmoid fires from 0 to 1


@row(PORTS, "cell_clip")
def _(g: Given) -> None:
    for cell in g.values:
        assert float(mx.abs(cell(100 * X[:, 0], timespan=100.0)[1]).max()) <= 1.0


@row(PORTS, "erev_init_factor")
def _(g: Given) -> None:
    code = TABLES[PORTS]["erev_init_factor"].split("`")[1]
    before = g.rnn.cell.erev
    exec(code, g.names)
    assert mx.array_equal(g.rnn.cell.erev, 2 * before)
    assert not mx.allclose(g.rnn(X)[0], g.y)


@row(PORTS, "profile")
def _(g: Given) -> None:
    assert g.values[0].get_config() == g.cfc.get_config()


@row(PORTS, "overrides")
def _(g: Given) -> None:
    assert g.values[0].cell.mode == "pure"


@row(PORTS, "lidar_bins", "state_dim")
def _(g: Given) -> None:
    CHECKS["Classes/IcraCfCCell"](Given("Classes/IcraCfCCell", g.folder))


# Wirings


def same_wiring(circuit: gl.Circuit, wiring: Any) -> None:
    wiring.build(8)
    compiled = gl.compile_circuit(circuit)
    assert np.array_equal(compiled.recurrent.polarity, wiring.adjacency_matrix)
    assert np.array_equal(compiled.sensory.polarity, wiring.sensory_adjacency_matrix)


@row(WIRINGS, "FullyConnected")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.FullyConnected(32, 4, erev_init_seed=1111, self_connections=True))


@row(WIRINGS, "Random")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.Random(64, 4, sparsity_level=0.9, random_seed=1111))


@row(WIRINGS, "NCP")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.NCP(12, 8, 4, 4, 3, 5, 4, seed=22222))


@row(WIRINGS, "AutoNCP")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.AutoNCP(32, 4, sparsity_level=0.5, seed=22222))


@row(WIRINGS, "Wiring")
def _(g: Given) -> None:
    assert isinstance(g.values[0], nx.DiGraph)
    assert len(g.values[0]) == 0


@row(WIRINGS, "build")
def _(g: Given) -> None:
    again = ncps.wirings.AutoNCP(16, 2)
    again.build(8)
    count = again.synapse_count
    again.build(8)
    assert again.synapse_count != count  # the fault: a second build adds synapses
    assert gl.compile_circuit(g.circuit).plan == gl.compile_circuit(g.circuit).plan


@row(WIRINGS, "add_synapse", "add_sensory_synapse")
def _(g: Given) -> None:
    edges = {("inter_0", "motor_0"): -1, ("sensory_0", "motor_0"): 1}
    assert any(g.circuit.edges.get(edge, {}).get("polarity") == sign for edge, sign in edges.items())


@row(WIRINGS, "adjacency_matrix", "sensory_adjacency_matrix")
def _(g: Given) -> None:
    assert set(np.unique(g.values[0])) == {-1, 0, 1}


@row(WIRINGS, "synapse_count", "sensory_synapse_count")
def _(g: Given) -> None:
    counts = {True: 0, False: 0}
    for pre, _ in g.circuit.edges:
        counts[pre.startswith("sensory")] += 1
    assert g.values[0] in counts.values()


@row(WIRINGS, "get_type_of_neuron")
def _(g: Given) -> None:
    assert g.values == ["motor"]


@row(WIRINGS, "get_neurons_of_layer")
def _(g: Given) -> None:
    assert all(name.startswith("command_") for name in g.values[0])


@row(WIRINGS, "get_graph")
def _(g: Given) -> None:
    assert nx.is_weakly_connected(g.circuit)


@row(WIRINGS, "draw_graph")
def _(g: Given) -> None:
    assert plt.get_fignums()
    plt.close("all")


@row(WIRINGS, "get_config", "from_config, config")
def _(g: Given) -> None:
    gl.write(g.circuit, g.folder / "circuit.json")
    assert nx.utils.graphs_equal(gl.read(g.folder / "circuit.json"), g.circuit)


@row(WIRINGS, "is_built")
def _(g: Given) -> None:
    assert [problem for problem in g.values[0] if problem.severity == "error"] == []


@row(WIRINGS, "num_layers")
@row(METHODS, "num_layers")
def _(g: Given) -> None:
    assert g.values == [g.wiring.num_layers]


@row(WIRINGS, "set_input_dim")
def _(g: Given) -> None:
    assert gl.compile_circuit(g.circuit).plan.n_inputs == 9


@row(WIRINGS, "set_output_dim")
def _(g: Given) -> None:
    assert gl.LTC(g.circuit).cell.n_outputs == 3


@row(WIRINGS, "erev_initializer", "sensory_erev_initializer")
def _(g: Given) -> None:
    plan = g.rnn.cell.compiled.plan
    assert any(np.array_equal(g.values[0], part.polarity) for part in (plan.recurrent, plan.sensory))


# Options of the wirings


@row(WIRING_OPTIONS, "units")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.FullyConnected(32))


@row(WIRING_OPTIONS, "output_dim, output_size", "input_dim, input_shape")
def _(g: Given) -> None:
    for circuit in g.values:
        assert (len(circuit.neurons("motor")), len(circuit.neurons("sensory"))) == (4, 8)


@row(WIRING_OPTIONS, "erev_init_seed, random_seed, seed")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.Random(32, sparsity_level=0.5, random_seed=7))


@row(WIRING_OPTIONS, "self_connections")
def _(g: Given) -> None:
    assert nx.number_of_selfloops(g.values[0]) == 0
    same_wiring(g.values[0], ncps.wirings.FullyConnected(32, self_connections=False))


@row(WIRING_OPTIONS, "sparsity_level")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.AutoNCP(32, 4, sparsity_level=0.7))


@row(WIRING_OPTIONS, "inter_neurons, command_neurons, motor_neurons")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.NCP(6, 5, 2, 4, 3, 5, 4))


@row(WIRING_OPTIONS, "sensory_fanout, inter_fanout, recurrent_command_synapses, motor_fanin")
def _(g: Given) -> None:
    same_wiring(g.values[0], ncps.wirings.NCP(6, 5, 2, 2, 4, 9, 3))


@row(WIRING_OPTIONS, "src, dest, polarity")
def _(g: Given) -> None:
    assert g.circuit.edges["inter_0", "motor_0"]["polarity"] == -1
    assert g.circuit.edges["inter_0", "motor_1"]["polarity"] == -1
    with pytest.raises(gl.CircuitError):
        g.circuit.add_synapse("inter_0", "motor_0")


@row(WIRING_OPTIONS, "neuron_id")
def _(g: Given) -> None:
    assert g.circuit.nodes[g.values[0]]["role"] == g.wiring.get_type_of_neuron(3)


@row(WIRING_OPTIONS, "layer_id")
def _(g: Given) -> None:
    for layer, names in enumerate(g.values):
        assert names == [g.rnn.cell.neurons[k] for k in g.wiring.get_neurons_of_layer(layer)]


@row(WIRING_OPTIONS, "include_sensory_neurons")
def _(g: Given) -> None:
    assert set(g.values[0]) == set(g.rnn.cell.neurons)
    assert len(g.wiring.get_graph(include_sensory_neurons=False)) == 16 + 8  # it takes it for True


@row(WIRING_OPTIONS, "layout", "draw_labels")
def _(g: Given) -> None:
    assert isinstance(g.values[0], gl.viz.Picture)
    plt.close("all")


@row(WIRING_OPTIONS, "neuron_colors, synapse_colors")
def _(g: Given) -> None:
    with g.values[0]:
        style = gl.viz.current()
    assert (style.colors["motor"], style.excitatory, style.inhibitory) == ("black", "gold", "gold")


# Calls, properties and methods


@row(CALLS, "input, inputs, sequence, sequences")
def _(g: Given) -> None:
    sequences, (step, _), (irregular, _) = g.values
    assert mx.array_equal(sequences[0], g.y)
    assert mx.allclose(step, g.y[:, 0], atol=1e-6)
    assert mx.allclose(g.rnn(X[0])[0], g.y[0], atol=1e-6)
    assert mx.array_equal(irregular, g.rnn(X, None, SPANS)[0])


@row(CALLS, "ts, elapsed_time, time")
def _(g: Given) -> None:
    (_, state), spans = g.values[0], mx.array([0.5, 1.0, 2.0])
    assert mx.allclose(g.rnn.cell(X[:, 0], timespan=spans)[1][0], state[0], atol=1e-6)
    assert not mx.allclose(g.rnn.cell(X[:, 0])[1], state, atol=1e-3)


@row(CALLS, "training")
def _(g: Given) -> None:
    assert not g.rnn.training  # eval() came last
    g.rnn.train()
    assert g.rnn.cell.training


@row(METHODS, "state_size, flat_size")
def _(g: Given) -> None:
    assert g.values == [16, ((16,),)]
    assert gl.MixedMemoryCell(g.rnn.cell).state_shapes == ((16,), (16,))


@row(METHODS, "sensory_size, input_size")
def _(g: Given) -> None:
    assert g.values == [g.wiring.input_dim]


@row(METHODS, "motor_size, output_size")
def _(g: Given) -> None:
    assert g.values == [g.wiring.output_dim]


@row(METHODS, "layer_sizes")
def _(g: Given) -> None:
    assert g.values == [[len(g.wiring.get_neurons_of_layer(layer)) for layer in range(3)]]


@row(METHODS, "synapse_count")
def _(g: Given) -> None:
    assert g.values == [g.wiring.synapse_count + 1]  # Given adds one


@row(METHODS, "sensory_synapse_count")
def _(g: Given) -> None:
    assert g.values == [g.wiring.sensory_synapse_count]
    source = (Path(ncps.wirings.__file__).parents[1] / "torch" / "ltc.py").read_text()
    fault = source.partition("def sensory_synapse_count")[2].partition("def ")[0]
    assert "wiring.adjacency_matrix" in fault


@row(METHODS, "build, input_shape, sequences_shape, initial_state_shape")
@row(PORTS, "ensure_parameters")
def _(g: Given) -> None:
    assert g.rnn.built
    cell = gl.NCPRNNCell(8)
    assert not cell.built
    for build in (cell.build, cell.ensure_built):
        build(X.shape)
        assert (cell.built, cell.input_size) == (True, 8)


@row(METHODS, "get_config, to_config")
def _(g: Given) -> None:
    assert g.values[0]["class"] == "LTC"


@row(METHODS, "from_config, config, custom_objects")
def _(g: Given) -> None:
    assert type(g.values[0]) is gl.LTC

    class Mine(gl.NCPDense):
        pass

    assert type(gl.NCPLayer.from_config(Mine(8).get_config())) is Mine


# The rest of the MLX port, and other names


@row(PORTS, "lidar_seq, state_seq, lidar_t, state_t")
def _(g: Given) -> None:
    assert mx.array_equal(g.rnn(g.values[0])[0], g.y)


@row(PORTS, "name, description, initializers, constraints, extras")
def _(g: Given) -> None:
    config = g.values[0]
    assert config["positive"] == "clip"
    assert float(gl.LTC.from_config(config).cell.cm.min()) >= 0.5


@row(PORTS, "zero_state, batch_size")
def _(g: Given) -> None:
    assert mx.array_equal(g.values[0], mx.zeros((4, 16)))


@row(PORTS, "step")
def _(g: Given) -> None:
    (output, _), stream = g.values
    assert mx.allclose(output, g.y[:, 0], atol=1e-6)
    assert mx.allclose(stream(X[:, 0]), output, atol=1e-6)


@row(OTHERS, "LeCun, LeCunTanh, lecun_tanh")
def _(g: Given) -> None:
    np.testing.assert_allclose(g.values[0], 1.7159 * np.tanh(0.666 * np.array(X)), rtol=1e-5)


@row(OTHERS, "LSTMCell")
def _(g: Given) -> None:
    memory, lstm = g.values
    assert len(memory(X[:, 0])[1]) == 2
    assert lstm(X)[0].shape == (B, T, 16)


@row(OTHERS, "load_data, AtariCloningDataset, AtariCloningDatasetTF, get_dataset")
def _(g: Given) -> None:
    (data,) = g.values
    history = gl.fit(
        g.rnn,
        (data["x"], data["y"]),
        loss=gl.training.mse,
        optimizer=optim.Adam(0.01, bias_correction=True),
        epochs=1,
    )
    assert len(history.loss) == 1


@row(OTHERS, "env_name, local_path, root_dir, split, seq_len, batch_size")
@row(OTHERS, "TrainingState, create_training_state, train_for_epochs")
def _(g: Given) -> None:
    history = g.values[0]
    assert len(history.loss) == 1
    assert history.loss[0] < 1e-6  # the targets are the outputs it gave


@row(OTHERS, "get_activation, sigmoid")
def _(g: Given) -> None:
    assert mx.array_equal(g.values[0], mx.sigmoid(X))
    assert mx.array_equal(gl.cells.ops.activate("linear", X), X)


@row(OTHERS, "euler_solve, rk4_solve")
def _(g: Given) -> None:
    euler, rk4 = (np.array(value) for value in g.values)
    np.testing.assert_allclose(euler, 0.9 * np.array(X), rtol=1e-5)
    np.testing.assert_allclose(rk4, np.exp(-0.1) * np.array(X), rtol=1e-5)


@row(OTHERS, "semi_implicit_solve")
def _(g: Given) -> None:
    assert g.values[0].solver == "semi_implicit"
