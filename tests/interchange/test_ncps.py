"""Weights go back to ncps as they came from there."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl

from ..support.golden import NAMES, Golden

# Keyword arguments that a golden configuration shares with our layers.
OPTIONS = (
    "ode_unfolds", "positive", "input_mapping", "output_mapping",
    "mode", "backbone_units", "backbone_layers", "backbone_activation",
)  # fmt: skip


def network(golden: Golden, **given: Any) -> gl.RNN:
    """The network of ours that a golden file is about."""
    config = golden.config
    options: dict[str, Any] = {name: config[name] for name in OPTIONS if name in config} | given
    if config["cell"] == "CfC" and config["wiring"] != "dense":
        options["ncps_compat"] = True
    return getattr(gl, config["cell"])(getattr(gl, config["generator"])(**config["arguments"]), **options)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_dict_comes_back(name: str) -> None:
    golden = Golden.load(name)
    rnn = network(golden)
    gl.load_ncps(rnn, golden.state_dict)
    found = gl.to_ncps(rnn)
    assert found.keys() == golden.state_dict.keys()
    for key, expected in golden.state_dict.items():
        mask = golden.state_dict.get(mask_of(key))
        hidden = mask == 0 if mask is not None else np.zeros(expected.shape, bool)
        assert np.array_equal(np.where(hidden, 0, found[key]), np.where(hidden, 0, expected)), key


def mask_of(key: str) -> str:
    """The name of the mask that hides entries of an array, if there is one."""
    head, _, name = key.rpartition(".")
    if name in ("w", "mu", "sigma", "erev"):
        return f"{head}.sparsity_mask"
    if name.startswith("sensory_") and not name.endswith("mask"):
        return f"{head}.sensory_sparsity_mask"
    if ".layer_" in key and name == "weight" and ".ff" in key:
        return f"{head.rpartition('.')[0]}.sparsity_mask"
    return ""


@pytest.mark.parametrize(
    "name", ["ltc-clip-ncp-regular", "ltc-softplus-random-regular-h0", "cfc-default-ncp-regular-h0"]
)
def test_a_fixed_polarity_becomes_signs(name: str) -> None:
    golden = Golden.load(name)
    free = network(golden)
    gl.load_ncps(free, golden.state_dict)
    fixed = network(golden, polarity="fixed")
    fixed.update(free.parameters())
    gl.load_ncps(free, gl.to_ncps(fixed))
    x = mx.array(golden["x"])
    assert mx.allclose(free(x)[0], fixed(x)[0], atol=1e-6).item()


def test_a_cfc_that_follows_its_circuit_is_none_of_ncps() -> None:
    with pytest.raises(ValueError, match="ncps_compat=True"):
        gl.to_ncps(gl.CfC(gl.auto_ncp(8, 2, inputs=2)))
