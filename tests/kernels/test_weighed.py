"""Orders of synapses that are products: each neuron sums up its own, in the order of the plan."""

from __future__ import annotations

import numpy as np
import pytest

from ganglion.compile.kernels.weighed import BESIDE, side_by_side
from ganglion.compile.synapses import pointers


def sources(arrays: dict[str, np.ndarray]) -> dict[int, list[int]]:
    """What each neuron reads, one after the other, if one goes through the arrays as weighed.h does."""
    order, many = arrays["in_order"], arrays["in_many"]
    read = iter(arrays["in_read"].tolist())
    found: dict[int, list[int]] = {int(j): [] for j in order}
    for first in range(0, len(order), BESIDE):
        beside = list(zip(order[first : first + BESIDE], many[first : first + BESIDE], strict=True))
        common = int(beside[-1][1]) if len(beside) == BESIDE else 0
        for _ in range(common):
            for j, _many in beside:
                found[j].append(next(read))
        for j, count in beside:
            found[j] += [next(read) for _ in range(common, count)]
    assert next(read, None) is None
    return found


@pytest.mark.parametrize("neurons", [1, 4, 7, 30])
def test_each_neuron_reads_its_sources_in_their_order(neurons: int) -> None:
    rng = np.random.default_rng(neurons)
    count = rng.integers(0, neurons + 1, neurons)  # some have none
    pre = np.concatenate([np.sort(rng.permutation(neurons)[:n]) for n in count]).astype(np.int32)
    post = np.repeat(np.arange(neurons), count)
    ptr = pointers(post, neurons)
    arrays = side_by_side("in", ptr, pre)
    assert sources(arrays) == {j: pre[ptr[j] : ptr[j + 1]].tolist() for j in range(neurons)}
    np.testing.assert_array_equal(arrays["in_read"][arrays["in_spot"]], pre)
    assert sorted(arrays["in_spot"].tolist()) == list(range(len(pre)))
