"""What a network did and why, as arrays that pictures take: `time_constants` and `saliency`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_map

from ...arguments import LARGEST, flag, instance, label, whole
from ...recording import Recording
from ..cell import NCPRNNCell
from ..layer import NCPLayer
from ..ltc.cell import LTCCell
from ..running import Call, Run
from ..spread import Spread
from ..values import Values, real_array
from ..wrappers import CellWrapper, InputWrapper
from .bidirectional import Bidirectional
from .ensemble import Ensemble
from .rnn import RNN
from .stack import Stack


def time_constants(rnn: NCPLayer, recording: Any) -> Any:
    r"""The effective time constant of every neuron of an LTC, at each sample of a recording.

    With a_ij = w_ij sigmoid(sigma_ij (v_i - mu_ij)) over recurrent synapses, where v_i is the recorded state,
    and over sensory synapses, where it is the mapped input,

    .. math::

        \tau_j = \frac{c_j}{g_j + \sum_i a_{ij} + \sum_k g_{jk}}

    where the last sum is over electrical synapses. It is how fast neuron j approaches what its synapses pull
    it to while they stay as they are: short when many are open, and never longer than c_j / g_j. A neuron
    without leak, electrical synapses and an open synapse has an infinite one.

    Args:
        rnn: an `LTC` of any layout and engine, also with a memory, for missing values or inside `Scaled`; or
            a `Bidirectional`, `Stack` or `Ensemble` of such.
        recording: what `record` returned for it. Where a mask left a sample out, the state counts that was
            held, with inputs of zero.

    Returns:
        (T, N) or (B, T, N), as the recorded states, in the unit of the time spans; nan where a state or an
        input is nan. A tuple of such where the recording is one, with None for layers that have none; of an
        ensemble the `Spread` over its members.

    Raises:
        TypeError: a network whose cell is no LTC: it has no such time constant.
        ValueError: a recording of another circuit; the message names the first neuron that differs.

    Example:
        >>> recording = gl.record(rnn, x, timespans=0.25)
        >>> gl.viz.plot_time_constants(recording, gl.time_constants(rnn, recording))

    Source: Hasani et al., Liquid Time-constant Networks, AAAI 2021: tau / (1 + tau f) below equation 1, with
    tau = c_j / g_j and f = sum_i a_ij / c_j.
    """
    if isinstance(rnn, Ensemble):
        instance("recording", recording, tuple, "a tuple of recordings, as gl.record(ensemble, x) returns it")
        members = [rnn.member(k) for k in range(len(rnn))]
        return Spread.of(np.stack(_each(members, recording)))
    if isinstance(rnn, Bidirectional):
        return _each((rnn.forward, rnn.backward), recording)
    if isinstance(rnn, Stack):
        return _each([layer for layer in rnn.layers if getattr(layer, "recurrent", False)], recording)
    if hasattr(rnn, "unscaled"):  # a network in units of data
        inside = time_constants(rnn.model, rnn.unscaled(recording))
        return tree_map(lambda found: None if found is None else found * np.float32(rnn.time_unit), inside)
    cell = _ltc_of(rnn)
    instance("recording", recording, Recording, "a Recording, as gl.record returns it")
    outer: Any = rnn["cell"]
    for what, ours, theirs in (
        ("neuron", cell.neurons, recording.neurons),
        ("sensor", outer.sensors, recording.sensors),
    ):
        _refuse_others(what, ours, theirs)
    inputs = _read_by(outer, recording)
    terms = cell.prepare()
    _, open_ = terms.recurrent.sums(mx.array(recording.states))
    _, sensory = terms.sensory.sums(cell.encode(inputs))
    total = terms.gleak + open_ + sensory
    if terms.coupling is not None and terms.gap is not None:
        total = total + terms.coupling.load(terms.gap)
    return np.array(terms.cm / total) * np.float32(cell.time_scale or 1.0)


def saliency(
    rnn: NCPLayer,
    x: Values,
    state: Any = None,
    timespans: Values | None = None,
    *,
    at: int = -1,
    per_sample: bool = False,
    **given: Any,
) -> Any:
    r"""What each sensor contributes to each output: the gradient of one output sample by the inputs.

    .. math::

        S_{im} = \sum_t \frac{\partial\, y_m(t^*)}{\partial\, x_i(t)}

    Args:
        rnn: any network over sequences: an `RNN`, a `Bidirectional`, a `Stack`, an `Ensemble`.
        x: (B, T, I) or (T, I) inputs.
        state: the initial state, as the network takes it.
        timespans: as the network takes them.
        at: the sample t* whose outputs are followed; the last one if not given. With `lengths` that is the
            last sample of each sequence.
        per_sample: whether to keep the gradient by each sample t instead of their sum.
        given: what else the network takes, such as `lengths`.

    Returns:
        (I, M), or (B, I, M) for a batch: what `ganglion.viz.plot_saliency` takes. With `per_sample` (T, I, M)
        or (B, T, I, M). Of an ensemble, the `Spread` over its members.

    Raises:
        TypeError: not a network over sequences.
        ValueError: `at` is no sample of the outputs, or the network refuses an argument.

    Example:
        >>> gl.viz.plot_saliency(gl.record(rnn, x), gl.saliency(rnn, x))

    Source: Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional Networks, ICLR workshop, 2014.
    """
    if isinstance(rnn, Ensemble):
        given |= {"state": state, "timespans": timespans, "at": at, "per_sample": per_sample}
        return rnn.spread(lambda member: saliency(member, x, **given))
    if not (isinstance(rnn, NCPLayer) and rnn.recurrent):
        raise TypeError(f"saliency needs a network over sequences, such as an LTC, got {_name(rnn)}")
    flag("per_sample", per_sample)
    whole("at", at, -LARGEST)
    inputs = real_array("the input", x)

    def outputs_of(values: mx.array) -> mx.array:
        result = rnn(values, state, timespans, **given)
        outputs: mx.array = result[0] if isinstance(result, tuple) else result
        # A network that returns its last output only has no axis of time.
        return outputs if outputs.ndim == inputs.ndim else outputs[..., None, :]

    steps, count = outputs_of(inputs).shape[-2:]
    if not -steps <= at < steps:
        raise ValueError(f"at is {at}: expected a sample of the {steps} that the network returns")
    # Sequences do not see each other, so that the sum over a batch has the gradients of all.
    by_output = [
        np.array(mx.grad(lambda values, m=m: outputs_of(values)[..., at, m].sum())(inputs))
        for m in range(count)
    ]
    gradients = np.stack(by_output, axis=-1)
    return gradients if per_sample else gradients.sum(axis=-3)


def _each(networks: Any, recordings: Any) -> tuple[Any, ...]:
    """The time constants of several networks; None for those that have none.

    Raises:
        TypeError: not a tuple of as many recordings, or none has any.
    """
    if not isinstance(recordings, tuple) or len(recordings) != len(networks):
        raise TypeError(
            f"expected a tuple of {len(networks)} recordings, as gl.record returns it, got "
            f"{label(recordings)}"
        )
    found: list[Any] = []
    reason: TypeError | None = None
    for network, recording in zip(networks, recordings, strict=True):
        try:
            found.append(time_constants(network, recording))
        except TypeError as error:
            found.append(None)
            reason = error
    if reason is not None and not any(each is not None for each in found):
        raise reason
    return tuple(found)


def _read_by(cell: NCPRNNCell, recording: Recording) -> mx.array:
    """The inputs as the cell inside all wrappers reads them, (T, I) or (B, T, I)."""
    read = mx.array(np.asarray(recording.inputs, np.float32))
    if not isinstance(cell, InputWrapper):
        return _read_by(cell.cell, recording) if isinstance(cell, CellWrapper) else read
    spans = np.diff(np.atleast_2d(recording.times), axis=1, prepend=0.0) / (cell.time_scale or 1.0)
    x = read if recording.batched else read[None]
    seen: list[mx.array] = []

    def look(call: Call) -> Run:
        seen.append(call.x)
        return Run(call.x, call.state, None)

    cell.around(look)(Call(x, cell.get_initial_state(None, len(x)), mx.array(spans.astype(np.float32)), True))
    return _read_by(
        cell.cell, replace(recording, inputs=np.array(seen[0] if recording.batched else seen[0][0]))
    )


def _ltc_of(rnn: Any) -> LTCCell:
    """The LTC cell that a network runs."""
    cell: NCPRNNCell | None = getattr(rnn, "cell", None) if isinstance(rnn, RNN) else None
    while isinstance(cell, CellWrapper):  # a memory acts on states, not on how they change
        cell = cell.cell
    if not isinstance(cell, LTCCell):
        over = "" if cell is None else f" with a {_name(cell)}"
        raise TypeError(f"time constants of {_name(rnn)}{over}: expected an LTC; no other cell has them")
    return cell


def _refuse_others(what: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """Raise ValueError unless a recording has the names of the network."""
    if len(ours) != len(theirs):
        raise ValueError(f"the recording has {len(theirs)} {what}s, but the network has {len(ours)}")
    for k, (name, other) in enumerate(zip(ours, theirs, strict=True)):
        if name != other:
            raise ValueError(f"{what} {k} is {other!r} in the recording, but {name!r} in the network")


def _name(value: object) -> str:
    return type(value).__name__
