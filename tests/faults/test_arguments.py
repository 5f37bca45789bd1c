"""A call with a wrong argument says in one sentence which argument, what it must be, and what was given.

A value of a wrong kind is a `TypeError`, one out of range a `ValueError`, everywhere.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import networkx as nx
import numpy as np
import pytest

import ganglion as gl
from ganglion.arguments import MOST_SYNAPSES, label
from ganglion.compile import Plan, Synapses

C = gl.auto_ncp(8, 2, inputs=3, seed=1)
COMPILED = gl.compile_circuit(C)
S = COMPILED.recurrent
W = mx.ones((len(S.synapses),))
RNN = gl.LTC(C)
X = np.zeros((4, 5, 3), np.float32)
Y = np.zeros((4, 5, 2), np.float32)


def fit(**changes: Any) -> Any:
    given = {"loss": gl.training.mse, "optimizer": optim.Adam(0.01), "epochs": 1, "progress": False}
    return gl.fit(changes.pop("model", RNN), changes.pop("data", (X, Y)), **{**given, **changes})


def plan(**changes: Any) -> Plan:
    good = COMPILED.plan
    parts = {name: getattr(good, name) for name in ("neurons", "sensors", "counts", "recurrent", "sensory")}
    return Plan(**{**parts, **changes})


def synapses(pre: Any, post: Any, polarity: Any = (1,), n: int = 2) -> Synapses:
    return Synapses(np.array(pre, np.int32), np.array(post, np.int32), np.array(polarity, np.int8), n, n)


WHOLE: dict[str, Callable[[Any], Any]] = {
    "auto_ncp units": lambda v: gl.auto_ncp(v, 3, inputs=5),
    "auto_ncp outputs": lambda v: gl.auto_ncp(12, v, inputs=5),
    "auto_ncp inputs": lambda v: gl.auto_ncp(12, 3, inputs=v),
    "fully_connected units": lambda v: gl.fully_connected(v, inputs=5),
    "random units": lambda v: gl.random(v, inputs=5),
    "dense inputs": lambda v: gl.dense(v, 4),
    "dense units": lambda v: gl.dense(4, v),
    "NCPDense": lambda v: gl.NCPDense(v),
    "LTC unfolds": lambda v: gl.LTC(C, ode_unfolds=v),
    "LTC proj_size": lambda v: gl.LTC(C, proj_size=v),
    "LTC checkpoint_every": lambda v: gl.LTC(C, checkpoint_every=v),
    "CTRNN unfolds": lambda v: gl.CTRNNCell(C, ode_unfolds=v),
    "CTGRU scales": lambda v: gl.CTGRUCell(C, scales=v),
    "liquid unfolds": lambda v: gl.LiquidCell(4, ode_unfolds=v),
    "CfC units": lambda v: gl.CfC(gl.dense(4, 4), backbone_units=v),
    "stream": lambda v: RNN.stream(v),
    "memory batch": lambda v: RNN.memory(v, 1),
    "memory steps": lambda v: RNN.memory(1, v),
    "initial state": lambda v: RNN.get_initial_state(batch_size=v),
}
KINDS = ["x", 2.5, True, [1], (1,), {}, b"3", object(), np.array([1, 2]), mx.array([1, 2]), 1j, np.nan]


@pytest.mark.parametrize("value", KINDS, ids=lambda value: label(value, 20))
@pytest.mark.parametrize("call", WHOLE)
def test_sizes_of_a_wrong_kind(call: str, value: Any) -> None:
    with pytest.raises(TypeError, match="must be a whole number, got") as caught:
        WHOLE[call](value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [0, -1, -(10**30), 2**31, 10**30, 10**5000], ids=lambda v: label(v, 20))
@pytest.mark.parametrize("call", WHOLE)
def test_sizes_out_of_range(call: str, value: int) -> None:
    with pytest.raises(
        ValueError, match=r"must be \d+ or (more|less), got|outputs must be below units"
    ) as caught:
        WHOLE[call](value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "call",
    [
        lambda: gl.fully_connected(2**20, inputs=1),
        lambda: gl.random(2**20, inputs=1, sparsity=0.99),
        lambda: gl.auto_ncp(2**20, 5, inputs=1000, sparsity=0.5),
    ],
)
def test_circuits_that_would_fill_the_memory(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=f"synapses: expected at most {MOST_SYNAPSES}"):
        call()


FLAGS: dict[str, Callable[[Any], Any]] = {
    "reverse": lambda v: gl.LTC(C, reverse=v),
    "return_state": lambda v: gl.LTC(C, return_state=v),
    "return_sequences": lambda v: gl.CfC(C, return_sequences=v),
    "mixed_memory": lambda v: gl.LTC(C, mixed_memory=v),
    "ncps_compat": lambda v: gl.CfC(C, ncps_compat=v),
    "leak": lambda v: gl.CTRNNCell(C, leak=v),
    "use_bias": lambda v: gl.NCPDense(4, use_bias=v),
    "stack": lambda v: gl.Stack([gl.LTC(C)], return_state=v),
    "self_connections": lambda v: gl.fully_connected(4, inputs=1, self_connections=v),
    "polarity": lambda v: gl.masked_matmul(mx.ones((2, 8)), W, S, polarity=v),
    "per_sample": lambda v: gl.saliency(RNN, X, per_sample=v),
    "self_synapses": lambda v: gl.auto_ncp(8, 2, inputs=3).connect("inter", "motor", self_synapses=v),
    "distributed": lambda v: fit(distributed=v),
    "progress": lambda v: fit(progress=v),
}


@pytest.mark.parametrize("value", ["no", "", 0, 1, None, [], mx.array(True)], ids=lambda v: label(v, 20))
@pytest.mark.parametrize("call", FLAGS)
def test_only_booleans_are_flags(call: str, value: Any) -> None:
    with pytest.raises(TypeError, match="must be True or False, got"):
        FLAGS[call](value)


@pytest.mark.parametrize("call", ["reverse", "leak", "use_bias"])
def test_booleans_of_numpy_are_flags(call: str) -> None:
    FLAGS[call](np.bool_(False))


OTHERS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "matmul x": (lambda: gl.masked_matmul(3, W, S), TypeError, "x must be an MLX array, got 3"),
    "matmul w": (lambda: gl.masked_matmul(mx.ones((8,)), 3, S), TypeError, "w must be an MLX array, got 3"),
    "matmul synapses": (
        lambda: gl.masked_matmul(mx.ones((8,)), W, C),
        TypeError,
        "synapses must be synapses in",
    ),
    "matmul shape": (lambda: gl.masked_matmul(mx.ones((7,)), W, S), ValueError, "x has shape"),
    "sum a": (lambda: gl.synaptic_sum([1], S), TypeError, r"a must be an MLX array, got \[1\]"),
    "sum synapses": (lambda: gl.synaptic_sum(W, 5), TypeError, "synapses must be synapses in a layout"),
    "layout": (lambda: gl.compile_circuit(C, layout="x"), gl.LayoutError, "unknown layout 'x'"),
    "layout kind": (lambda: gl.compile_circuit(C, layout=5), TypeError, "layout must be one of .*, got 5"),
    "layout array": (lambda: gl.compile_circuit(C, layout=np.ones(3)), TypeError, "layout must be one of"),
    "block": (lambda: gl.compile_circuit(C, block_size=7), gl.LayoutError, "unknown block_size 7"),
    "block kind": (lambda: gl.compile_circuit(C, block_size="8"), TypeError, "block_size must be one of"),
    "block true": (lambda: gl.compile_circuit(C, block_size=True), TypeError, "block_size must be one of"),
    "order kind": (lambda: gl.compile_circuit(C, order=None), TypeError, "order must be one of"),
    "engine": (lambda: gl.LTC(C, engine="warp"), ValueError, "unknown engine 'warp'"),
    "engine kind": (lambda: gl.LTC(C, engine=3), TypeError, "engine must be one of"),
    "solver kind": (lambda: gl.LTC(C, solver=["rk4"]), TypeError, "solver must be one of"),
    "mode kind": (lambda: gl.CfC(C, mode=None), TypeError, "mode must be one of"),
    "epsilon": (lambda: gl.LTC(C, epsilon=np.nan), ValueError, "epsilon must be finite"),
    "epsilon kind": (lambda: gl.LTC(C, epsilon="0"), TypeError, "epsilon must be a number, got '0'"),
    "tau": (lambda: gl.CTRNNCell(C, tau=np.inf), ValueError, "tau must be finite and above 0, got inf"),
    "tau kind": (lambda: gl.CTRNNCell(C, tau="x"), TypeError, "tau must be a number, got 'x'"),
    "clip": (lambda: gl.CTGRUCell(C, clip=0), ValueError, "clip must be finite and above 0, got 0"),
    "shortest": (lambda: gl.CTGRUCell(C, shortest=None), TypeError, "shortest must be a number"),
    "dropout": (lambda: gl.Stack([RNN], dropout=np.nan), ValueError, "dropout must be from 0.0 to below 1.0"),
    "dropout 1": (lambda: gl.Stack([RNN], dropout=1), ValueError, "dropout must be from 0.0 to below 1.0"),
    "dropout kind": (lambda: gl.Stack([RNN], dropout="x"), TypeError, "dropout must be a number, got 'x'"),
    "backbone dropout": (
        lambda: gl.CfC(gl.dense(3, 4), backbone_dropout=2),
        ValueError,
        "backbone_dropout must be from 0.0 to below 1.0",
    ),
    "scaled": (lambda: gl.Scaled(None, ["a"], ["b"]), TypeError, "model must be a network, got None"),
    "scaled unit": (
        lambda: gl.Scaled(RNN, ["a"], ["b"], time_unit="s"),
        TypeError,
        "time_unit must be a number",
    ),
    "scaled zero": (
        lambda: gl.Scaled(RNN, ["a"], ["b"], time_unit=0),
        ValueError,
        "time_unit must be finite and",
    ),
    "fit model": (lambda: fit(model=3), TypeError, "model must be a network, got 3"),
    "fit optimizer": (
        lambda: fit(optimizer="adam"),
        TypeError,
        "optimizer must be an optimizer .*, got 'adam'",
    ),
    "fit optimizer class": (lambda: fit(optimizer=optim.Adam), TypeError, "optimizer must be an optimizer"),
    "fit loss": (lambda: fit(loss="mse"), TypeError, "loss must be a function of the model and a batch"),
    "fit clip": (lambda: fit(clip_norm=-1), ValueError, "clip_norm must be finite and above 0, got -1"),
    "fit clip kind": (lambda: fit(clip_norm="x"), TypeError, "clip_norm must be a number, got 'x'"),
    "plan counts": (lambda: plan(counts=(1, 2, 3)), gl.CircuitError, "do not add up to 8"),
    "plan sensors": (lambda: plan(sensors=("a",)), gl.CircuitError, "sensory synapses of 3 onto 8"),
    "plan recurrent": (lambda: plan(recurrent=synapses([0], [1])), gl.CircuitError, "expected 8 onto 8"),
    "synapses range": (
        lambda: synapses([5], [0]),
        gl.CircuitError,
        "pre reaches from 5 to 5: expected 0 to 1",
    ),
    "synapses negative": (lambda: synapses([0], [-1]), gl.CircuitError, "post reaches from -1 to -1"),
    "synapses length": (lambda: synapses([0, 1], [0]), gl.CircuitError, r"post has shape \(1,\)"),
    "synapses sign": (lambda: synapses([0], [0], [3]), gl.CircuitError, "polarity must be"),
    "synapses order": (lambda: synapses([0, 0], [1, 0], [1, 1]), gl.CircuitError, "must be sorted"),
    "synapses twice": (lambda: synapses([0, 0], [1, 1], [1, 1]), gl.CircuitError, "must be sorted"),
    "pickle": (lambda: pickle.dumps(RNN.stream()), TypeError, "a stream cannot be pickled"),
    "seed": (lambda: gl.auto_ncp(8, 2, inputs=3, seed=2**32), ValueError, "seed must be below"),
    "seed kind": (lambda: gl.auto_ncp(8, 2, inputs=3, seed="x"), TypeError, "seed must be a whole number"),
    "seed large": (lambda: gl.auto_ncp(8, 2, inputs=3, seed=10**30), ValueError, "seed must be"),
    "compile text": (lambda: gl.compile_circuit("c.json"), TypeError, "expected a Circuit, networkx.DiGraph"),
    "compile graph": (
        lambda: gl.compile_circuit(nx.Graph()),
        TypeError,
        "expected a Circuit, networkx.DiGraph",
    ),
    "long name": (
        lambda: gl.auto_ncp(8, 2, inputs=3).remove_neuron("n" * 50_000_000),
        gl.CircuitError,
        "there is no neuron 'nnn",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_arguments(case: str) -> None:
    call, error, sentence = OTHERS[case]
    with pytest.raises(error, match=sentence) as caught:
        call()
    assert type(caught.value) is error
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("transform", [lambda f: f, mx.compile, lambda f: mx.vmap(f, (None, 0))])
def test_rows_are_taken_where_their_numbers_are_not_known_yet(transform: Callable[[Any], Any]) -> None:
    state = mx.arange(12).reshape(4, 3)
    assert transform(gl.ops.rows)(state, mx.array([3, -3])).tolist() == [[9, 10, 11], [3, 4, 5]]
    assert gl.ops.rows(state, np.int64(3)).tolist() == [9, 10, 11]


def test_a_second_stream_takes_over_the_state() -> None:
    stream = RNN.stream()
    stream([1.0, 2.0, 3.0])
    other = RNN.stream()
    other.state = stream.state
    assert np.array_equal(stream([0.5] * 3), other([0.5] * 3))
    stream([1.0] * 3)
    assert not np.array_equal(stream.state, other.state)


def test_a_circuit_that_another_thread_edits_is_compiled_at_one_moment_or_refused() -> None:
    circuit = gl.auto_ncp(64, 8, inputs=16, seed=1)
    full = gl.compile_circuit(circuit).plan
    circuit.remove_neuron("inter_0")
    less = gl.compile_circuit(circuit).plan
    lost = [edge for edge in gl.auto_ncp(64, 8, inputs=16, seed=1).synapses() if "inter_0" in edge[:2]]
    done = threading.Event()

    def edit() -> None:
        while not done.is_set():
            circuit.add_neuron("inter_0", role="inter")
            circuit.add_synapses(lost)
            circuit.remove_neuron("inter_0")

    thread = threading.Thread(target=edit)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread.start()
    found = set()
    try:
        for _ in range(30):
            with contextlib.suppress(gl.CircuitError):
                found.add(len(gl.compile_circuit(circuit).plan.recurrent))
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert found <= set(range(len(less.recurrent), len(full.recurrent) + 1))


def test_a_module_of_your_own_can_be_scaled() -> None:
    class Own(nn.Module):
        def __call__(self, x: mx.array, state: Any, spans: Any) -> Any:
            return x[..., :1], state

    assert gl.Scaled(Own(), ["a"], ["b"])(mx.zeros((2, 3, 1)))[0].shape == (2, 3, 1)


def test_a_model_with_half_a_character_in_a_name_comes_back(tmp_path: Path) -> None:
    circuit = gl.auto_ncp(8, 2, inputs=3)
    circuit.rename({"inter_0": "a\ud800b", "inter_1": "\N{GREEK SMALL LETTER ALPHA}"})
    rnn = gl.LTC(circuit)
    gl.save(rnn, tmp_path / "m.safetensors")
    assert gl.load(tmp_path / "m.safetensors").cell.neurons == rnn.cell.neurons


_LESS = C.copy()
_LESS.remove_neuron("inter_0")
SMALLER = gl.compile_circuit(_LESS).plan


def studied() -> gl.studies.Study:
    return gl.study(RNN, gl.each("command"), x=X, resamples=2, progress=False)


LOOP: list[Any] = [1]
LOOP.append(LOOP)
NESTED: dict[str, Any] = {}
NESTED["a"] = NESTED


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: gl.wiring.edits.Remove(neurons=[1, LOOP]), "a name is nested too deeply"),
        (lambda: gl.wiring.edits.Set(circuit=[("x", LOOP)]), "it is nested too deeply"),
        (lambda: gl.CfC.from_config(NESTED), "the configuration is nested too deeply"),
        (
            lambda: gl.EditSession(C.copy()).apply(gl.wiring.edits.Add([(("a", ("b",)), {"role": LOOP})])),
            "role",
        ),
        (lambda: gl.circuit_from(C, kind=(1,)), "kind: expected an attribute or"),
        (lambda: gl.silenced(RNN, "inter_0", to=1e300), "to must be from -1e"),
        (
            lambda: gl.viz.plot_study(studied(), style=np.zeros((4, 0))),
            "style must be one of effects, matrix",
        ),
        (
            lambda: gl.transfer(RNN.parameters(), COMPILED.plan, SMALLER, fresh=RNN.parameters()),
            r"'cell.\w+' of fresh has shape",
        ),
    ],
)
def test_what_random_calls_found(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        call()
    assert len(str(caught.value)) < 300


def test_scalars_of_numpy_go_into_pages(tmp_path: Path) -> None:
    gl.viz.to_html(C, tmp_path / "p.html", readonly=np.bool_(True))
    assert '"readonly": true' in (tmp_path / "p.html").read_text().replace(
        '"readonly":true', '"readonly": true'
    )


def test_large_arrays_are_named_by_library_and_shape() -> None:
    assert label(np.zeros((64, 40, 2))) == "a NumPy array of shape (64, 40, 2)"
    assert label(mx.full((200, 300), 0.123456)) == "an MLX array of shape (200, 300)"
    assert label(np.array([1.0, 2.0])) == "array([1., 2.])"
    with pytest.raises(TypeError, match=r"^x must be an MLX array, got a NumPy array of shape \(9, 9, 9\)$"):
        gl.masked_matmul(np.zeros((9, 9, 9)), W, S)
