"""What passes between cells and the networks that run them: a checked call, what came of it, who did it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ..compile.kernels import FusedSequence
from .ops.array_ops import Mask
from .ops.state_ops import State, blend, restarted
from .samples import begun, only_valid

Sample: TypeAlias = "mx.array | NDArray[np.float32]"
Timespan: TypeAlias = "float | NDArray[np.float32]"


class Held(Protocol):
    """What holds states of some neurons."""

    @property
    def starts_elsewhere(self) -> bool:
        """Whether a state is held at another value than 0."""
        ...

    def put(self, state: State) -> State:
        """A state in which the held neurons have their values."""
        ...


@dataclass(frozen=True)
class Call:
    """One checked call: everything batched, float32, and of agreeing shapes.

    Attributes:
        x: (B, T, I) inputs; where there is no sample, they may be anything.
        state: the initial state of B rows.
        timespans: (1, T) or (B, T) time since the sample that was read before, in units of `time_scale`; the
            same holds for them.
        batched: whether the caller's input had a batch axis.
        mask: (B, T) which samples there are; None for all.
        ends: (B, T) after which samples the state starts anew; None for none. Never where there is none.
        reverse: whether the samples are read from last to first.
        held: what holds some neurons' states, see `Overlay`; None for nothing.
        lasting: which arrays of the state go on behind the end of an episode.
        time_scale: the time of the data that is 1 in `timespans`.
    """

    x: mx.array
    state: State
    timespans: mx.array
    batched: bool
    mask: Mask | None = None
    ends: Mask | None = None
    reverse: bool = False
    held: Held | None = None
    lasting: tuple[int, ...] = ()
    time_scale: float = 1.0

    @property
    def steps(self) -> int:
        """T: the number of samples."""
        return int(self.x.shape[1])

    @property
    def order(self) -> range:
        """The steps in the order in which they are read."""
        return range(self.steps)[:: -1 if self.reverse else 1]

    @property
    def events(self) -> mx.array | None:
        """(B, T) what happens to rows, as kernels take it; None if nothing does."""
        if self.mask is None and self.ends is None:
            return None
        events = None
        # count_nonzero reads flags several times faster than all() and any(), which short kernels feel.
        if self.mask is not None and np.count_nonzero(self.mask) < self.mask.size:
            events = self.mask.astype(np.float32)
            events -= 1
        if self.ends is not None and np.count_nonzero(self.ends):
            ends = self.ends.astype(np.float32)
            events = ends if events is None else events + ends
        return None if events is None else mx.array(events)

    def filled(self) -> Call:
        """The same with numbers where there is no sample, for who computes something there."""
        if self.mask is None:
            return self
        spans = mx.where(mx.array(self.mask), self.timespans, 1.0)
        return replace(self, x=only_valid(self.x, self.mask), timespans=spans)

    def after(self, t: int, new: State, old: State) -> State:
        """The state behind step t: the old one in rows without a sample, zeros where an episode ends."""
        if self.mask is not None and not self.mask[:, t].all():
            new = blend(self.mask[:, t], new, old)
        if self.ends is not None and self.ends[:, t].any():
            new = restarted(new, self.ends[:, t], self.lasting)
            if self.held is not None:
                new = self.held.put(new)
        return new

    def begun(self, values: mx.array) -> mx.array:
        """(B, T, F) the values, with zeros before the first sample that is read."""
        return values if self.mask is None else only_valid(values, begun(self.mask, backwards=self.reverse))


@dataclass(frozen=True)
class Run:
    """What a cell did over a sequence.

    Attributes:
        outputs: (B, T, M) outputs after each sample.
        state: the last state of B rows.
        visible: (B, T, N) what the neurons showed after each sample; None if the engine was not asked.
    """

    outputs: mx.array
    state: State
    visible: mx.array | None


Engine: TypeAlias = Callable[[Call], Run]


class CellKernel(NamedTuple):
    """A cell's fused kernel.

    Attributes:
        sequence: the kernel.
        parameters: the cell's parameters as the kernel takes them.
        encodes: whether the kernel does what the cell's `encode` does, or that does nothing.
    """

    sequence: FusedSequence
    parameters: list[mx.array]
    encodes: bool = False


ALLOCATES = "its steps make arrays, so they are not bounded; the C that gl.export_c writes allocates nothing"


@dataclass(frozen=True)
class Stage:
    """A step over arrays that are there before.

    Attributes:
        x: (B, I) what a step reads.
        timespan: (B,) the time since the previous one.
        states: the arrays of the states, (B, ...) each, which a step changes.
        outputs: (B, M) what a step gives.
        run: does a step.
    """

    x: NDArray[np.float32]
    timespan: NDArray[np.float32]
    states: tuple[NDArray[np.float32], ...]
    outputs: NDArray[np.float32]
    run: Callable[[], None]

    def then(
        self,
        outputs: NDArray[np.float32],
        run: Callable[[], None],
        states: tuple[NDArray[np.float32], ...] = (),
    ) -> Stage:
        """The stage that this one and another one behind it are, which `run` runs together."""
        return replace(self, outputs=outputs, run=run, states=(*self.states, *states))


class Steps(Protocol):
    """Steps of B rows.

    Attributes:
        engine: who runs them: "fused", "ops", or "mixed" for layers that differ.
        n_inputs: I, how many features they read.
        state: the states of B rows: an array, or a tuple of arrays or of such tuples.
    """

    engine: str
    n_inputs: int

    @property
    def state(self) -> Any: ...

    def load(self, state: Any = None, batched: bool = True) -> None:
        """Go on from a state that a user gives, or from zeros."""
        ...

    def reset(self, chosen: mx.array) -> None:
        """Go on from zeros in the rows where (B,) `chosen` is true."""
        ...

    def step(self, x: Sample, timespan: Timespan) -> mx.array:
        """The outputs (B, M) for the next samples (B, I), which come a scalar or (B,) after the last ones."""
        ...

    def staged(self) -> Stage:
        """The same steps over arrays that are there before; they change the same states.

        Raises:
            ValueError: a part makes arrays at every step; the message names it.
        """
        ...
