"""Where a network stays with a constant input: its fixed point, found by iteration and Newton's method.

It is differentiated by the implicit function theorem: with s = F(s, p) the gradient of s by p is
(I - dF/ds)^-1 dF/dp, so that no step towards s is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_map
from numpy.typing import NDArray

from ...arguments import label, real
from ...compile.kernels import unit_spans
from ...compile.kernels.tracing import evaluable
from ...wiring.words import suggestion
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..ops.state_ops import State, joined, parted
from ..overlay import overlay_of
from ..running import Call, Engine, Run
from ..snapshots import snapshot
from ..values import bounded, real_array
from .engine import run_update

REST = "rest"
CLOSE = 1e-6
"""The largest residual, beside states of 1 or more beside these."""
CHUNK, CHUNKS = 64, 64
"""Steps in one launch, and how many launches there are at most."""
MOST = 1024
"""Numbers in a state up to which its Jacobian is made as a matrix."""
NEWTON = 12
STABLE, NEAR = 1.0 + 1e-4, 1e-3
"""The largest factor of a step where a network stays; how near to where it has settled it surely does."""
Floats = NDArray[np.float64]


def is_rest(state: Any) -> bool:
    """Whether a state is asked for by the word.

    Raises:
        ValueError: another word.
    """
    if not isinstance(state, str):
        return False
    if state != REST:
        raise ValueError(f"the state is {state!r}: expected an array, or 'rest'")
    return True


@dataclass(frozen=True)
class Resting:
    """A cell that reads the same (B, I) inputs at every step.

    Attributes:
        cell: the cell.
        engine: who runs it, as `RNN` takes it.
        span: the time span of a step.
    """

    cell: NCPRNNCell
    engine: str
    span: float

    def found(self, x: mx.array) -> State:
        """The state of B rows that stays, with gradients by the parameters and by `x`.

        Raises:
            ValueError: there is none, or not where values are known.
        """
        self._refuse(x)
        # Values are looked at in a copy that has nothing to do with what is differentiated: MLX drops what
        # an array was made of where a gradient inside a gradient is evaluated.
        quiet, given = Resting(_quiet(self.cell), self.engine, self.span), _known(x)
        there = mx.array(quiet.searched(given))
        pull = _by_series if self.size > MOST else _by_matrix

        @mx.custom_function
        def attached(state: mx.array) -> Any:
            return state

        @attached.vjp
        def attached_vjp(_: Any, cotangent: mx.array, __: Any) -> mx.array:
            return pull(quiet, given, there, cotangent)

        step = self._stepped(x, there)
        found: Any = attached(there + (step - mx.stop_gradient(step)))
        return self.parts(found)

    def after(self, x: mx.array, state: State) -> mx.array:
        """(B, M) what the cell shows after one more step."""
        return self._launched(x, state, 1).outputs[:, -1]

    @cached_property
    def run(self) -> Engine:
        """What runs sequences."""
        return run_update(self.cell, self.engine, record=False, checkpoint_every=1)

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.cell.state_shapes

    @cached_property
    def size(self) -> int:
        """D: how many numbers a state of one row has."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def parts(self, flat: mx.array) -> State:
        """A state from (B, D)."""
        found, first = [], 0
        for shape in self.shapes:
            count = int(np.prod(shape))
            found.append(flat[:, first : first + count].reshape(len(flat), *shape))
            first += count
        return joined(found)

    def _stepped(self, x: mx.array, flat: mx.array, steps: int = 1) -> mx.array:
        """(B, D) after some steps from (B, D)."""
        state = self._launched(x, self.parts(flat), steps).state
        return mx.concatenate([part.reshape(len(flat), -1) for part in parted(state)], axis=1)

    def _launched(self, x: mx.array, state: State, steps: int) -> Run:
        spans = unit_spans(1, steps) if self.span == 1 else mx.full((1, steps), self.span)
        many = mx.broadcast_to(x[:, None], (len(x), steps, x.shape[-1]))
        call = Call(many, state, spans, True, lasting=self.cell.lasting)
        overlay = overlay_of(self.cell)
        return self.run(call if overlay is None else overlay.applied(call))

    def jacobian(self, x: mx.array, flat: mx.array) -> mx.array:
        """(B, D, D) the slopes of a step: of number i by number j."""
        rows, size = flat.shape
        each = [mx.repeat(values, size, axis=0) for values in (x, flat)]
        cotangents = mx.tile(mx.eye(size), (rows, 1))
        return self.pulled(each[0], each[1], cotangents).reshape(rows, size, size)

    def pulled(self, x: mx.array, flat: mx.array, cotangent: mx.array) -> mx.array:
        """(B, D) a cotangent of a step, pulled back to the state before it."""
        found: mx.array = mx.vjp(lambda state: self._stepped(x, state), [flat], [cotangent])[1][0]
        return found

    def _refuse(self, x: mx.array) -> None:
        arrays: Any = tree_flatten(self.cell.parameters())
        if not evaluable([x, *(array for _, array in arrays)]):
            raise ValueError("a state at rest is looked for with values: it is none inside mx.compile")
        if self.cell.lasting:
            raise ValueError(f"a {type(self.cell).__name__} has noise, so it has no state at rest")

    def searched(self, x: mx.array) -> NDArray[np.float32]:
        """(B, D) the state that the network goes to from zeros."""
        zeros = [mx.zeros((len(x), *shape)) for shape in self.shapes]
        begun = self.cell.begun(joined(zeros))
        state = mx.concatenate([part.reshape(len(x), -1) for part in parted(begun)], axis=1)
        polish = self.size <= MOST
        apart = np.full(len(x), np.inf)
        for chunk in range(CHUNKS):
            state = self._stepped(x, state, CHUNK)
            apart = self._apart(x, state)
            settled = bool((np.nan_to_num(apart, nan=np.inf) <= CLOSE).all())
            if polish and (settled or chunk & (chunk + 1) == 0):  # after 1, 2, 4 launches and so on
                exact = self._polished(x, state, settled)
                if exact is not None:
                    return exact
            if settled:
                return np.array(state)
        raise ValueError(self._moving(x, state))

    def _apart(self, x: mx.array, flat: mx.array) -> Floats:
        """(B,) the largest residual of each row, beside states of 1 or more beside these."""
        before, after = np.array(flat, np.float64), np.array(self._stepped(x, flat), np.float64)
        found: Floats = (np.abs(after - before) / np.maximum(1.0, np.abs(before))).max(axis=1)
        return found

    def _polished(self, x: mx.array, flat: mx.array, settled: bool) -> NDArray[np.float32] | None:
        """The fixed point by Newton's method, where there is one that the network stays at.

        It goes on until its moves shrink no more: where a network is slow, the change of a step is small far
        from rest, and in float32 no measure.
        """
        state, apart, moved, slopes = flat, self._apart(x, flat), np.inf, None
        for _ in range(NEWTON):
            before, after = np.array(state, np.float64), np.array(self._stepped(x, state), np.float64)
            new_slopes = np.array(self.jacobian(x, state), np.float64)
            if not (np.isfinite(new_slopes).all() and np.isfinite(after).all()):
                return None
            try:
                moves = np.linalg.solve(np.eye(self.size) - new_slopes, (after - before)[..., None])[..., 0]
            except np.linalg.LinAlgError:
                return None
            length = float((np.abs(moves) / np.maximum(1.0, np.abs(before))).max())
            if length >= moved / 2 and (apart <= CLOSE).all():
                break
            new = mx.array((before + moves).astype(np.float32))
            now = self._apart(x, new)
            if not (now <= np.maximum(apart, CLOSE)).all():
                break
            state, apart, moved, slopes = new, now, length, new_slopes
        if not (apart <= CLOSE).all():
            return None
        near = settled and bool(np.abs(np.array(state - flat)).max() < NEAR)
        if slopes is not None and not near and np.abs(np.linalg.eigvals(slopes)).max() > STABLE:
            return None
        return np.array(state)

    def _moving(self, x: mx.array, flat: mx.array) -> str:
        before, after = np.array(flat, np.float64), np.array(self._stepped(x, flat), np.float64)
        moves = np.abs(after - before) / np.maximum(1.0, np.abs(before))
        place = int(np.argmax(np.nan_to_num(moves.max(axis=0), nan=np.inf)))
        return (
            f"there is no state at rest: after {CHUNK * CHUNKS} steps of {self.span:g} with a constant "
            f"input, neuron {self._owner(place)!r} still moves by {moves[:, place].max():.3g} a step, as "
            "where a network oscillates, spikes or goes on for ever"
        )

    def _owner(self, place: int) -> str:
        """The neuron that a number of a state is of."""
        names = self.cell.neurons
        for shape in self.shapes:
            count = int(np.prod(shape))
            if place < count:
                return names[min(place * len(names) // count, len(names) - 1)]
            place -= count
        return names[-1]


def _known(array: mx.array) -> mx.array:
    return mx.array(np.array(array.astype(mx.float32)))


def _quiet(cell: NCPRNNCell) -> NCPRNNCell:
    """A copy with the parameters of now, which drops nothing."""
    twin: NCPRNNCell = snapshot(cell)
    twin.update(tree_map(_known, twin.parameters()))
    twin.eval()
    return twin


def _by_matrix(resting: Resting, x: mx.array, flat: mx.array, cotangent: mx.array) -> mx.array:
    whole = mx.eye(resting.size) - mx.swapaxes(resting.jacobian(x, flat), 1, 2)
    return mx.linalg.solve(whole, cotangent[..., None], stream=mx.cpu)[..., 0]


def _by_series(resting: Resting, x: mx.array, flat: mx.array, cotangent: mx.array) -> mx.array:
    """u = g + J' u by iteration, which comes to an end where the network does."""
    total = cotangent
    for _ in range(CHUNK * CHUNKS):
        new = cotangent + resting.pulled(x, flat, total)
        change, size = np.array(mx.abs(new - total).max()), np.array(mx.abs(new).max())
        total = new
        if change <= CLOSE * size:
            break
    return total


def rest_for(network: Any, x: mx.array) -> Any:
    """The state at rest with inputs of 0, for (B, T, I) or (T, I) inputs."""
    return resting_rows(network, x.shape[0] if x.ndim > 2 else None)


def resting_rows(network: Any, rows: int | None) -> Any:
    """The same for so many rows, or without a batch axis."""
    state = rest(network)
    return state if rows is None else tree_map(lambda part: mx.broadcast_to(part, (rows, *part.shape)), state)


def rest(network: nn.Module, inputs: Any = None, *, timespan: float | None = None) -> Any:
    r"""The state at which a network stays with a constant input.

    .. math:: s = F(s, x, \Delta t)

    with F one time step. It is the one that the network goes to from zeros: it is looked for by running, and
    finished by Newton's method; the largest change of a step, beside a state of 1 or more beside that, is
    below 1e-6 in float32. Gradients by parameters and inputs are those of the implicit function theorem.
    ``network(x, state="rest")`` and ``stream.state = "rest"`` start from the one without input.

    Where the solver of a cell is semi-implicit, as the LTC's, the state is that of its equation, whatever the
    time span: for neurons that take thousands of spans, a longer one is more exact, since float32 hardly
    tells their steps from none. A closed form, as the CfC's, has a state for every time span.

    Args:
        network: a network over sequences, a container of some, in which each layer of a `Stack` has what the
            one before shows at rest, or an `Ensemble`.
        inputs: (I,) or (B, I) the input, in the units of the network's inputs, or a mapping of sensors to
            numbers, in which those that are left out have 0; zeros if not given.
        timespan: of one step, in the unit of the network's time spans; that of samples without time spans if
            not given.

    Returns:
        The state, as the network takes it: (N,), or (B, N) for inputs of B rows, or a tuple; of an ensemble
        with a leading axis of members.

    Raises:
        ValueError: it stays nowhere, as an oscillator; the message names the neuron that moves most. Inputs
            of another shape; a call inside `mx.compile`.
        TypeError: no network over sequences.

    Example:
        >>> start = gl.rest(rnn, {"sensory_0": 0.5})                       # (N,)
        >>> outputs, state = rnn(x, state="rest")
    """
    members: Callable[..., Any] | None = getattr(network, "each_member", None)
    if members is not None:
        return members(lambda member: rest(member, inputs, timespan=timespan))
    if not isinstance(network, NCPLayer) or not network.recurrent:
        raise TypeError(f"expected a network over sequences, such as gl.LTC(circuit), got {label(network)}")
    span = None if timespan is None else real("timespan", timespan, above=0)
    size = network.input_size
    if size is None:
        raise ValueError(f"this {type(network).__name__} learns its inputs when it is built: call build()")
    x = constant_input(network, inputs, size)
    _, state = network.resting(x if x.ndim > 1 else x[None], span)
    return state if x.ndim > 1 else tree_map(lambda part: part[0], state)


def constant_input(network: NCPLayer, inputs: Any, size: int) -> mx.array:
    """(I,) or (B, I) the inputs that a caller gives."""
    if inputs is None:
        return mx.zeros((size,))
    if isinstance(inputs, Mapping):
        names = tuple(getattr(network, "sensors", ()))
        found = dict.fromkeys(names, 0.0)
        for name, value in inputs.items():
            if name not in found:
                raise ValueError(f"there is no sensor {label(name)}{suggestion(name, names)}")
            found[name] = real(f"the input of {name!r}", value)
        return mx.array(list(found.values()), mx.float32)
    x = real_array("inputs", inputs)
    if x.ndim not in (1, 2) or x.shape[-1] != size or not x.shape[0]:
        raise ValueError(f"inputs have shape {tuple(x.shape)}: expected ({size},) or (B, {size})")
    return bounded(x)
