"""What every cell is: names, sizes and the four parts of one time step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, TypeAlias, cast

import mlx.core as mx
import numpy as np

from ..arguments import MOST_NEURONS, counted, whole
from ..compile import CompiledCircuit, Source
from ..compile.electrical import refuse_electrical
from ..compile.pipeline import compiled_for
from ..errors import KernelError
from ..wiring import Dense
from .calls import step_call
from .holding import Polarity
from .layer import Shape
from .leading import shape_of
from .ncps import InNcps
from .ops.state_ops import State, rows, zero_state
from .overlay import Changes, Places
from .own_call import called
from .precision import in_type_of
from .running import Call, CellKernel
from .scaling import Tied
from .sharing import described, used_attributes
from .stepping import through_parts
from .strengths import Floats, Strengths
from .timed import TimedHolder
from .values import Values, Where, running_on
from .variants import Differences, Variants

# What a cell can be made over: a circuit in any form, sizes without wiring, or a number of units alone.
Units: TypeAlias = "Source | Dense | int"


class NCPRNNCell(TimedHolder):
    """One time step of a network: ``cell(x, state, timespan)`` gives ``(output, new_state)``.

    A subclass provides `step`, the equation, and what it needs of `prepare` (what depends on parameters
    only, computed once per sequence), `encode` (the inputs' mapping) and `decode` (states to outputs). `RNN`
    then runs it over sequences, with time spans, masks, recordings and streams; a step written with the
    operations of ``self.compiled.recurrent`` and ``self.compiled.sensory`` runs on every layout.

    Or it provides its own ``__call__(inputs, states)``, as cells of Keras are written, or
    ``__call__(inputs, states, timespan)``, with inputs (B, I), states (B, N), or a list of them if it sets
    `state_size` to one or gives one back, and the time span (B, 1). It returns outputs and new states.

    Args:
        units: what the cell is over. A circuit, plan or compiled circuit gives neurons their names and
            synapses; ``gl.dense(inputs, units)`` and a number are for cells without wiring, whose neurons are
            all outputs; with a number, `build` makes the parameters when the first input comes.
        time_scale: the time of the data that the cell takes for 1: it is given time spans divided by it.
            Where a subclass takes it as an option, too, and passes it on, files keep it, and `fit` may choose
            one where none is given, which is as 1.

    Attributes:
        homes: name -> what each parameter lies on, or a `Parameter` that says more. `make_parameters` makes
            those that say where they start; `lesion`, `transfer` and constraints read it.
        needs_circuit: whether the class refuses `units` that are no circuit.
        runs_electrical: whether the class has electrical synapses, as `LTCCell` has; others refuse circuits
            with such.
        times_given: whether numbers of the class or its options are times of the data already, so that `fit`
            chooses no time scale.
        polarity: "init" or "fixed": whether signed parameters may leave the signs of their synapses.
        positive: "clip" or "softplus": how non-negative parameters stay so.
        compiled: the compiled circuit; a cell without wiring has no such attribute.
        neurons: N names of the neurons with state; the first M are the outputs.
        sensors: I names of the input features; empty until a cell of a number of units is built.
        roles: N roles.
        wiring: the compiled circuit, or None.
        units: N; all of them are outputs of a cell without wiring.
        state_size: how many numbers a state of one row has: N for most cells, a list for several arrays. A
            subclass may set it.

    Raises:
        CircuitError: the circuit breaks a rule.
        TypeError: `units` is nothing of the above.

    Example:
        >>> class Leaky(gl.NCPRNNCell):
        ...     homes = {"w": "sensory"}
        ...
        ...     def __init__(self, circuit):
        ...         super().__init__(circuit)
        ...         self.w = mx.array(self.compiled.plan.sensory.polarity, mx.float32)
        ...
        ...     def step(self, prepared, x, state, timespan):
        ...         sensory = self.compiled.sensory
        ...         drive = sensory.matmul(x, sensory.weights(self.w))
        ...         return drive + (state - drive) * mx.exp(-timespan)
        >>> outputs, state = gl.RNN(Leaky(gl.auto_ncp(16, 2, inputs=3)))(mx.zeros((8, 20, 3)))
    """

    needs_circuit: ClassVar[bool] = False
    runs_electrical: ClassVar[bool] = False
    _sizes: tuple[Shape, ...] | None = None  # the shapes of a state, if they were set
    _listed: bool | None = None  # whether an own `__call__` has its states in a list, if that is known

    neurons: tuple[str, ...]
    sensors: tuple[str, ...]
    roles: tuple[str, ...]

    def __init__(self, units: Units, *, time_scale: float | None = None) -> None:
        super().__init__(time_scale)
        self.sensors = ()
        if isinstance(units, Dense) and not self.needs_circuit:
            self._name(units.units)
            self.sensors = _numbered("sensory", units.inputs)
            self.built = type(self).build is NCPRNNCell.build  # or it is for the subclass to say
        elif isinstance(units, int) and not self.needs_circuit:
            self._name(units)
        else:
            self._connect(cast(Source, units))  # which refuses what is no circuit

    def _connect(self, circuit: Source) -> None:
        """Take names and synapses from a circuit."""
        used = used_attributes(self._arguments())
        self.compiled = circuit if isinstance(circuit, CompiledCircuit) else compiled_for(circuit, used)
        plan = self.compiled.plan
        if not self.runs_electrical:
            refuse_electrical(plan, type(self).__name__)
        self.neurons, self.sensors, self.roles = plan.neurons, plan.sensors, plan.roles
        for argument, given in self._arguments().items():
            if given is circuit:
                self.keep(argument, self.compiled)  # the graph may be edited later
        self.belong_to(plan)
        self.built = True

    def _name(self, units: int) -> None:
        whole("units", units, most=MOST_NEURONS)
        self.neurons, self.roles = _numbered("motor", units), ("motor",) * units

    def build(self, input_shape: Shape) -> None:
        if not self.sensors:
            self.sensors = _numbered("sensory", input_shape[-1])
        super().build(input_shape)

    @property
    def wiring(self) -> CompiledCircuit | None:
        found: CompiledCircuit | None = getattr(self, "compiled", None)
        return found

    @property
    def units(self) -> int:
        return self.n_neurons

    @units.setter
    def units(self, units: int) -> None:
        if units != self.n_neurons:
            raise ValueError(f"units is {units!r}: the cell was made with {self.n_neurons}")

    @property
    def state_size(self) -> Any:
        sizes = [shape[0] if len(shape) == 1 else shape for shape in self.state_shapes]
        return sizes if len(sizes) > 1 or self._listed else sizes[0]

    @state_size.setter
    def state_size(self, size: int | Sequence[int]) -> None:
        if isinstance(size, list | tuple):
            self._listed = True
        sizes = size if isinstance(size, list | tuple) else (size,)
        self._sizes = tuple((whole("state_size", each),) for each in sizes)

    @property
    def n_inputs(self) -> int:
        """I: the number of input features."""
        if self.input_size is None:
            raise ValueError(f"{type(self).__name__} learns its inputs when it is built: call build() first")
        return self.input_size

    @property
    def input_size(self) -> int | None:
        return len(self.sensors) if self.sensors or self.built else None

    @property
    def n_neurons(self) -> int:
        """N: the number of neurons with state."""
        return len(self.neurons)

    @property
    def n_outputs(self) -> int:
        """M: the number of outputs, which is that of the motor neurons."""
        return self.roles.count("motor")

    @property
    def state_shapes(self) -> tuple[Shape, ...]:
        """The shapes, without batch, of the arrays that make up a state; one of (N,) for most cells."""
        return ((self.n_neurons,),) if self._sizes is None else self._sizes

    @property
    def lasting(self) -> tuple[int, ...]:
        """Which arrays of a state go on behind the end of an episode; the others begin at zeros there."""
        return ()

    def begun(self, state: State) -> State:
        """A state that is given or begins, as the first sample finds it: itself, or what the class says."""
        return state

    def prepare(self) -> Any:
        """Everything `step` needs that depends on the parameters only."""

    def encode(self, x: mx.array) -> mx.array:
        """(..., I) inputs as the sensory neurons present them."""
        return x

    def step(self, prepared: Any, x: mx.array, state: Any, timespan: mx.array) -> Any:
        """The new state from encoded input (B, I), state (B, N) and time span (B, 1) or (1, 1).

        The time span is in units of `time_scale`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step()")

    def whole_step(self, prepared: Any, x: mx.array, state: Any, timespan: mx.array) -> Any:
        """The same in as many steps as the time span has parts, see `max_step`."""
        longest = self.longest_part
        if longest is None:
            return self.step(prepared, x, state, timespan)
        return through_parts(partial(self.step, prepared, x), state, timespan, longest)

    def visible(self, state: Any) -> mx.array:
        """(B, N) what the neurons show, from a state: itself, or the first of several arrays."""
        shown: mx.array = state[0] if isinstance(state, tuple) else state
        return shown

    def decode(self, states: mx.array) -> mx.array:
        """(..., M) outputs from (..., N) visible states."""
        return states[..., : self.n_outputs]

    def kernel(self, *, all_states: bool = False) -> CellKernel:
        """The fused kernel that runs this cell, with the parameters as it takes them.

        If `all_states` is asked for, its outputs are the states of all neurons, before `decode`.

        A subclass that overrides a part of the time step behind the class that has the kernel is not run by
        it: see `cell_kernel`.

        Raises:
            KernelError: there is none for the cell, or for one of its options.
        """
        raise KernelError(f"there is no fused kernel for {type(self).__name__}")

    def variants(self, differences: Differences, call: Call) -> Variants:
        """The kernel that runs networks which differ from this cell's in little, see `varied`.

        Raises:
            KernelError: there is none for the cell, for one of its options, or for such a call.
        """
        raise KernelError(f"there is no kernel for variants of a {type(self).__name__}")

    def describe(self) -> str:
        """The circuit in words, how many numbers the cell keeps, and which of them are shared.

        Example:
            >>> print(gl.LTCCell(circuit, tie={"w": ("type", "type")}).describe())
        """
        compiled = self.wiring
        first = counted(self.n_neurons, "neuron") if compiled is None else compiled.describe()
        return "\n".join([first, *described(self.parameters(), self._shares)])

    def signed_weights(self) -> list[tuple[mx.array, Polarity]]:
        """The signed parameters as the equation uses them, and the polarities of their synapses."""
        values = self.effective()
        return [(values[name], self.polarity_of(p)) for name, p in self.declared().items() if p.signed]

    def conducting_parameters(self, side: str) -> list[str]:
        """The parameters without which a recurrent, sensory or electrical synapse does nothing."""
        return [name for name, p in self.declared().items() if len(p.axes) == 1 and p.lies_on == side]

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        """Let the equation hold neurons at values, at which they start; the class says how.

        Raises:
            TypeError: it does not say.
            ValueError: values that its neurons cannot have.
        """
        raise TypeError(
            f"a {type(self).__name__} does not say how its neurons are held: give its class "
            "hold_neurons(changes, neurons, values)"
        )

    def drive_neurons(self, changes: Changes, neurons: Places, currents: Floats) -> None:
        """Add to what reaches neurons by their synapses; the class says how.

        Raises:
            TypeError: it does not say.
        """
        raise TypeError(
            f"a {type(self).__name__} does not say how its neurons are driven: give its class "
            "drive_neurons(changes, neurons, currents)"
        )

    def current_units(self) -> Floats:
        """(N,) a current of 1 in the unit that `drive_neurons` takes, where that goes with a leak or such."""
        return np.ones(self.n_neurons)

    def resting_states(self) -> Floats:
        """(N,) where neurons are without any input: 0, or what the class says."""
        return np.zeros(self.n_neurons)

    def tied_factors(self) -> Tied:
        """Which of the factors that parameters declare samples and outputs are tied to; see `Tied`."""
        return Tied()

    def strengths(self) -> Strengths:
        """How strongly every synapse acts; see `circuit_of`.

        Raises:
            TypeError: the cell has no such number.
        """
        raise TypeError(f"the synapses of a {type(self).__name__} have no strength: it has no strengths()")

    def ncps(self) -> InNcps:
        """What the cell is in ncps 1.0.1 on PyTorch: its options and weights there.

        Like `kernel`, this is not taken from a class whose time step a subclass overrides.

        Raises:
            ValueError: ncps has no such cell, or not with one of its options.
        """
        raise ValueError(f"ncps has no {type(self).__name__}")

    def get_initial_state(self, inputs: mx.array | None = None, batch_size: int | None = None) -> State:
        """Zeros for a batch like `inputs`, (B, ...), or of a size; for one row if neither is given."""
        return zero_state(self.state_shapes, batch_of(inputs, batch_size))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*super().compute_output_shape(input_shape)[:-1], self.n_outputs)

    def __call__(
        self,
        x: Values,
        state: Any = None,
        timespan: Values | None = None,
        *,
        stream: Where = None,
    ) -> tuple[mx.array, Any]:
        """One time step.

        Args:
            x: (B, I) or (I,) inputs.
            state: (B, N) or (N,) state, or the tuple of arrays that the cell has; zeros if not given.
            timespan: scalar or (B,) time since the previous sample; `time_scale`, which is 1 where nobody has
                chosen one, if not given.
            stream: an MLX stream or device to run on; the default one if not given.

        Returns:
            The output, (B, M) or (M,), and the new state, shaped as the old one. Both have the type of the
            parameters; what lies between is computed in float32.

        Raises:
            ValueError: a shape that does not fit, or a time span that is negative or not finite.
        """
        with running_on(stream):
            self.ensure_built(shape_of(x))
            self.refuse_weights_of_other_circuits()
            inputs, state, span, batched = step_call(
                x, state, timespan, self.n_inputs, self.state_shapes, self.time_scale
            )
            new = self.whole_step(self.prepare(), self.encode(inputs), self.begun(state), span)
            output, new = in_type_of(self, self.decode(self.visible(new)), new)
            return (output, new) if batched else (output[0], rows(new, 0))

    def _extra_repr(self) -> str:
        over = repr(self.compiled.plan) if hasattr(self, "compiled") else counted(self.n_neurons, "neuron")
        return f"{over}{self._timing()}"

    @property
    def has_own_call(self) -> bool:
        """Whether the class has its own `__call__`, before or instead of a `step`."""
        kinds = type(self).__mro__
        call, step = (
            next(k for k, kind in enumerate(kinds) if name in vars(kind)) for name in ("__call__", "step")
        )
        return call < step

    def advance(
        self, prepared: Any, x: mx.array, state: State, timespan: mx.array
    ) -> tuple[mx.array, mx.array, State]:
        """Outputs (B, M), what neurons show (B, N) and the new state, by `step` or by an own `__call__`."""
        if not self.has_own_call:
            state = self.step(prepared, self.encode(x), state, timespan)
            shown = self.visible(state)
            return self.decode(shown), shown, state
        output, state = called(self, x, state, timespan)
        shown = self.visible(state)
        return output, shown if shown.shape == (len(x), self.n_neurons) else output, state


def batch_of(inputs: mx.array | None, batch_size: int | None) -> int:
    """The size of a batch, given or that of (B, ...) inputs; 1 if neither is given."""
    if batch_size is None:
        return int((*shape_of(inputs), 1)[0]) if inputs is not None else 1
    return whole("batch_size", batch_size)


def _numbered(role: str, n: int) -> tuple[str, ...]:
    return tuple(f"{role}_{k}" for k in range(n))
