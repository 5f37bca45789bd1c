"""The LTC's sequence as a fused kernel."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ...compile.kernels import FusedSequence
from ...compile.synapses import Index, Synapses

FOLDER = Path(__file__).parent
# The kernel's values in order: parameters as the equation uses them, and the mappings of inputs and outputs.
SYNAPTIC = ("w", "mu", "sigma", "erev")
LTC_PARAMETERS = (
    *SYNAPTIC,
    *(f"sensory_{name}" for name in SYNAPTIC),
    *("gleak", "vleak", "cm", "gap", "input_w", "input_b", "output_w", "output_b"),
)


@lru_cache(maxsize=32)
def ltc_kernel(
    recurrent: Synapses,
    sensory: Synapses,
    outputs: int,
    unfolds: int = 6,
    epsilon: float = 1e-8,
    links: Synapses | None = None,
) -> FusedSequence:
    """The fused LTC over a circuit; its parameters are `LTC_PARAMETERS`.

    `links` are the electrical synapses, one each way, whose conductances ``gap`` are the same both ways.

    With the mapped input x input_w + input_b, every time step runs `unfolds` solver steps of the equation
    that `LTCCell` shows, and the first `outputs` states v give v output_w + output_b.

    Example:
        >>> kernel = ltc_kernel(plan.recurrent, plan.sensory, plan.n_outputs)
        >>> outputs, state = kernel(x, timespans, state, [p[name] for name in LTC_PARAMETERS])
    """
    return FusedSequence(
        FOLDER,
        "ltc",
        sizes={
            "I": sensory.n_pre,
            "N": recurrent.n_post,
            "M": outputs,
            "E": len(recurrent),
            "S": len(sensory),
            "K": 0 if links is None else len(links),
            "UNFOLDS": unfolds,
            "COUPLED": int(links is not None),
        },
        numbers={"EPSILON": epsilon},
        index=index_arrays(recurrent, sensory) | link_arrays(links),
    )


def link_arrays(links: Synapses | None) -> dict[str, Index]:
    """The links of electrical synapses by neuron; nothing without any."""
    none: Index = np.zeros(0, np.int32)
    return (
        {"link_ptr": none, "link_pre": none}
        if links is None
        else {"link_ptr": links.ptr, "link_pre": links.pre}
    )


def index_arrays(recurrent: Synapses, sensory: Synapses) -> dict[str, Index]:
    """The synapses by postsynaptic neuron, as they are sorted, and by presynaptic neuron: `out_ptr`, `out`.

    `spot` is where each synapse stands in `out`.
    """
    found: dict[str, Index] = {}
    for prefix, synapses in (("", recurrent), ("sensory_", sensory)):
        out = synapses.by_pre
        spot = np.empty_like(out)
        spot[out] = np.arange(len(out), dtype=out.dtype)
        arrays = {
            "ptr": synapses.ptr,
            "pre": synapses.pre,
            "out_ptr": synapses.pre_ptr,
            "out": out,
            "out_post": synapses.post[out],
            "spot": spot,
        }
        found |= {f"{prefix}{name}": array for name, array in arrays.items()}
    return found
