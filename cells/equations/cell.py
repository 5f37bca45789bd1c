"""The base of cells that are written as equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from typing import Any, ClassVar, Literal

import mlx.core as mx

from ...arguments import label, one_of, text, whole
from ...compile import Source
from ..layer import Shape
from ..overlay import Changes, Places, overlay_of
from ..parameters import POSITIVE, Parameter
from ..priors import Priors
from ..running import CellKernel
from ..scaling import Tied
from ..sharing import Scale, Ties
from ..signs import POLARITY
from ..strengths import Floats, Strengths
from ..timing import AUTO, max_step_of, unfolds_of
from ..values import Values
from .acting import conducting, strengths
from .declaration import SOLVERS, WORDS, Declaration
from .delays import delays_of
from .expression import name
from .kernel import bound
from .latex import latex
from .model import SAMPLE, Model
from .noise import counted
from .operations import Prepared, prepared, step_ops
from .parsing import EquationError
from .reading import model_of
from .reference import referred
from .scaling import factors_in
from .states import StatesOfEquations
from .summing import evaluate
from .synaptic import all_kept
from .unread import is_method, refuse_unread


class _Equations:
    """The equations of a class, and those of a cell, which its options may change."""

    def __get__(self, cell: EquationCell | None, kind: type[EquationCell]) -> Model:
        return kind._model if cell is None else cell.equations_chosen()


class EquationCell(StatesOfEquations):
    r"""A cell whose class says its equations, from which all that a cell needs follows.

    A class declares, as attributes:

    ==================  ==============================================================================
    ``parameters``      name -> ``gl.synapse``, ``gl.neuron``, ``gl.electrical``, ``gl.sensor`` or
                        ``gl.motor``
    ``synapse``         name -> what each synapse brings; the name is the sum over the synapses onto a
                        neuron. A state ``v`` of the source is ``v_pre``, that of the neuron itself ``v``,
                        outside of functions
    ``sensory``         the same for synapses from sensors, where ``x`` is what the sensor shows; without
                        an entry, the first state of the source is that
    ``electrical``      the same for electrical synapses, which lead both ways
    ``let``             name -> a part of an equation; ``name_pre`` is its value at the source of a
                        synapse
    ``noise``           state -> how strong its noise is: ``dv = ... dt + strength dW``, or, in an
                        `update`, the deviation of a normal number that every sample adds
    ``synapse_states``  equations of states that each synapse has, as those of `dynamics` or `update`
                        below: of its quantities, its source, its neuron and themselves; they begin at 0
    ``sensory_states``  the same for synapses from sensors, where they are others
    ``dynamics``        ``"dv/dt = ..."`` or ``"m * dv/dt = ..."``, one or a list of them; the first state
                        is what neurons show
    ``update``          instead: ``"v = ..."``, the new values after a sample, from the old ones and
                        ``timespan``
    ``inputs``          what a sensor shows, from the sample ``x``; ``x`` itself if not given
    ``outputs``         what a motor neuron shows, from its first state; that itself if not given
    ``solver``          "semi_implicit" (what is linear in a state is taken at the new time: stable for
                        leaks of any step), "euler" or "explicit", which are one, "exponential" (exact for
                        what is linear in a state) or "rk4" (order 4)
    ``unfolds``         solver steps per sample, 6 if not given
    ``units``           name -> its unit, such as "mV": of quantities, states, sums, "timespan" and "x";
                        equations in which they do not fit are refused
    ``clip``            the largest absolute value of a state, after each step
    ``functions``       name -> a function of arrays that equations do not have; there is no kernel then
    ==================  ==============================================================================

    Equations have names, numbers, ``+ - * / **`` and the functions exp, log, sqrt, sin, cos, tanh, sigmoid,
    softplus, relu, abs, min, max, ``where(a < b, yes, no)`` and ``spike(a)``: 1 where a > 0, else 0, with the
    slope :math:`1 / (1 + 10 |a|)^2` for learning. Every name is what the class declares, and a wrong one is
    refused where the class is made, as is another public attribute that is a text, a list or a mapping and
    that nothing reads: a constant of your own is called ``_like_this``. A subclass may change some of the
    attributes, each as a whole.

    For a time span below 1e-30, `dynamics` leave states as they are.

    A state has, behind an array (B, N) per state of neurons, those of synapses, what `delays` keep, and with
    `noise` one (B, 8): which row it is of, and how many samples that had. An episode's end leaves that.

    Args:
        circuit: a circuit, a plan, or a compiled circuit.
        solver, ode_unfolds: instead of the `solver` and `unfolds` of the class; `ode_unfolds` may be "auto",
            see `LTCCell`.
        positive: how quantities that are positive stay so: "clip" or "softplus", see `LTCCell`.
        polarity: "init" or "fixed": whether quantities that begin at the signs of synapses keep them.
        tie, scale, fixed, penalty, priors: which parameters are shared, and what is known of them, see
            `LTCCell`.
        delays: how many samples synapses take: a number for all of them, or the name of an attribute that
            synapses of the circuit have. A synapse that takes d reads, for a whole sample, what its source
            showed at the beginning of the sample d before; electrical synapses take none.
        seed: of the noise of a class that has some, from 0 to 2**32 - 1; 0 if not given.
        equations: the digest of the equations with which a saved network was made, as `get_config` has it.
        time_scale: the time of the data that is 1 in the equations, as 0.001 is for data in seconds and
            equations in milliseconds; 1 if not given, as `fit` leaves it: the numbers are yours.
        max_step: the longest time span that `dynamics` solve in one go, see `LTCCell`.
        key: random key for the initial values; MLX's global state if not given.

    Attributes:
        model: the equations as they were read.

    Raises:
        ValueError: equations that are wrong, with the name and the column, where the class is made; an
            unknown option; or `equations` that are others.
        CircuitError: the circuit breaks a rule.

    Example:
        >>> class Leaky(gl.EquationCell):
        ...     parameters = {"w": gl.synapse("signed_glorot", strength=True), "tau": gl.neuron(0.5, 2.0)}
        ...     synapse = {"i": "w * tanh(v_pre)"}
        ...     dynamics = "tau * dv/dt = i - v"
        >>> outputs, state = gl.RNN(Leaky(gl.auto_ncp(16, 2, inputs=3)))(mx.zeros((8, 20, 3)))
    """

    needs_circuit = True
    by_effective = True
    changeable = frozenset({"seed"})
    times_given = True
    model = _Equations()
    _model: ClassVar[Model]
    _declared_words: ClassVar[Mapping[str, Any]] = {}
    # What a class declares; what the base has under such a name is its method again once the class is made.
    parameters: Any
    update: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = {
            word: vars(cls)[word] for word in WORDS if word in vars(cls) and not is_method(vars(cls)[word])
        }
        for word in own:
            delattr(cls, word)
        super().__init_subclass__(**kwargs)
        refuse_unread(cls, signature(EquationCell.__init__).parameters)
        if not own:
            return
        words = dict(cls._declared_words)
        for one, other in (("dynamics", "update"), ("update", "dynamics")):
            if one in own and other not in own:
                words.pop(other, None)
        cls._declared_words = words | own
        cls._model = cls.model_with()
        for key in cls._model.parameters:
            if hasattr(cls, key):
                raise EquationError(
                    f"{cls.__name__}.parameters: {key!r} is what every cell has under this name: choose "
                    "another"
                )
        cls.runs_electrical = bool(cls._model.declaration.electrical)

    @classmethod
    def model_with(cls, **words: Any) -> Model:
        """The equations of the class with some of its words changed."""
        return model_of(Declaration.of(cls.__name__, {**cls._declared_words, **words}))

    def equations_chosen(self) -> Model:
        """The equations of the cell: those of its class, unless the class says which options change them."""
        return type(self)._model

    def __init__(
        self,
        circuit: Source,
        *,
        solver: str | None = None,
        ode_unfolds: int | Literal["auto"] | None = None,
        positive: str = "clip",
        polarity: str = "init",
        tie: Ties = None,
        scale: Scale = None,
        fixed: Any = None,
        penalty: Any = None,
        priors: Priors = None,
        delays: int | str | None = None,
        seed: int | None = None,
        equations: str | None = None,
        time_scale: float | None = None,
        max_step: float | None = None,
        key: mx.array | None = None,
    ) -> None:
        if not hasattr(type(self), "_model"):
            raise TypeError(
                "an EquationCell has no equations: make a class of it that has dynamics or update"
            )
        declaration = self.model.declaration
        if solver is not None:
            one_of("solver", solver, SOLVERS)
        unfolds = None if ode_unfolds is None else unfolds_of(ode_unfolds)
        solving = {"solver": solver, "ode_unfolds": ode_unfolds, "max_step": max_step}
        if not self.model.continuous and (given := [name for name, v in solving.items() if v is not None]):
            kind = type(self).__name__
            raise ValueError(f"a {kind} is updated once per sample: it has no {given[0]}")
        if time_scale is not None and not self.model.timed:
            raise ValueError(f"no equation of a {type(self).__name__} has a time in it: it has no time_scale")
        self.max_step = max_step_of(max_step)
        one_of("positive", positive, POSITIVE)
        one_of("polarity", polarity, POLARITY)
        if equations is not None and text("equations", equations) != declaration.digest:
            raise ValueError(
                f"the equations of {type(self).__name__} are others now than those of the saved network: "
                f"their digest is {declaration.digest}, and was {label(equations)}"
            )
        super().__init__(circuit, time_scale=time_scale)
        if self.model.continuous:
            self.solver, self.ode_unfolds = solver or declaration.solver, unfolds or declaration.unfolds
            self.awaits_unfolds = ode_unfolds == AUTO
            self.keep("solver", self.solver)
            self.keep("ode_unfolds", AUTO if self.awaits_unfolds else self.ode_unfolds)
        self.positive, self.polarity = positive, polarity
        object.__setattr__(self, "_delays", delays_of(delays, self.compiled.plan, self.model))
        plan = self.compiled.plan
        object.__setattr__(self, "_there", all_kept(len(plan.recurrent), len(plan.sensory)))
        self.delays = delays if delays is None or isinstance(delays, str) else int(delays)
        self.keep("delays", self.delays)
        if self.delays is not None and max_step is not None:
            raise ValueError("delays are whole samples, of which max_step would make parts: leave out one")
        self.seed = 0 if seed is None and self.model.noisy else seed
        self.keep("equations", declaration.digest)
        self.share(tie, scale, fixed, penalty, priors)
        self.make_parameters(key)

    @property
    def seed(self) -> int | None:
        """Of the noise; None without any. Another one, for the next epoch say, gives other noise."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        if not self.model.noisy and seed is not None:
            raise ValueError(f"a {type(self).__name__} has no noise: it has no seed")
        self._seed = None if seed is None else whole("seed", seed, 0, most=(1 << 32) - 1)
        self.keep("seed", self._seed)

    @classmethod
    def latex(cls) -> str:
        """The equations of neurons in LaTeX, as the body of an ``aligned`` block.

        What `inputs` and `outputs` say is not among them.

        Example:
            >>> print(gl.CTRNNCell.latex())
        """
        return latex(cls.model.declaration)

    def declared(self) -> dict[str, Parameter]:
        coupled, (factors, _) = len(self.compiled.plan.electrical) > 0, factors_in(self.model)
        found = {k: p for k, p in self.model.parameters.items() if coupled or p.home != "electrical"}
        return {k: replace(p, factors=factors[k]) for k, p in found.items()}

    def tied_factors(self) -> Tied:
        return factors_in(self.model)[1]

    @property
    def steps_with(self) -> tuple[str, int]:
        """The solver, and its steps per sample; those of an update are none, and one."""
        if not self.model.continuous:
            return "", 1
        return "euler" if self.solver == "explicit" else self.solver, self.ode_unfolds

    def prepare(self) -> Prepared:
        given = self.effective(), self._stays(), self.seed or 0, self._delays, self._there
        return prepared(self.model, self.compiled, *given)

    def encode(self, x: mx.array) -> mx.array:
        if self.model.encoded is None:
            return x
        return self._mapped(self.model.encoded, {SAMPLE: x}, x.shape, "sensor")

    def step(self, prepared: Prepared, x: mx.array, state: Any, timespan: mx.array) -> Any:
        solver, unfolds = self.steps_with
        parts = state if isinstance(state, tuple) else (state,)
        if not self.model.noisy:
            new = step_ops(self.model, prepared, x, parts, timespan, unfolds, solver)
            return new if isinstance(state, tuple) else new[0]
        *_, noise = map(mx.stop_gradient, parts)
        new = step_ops(self.model, prepared, x, parts[:-1], timespan, unfolds, solver, noise)
        return (*new, counted(noise))

    def decode(self, states: mx.array) -> mx.array:
        shown = states[..., : self.n_outputs]
        if self.model.decoded is None:
            return shown
        values = {name("state", self.model.states[0]): shown}
        return self._mapped(self.model.decoded, values, shown.shape, "neuron", "motor")

    def _mapped(self, expression: Any, values: dict[Any, Any], shape: Shape, *homes: str) -> mx.array:
        for key, value in self.effective().items():
            home = self.model.parameters[key].home
            if home in homes:
                values[name(home, key)] = value[: self.n_outputs] if home == "neuron" else value
        (found,) = evaluate([expression], values)
        return mx.broadcast_to(found, shape)

    def _stays(self) -> mx.array | None:
        overlay = overlay_of(self)
        return None if overlay is None else overlay.stays

    def kernel(self, *, all_states: bool = False) -> CellKernel:
        own = self.effective(), self._stays(), self.seed or 0, self.steps_with
        widths = tuple(shape[0] for shape in self.state_shapes)
        return bound(self.model, self.compiled, *own, widths, all_states, self._delays, self._there)

    def reference(self, x: Values, state: Any = None, timespans: Values | None = None) -> tuple[Floats, Any]:
        """Outputs and the last state in float64 NumPy, straight from the text of the equations.

        It shares nothing with the engines: what they compute can be compared with it.

        Args:
            x: (B, T, I) inputs.
            state: the state before, as a call takes it; zeros if not given.
            timespans: a scalar, (T,) or (B, T); `time_scale` if not given.

        Returns:
            (B, T, M) outputs, and (B, N) states, a tuple of them where there are several.

        Raises:
            ValueError: shapes that do not fit, or a cell that is perturbed.

        Example:
            >>> outputs, state = cell.reference(x)
        """
        return referred(self, x, state, timespans)

    # What networks ask of a cell.

    def hold_neurons(self, changes: Changes, neurons: Places, values: Floats) -> None:
        changes.stay(neurons)

    def conducting_parameters(self, side: str) -> list[str]:
        """The parameters without which no sum over the synapses of a side is left.

        Raises:
            TypeError: there are none: the sums are not 0 where all quantities of a synapse are 0.
        """
        if side == "electrical" and not len(self.compiled.plan.electrical):
            return []
        return conducting(self.model, self.declared(), side)

    def strengths(self) -> Strengths:
        """The product of the quantities that are strengths, with the signs of those that carry signs."""
        return strengths(self.model, self.declared(), self.compiled.plan, self.effective())

    def _extra_repr(self) -> str:
        solver, unfolds = self.steps_with
        with_solver = f", solver={solver!r}, ode_unfolds={unfolds}" if self.model.continuous else ""
        return f"{self.compiled.plan!r}{with_solver}{self._timing()}"
