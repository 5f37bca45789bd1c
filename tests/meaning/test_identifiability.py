"""What outputs tell of parameters: the spectrum against a reference, a planted pair, units taken out."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl
from ganglion.meaning import spectrum

X = np.random.default_rng(0).normal(size=(4, 20, 2)).astype(np.float32)

PAIR = ["w of AVA -> AVB", "w of AVD -> AVB"]


def worm(twins: bool = True) -> gl.Circuit:
    circuit = gl.Circuit()
    for name, role in [("s0", "sensory"), ("s1", "sensory"), ("AVA", "inter"), ("AVB", "motor")]:
        circuit.add_neuron(name, role=role)
    if twins:
        circuit.add_neuron("AVD", role="inter")
    for middle in ("AVA", "AVD")[: 1 + twins]:
        for sensor in ("s0", "s1"):
            circuit.add_synapse(sensor, middle, polarity=1)
        circuit.add_synapse(middle, "AVB", polarity=1)
    return circuit


def as_twins(rnn: Any) -> Any:
    """The network in which AVD gets and does what AVA does, but for the strengths onto AVB."""
    cell, plan = rnn.cell, rnn.cell.compiled.plan
    a, d = plan.neurons.index("AVA"), plan.neurons.index("AVD")
    for key, p in cell.declared().items():
        values = np.array(cell[key])
        if p.home == "neuron":
            values[d] = values[a]
        elif p.home == "sensory":
            values[plan.sensory.post == d] = values[plan.sensory.post == a]
        elif p.home == "recurrent" and key != "w":
            values[:] = values[0]
        cell[key] = mx.array(values)
    return rnn


@pytest.fixture(scope="module")
def twins() -> gl.Identifiability:
    mx.random.seed(0)
    return gl.identifiability(as_twins(gl.LTC(worm())), X, 0.3)


def test_a_planted_pair_is_named(twins: gl.Identifiability) -> None:
    (pair,) = (each for each in twins.undetermined if each.words.startswith("w of"))
    assert sorted(pair.words.split(" against ")) == PAIR
    cell = as_twins(_seeded()).cell
    ratio = -pair.loadings["w of AVA -> AVB"] / pair.loadings["w of AVD -> AVB"]
    w = dict(zip(("AVA", "AVD"), np.array(cell.w), strict=True))
    assert ratio == pytest.approx(w["AVD"] / w["AVA"], rel=1e-3)  # their sum is what AVB feels
    assert twins.condition == float("inf")
    assert twins.rank == twins.parameters - len(twins.units) - len(twins.undetermined)


def _seeded() -> gl.LTC:
    mx.random.seed(0)
    return gl.LTC(worm())


def test_units_are_taken_out_by_name(twins: gl.Identifiability) -> None:
    kinds = [unit.partition(" of ")[0] for unit in twins.units]
    assert kinds.count("conductance") == 3
    assert kinds.count("zero") == 2
    assert kinds.count("voltage") == 5
    assert "conductance of AVA" in twins.units


def test_a_determined_circuit_has_nothing_undetermined_and_says_so() -> None:
    mx.random.seed(0)
    found = gl.identifiability(gl.LTC(worm(twins=False)), X, 0.3, noise=0.1)
    assert found.undetermined == ()
    assert found.rank == found.parameters - len(found.units) == len(found.eigenvalues)
    assert np.isfinite(found.condition)
    assert "undetermined" not in str(found)
    assert found[0].deviation == pytest.approx(found.eigenvalues[-1] ** -0.5, rel=1e-6)
    assert len(found.table) == len(found.to_csv().splitlines()) - 1 == 5


def test_the_spectrum_is_that_of_differences_in_float64() -> None:
    mx.random.seed(1)
    rnn = gl.RNN(gl.CTRNNCell(worm(twins=False)))
    cell = rnn.cell
    names, columns = [], []
    for key in cell.declared():
        kept = cell[key]
        for k in range(kept.size):
            sides = []
            for step in (1e-3, -1e-3):
                values = np.array(kept)
                values[k] += step
                cell[key] = mx.array(values)
                used = float(np.array(cell.effective()[key])[k])
                sides.append((used, cell.reference(X[:, :8])[0]))
            cell[key] = kept
            (up, one), (down, other) = sides
            size = np.array(kept)
            step = abs(size[k]) if key.endswith("rate_w") else np.sqrt((size**2).mean()) or 1.0
            names.append(f"{key} {k}")
            columns.append(((one - other) / (up - down)).reshape(-1) * step)
    expected = np.linalg.svd(np.array(columns).T, compute_uv=False) ** 2
    found = gl.identifiability(rnn, X[:, :8])
    np.testing.assert_allclose(
        found.eigenvalues[: len(expected)], expected, rtol=2e-3, atol=1e-6 * expected[0]
    )
    assert found.units == ()


def test_no_unit_of_conductance_moves_the_spectrum() -> None:
    rnn = _seeded()
    before = gl.identifiability(rnn, X[:2, :6])
    cell, plan = rnn.cell, rnn.cell.compiled.plan
    factor = np.array([0.3, 2.0, 4.0], np.float32)
    for key, by in (
        ("w", factor[plan.recurrent.post]),
        ("sensory_w", factor[plan.sensory.post]),
        ("cm", factor),
        ("gleak", factor),
    ):
        cell[key] = cell[key] * mx.array(by)
    after = gl.identifiability(rnn, X[:2, :6])
    most = before.eigenvalues[0]
    np.testing.assert_allclose(after.eigenvalues, before.eigenvalues, rtol=1e-2, atol=1e-5 * most)
    assert after.units == before.units


def test_what_is_seen_decides() -> None:
    seen = gl.observe(as_twins(_seeded()), ["AVA", "AVB"], gl.Calcium(0.1, 1.0))
    found = gl.identifiability(seen, X, 0.3)
    assert PAIR in [sorted(each.words.split(" against ")) for each in found.undetermined]
    assert found.unseen == ("output_w of AVB", "output_b of AVB")
    assert len(found.units) == 10  # a gain takes the voltage of what is seen
    mask = np.zeros((4, 20, 2), bool)
    assert "expected" in _refused(seen, mask=mask[:, :3])
    assert "0 outputs" in _refused(seen, mask=mask)
    mask[:, :, 1] = True
    assert gl.identifiability(seen, X, 0.3, mask=mask).outputs == 80


def test_containers_name_their_cells_and_what_is_frozen_does_not_count() -> None:
    mx.random.seed(2)
    both = gl.Stack([gl.CfC(worm(twins=False)), gl.LTC(gl.auto_ncp(5, 1, inputs=1, seed=1))])
    both.layers[1].cell.freeze()
    found = gl.identifiability(both, X[:2, :6])
    trained: Any = tree_flatten(both.trainable_parameters())
    assert found.parameters == sum(array.size for _, array in trained)
    assert found.units == ()
    both.layers[1].cell.unfreeze()
    found = gl.identifiability(both, X[:2, :6])
    assert {name.partition(": ")[0] for each in found for name in each.loadings} == {
        "layers.0.cell",
        "layers.1.cell",
    }
    assert len(found.units) == 5 + 5 + 2


def _refused(*args: Any, **options: Any) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        gl.identifiability(*args, X, **options)
    return str(error.value)


def test_sizes_are_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectrum, "MOST_PARAMETERS", 20)
    assert "39 trained numbers: expected at most 20" in _refused(_seeded())
    rnn = _seeded()
    rnn.freeze()
    assert "nothing that is trained" in _refused(rnn)
