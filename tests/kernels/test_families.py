"""Every family of kernels beside the golden file to which `make aarch64` holds them as well."""

from __future__ import annotations

import pytest

from ..support.families import BOUNDS, far_from_golden, golden, networks


@pytest.mark.parametrize("engine", ["fused", "ops"])
def test_outputs_and_gradients_are_those_of_the_file(engine: str) -> None:
    assert networks().keys() == golden().keys()
    for family in golden():
        far = far_from_golden(family, engine)
        assert all(far[what] <= bound for what, bound in BOUNDS.items()), (family, far)
