"""A whole sequence as one forward and one backward kernel, as MLX sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias, TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from ...errors import KernelError
from . import cpu, nodes, pairs
from .cpu import WIDE, CPURunner, form_for, lanes_for
from .gpu import GPURunner
from .source import CallSizes, Texts, read_kernel
from .targets import Form
from .threads import thread_count
from .tracing import Arrays, attach, differentiated, evaluable, exporting, of_other_thread

Runner: TypeAlias = CPURunner | GPURunner
States: TypeAlias = "mx.array | tuple[mx.array, ...]"
T = TypeVar("T")
SAVED_MOST = ContextVar("SAVED_MOST", default=1 << 26)


class ExportError(KernelError):
    """A file of operations cannot hold a kernel."""


class FusedSequence:
    """The kernels ``<name>_forward`` and ``<name>_backward`` over one circuit.

    Args:
        folder: where their files lie, or their texts.
        name: the pair of kernels.
        sizes: the kernels' sizes and constants by name, but for `CallSizes`.
        numbers: the kernels' numbers by name.
        index: the kernels' index arrays by name.
        memory: whether the state passes through an LSTM first.
        widths: how wide the arrays of a state are, which the kernels have one behind the other.
    """

    def __init__(
        self,
        folder: Path | Texts,
        name: str,
        *,
        sizes: Mapping[str, int],
        numbers: Mapping[str, float],
        index: Mapping[str, NDArray[np.int32]],
        memory: bool = False,
        widths: tuple[int, ...] = (),
    ) -> None:
        self.folder, self.name = folder, name
        self.sizes, self.numbers, self.index = dict(sizes), dict(numbers), dict(index)
        self.memory, self.cuts = memory, np.cumsum(widths[:-1]).tolist()
        self._runners: dict[type, tuple[Runner, Runner]] = {}
        self._remembering: dict[float, FusedSequence] = {}
        self._pair = lru_cache(maxsize=32)(self._pair_of)  # few lengths of sequences come again and again

    def remembering(self, forget_bias: float) -> FusedSequence:
        """The same for a cell whose state passes through an LSTM first, see `MixedMemoryCell`.

        Its parameters have ``memory_x_w`` (I 4N,), ``memory_h_w`` (N 4N,) and ``memory_b`` (4N,) behind the
        others, and its state is a pair with the LSTM's cells.
        """
        if forget_bias not in self._remembering:
            self._remembering[forget_bias] = FusedSequence(
                self.folder,
                self.name,
                sizes=self.sizes,
                numbers={**self.numbers, "FORGET": forget_bias},
                index=self.index,
                memory=True,
            )
        return self._remembering[forget_bias]

    def __call__(
        self,
        x: mx.array,
        timespans: mx.array,
        state: States,
        parameters: Sequence[mx.array],
        *,
        checkpoint_every: int = 1,
        events: mx.array | None = None,
        reverse: bool = False,
    ) -> tuple[mx.array, States]:
        """Run a sequence; gradients flow to every argument but the events.

        Args:
            x: (B, T, I) inputs.
            timespans: (B, T) or (1, T) time since the previous sample.
            state: (B, N) states before the first sample; a pair of them with a memory.
            parameters: the kernels' values, in the order they declare them.
            checkpoint_every: of how many time steps one state is kept for the backward pass; more than 1
                saves memory and costs a second computation of the others. With 1, up to `SAVED_MOST` bytes
                are saved for the backward pass, so that it need not compute anything again; beyond, it
                computes again what lies between two time steps.
            events: (B, T) what happens to rows, or None for nothing: below zero where a row has no sample
                (it keeps its state and shows what it showed last, zeros at first; what `x` and `timespans`
                hold there is not read), above it where its state starts from zero behind the sample.
            reverse: whether samples are read from the last to the first.

        Returns:
            Outputs (B, T, M) and states after the last sample (B, N).

        Raises:
            KernelError: for an array that is not float32 or has another size than the kernel declares; if a
                kernel cannot be built; inside `mx.export_function`; inside `mx.compile` and `mx.vmap` and
                for derivatives of derivatives where kernels are no nodes of MLX's graph.
            RuntimeError: an array that another thread was asked for and has not computed yet.
        """
        batch, steps = x.shape[:2]
        # A memory stands between two steps as an event does.
        whole = CallSizes(steps, steps, 0, int(events is not None or self.memory), int(reverse))
        happens = no_events(batch, steps if self.memory else 0) if events is None else events
        states = state if isinstance(state, tuple) else (state,)
        if self.cuts:
            states = (mx.concatenate(list(states), axis=1),)
        given = (x, timespans, *states, *parameters)
        run = self._function if self._runs_meanwhile(given) or not in_graphs() else self._nodes
        outputs, *last = run(whole, parameters, (x, timespans, happens, *states), checkpoint_every)
        if self.cuts:
            last = list(mx.split(last[0], self.cuts, axis=1))
        return outputs, tuple(last) if isinstance(state, tuple) else last[0]

    def _runs_meanwhile(self, given: Arrays) -> bool:
        """Whether a call runs at once, as the library of nodes is still being built and nothing follows it.

        Whatever else the call needs is built meanwhile.
        """
        if on_gpu() or not nodes.coming():
            return False
        if evaluable(given) and not differentiated(given):
            return True
        self.load(len(given[0]))
        return False

    def _nodes(
        self, whole: CallSizes, parameters: Sequence[mx.array], rows: Arrays, checkpoint_every: int
    ) -> Arrays:
        """The kernels as nodes of MLX's graph, or at once where no transformation follows the call.

        Args:
            whole: the sizes of the call, if nothing is saved for the backward pass.
            parameters: the kernels' values.
            rows: inputs, time spans, events and states.
            checkpoint_every: as above.
        """
        batch, steps = rows[0].shape[:2]
        given, lanes = (*parameters, *rows), lanes_for(batch)
        forward = self.runners(CPURunner)[0]
        assert isinstance(forward, CPURunner)
        form = form_for(forward.kernel, batch)
        results = 2 * (len(rows) - 3)  # the outputs; per state, the last one, then those that are kept
        try:
            made = self._pair(whole, lanes, form, 0)(given, results, 1, follow=False)
            if made is None:
                if exporting():
                    raise ExportError(
                        "mx.export_function writes MLX's own operations only: use engine='auto' or 'ops'"
                    )
                most = SAVED_MOST.get()
                saving = checkpoint_every == 1 and self.saved_bytes(batch, steps) <= most
                call = whole if saving else whole._replace(KEEP=min(checkpoint_every, steps))
                made = self._pair(call, lanes, form, most if saving else 0, follow=True)(
                    given, results, 1, follow=True
                )
        except RuntimeError as error:
            if isinstance(error, KernelError):
                raise
            raise of_other_thread(error) from None
        assert made is not None
        return (made[0], *made[1::2])

    def _pair_of(
        self, call: CallSizes, lanes: int, form: Form, saved_most: int, follow: bool = False
    ) -> pairs.Pair:
        forward, backward = self.runners(CPURunner)
        assert isinstance(forward, CPURunner)
        assert isinstance(backward, CPURunner)
        total_of = self.gradients(range(len(backward.kernel.of("totals"))))
        return pairs.Pair(forward, backward, call, lanes, saved_most, total_of, form, follow=follow)

    def _function(
        self, whole: CallSizes, parameters: Sequence[mx.array], rows: Arrays, checkpoint_every: int
    ) -> Arrays:
        """The kernels around MLX: they run at once on values, and gradients go through a custom function."""
        x, timespans, happens, *states = rows
        n = len(states)
        inputs = (*parameters, x, timespans, *states)
        if not evaluable(inputs):
            raise KernelError(
                "a fused kernel needs values, which arrays inside mx.compile and mx.vmap do not have, unless "
                f"it is a node of MLX's graph, which it is not here ({_against_nodes()}); it is many "
                "times faster than operations, so leave what calls the network uncompiled, and give it a "
                "batch instead of mx.vmap"
            )
        batch, steps = x.shape[:2]
        follow = differentiated(inputs)
        saving = follow and checkpoint_every == 1 and self.saved_bytes(batch, steps) <= SAVED_MOST.get()
        keep = min(checkpoint_every, steps) if follow and not saving else steps
        call = whole._replace(KEEP=keep, SAVING=int(saving))
        forward, backward = self.runners()
        if follow:
            backward.load(batch)  # so that an error comes now
        spans = _each_row(timespans, batch)
        outputs, *found = forward(batch, call, (*parameters, x, spans, happens, *states))
        last, kept, saved = found[: 2 * n : 2], found[1 : 2 * n : 2], found[2 * n :]

        def pullback(primals: Arrays, cotangents: Arrays) -> Arrays:
            values, samples = primals[: len(parameters)], primals[len(parameters)]
            d_outputs, *d_last = cotangents  # the initial states are the first ones that were kept
            later = [array for pair in zip(kept[1:], d_last[1:], strict=True) for array in pair]
            given = (*values, samples, spans, happens, kept[0], d_outputs, d_last[0], *later)
            if not evaluable(given):
                raise KernelError(
                    "a fused kernel's gradients need values, which they do not have if mx.compile or mx.vmap "
                    "is around them alone: use engine='ops'"
                )
            d_x, d_spans, *others = backward(batch, call, (*given, *saved))
            d_states, d_values = others[:n], others[n:]
            d_timespans = d_spans if len(timespans) == batch else d_spans.sum(axis=0, keepdims=True)
            shaped = zip(self.gradients(d_values), values, strict=True)
            return (*(d.reshape(value.shape) for d, value in shaped), d_x, d_timespans, *d_states)

        return attach((outputs, *last), inputs, pullback) if follow else (outputs, *last)

    def gradients(self, totals: Sequence[T]) -> Sequence[T]:
        """The gradients of the parameters from the backward kernel's totals, in the same order."""
        return totals

    def saved_bytes(self, batch: int, steps: int) -> int:
        """What forward would save for backward, the empty rows of a vector included."""
        sizes = {**self.sizes, **CallSizes(steps, 1, 1)._asdict()}
        forward = self.runners()[0]
        return 4 * forward.rows(batch) * sum(array.count(sizes) for array in forward.kernel.of("saves"))

    def load(self, batch: int = 1) -> None:
        """Build the kernels for a batch now rather than at the first call.

        Raises:
            KernelError: the build fails.
        """
        for runner in self.runners():
            runner.load(batch)

    def origin(self) -> str:
        """Where the kernels have their code from, in words."""
        return self.runners()[0].origin()

    def runners(self, kind: type[Runner] | None = None) -> tuple[Runner, Runner]:
        """The forward and the backward kernel of one kind; where MLX runs if none is given."""
        kind = kind or (GPURunner if on_gpu() else CPURunner)
        if kind not in self._runners:
            names = (f"{self.name}_forward", f"{self.name}_backward")
            first, second = (
                kind(read_kernel(self.folder, name, memory=self.memory), self.sizes, self.numbers, self.index)
                for name in names
            )
            self._runners[kind] = (first, second)
        return self._runners[kind]


def forget_spare() -> None:
    """Give back the memory that waits for the next call."""
    cpu.forget_spare()
    nodes.forget_spare()


@lru_cache(maxsize=4)
def unit_spans(batch: int, steps: int) -> mx.array:
    """(B, T) time spans of 1, the same array again for the same sizes.

    They have their values at once: making them, or looking at them, costs more than a short call.
    """
    return mx.array(np.ones((batch, steps), np.float32))


@lru_cache(maxsize=64)
def constant(value: float, n: int) -> mx.array:
    """(n,) of one value; it has its values at once, as one made by an MLX operation has not."""
    return mx.array(np.full(n, value, np.float32))


@lru_cache(maxsize=16)
def no_events(batch: int, steps: int = 0) -> mx.array:
    """(B, T) events where nothing happens; (B, 0) for kernels that are told so."""
    return mx.array(np.zeros((batch, steps), np.float32))


def _each_row(timespans: mx.array, batch: int) -> mx.array:
    """(B, T) time spans, with values at once, from (B, T) or (1, T)."""
    if len(timespans) == batch:
        return timespans
    steps = timespans.shape[1]
    if timespans is unit_spans(1, steps):
        return unit_spans(batch, steps)
    return mx.array(np.broadcast_to(np.array(timespans), (batch, steps)))


def where() -> str:
    """What kernels run on here, in words."""
    if on_gpu():
        return "the GPU"
    threads = thread_count()
    shared = ", whose memory the GPU shares" if mx.metal.is_available() else ""
    many = f"{threads} thread{'s' if threads > 1 else ''} at most"
    return f"the CPU{shared}, {WIDE} sequences to a vector, on {many}"


def in_graphs() -> bool:
    """Whether kernels are nodes of MLX's graph here."""
    return not on_gpu() and nodes.usable()


def way_in() -> str:
    """How kernels enter MLX here, in words; `{inside}` stands for what runs where they cannot."""
    if in_graphs():
        return (
            "It is a node of MLX's graph, so mx.compile, mx.vmap and gradients hold it as it is; only "
            "mx.export_function takes plain MLX operations, and second derivatives are refused."
        )
    return (
        f"It needs values, and a graph of MLX cannot hold it here ({_against_nodes()}): inside mx.compile "
        "and mx.vmap, where arrays have none yet, {inside}."
    )


def _against_nodes() -> str:
    return "the kernels run on a GPU" if on_gpu() else nodes.why_not()


def on_gpu() -> bool:
    """Whether kernels run on a GPU: one of NVIDIA, where it is MLX's default device.

    On Metal they have never run, and processor and GPU share their memory: the processor's kernels run there,
    unless GANGLION_METAL=1 asks for the others.
    """
    if mx.default_device().type != mx.gpu:
        return False
    return not mx.metal.is_available() or os.environ.get("GANGLION_METAL") == "1"
