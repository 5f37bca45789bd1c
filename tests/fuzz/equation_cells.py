"""Random cells from equations over random circuits: every way to run one computes the same.

    python -m tests.fuzz.equation_cells --first 0 --count 50 --ways ops,stream,c,onnx
    python -m tests.fuzz.equation_cells --first 0 --count 50 --ways fused,masks,stack    # compiles each

prints each seed at which two ways differ, or one is refused with an error that is none of ours.
"""

from __future__ import annotations

import argparse
import ctypes
import re
import shutil
import subprocess
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.errors import KernelError

WAYS = "ops", "fused", "stream", "c", "onnx", "masks", "stack"
TOLERANCE = 2e-5
GRADIENTS = 10 * TOLERANCE
FUNCTIONS = "tanh", "sigmoid", "sin", "cos", "softplus", "relu", "abs", "exp(-abs", "sqrt(abs"


class Maker:
    """What a seed makes."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.seed = seed

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def circuit(self) -> gl.Circuit:
        made, rng = gl.Circuit(), self.rng
        sensors = [f"s{k}" for k in range(rng.integers(1, 4))]
        neurons = [f"n{k}" for k in range(rng.integers(1, 7))]
        motors = int(rng.integers(1, len(neurons) + 1))
        for name in sensors:
            made.add_neuron(name, role="sensory")
        for k, name in enumerate(neurons):
            made.add_neuron(name, role="motor" if k < motors else self.one("inter", "command"))
        for pre in sensors + neurons:
            for post in neurons:
                if self.chance(0.4):
                    made.add_synapse(pre, post, polarity=self.one(-1, 1))
                    made.edges[pre, post]["delay"] = int(rng.integers(0, 4))
        self.coupled = False
        if self.chance(0.3):
            for k, one in enumerate(neurons):
                for other in neurons[k + 1 :]:
                    if not made.has_edge(one, other) and not made.has_edge(other, one) and self.chance(0.5):
                        made.add_synapse(one, other, kind="electrical")
                        self.coupled = True
        return made

    def expression(self, names: list[str], depth: int = 2) -> str:
        """A bounded function of names."""
        if depth == 0 or self.chance(0.2):
            return self.one(*names) if self.chance(0.8) else self.one("0.5", "1.5", "-0.7")
        a, b = (self.expression(names, depth - 1) for _ in range(2))
        kind = self.rng.integers(6)
        if kind == 0:
            function = self.one(*FUNCTIONS)
            return f"{function}({a}){')' * (function.count('('))}"
        if kind == 1:
            return f"{self.one('min', 'max')}({a}, {b})"
        if kind == 2:
            return f"where({a} < {b}, {b}, 0.3 * {a})"
        if kind == 3:
            return f"({a}) / (1 + abs({b}))"
        return f"({a} {self.one('+', '-', '*')} {b})"

    def words(self) -> dict[str, Any]:
        states = ["v", "u", "r"][: self.rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15])]
        parameters: dict[str, Any] = {
            "w": gl.synapse("signed_glorot"),
            "q": gl.synapse(0.2, 1.0),
            "k": gl.neuron(0.3, 1.0),
            "tau": gl.neuron(0.5, 2.0, positive=True),
        }
        words: dict[str, Any] = {"parameters": parameters}
        pre = [f"{state}_pre" for state in states]
        own = ["q", *pre, *pre]
        sums, update, synaptic = ["i"], self.chance(0.3), self.chance(0.3)
        lets: dict[str, str] = {}
        if self.chance(0.4):
            lets["shown"] = f"tanh({self.expression([*states, 'k'])})"
            own.append("shown_pre")
        if synaptic:
            own.append("d")
        words["synapse"] = {"i": f"w * tanh({self.expression(own)})"}
        if self.chance(0.4):
            words["synapse"]["g"] = f"0.3 * sigmoid({self.expression(own)})"
            sums.append("g")
        if self.chance(0.4):
            words["synapse"]["e"] = f"0.2 * (k - v) * sigmoid({self.one(*own)})"
            sums.append("e")
        if synaptic or "shown_pre" in str(words) or len(states) > 1 or self.chance(0.3):
            of = ["q", "x", "x", *(["d"] if synaptic else [])]
            words["sensory"] = {name: f"w * tanh({self.expression(of)})" for name in sums}
        if synaptic:
            form = "d = 0.5 * d + {}" if update else "dd/dt = -d + {}"
            words["synapse_states"] = form.format(f"0.4 * tanh({self.expression([*pre, 'q', 'v', 'd'])})")
            words["sensory_states"] = form.format(f"0.4 * tanh({self.expression(['x', 'q', 'v'])})")
        if self.coupled:
            parameters["gap"] = gl.electrical(0.1, 0.5)
            words["electrical"] = {"c": "gap * (v_pre - v)"}
            sums.append("c")
        if self.chance(0.3):
            lets["part"] = self.expression([*states, *sums, "k"])
        if self.chance(0.2):
            lets["fired"] = "spike(v - 0.4)"
        names = [*states, *sums, *sums, "k", *lets]
        sides = [f"tanh({self.expression(names)})" for _ in states]
        sides[0] = f"{sides[0]} + 0.5 * ({' + '.join([*sums, *lets])})"
        if update:
            keep = self.one("0.6", "exp(-timespan / tau)")
            words["update"] = tuple(
                f"{s} = {keep} * {s} + {side}" for s, side in zip(states, sides, strict=True)
            )
        else:
            mass = self.one("tau * ", "")
            words["dynamics"] = tuple(
                f"{mass}d{s}/dt = {side} - {s}" for s, side in zip(states, sides, strict=True)
            )
            words["solver"] = self.one("semi_implicit", "euler", "exponential", "rk4")
            words["unfolds"] = int(self.rng.integers(1, 4))
        if self.chance(0.3):
            words["noise"] = {self.one(*states): "0.2" if self.chance(0.5) else "0.2 * (1 + abs(v))"}
        if self.chance(0.3):
            parameters["a"] = gl.sensor(0.7)
            words["inputs"] = "a * x + 0.1"
        if self.chance(0.3):
            parameters["b"] = gl.motor(1.3)
            words["outputs"] = "b * tanh(v) + 0.2"
        if self.chance(0.2):
            words["clip"] = 0.8
        if lets:
            words["let"] = lets
        text = str({name: value for name, value in words.items() if name != "parameters"})
        for name in ("q", "k", "w", "tau"):
            if not any(name in piece for piece in _names(text)):
                del parameters[name]
        return words

    def network(self) -> Any:
        circuit = self.circuit()
        kind = type(f"Made{self.seed}", (gl.EquationCell,), self.words())
        options: dict[str, Any] = {}
        if self.chance(0.3):
            options["delays"] = self.one(1, 2, "delay")
        elif kind.model.continuous and self.chance(0.3):
            options["max_step"] = self.one(0.3, 0.7)
        if kind.model.timed and self.chance(0.3):
            options["time_scale"] = self.one(0.5, 2.0)
        if kind.model.noisy:
            options["seed"] = int(self.rng.integers(0, 1 << 32))
        mx.random.seed(self.seed)
        cell = kind(circuit, **options)
        return gl.RNN(cell)


def _names(text: str) -> list[str]:
    return re.findall(r"[A-Za-z_]+", text)


def outputs(network: Any, x: np.ndarray, spans: np.ndarray, engine: str) -> np.ndarray:
    network.engine = engine
    return np.array(network(mx.array(x), timespans=mx.array(spans))[0])


def streamed(network: Any, x: np.ndarray, spans: np.ndarray) -> np.ndarray:
    stream = network.stream(len(x))
    steps = [np.array(stream(mx.array(x[:, t]), mx.array(spans[:, t]))) for t in range(x.shape[1])]
    return np.stack(steps, axis=1)


def in_c(network: Any, x: np.ndarray, spans: np.ndarray, folder: Path) -> np.ndarray:
    """(T, M) of the first row."""
    gl.export_c(network, folder / "net.c")
    driver = (
        '#include "net.c"\nvoid run(int n, const float *x, const float *t, float *y) {'
        "net_state s; net_reset(&s);"
        "for (int k = 0; k < n; k++) net_step(&s, x + k * net_inputs, t[k], y + k * net_outputs); }\n"
    )
    (folder / "unit.c").write_text(driver)
    strict = [
        "-std=c99",
        "-O1",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Werror",
        "-pedantic",
        "-fPIC",
        "-shared",
    ]
    command = [shutil.which("cc") or "gcc", *strict, "unit.c", "-o", "unit.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=120)
    y = np.zeros((x.shape[1], network.cell.n_outputs), np.float32)
    given = [np.ascontiguousarray(a[0]) for a in (x, spans)]
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*given, y)]
    ctypes.CDLL(str(folder / "unit.so")).run(x.shape[1], *pointers)
    return y


def in_onnx(network: Any, x: np.ndarray, spans: np.ndarray, folder: Path) -> np.ndarray:
    import onnxruntime

    gl.export_onnx(network, folder / "net.onnx")
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), providers=["CPUExecutionProvider"])
    states = {
        i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs() if i.name.startswith("state")
    }
    taken = {i.name for i in session.get_inputs()}
    found = []
    for t in range(x.shape[1]):
        given = {"inputs": x[:1, t], "timespan": spans[0, t : t + 1], **states}
        y, *new = session.run(None, {name: value for name, value in given.items() if name in taken})
        states = dict(zip(states, new, strict=True))
        found.append(y[0])
    return np.array(found)


def trained(
    network: Any, layers: list[Any], x: np.ndarray, engine: str, options: dict[str, Any]
) -> list[Any]:
    """Outputs and the last state, then all gradients; options of the call are arrays of NumPy."""
    for layer in layers:
        layer.engine = engine
    given = {name: mx.array(value) for name, value in options.items()}

    def loss(parameters: Any, x: mx.array) -> Any:
        network.update(parameters)
        outputs, state = network(x, **given)
        shown = [outputs, *(value for _, value in tree_flatten(state))]
        weights = (mx.cos(mx.arange(value.size)).reshape(value.shape) for value in shown)
        return sum((value * weight).sum() for value, weight in zip(shown, weights, strict=True)), shown

    parameters = network.trainable_parameters()
    (_, shown), gradients = mx.value_and_grad(loss, argnums=(0, 1))(parameters, mx.array(x))
    network.update(parameters)
    found = [shown, gradients]
    return [[np.array(value) for _, value in tree_flatten(each)] for each in found]


def apart(found: list[Any], expected: list[Any]) -> float:
    """How far two engines are apart: in outputs, and by a tenth in gradients, which may be as much more."""
    worst = 0.0
    for given, others, share in zip(found, expected, (1.0, TOLERANCE / GRADIENTS), strict=True):
        scale = max(1.0, *(float(np.abs(other).max(initial=0.0)) for other in others))
        for one, other in zip(given, others, strict=True):
            if not np.isfinite(one).all() and np.isfinite(other).all():
                return float("nan")
            worst = max(worst, share * float(np.abs(one - other).max(initial=0.0)) / scale)
    return worst


def masked(network: Any, x: np.ndarray, spans: np.ndarray, maker: Maker) -> float:
    """How far engines are apart where samples are missing, episodes end, and states are computed again."""
    rows, steps = spans.shape
    layer = gl.RNN(network.cell, reverse=maker.chance(0.3), checkpoint_every=maker.one(1, 3))
    options = {"timespans": spans, "mask": maker.rng.random((rows, steps)) < 0.7}
    if maker.chance(0.5):
        options["ends"] = maker.rng.random((rows, steps)) < 0.2
    return apart(*(trained(layer, [layer], x, engine, options) for engine in ("fused", "ops")))


def stacked(network: Any, x: np.ndarray, spans: np.ndarray, maker: Maker) -> float:
    """The same of two layers, of which the second is a CTRNN over what the first one shows."""
    mx.random.seed(maker.seed)
    behind = gl.RNN(gl.CTRNNCell(gl.fully_connected(3, inputs=network.cell.n_outputs, outputs=2)))
    both = gl.Stack([gl.RNN(network.cell), behind])
    options = {"timespans": spans}
    if maker.chance(0.5):
        options["lengths"] = maker.rng.integers(1, spans.shape[1] + 1, len(spans))
    return apart(*(trained(both, list(both.layers), x, engine, options) for engine in ("fused", "ops")))


def differences(seed: int, ways: tuple[str, ...]) -> dict[str, Any]:
    """How far each way is from the reference, or the message with which it was refused."""
    maker = Maker(seed)
    network, rng = maker.network(), maker.rng
    rows, steps = maker.one(1, 3, 5, 17), 7
    x = rng.normal(size=(rows, steps, network.input_size)).astype(np.float32)
    spans = rng.choice([0.0, 0.05, 0.4, 1.0, 2.5], size=(rows, steps)).astype(np.float32)
    expected = network.cell.reference(x, None, spans)[0]
    scale, found = max(1.0, float(np.abs(expected).max())), {}
    assert np.isfinite(expected).all()
    with tempfile.TemporaryDirectory() as folder:
        for way in ways:
            try:
                if way in ("ops", "fused"):
                    y = outputs(network, x, spans, way)
                elif way in ("masks", "stack"):
                    found[way] = (masked if way == "masks" else stacked)(network, x, spans, maker)
                    continue
                elif way == "stream":
                    network.engine = "ops"
                    y = streamed(network, x, spans)
                else:
                    network.engine = "ops"
                    y = (in_c if way == "c" else in_onnx)(network, x, spans, Path(folder))[None]
                found[way] = float(np.abs(y - expected[: len(y)]).max()) / scale
            except KernelError as error:
                found[way] = f"refused: {error}"
            except subprocess.CalledProcessError as error:
                found[way] = f"FAILED: {error.stderr[:500]}"
            except Exception:  # what the fuzz is for
                found[way] = "FAILED: " + traceback.format_exc(limit=-2)
    return found


def wrong(found: dict[str, Any]) -> bool:
    return any(
        value.startswith("FAILED") if isinstance(value, str) else not value < TOLERANCE
        for value in found.values()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--ways", default="ops,stream,c,onnx", help=f"of {', '.join(WAYS)}")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="cells do not use these attributes")
    warnings.filterwarnings("ignore", message="running plain operations")
    refused: dict[str, int] = {}
    for seed in range(given.first, given.first + given.count):
        try:
            found = differences(seed, tuple(given.ways.split(",")))
        except Exception:
            print(seed, "FAILED", traceback.format_exc(limit=-2), flush=True)
            continue
        for way, value in found.items():
            if isinstance(value, str):
                refused[f"{way}: {value}"] = refused.get(f"{way}: {value}", 0) + 1
        if wrong(found):
            print(seed, found, flush=True)
    for message, count in sorted(refused.items()):
        print(count, message)


if __name__ == "__main__":
    main()
