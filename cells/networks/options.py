"""The options of networks by name and type, as a type checker sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import mlx.nn as nn

from ..ops import Activation
from ..priors import Priors
from ..sharing import Scale, Ties
from ..values import Flags, Where


class RunnerOptions(TypedDict, total=False):
    """The options of `RNN`, which says what they mean."""

    engine: str
    checkpoint_every: int
    return_sequences: bool
    return_state: bool
    reverse: bool
    proj_size: int | None


class SharingOptions(TypedDict, total=False):
    """Which parameters are shared, and how; `LTCCell` says what they mean."""

    tie: Ties
    scale: Scale
    fixed: Any
    penalty: Any
    priors: Priors


class LTCOptions(RunnerOptions, SharingOptions, total=False):
    """The options of an `LTC`: those of `LTCCell` and of `RNN`."""

    ode_unfolds: int | Literal["auto"]
    solver: str
    input_mapping: str | None
    output_mapping: str | None
    positive: str
    polarity: str
    epsilon: float
    initial_ranges: Mapping[str, tuple[float, float]] | None
    start: str | None
    time_scale: float | None
    max_step: float | None


class CfCOptions(RunnerOptions, SharingOptions, total=False):
    """The options of a `CfC`: those of `CfCCell`, of `BackboneCfCCell`, and of `RNN`."""

    mode: str
    schedule: str
    ncps_compat: bool
    polarity: str
    backbone_units: int
    backbone_layers: int
    backbone_activation: Activation
    backbone_dropout: float
    features: nn.Module | None
    time_scale: float | None


class RunOptions(TypedDict, total=False):
    """What a call of a network takes beside inputs, state and time spans."""

    mask: Flags | None
    lengths: Flags | None
    ends: Flags | None
    starts: Flags | None
    return_states: bool
    stream: Where
