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
    tau[4, 1] = -1
    with pytest.raises(ValueError, match=r"time constant of 'motor_1' is -1.0; expected none below 0"):
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


@pytest.mark.filterwarnings("ignore:.*not finite")
def test_phase_leaves_out_neurons_without_a_value(circuit, record):
    broken = record(circuit)
    broken.states[:, 2] = np.nan
    with pytest.warns(UserWarning, match="left out 1 of 14 neurons, which never have a value"):
        picture = plot_phase(broken)
    assert len(picture.artists["start"].get_offsets()) == 1
    assert np.isfinite(np.array(picture.artists["path"].get_segments())).all()


@pytest.mark.filterwarnings("ignore:.*not finite")
def test_phase_without_a_common_sample_is_refused(circuit, record):
    broken = record(circuit)
    broken.states[::2, 0], broken.states[1::2, 1] = np.nan, np.nan
    for neurons, count in ((None, 14), ([broken.neurons[0], broken.neurons[1]], 2)):
        with pytest.raises(ValueError, match=f"no sample at which all {count} neurons have a value"):
            plot_phase(broken, neurons)


def test_the_only_sample_names_its_time(circuit, record):
    recording = record(circuit, steps=1)
    picture = plot_phase(recording)
    bar = picture.ax.child_axes[0]
    picture.figure.canvas.draw()
    assert bar.get_yticks() == pytest.approx(recording.times)
    assert [t.get_text() for t in bar.get_yticklabels()] == [f"{recording.times[0]:.4g}"]
    assert bar.yaxis.get_offset_text().get_text() == ""


def test_saliency_without_sensors_is_refused(build, record):
    recording = record(build(sizes=(0, 3, 2, 1)))
    with pytest.raises(ValueError, match="0 sensors and 1 motor neuron;"):
        plot_saliency(recording, np.zeros((0, 1)))


def test_names_on_axes_find_fonts_of_other_scripts(circuit, record, monkeypatch):
    monkeypatch.setattr("ganglion.viz.style._installed_fallbacks", lambda: ("DejaVu Serif",))
    recording = record(circuit)
    ax = plot_saliency(recording, np.ones((4, 3))).ax
    phase = plot_phase(recording, ["inter_0", "motor_1"]).ax
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels(), phase.xaxis.label, phase.yaxis.label):
        assert text.get_fontfamily()[-1] == "DejaVu Serif"


def test_a_neuron_without_capacitance_is_drawn_as_the_fastest(recording):
    tau = np.ones(recording.states.shape)
    tau[:, 0], tau[:, 1] = 0, 4
    mesh = plot_time_constants(recording, tau).artists["time_constants"]
    assert mesh.norm.vmin == 1
    assert np.isfinite(mesh.get_array()).all()
