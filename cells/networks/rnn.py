"""A cell over sequences."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten
from numpy.typing import NDArray

from ... import shown
from ...arguments import flag, one_of, whole
from ...compile import CompiledCircuit
from ...compile.kernels.tracing import differentiated
from ...recording import Recording
from ..calls import clock, sequence_call
from ..cell import NCPRNNCell
from ..configured import options_of
from ..keys import grid, numbered, words_of
from ..layer import NCPLayer, Shape
from ..leading import Leading
from ..ops.state_ops import State, rows
from ..overlay import overlay_of
from ..parameters import Parameter
from ..precision import in_type_of
from ..running import Call, Run, Steps
from ..samples import begun, only_valid
from ..values import Flags, Values, Where, mlx_array, running_on
from .engine import ENGINES, explain_engine, run_update
from .memory import Memory, predict_memory
from .resting import Resting, is_rest, rest_for
from .sequence import reversed_call
from .solving import solver_error
from .steps import BACKWARDS, cell_steps, in_time_of
from .streaming import Stream


class RNN(NCPLayer):
    """A cell over sequences: ``rnn(x, state, timespans)`` gives ``(outputs, state)``.

    Args:
        cell: what runs one time step.
        engine: who runs the sequence: "ops" (plain MLX operations), "fused" (one kernel for all of it) or
            "auto" (the kernel where there is one and it can run).
        checkpoint_every: of how many samples the fused engine keeps one state for the gradients; more than 1
            saves memory on long sequences and computes the other states twice.
        return_sequences: whether to return the outputs of all samples or only of the last one read.
        return_state: whether to return the state beside the outputs.
        reverse: whether to read the samples from last to first; the outputs stay beside their samples.
        proj_size: size of a linear map of the outputs; None for no map.

    Raises:
        ValueError: an unknown engine, or a size that is not positive.
        TypeError: `cell` is no cell.

    Example:
        >>> rnn = gl.RNN(gl.CTRNNCell(gl.auto_ncp(64, 8, inputs=16)), reverse=True)
        >>> outputs, state = rnn(mx.zeros((32, 20, 16)))                   # (32, 20, 8), (32, 64)
    """

    recurrent = True
    changeable = frozenset({"engine", "checkpoint_every", "return_sequences", "return_state"})

    def __init__(
        self,
        cell: NCPRNNCell,
        *,
        engine: str = "auto",
        checkpoint_every: int = 1,
        return_sequences: bool = True,
        return_state: bool = True,
        reverse: bool = False,
        proj_size: int | None = None,
    ) -> None:
        super().__init__()
        one_of("engine", engine, ENGINES)
        if not isinstance(cell, NCPRNNCell):
            raise TypeError(f"expected a cell, such as gl.LTCCell(circuit), got {type(cell).__name__}")
        if proj_size is not None:
            whole("proj_size", proj_size)
        whole("checkpoint_every", checkpoint_every)
        flag("return_sequences", return_sequences)
        flag("return_state", return_state)
        flag("reverse", reverse)
        self.cell = cell
        self.engine, self.checkpoint_every = engine, checkpoint_every
        self.return_sequences, self.return_state = return_sequences, return_state
        self.reverse, self.proj_size = reverse, proj_size
        if proj_size is not None:
            self.projection = self._drawn_projection(proj_size)
        self.built = cell.built
        self.settle()

    def _drawn_projection(self, size: int) -> nn.Linear:
        """A map that starts as those of MLX do, by the names of the motor neurons."""
        outputs, draws = self.cell.n_outputs, self.cell.draws
        layer, limit = nn.Linear(outputs, size), 1.0 / math.sqrt(outputs)
        words = grid(numbered(size), words_of(self.cell.neurons[:outputs]))
        layer.weight = draws.of("projection.weight", words).uniform(-limit, limit, size, outputs)
        layer.bias = draws.of("projection.bias").uniform(-limit, limit, size)
        return layer

    def declared(self) -> dict[str, Parameter]:
        if self.proj_size is None:
            return {}
        return {"projection.weight": Parameter(("free", "motor")), "projection.bias": Parameter("free")}

    def build(self, input_shape: Shape) -> None:
        self.cell.ensure_built(input_shape)
        super().build(input_shape)

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespans: Values | None = None,
        *,
        mask: Flags | None = None,
        lengths: Flags | None = None,
        ends: Flags | None = None,
        starts: Flags | None = None,
        return_states: bool = False,
        record: bool = False,
        stream: Where = None,
    ) -> Any:
        """Run a sequence.

        Args:
            x: (..., T, I) inputs, such as (B, T, I) or (T, I); further leading axes are as many more rows.
            state: (..., N) initial state, or a tuple for a cell with several; zeros if not given; "rest" for
                the one at which the network stays with inputs of 0, see `rest`.
            timespans: time since the previous sample, 0 or more: a scalar, (T,), (B, T) or (B, T, 1);
                `time_scale`, which is 1 where nobody has chosen one, if not given. The first sample, before
                which nothing came, has the usual time between two; with 0 an LTC cannot answer to it yet.
            mask: (B, T) or (T,) booleans, or zeros and ones, false where there is no sample, whatever `x`
                holds there. There, states and outputs stay what they were, and outputs are zeros before the
                first sample.
            lengths: (B,) whole numbers instead of a mask: how many samples each sequence has.
            ends: (B, T) or (T,) of the same, true at the last sample of an episode: the state starts anew
                after it. Where there is no sample, nothing ends.
            starts: the same told by the first sample of an episode: the state starts anew before it. At the
                first sample of a row that also drops the given `state`, if it is read first.
            return_states: whether to return what all neurons show after each sample, (..., T, N), which
                gradients go through as through the outputs.
            record: whether to return a `Recording` of every neuron as a last value: NumPy arrays with names.
            stream: an MLX stream or device to run on; the default one if not given.

        Returns:
            The outputs, (..., T, M), without the time axis if `return_sequences` is off; the last state,
            (..., N), if `return_state` is on; all states and the recording, if asked for. The outputs alone
            are returned as an array. All arrays have the type of the parameters; what lies between is
            computed in float32.

        Raises:
            ValueError: a shape that does not fit, an empty sequence, or a time span that is negative or not
                finite; a recording inside `mx.grad`, whose arrays would have no gradient there.
            TypeError: values that are not real numbers.
            KernelError: the engine is "fused", and there is no kernel for the cell or it cannot run now.
            RuntimeError: a parameter is still to be computed, in another thread.
        """
        flag("return_states", return_states)
        flag("record", record)
        with running_on(stream):
            inputs = mlx_array("the input", x)
            self.ensure_built(inputs.shape)
            leading, cell = Leading.of(inputs), self.cell
            state = rest_for(self, leading.joined(inputs)) if is_rest(state) else leading.joined_state(state)
            call = sequence_call(
                leading.joined(inputs), state, leading.joined_spans(timespans),
                cell.n_inputs, cell.state_shapes, mask=leading.joined(mask),
                lengths=leading.joined(lengths), ends=leading.joined(ends), starts=leading.joined(starts),
                reverse=self.reverse, lasting=cell.lasting, time_scale=cell.time_scale,
            )  # fmt: skip
            if cell.lasting:
                call = replace(call, state=cell.begun(call.state))
            overlay = overlay_of(cell)
            if overlay is not None:
                call = overlay.applied(call)
            run = self._run(reversed_call(call) if self.reverse else call, record or return_states)
            last = None if self.return_sequences else run.outputs[:, 0 if self.reverse else -1]
            shown = self._shown(call, run.outputs if last is None else last)
            outputs, final = in_type_of(self, shown, run.state)
            arrays: list[Any] = [outputs, *([final] if self.return_state else [])]
            if return_states:
                assert run.visible is not None
                arrays.append(in_type_of(self, run.visible, ())[0])
            results: list[Any] = [leading.parted(each) if call.batched else rows(each, 0) for each in arrays]
            if record:
                results.append(self._recording(call, run))
            return tuple(results) if len(results) > 1 else results[0]

    def resting(self, x: mx.array, span: float | None) -> tuple[mx.array, State]:
        cell = self.cell
        resting = Resting(cell, self.engine, 1.0 if span is None else span / (cell.time_scale or 1.0))
        state = resting.found(x)
        return in_type_of(self, self._project(resting.after(x, state)), state)

    def __setattr__(self, name: str, value: Any) -> None:
        cell: NCPRNNCell | None = self.get("cell")
        if cell is not None and name in {*cell.__dict__, "time_scale"} & options_of(type(cell)):
            setattr(cell, name, value)  # which refuses it: it would do nothing here
        super().__setattr__(name, value)

    def explain(self) -> str:
        """One paragraph on which engine and layout run this network here, and why.

        Example:
            >>> print(gl.LTC(gl.auto_ncp(64, 8, inputs=16)).explain())
        """
        return explain_engine(self.cell, self.engine)

    def describe(self) -> str:
        """The circuit in words, how many numbers the cell keeps, and which of them are shared.

        Example:
            >>> print(gl.LTC(circuit, tie={"w": ("type", "type")}).describe())
        """
        return self.cell.describe()

    def _repr_html_(self) -> str:
        name = type(self).__name__
        sizes: list[tuple[str, object]] = [("engine", self.engine), ("outputs", self.cell.n_outputs)]
        sizes += [] if self.time_scale is None else [("time scale", self.time_scale)]
        compiled = getattr(self.cell, "compiled", None)
        if self.built:
            leaves: list[tuple[str, Any]] = tree_flatten(self.parameters())  # type: ignore[assignment]
            sizes += [("parameters", sum(value.size for _, value in leaves))]
        words = shown.text("Runs here", self.explain()) if self.built else ""
        plan = "" if compiled is None else compiled.plan._repr_html_()
        return shown.page(shown.table(name, [("cell", type(self.cell).__name__), *sizes]), words) + plan

    def stream(self, batch_size: int | None = None) -> Stream:
        """An object that is fed one sample at a time and keeps the state; see `Stream`.

        Args:
            batch_size: B, how many sequences run side by side; None for one without a batch axis.
        """
        return Stream(self, batch_size)

    def _stepped(self, batch: int) -> Steps:
        if self.reverse:
            raise ValueError(BACKWARDS)
        project = None if self.proj_size is None else self.projection
        return in_time_of(self.cell, cell_steps(self.cell, self.engine, project, batch))

    def memory(self, batch: int, steps: int) -> Memory:
        """The bytes that a batch of `batch` sequences of `steps` samples needs; see `Memory`."""
        return predict_memory(self, batch, steps)

    def apply_constraints(self) -> None:
        """Put parameters that left their range back into it; call it after each optimizer step."""
        self.cell.apply_constraints()

    @property
    def time_scale(self) -> float | None:
        """The time of the data that the cell takes for 1; None if nobody has chosen one, which is 1."""
        return self.cell.time_scale

    @property
    def awaits_time_scale(self) -> bool:
        """Whether `fit` is to choose one: none is given, the first weights are there, and files keep it."""
        kept = self.takes("time_scale") or any(part is self.cell for part in self.made_with().values())
        return kept and self.cell.awaits_time_scale

    def choose_time_scale(self, scale: float) -> None:
        """Let the network have a time scale where nobody has chosen one, as `fit` does.

        Raises:
            ValueError: it has one.
        """
        self.cell.choose_time_scale(scale)
        self.keep("time_scale", self.time_scale)

    @property
    def awaits_unfolds(self) -> bool:
        """Whether `fit` is to choose the steps of the solver: "auto" was asked for, and files keep it."""
        kept = self.takes("ode_unfolds") or any(part is self.cell for part in self.made_with().values())
        return kept and any(cell.awaits_unfolds for cell in self._cells())

    def choose_unfolds(self, unfolds: int) -> None:
        """Let the network have a number of steps of its solver where "auto" was asked for, as `fit` does."""
        for cell in self._cells():
            if cell.awaits_unfolds:
                cell.choose_unfolds(unfolds)
                self.keep("ode_unfolds", unfolds)

    def solver_error(self, x: Values, timespans: Values | None = None, **given: Any) -> NDArray[np.float32]:
        """(M,) how far outputs move when the solver takes twice as many steps; see `solver_error`."""
        return solver_error(self, x, timespans=timespans, **given)

    def _cells(self) -> list[NCPRNNCell]:
        """The cell, and those inside it."""
        return [part for part in self.cell.modules() if isinstance(part, NCPRNNCell)]

    @property
    def input_size(self) -> int | None:
        return self.cell.input_size

    @property
    def sensors(self) -> tuple[str, ...]:
        """The names of the input features."""
        return self.cell.sensors

    @property
    def wiring(self) -> CompiledCircuit | None:
        """The compiled circuit of the cell; None without one."""
        return self.cell.wiring

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> State:
        """Zeros for a batch like `inputs`, (B, T, I), or of a size; for one row if neither is given."""
        return self.cell.get_initial_state(inputs, batch_size)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        super().compute_output_shape(input_shape)
        if len(input_shape) < 2:
            raise ValueError(f"inputs of shape {tuple(input_shape)}: expected (..., time, features)")
        outputs = self.cell.n_outputs if self.proj_size is None else self.proj_size
        leading = input_shape[:-1] if self.return_sequences else input_shape[:-2]
        return (*leading, outputs)

    def _run(self, call: Call, shown: bool) -> Run:
        engine = run_update(self.cell, self.engine, record=shown, checkpoint_every=self.checkpoint_every)
        return engine(call)

    def _shown(self, call: Call, outputs: mx.array) -> mx.array:
        """(B, T, M) or (B, M) outputs through the map, and zeros before the first sample as without it."""
        if self.proj_size is None or call.mask is None:
            return self._project(outputs)
        seen = begun(call.mask, backwards=self.reverse)
        if outputs.ndim < 3:
            seen = seen[:, 0 if self.reverse else -1]
        return only_valid(self._project(outputs), seen)

    def _project(self, outputs: mx.array) -> mx.array:
        return outputs if self.proj_size is None else self.projection(outputs)

    def _recording(self, call: Call, run: Run) -> Recording:
        cell = self.cell
        assert run.visible is not None
        mx.eval(run.visible)
        if differentiated((run.visible,)):
            raise ValueError(
                "a recording is of NumPy arrays, which have no gradient: inside mx.grad, ask for "
                "return_states=True"
            )
        times = np.cumsum(clock(call), axis=1)
        batched = Recording(
            states=np.array(run.visible),
            inputs=np.array(only_valid(call.x, call.mask)),
            outputs=np.array(self._shown(call, run.outputs)),
            times=times[0] if len(times) == 1 else times,
            neurons=cell.neurons,
            sensors=cell.sensors,
            roles=cell.roles,
        )
        return batched if call.batched else batched.sequence(0)
