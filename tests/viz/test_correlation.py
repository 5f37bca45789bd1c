from dataclasses import replace

import numpy as np
import pytest

from ganglion.errors import CircuitError
from ganglion.viz import plot_correlation
from ganglion.viz.correlation import correlations
from ganglion.viz.samples import samples


def drawn(picture):
    mesh = picture.artists["correlation"]
    count = len(picture.neurons)
    return np.ma.filled(mesh.get_array(), np.nan).reshape(count, count)


def test_it_is_pearsons_of_numpy(recording):
    shown = samples(recording).select(None)
    np.testing.assert_allclose(correlations(shown), np.corrcoef(shown.values.T), atol=1e-9)
    picture = plot_correlation(recording)
    np.testing.assert_allclose(drawn(picture), np.corrcoef(shown.values.T), atol=1e-6)
    assert [picture.neurons[name].item for name in shown.names] == list(range(len(shown.names)))
    assert picture.artists["correlation"].get_clim() == (-1, 1)


def test_gaps_leave_pairs_with_the_samples_that_both_have(recording):
    states = np.array(recording.states)
    states[3, 0] = np.nan
    states[10:14, 2] = np.nan
    with pytest.warns(UserWarning, match="not finite"):
        found = correlations(samples(replace(recording, states=states)))
    for i in range(5):
        for j in range(5):
            both = np.isfinite(states[:, i]) & np.isfinite(states[:, j])
            expected = np.corrcoef(states[both, i], states[both, j])[0, 1]
            assert found[i, j] == pytest.approx(expected, abs=1e-6)


def test_what_never_changes_correlates_with_nothing_however_far_from_zero(recording):
    states = np.array(recording.states, dtype=np.float64)
    states[:, 1] = 1e4
    states[:, 2] += 1e4
    found = correlations(samples(replace(recording, states=states)))
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    rest = np.delete(np.delete(found, 1, 0), 1, 1)
    np.testing.assert_allclose(rest, np.corrcoef(np.delete(states, 1, 1).T), atol=1e-6)


def test_neurons_are_chosen_and_clustered_within_roles(recording):
    assert set(plot_correlation(recording, "motor").neurons) == {n for n in recording.neurons if "motor" in n}
    plain, near = plot_correlation(recording), plot_correlation(recording, cluster=True)
    assert set(plain.neurons) == set(near.neurons)
    roles = [name.rsplit("_", 1)[0] for name in near.neurons]
    assert roles == sorted(roles, key=["inter", "command", "motor"].index)
    with pytest.raises(CircuitError, match="no neuron 'x'"):
        plot_correlation(recording, ["x"])
