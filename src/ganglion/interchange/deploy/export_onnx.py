"""Networks as ONNX models of one step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...arguments import flag
from ...arguments import path as as_path
from ...cells import NCPLayer
from ...errors import KernelError
from ...storage import replace_files
from .operations import ELEMENTWISE, REDUCTIONS
from .program import Array, Node, Program, Units
from .trace import traced

Shapes = dict[str, tuple[int, ...]]
OPSET, IR_VERSION = 18, 10
SEVERAL = ("Expm1", "Log1p", "NotEqual", "Number", "Truth")


def export_onnx(model: NCPLayer, path: str | Path, *, noise: bool = True) -> None:
    """Write a trained network as an ONNX model of one step, whose state goes in and comes out.

    Its inputs are ``inputs`` (1, I), ``timespan`` (1,) and the arrays of the state, ``state0`` and so on; it
    gives ``outputs`` (1, M) and the new arrays, ``next_state0`` and so on. All begin as zeros, and all are
    float32. It needs the extra ``onnx``.

    Args:
        model: what `export_c` takes, too; a `Scaled` one reads and gives values in the units of the data.
        path: where to write, such as ``policy.onnx``.
        noise: False leaves out the noise of cells that have some, which is refused otherwise.

    Raises:
        TypeError: no network.
        ValueError: the network reads backwards or looks at several samples, is not built, or has a parameter
            that is not finite; the file's name does not end with ``.onnx``.
        KernelError: an operation that has no ONNX here.
        OSError: the file cannot be written; one that was there stays.

    Example:
        >>> gl.export_onnx(rnn, "policy.onnx")
        >>> session = onnxruntime.InferenceSession("policy.onnx")
        >>> given: Shapes = {"inputs": x, "timespan": np.ones(1, np.float32), "state0": state}
        >>> y, state = session.run(None, given)
    """
    path = as_path("path", path)
    if path.suffix != ".onnx":
        raise ValueError(f"{path.name!r} was given: expected a name with the ending .onnx")
    import onnx

    program = traced(model, sparse=False, noise=flag("noise", noise))
    if program.noise:
        raise KernelError("no noise is exported to ONNX: noise=False leaves it out, and export_c has it")
    if program.max_step is not None:
        raise KernelError(
            "ONNX has no max_step: give the model time spans of at most that, each with the same inputs"
        )
    made = _Graph(program).model(path.stem)
    onnx.checker.check_model(made, full_check=True)
    replace_files({path: made.SerializeToString()})


class _Graph:
    """The nodes of a model and its constants."""

    def __init__(self, program: Program) -> None:
        from onnx import helper

        self._helper, self._program = helper, program
        self._nodes: list[Any] = []
        self._constants: dict[str, Array] = {}
        for name, array in program.constants.items():
            self._constants[name] = array if array.dtype.kind == "b" else array.astype(np.float32)

    def model(self, name: str) -> Any:
        """The whole model."""
        program, helper = self._program, self._helper
        shapes, units = program.shapes, program.units
        given: Shapes = {"inputs": (1, program.n_inputs), "timespan": (1,)}
        given |= {f"state{k}": shapes[state] for k, state in enumerate(program.states)}
        found: Shapes = {"outputs": (1, program.n_outputs)}
        found |= {f"next_state{k}": shapes[new] for k, new in enumerate(program.new)}

        x, span = "inputs" if units is None else self._scaled(units), "timespan"
        if units is not None or program.time_unit != 1.0:
            unit = self._constant("time_unit", [program.time_unit], np.float32)
            span = self._put("Div", [span, unit], "timespan.0")
        for source, inner in zip((x, span, *list(given)[2:]), program.inputs, strict=True):
            self._reshape(source, inner, shapes[inner])
        for node in program.nodes:
            self._add(node)
        output = program.output
        if units is not None:
            output = self._told(units, output)
        for inner, told in zip((output, *program.new), found, strict=True):
            self._reshape(inner, told, found[told])

        graph = helper.make_graph(
            self._nodes, name, self._values(given), self._values(found), list(self._tensors())
        )
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="ganglion")
        if units is not None:
            names = {"inputs": units.inputs, "outputs": units.outputs}
            helper.set_model_props(made, {what: "\n".join(those) for what, those in names.items()})
        return made

    def _values(self, shapes: Shapes) -> list[Any]:
        from onnx import TensorProto

        helper = self._helper
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in shapes.items()]

    def _tensors(self) -> Iterator[Any]:
        from onnx import numpy_helper

        used = {name for node in self._nodes for name in node.input}
        for name, array in self._constants.items():
            if name in used:
                yield numpy_helper.from_array(np.ascontiguousarray(array), name)

    def _constant(self, name: str, value: Any, dtype: Any) -> str:
        self._constants[name] = np.asarray(value, dtype)
        return name

    def _put(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self._nodes.append(self._helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _reshape(self, source: str, name: str, shape: tuple[int, ...]) -> None:
        self._put("Reshape", [source, self._constant(f"{name}.shape", shape, np.int64)], name)

    def _scaled(self, units: Units) -> str:
        """Inputs in the units of the network; the mean in two parts, as `Scaled` takes it."""
        mean = units.mean.astype(np.float32)
        parts = {"mean": mean, "rest": units.mean - mean, "spread": units.spread}
        for name, values in parts.items():
            self._constant(name, values, np.float32)
        near = self._put("Sub", [self._put("Sub", ["inputs", "mean"], "inputs.0"), "rest"], "inputs.1")
        return self._put("Div", [near, "spread"], "inputs.2")

    def _told(self, units: Units, output: str) -> str:
        """Outputs in the units of the data."""
        for name in ("offset", "scale"):
            self._constant(name, getattr(units, name), np.float32)
        return self._put("Add", [self._put("Mul", [output, "scale"], "outputs.0"), "offset"], "outputs.1")

    def _add(self, node: Node) -> None:
        inputs, name = list(node.inputs), node.name
        if node.op in SEVERAL:
            self._add_several(node.op, inputs[0], inputs, name)
        elif node.op in ELEMENTWISE:
            self._put(ELEMENTWISE[node.op].onnx, inputs, name)
        elif node.op in REDUCTIONS:
            axes = self._constant(f"{name}.axes", node.arguments[0], np.int64)
            self._put(REDUCTIONS[node.op].onnx, [*inputs, axes], name, keepdims=1)
        elif node.op == "Reshape":
            self._reshape(inputs[0], name, node.shape)
        elif node.op == "Broadcast":
            self._put("Expand", [*inputs, self._constant(f"{name}.shape", node.shape, np.int64)], name)
        elif node.op == "Transpose":
            self._put("Transpose", inputs, name, perm=node.arguments[0])
        elif node.op == "Slice":
            starts, stops, steps = node.arguments
            words = {"starts": starts, "stops": stops, "axes": range(len(starts)), "steps": steps}
            parts = [self._constant(f"{name}.{word}", list(v), np.int64) for word, v in words.items()]
            self._put("Slice", [*inputs, *parts], name)
        elif node.op == "Concatenate":
            filled = [part for part in inputs if np.prod(self._program.shapes[part])]
            self._put("Concat", filled, name, axis=node.arguments[0])
        elif node.op == "Matmul":
            self._put("MatMul", inputs, name)
        else:
            raise KernelError(f"the operation {node.op} of a network has no ONNX here")

    def _add_several(self, op: str, first: str, inputs: list[str], name: str) -> None:
        from onnx import TensorProto

        one = self._constant("one", 1.0, np.float32)
        if op == "Expm1":
            self._put("Sub", [self._put("Exp", [first], f"{name}.0"), one], name)
        elif op == "Log1p":
            self._put("Log", [self._put("Add", [first, one], f"{name}.0")], name)
        elif op == "NotEqual":
            self._put("Not", [self._put("Equal", inputs, f"{name}.0")], name)
        else:
            self._put("Cast", [first], name, to=TensorProto.FLOAT if op == "Number" else TensorProto.BOOL)
