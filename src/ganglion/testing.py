"""Is a cell all that a cell should be? `check_cell` tries everything that can be done with one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import networkx as nx
import numpy as np
from mlx.utils import tree_flatten

from .arguments import counted, several, text
from .cells import RNN, NCPRNNCell, carried, lesion
from .cells.networks.carrying import own_parameters
from .cells.offers import cell_kernel
from .cells.ops.state_ops import restarted, rows
from .compile import CompiledCircuit, compile_circuit
from .errors import KernelError
from .forks import require_computing
from .interchange import circuit_of, export_mlx, load, save
from .wiring import Circuit

Check = Callable[[NCPRNNCell], None]
Arrays = dict[str, Any]

BATCH, STEPS, CLOSE = 3, 5, 2e-5
LAYOUTS = ("dense", "block", "edge")


def check_cell(cell: NCPRNNCell, skip: Iterable[str] = ()) -> tuple[str, ...]:
    """Try whatever can be done with a cell, and say what does not work.

    What is tried: that parameters are declared, the same numbers on every layout and engine, time spans,
    masks and padding, episode ends, streams, recordings, lesions (also where there are as many synapses as
    neurons), edits carried over by name, files, half precision, MLX's exported functions, frozen parameters,
    and that a neuron sees what its synapses bring and nothing else.

    Args:
        cell: a cell over a circuit with a few dozen neurons at most; or one without wiring, for which what
            needs a circuit is left out. Its dropout is off: call ``cell.eval()``.
        skip: names of checks to leave out.

    Returns:
        The names of the checks that were made.

    Raises:
        AssertionError: what does not work, one line for each check.
        TypeError: no cell.
        ValueError: an unknown name in `skip`, or a cell that is not built.

    Example:
        >>> gl.testing.check_cell(Leaky(gl.auto_ncp(16, 2, inputs=3)))
    """
    if not isinstance(cell, NCPRNNCell):
        raise TypeError(f"expected a cell, such as gl.LTCCell(circuit), got {type(cell).__name__}")
    require_computing()
    if not cell.built:
        raise ValueError(f"the {type(cell).__name__} is not built yet: call it once, or build()")
    skip = [text("a check to skip", name) for name in several("skip", skip, "names of checks")]
    left_out = {*skip, *(() if hasattr(cell, "compiled") else OF_CIRCUITS)}
    unknown = set(skip) - set(CHECKS)
    if unknown:
        raise ValueError(f"no check is called {min(unknown)!r}: there are {', '.join(CHECKS)}")
    faults, done = [], []
    for name, check in CHECKS.items():
        if name in left_out:
            continue
        done.append(name)
        try:
            check(cell)
        except Exception as error:
            faults.append(f"{name}: {error or type(error).__name__}")
    if faults:
        raise AssertionError(
            f"{type(cell).__name__} fails {len(faults)} of {len(done)}:\n" + "\n".join(faults)
        )
    return tuple(done)


def _declared(cell: NCPRNNCell) -> None:
    declared, plans = cell.declared(), cell.plans
    used = cell.effective() if cell.shared else {}
    for name, value in own_parameters(cell).items():
        assert name in declared, f"the parameter {name!r} has no home: name it in homes"
        p = declared[name]
        if name in cell.shared:  # it follows from fewer numbers
            value = used[name]
        if all(axis != "free" for axis in p.axes):
            expected = p.shape(plans[p.part])
            assert tuple(value.shape) == expected, f"{name!r} has shape {tuple(value.shape)}, not {expected}"
    missing = set(declared) - set(own_parameters(cell))
    assert not missing, f"{min(missing)!r} is declared, but there is no such parameter"


def _layouts(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    expected = _outputs(RNN(cell, engine="ops"), x, spans)
    for layout in LAYOUTS:
        twin = _over(cell, compile_circuit(cell.compiled.plan, layout=layout))
        _close(f"layout {layout!r}", _outputs(RNN(twin, engine="ops"), x, spans), expected)


def _engines(cell: NCPRNNCell) -> None:
    try:
        cell_kernel(cell)
    except KernelError:  # none for this cell, or for one of its options
        return
    x, spans = _data(cell)
    ops, fused = (RNN(cell, engine=engine) for engine in ("ops", "fused"))
    _close("engine 'fused'", _outputs(fused, x, spans), _outputs(ops, x, spans))
    for name, gradient in _gradients(fused, x, spans).items():
        _close(f"the gradient of {name}", gradient, _gradients(ops, x, spans)[name], 1e-3)


def _time_spans(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    outputs, state = [], cell.get_initial_state(batch_size=BATCH)
    for t in range(STEPS):
        output, state = cell(x[:, t], state, spans[:, t])
        outputs.append(output)
    _close("step by step", mx.stack(outputs, axis=1), _outputs(RNN(cell), x, spans))


def _padding(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    rnn, lengths = RNN(cell), np.array([STEPS, 2, 3])
    spoiled = np.array(x)
    spoiled[1, 2:], spoiled[2, 3:] = np.nan, np.inf
    padded, state = rnn(mx.array(spoiled), timespans=spans, lengths=lengths)
    for row, n in enumerate(lengths):
        begun = rows(cell.begun(cell.get_initial_state(batch_size=BATCH)), row) if cell.lasting else None
        alone, last = rnn(x[row, :n], begun, timespans=spans[row, :n])
        _close(f"the first {counted(n, 'sample')} of a padded row", padded[row, :n], alone)
        for mine, theirs in zip(_arrays(state), _arrays(last), strict=True):
            _close("the state of a padded row", mine[row], theirs)

    def loss(model: nn.Module) -> mx.array:
        return mx.square(model(mx.array(spoiled), timespans=spans, lengths=lengths)[0]).sum()

    for name, gradient in dict(tree_flatten(nn.value_and_grad(rnn, loss)(rnn)[1])).items():
        assert bool(mx.isfinite(gradient).all()), f"padding reaches the gradient of {name}"


def _episodes(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    rnn, ends = RNN(cell), np.zeros((BATCH, STEPS), bool)
    ends[:, 1] = True
    whole = _outputs(rnn, x, spans, ends=ends)
    first, last = rnn(x[:, :2], timespans=spans[:, :2])
    begun = restarted(last, np.ones(BATCH, bool), cell.lasting) if cell.lasting else None
    second = _outputs(rnn, x[:, 2:], spans[:, 2:], state=begun)
    _close("two episodes", whole, mx.concatenate([first, second], axis=1))


def _streams(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    stream = RNN(cell).stream(BATCH)
    found = [stream(x[:, t], np.array(spans[:, t])) for t in range(STEPS)]
    _close("a stream", mx.stack(found, axis=1), _outputs(RNN(cell), x, spans))


def _recordings(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    outputs, _, recording = RNN(cell)(x, timespans=spans, record=True)
    assert recording.neurons == tuple(cell.neurons), "a recording has other neurons than the cell"
    assert recording.states.shape == (BATCH, STEPS, cell.n_neurons), "a recording is not of all neurons"
    _close("recorded outputs", mx.array(recording.outputs), outputs)


def _lesions(cell: NCPRNNCell) -> None:
    for twin in (cell, _over_as_many_synapses_as_neurons(cell)):
        neuron = next((n for n, role in zip(twin.neurons, twin.roles, strict=True) if role != "motor"), None)
        if neuron is None:
            continue
        ablated = lesion(twin, neuron)
        assert ablated.neurons == tuple(n for n in twin.neurons if n != neuron), "other neurons are left"
        x, spans = _data(twin)
        before, after = (RNN(c)(x, timespans=spans, record=True)[-1] for c in (twin, ablated))
        # Neurons that the removed one never reaches go on as they were.
        reached = _reached(twin, neuron)
        for name in ablated.neurons:
            if name not in reached:
                _close(f"{name} without {neuron}", mx.array(after.of(name)), mx.array(before.of(name)))


def _edits(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    expected = _outputs(RNN(cell), x, spans)
    circuit = circuit_of(cell.compiled.plan)
    first = cell.compiled.plan.neurons[-1]
    circuit.rename({first: "renamed neuron"})
    renamed = carried(cell, circuit, renames={first: "renamed neuron"})
    if not cell.lasting:  # noise is drawn by names
        _close("after a renaming", _outputs(RNN(renamed), x, spans), expected)
    grown = circuit_of(cell.compiled.plan)
    grown.add_neuron("a new neuron", role="inter")
    back = carried(carried(cell, grown), circuit_of(cell.compiled.plan))
    _close("after a neuron has come and gone", _outputs(RNN(back), x, spans), expected)


def _files(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    rnn = RNN(cell)
    again = _saved(rnn)
    _same("after save and load", _outputs(again, x, spans), _outputs(rnn, x, spans))


def _half_precision(cell: NCPRNNCell) -> None:
    x, spans = _data(cell)
    exact = _outputs(RNN(cell), x, spans)
    for dtype, tolerance in ((mx.float16, 2e-2), (mx.bfloat16, 2e-1)):
        half = RNN(_copy(cell))
        half.set_dtype(dtype)
        found = _outputs(half, x, spans)
        assert bool(mx.isfinite(found).all()), f"{dtype} gives outputs that are not finite"
        _close(f"{dtype}", found.astype(mx.float32), exact, tolerance)
        _same(f"{dtype} after save and load", _outputs(_saved(half), x, spans), found)


def _exports(cell: NCPRNNCell) -> None:
    x, _ = _data(cell)
    rnn = RNN(cell)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.mlxfn"
        export_mlx(rnn, path, x)
        function: Any = mx.import_function(str(path))
        outputs = function(x)[0]
    _close("the exported function", outputs, rnn(x)[0])


def _frozen(cell: NCPRNNCell) -> None:
    twin = RNN(_copy(cell))
    names = list(dict(tree_flatten(twin.trainable_parameters())))
    if not names:
        return
    module: Any = twin
    *parents, key = names[0].split(".")
    for part in parents:
        module = module[int(part)] if part.isdecimal() else module[part]
    module.freeze(keys=[key], recurse=False)
    left = [name for name in names if name != names[0]]
    found = list(dict(tree_flatten(_saved(twin).trainable_parameters())))
    assert found == left, f"after save and load {names[0]} trains again"


def _graph_is_law(cell: NCPRNNCell) -> None:
    """A neuron sees a sensor only where a path of the circuit leads from it."""
    plan = cell.compiled.plan
    if plan.n_inputs != cell.n_inputs:
        return  # a wrapper, which reads other features than the circuit has
    reachable, direct = (np.zeros((n, plan.n_neurons), bool) for n in (plan.n_inputs, plan.n_neurons))
    reachable[plan.sensory.pre, plan.sensory.post] = True
    direct[plan.recurrent.pre, plan.recurrent.post] = True
    direct[plan.electrical.pre, plan.electrical.post] = direct[plan.electrical.post, plan.electrical.pre] = (
        True
    )
    for _ in range(plan.n_neurons):
        reachable |= (reachable.astype(int) @ direct.astype(int)) > 0
    x, spans = _data(cell)

    def shown(values: mx.array, j: int) -> mx.array:
        prepared, state = cell.prepare(), cell.get_initial_state(batch_size=BATCH)
        for t in range(STEPS):
            state = cell.step(prepared, cell.encode(values[:, t]), state, spans[:, t, None])
        return cell.visible(state)[:, j].sum()

    for j, name in enumerate(cell.neurons):
        gradient = np.array(mx.grad(lambda values, j=j: shown(values, j))(x))
        seen = np.flatnonzero(np.abs(gradient).sum(axis=(0, 1)) * ~reachable[:, j])
        assert not len(seen), f"{name} sees {cell.sensors[int(seen[0])]}, from which no path leads to it"


# What the checks have in common.


def _data(cell: NCPRNNCell) -> tuple[mx.array, mx.array]:
    """(B, T, I) samples and (B, T) time spans, the same for all checks."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, STEPS, cell.n_inputs)).astype(np.float32)
    return mx.array(x), mx.array(rng.uniform(0.3, 1.5, (BATCH, STEPS)).astype(np.float32))


def _outputs(rnn: RNN, x: mx.array, spans: mx.array, **given: Any) -> mx.array:
    outputs: mx.array = rnn(x, timespans=spans, **given)[0]
    return outputs


def _gradients(rnn: RNN, x: mx.array, spans: mx.array) -> Arrays:
    def loss(model: RNN) -> mx.array:
        return mx.square(_outputs(model, x, spans)).sum()

    return dict(tree_flatten(nn.value_and_grad(rnn, loss)(rnn)[1]))


def _close(what: str, found: mx.array, expected: mx.array, tolerance: float = CLOSE) -> None:
    assert found.shape == expected.shape, f"{what}: shape {tuple(found.shape)}, not {tuple(expected.shape)}"
    error = float(np.abs(np.array(found) - np.array(expected)).max(initial=0.0))
    scale = max(1.0, float(np.abs(np.array(expected)).max(initial=0.0)))
    assert error <= tolerance * scale, f"{what} is off by {error:.2g}"


def _same(what: str, found: mx.array, expected: mx.array) -> None:
    assert bool(mx.array_equal(found, expected)), f"{what}, the outputs are others"


def _arrays(state: Any) -> list[mx.array]:
    return list(state) if isinstance(state, tuple) else [state]


def _copy(cell: NCPRNNCell) -> NCPRNNCell:
    """A cell like this one, with parameters of its own."""
    twin = type(cell).from_config(cell.get_config())
    if not twin.built:
        twin.build((1, cell.n_inputs))
    twin.update(cell.parameters())
    twin.train(cell.training)
    return twin


def _over(cell: NCPRNNCell, compiled: CompiledCircuit) -> NCPRNNCell:
    """The cell over its own circuit, compiled in another way."""
    arguments = cell.made_with()
    twin = cell.remade({name: _exchanged(part, compiled) for name, part in arguments.items()})
    twin.update(cell.parameters())
    return twin


def _exchanged(part: Any, compiled: CompiledCircuit) -> Any:
    if isinstance(part, NCPRNNCell):
        return _over(part, compiled)
    return compiled if isinstance(part, CompiledCircuit) else part


def _saved(rnn: RNN) -> RNN:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.safetensors"
        save(rnn, path)
        again: RNN = load(path)
    again.train(rnn.training)
    return again


def _over_as_many_synapses_as_neurons(cell: NCPRNNCell) -> NCPRNNCell:
    """The cell over a circuit of as many recurrent and as many sensory synapses as neurons."""
    plan, even = cell.compiled.plan, Circuit()
    attributes = plan.attributes  # options of the cell may name some
    for k, name in enumerate(plan.sensors):
        even.add_neuron(name, role="sensory", **_one_of(attributes.sensors, k))
    for k, name in enumerate(plan.neurons):
        even.add_neuron(name, role=plan.roles[k], **_one_of(attributes.neurons, k))
    for k, name in enumerate(plan.neurons):
        signed = _one_of(attributes.recurrent, k) | {"polarity": 1 if k % 2 else -1}
        even.add_synapse(plan.neurons[k - 1], name, **signed)
        shown = _one_of(attributes.sensory, k) | {"polarity": 1}
        even.add_synapse(plan.sensors[k % plan.n_inputs], name, **shown)
    return carried(cell, even)


def _one_of(columns: Mapping[str, Any], k: int) -> dict[str, Any]:
    """The attributes of one of several neurons or synapses, over and over."""
    rows = {key: column.tolist() for key, column in columns.items() if len(column)}
    return {key: row[k % len(row)] for key, row in rows.items() if row[k % len(row)] is not None}


def _reached(cell: NCPRNNCell, neuron: str) -> set[str]:
    """The neurons that a path leads to from one, or that are reached from what reads it."""
    circuit: nx.DiGraph[Any] = nx.DiGraph(circuit_of(cell.compiled.plan))
    electrical = [(a, b) for a, b, data in circuit.edges(data=True) if data.get("kind") == "electrical"]
    circuit.add_edges_from((b, a) for a, b in electrical)
    return set(nx.descendants(circuit, neuron))


CHECKS: dict[str, Check] = {
    "declared": _declared,
    "layouts": _layouts,
    "engines": _engines,
    "time spans": _time_spans,
    "padding": _padding,
    "episodes": _episodes,
    "streams": _streams,
    "recordings": _recordings,
    "lesions": _lesions,
    "edits": _edits,
    "files": _files,
    "half precision": _half_precision,
    "exports": _exports,
    "frozen": _frozen,
    "graph is law": _graph_is_law,
}
OF_CIRCUITS = ("declared", "layouts", "lesions", "edits", "graph is law")
