import numpy as np
import pytest
from matplotlib.colors import LogNorm

from ganglion.viz import plot_phase, plot_saliency, plot_time_constants


def test_phase_of_two_neurons_is_their_states(recording):
    picture = plot_phase(recording, ["inter_0", "motor_1"])
    pieces = np.array(picture.artists["path"].get_segments())
    np.testing.assert_allclose(pieces[:, 0, 0], recording.of("inter_0")[:-1], rtol=1e-5)
    np.testing.assert_allclose(pieces[:, 1, 1], recording.of("motor_1")[1:], rtol=1e-5)
    assert (picture.ax.get_xlabel(), picture.ax.get_ylabel()) == ("inter_0", "motor_1")
    start = picture.artists["start"].get_offsets()[0]
    np.testing.assert_allclose(start, [recording.of("inter_0")[0], recording.of("motor_1")[0]], rtol=1e-5)


def test_phase_of_many_neurons_is_principal_components(recording):
    picture = plot_phase(recording)
    pieces = np.array(picture.artists["path"].get_segments())
    plane = np.concatenate([pieces[:, 0], pieces[-1:, 1]])
    centred = recording.states - recording.states.mean(axis=0)
    share = np.linalg.svd(centred, compute_uv=False) ** 2
    np.testing.assert_allclose((plane**2).sum(axis=0), share[:2], rtol=1e-3)
    assert picture.ax.get_xlabel() == f"component 1 ({share[0] / share.sum():.0%})"


def test_phase_needs_two_neurons(recording):
    with pytest.raises(ValueError, match="needs two neurons, got 1"):
        plot_phase(recording, ["motor_0"])


@pytest.mark.filterwarnings("error")
def test_phase_of_one_sample_and_with_gaps(circuit, record):
    plot_phase(record(circuit, steps=1)).figure.canvas.draw()
    broken = record(circuit)
    broken.states[3:6] = np.nan
    with pytest.warns(UserWarning, match="gaps"):
        picture = plot_phase(broken)
    picture.figure.canvas.draw()


def test_time_constants_are_a_heat_map_on_a_log_scale(recording):
    tau = np.exp(recording.states.astype(float))
    mesh = plot_time_constants(recording, tau, "motor").artists["time_constants"]
    np.testing.assert_allclose(mesh.get_array(), tau[:, :3].T)
    assert isinstance(mesh.norm, LogNorm)
    assert mesh.norm.vmin == pytest.approx(tau[:, :3].min())


def test_time_constants_of_a_batch_and_of_still_neurons(circuit, record):
    batch = record(circuit, batch=2)
    tau = np.full(batch.states.shape, 2.0)
    picture = plot_time_constants(batch, tau, sequence=1)
    picture.figure.canvas.draw()
    assert picture.artists["time_constants"].norm.vmin < 2 < picture.artists["time_constants"].norm.vmax


def test_wrong_time_constants_are_refused(recording):
    with pytest.raises(ValueError, match=r"shape \(3,\); expected \(30, 14\), as the states"):
        plot_time_constants(recording, np.ones(3))
    tau = np.ones(recording.states.shape)
    tau[4, 1] = 0
    with pytest.raises(ValueError, match=r"time constant of 'motor_1' is 0.0; expected positive"):
        plot_time_constants(recording, tau)


def test_saliency_cells_and_names(recording):
    values = np.arange(12, dtype=float).reshape(4, 3) - 5
    picture = plot_saliency(recording, values)
    mesh = picture.artists["saliency"]
    np.testing.assert_array_equal(mesh.get_array(), values)
    assert mesh.get_clim() == (-6, 6)
    assert [label.get_text() for label in picture.ax.get_yticklabels()] == list(recording.sensors)
    assert [label.get_text() for label in picture.ax.get_xticklabels()] == ["motor_0", "motor_1", "motor_2"]
    batch = np.stack([values, -values])
    np.testing.assert_array_equal(
        plot_saliency(recording, batch, sequence=1).artists["saliency"].get_array(), -values
    )
    with pytest.raises(ValueError, match=r"shape \(3, 4\); expected \(4, 3\): sensors x motor neurons"):
        plot_saliency(recording, values.T)
