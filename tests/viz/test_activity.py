import dataclasses
import warnings

import numpy as np
import pytest
from matplotlib import pyplot as plt

from ganglion.errors import CircuitError
from ganglion.viz import plot_activity, plot_heatmap, plot_traces


def changed(recording, **fields):
    return dataclasses.replace(recording, **fields)


def test_overview_has_a_heat_map_and_traces_for_each_role(circuit, recording):
    picture = plot_activity(recording, circuit=circuit)
    roles = ["sensory", "inter", "command", "motor"]
    assert list(picture.axes) == [f"{kind}/{role}" for role in roles for kind in ("heatmap", "traces")]
    assert set(picture.neurons) == set(circuit)
    for name in recording.neurons:
        place = picture.neurons[name]
        line = place.artist.get_segments()[place.item]
        np.testing.assert_allclose(line[:, 0], recording.times)
        np.testing.assert_allclose(line[:, 1], recording.of(name))
    mesh = picture.artists["heatmap/inter"]
    rows = [k for k, role in enumerate(recording.roles) if role == "inter"]
    np.testing.assert_allclose(mesh.get_array(), recording.states[:, rows].T)
    assert mesh.get_clim()[0] == -mesh.get_clim()[1]


def test_heat_map_cells_lie_where_the_samples_are(recording):
    mesh = plot_heatmap(recording).artists["heatmap"]
    edges = mesh.get_coordinates()[0, :, 0]
    assert (edges[:-1] < recording.times).all()
    assert (recording.times < edges[1:]).all()


def test_traces_by_role_by_name_and_all(recording):
    assert set(plot_traces(recording, "motor").neurons) == {"motor_0", "motor_1", "motor_2"}
    assert list(plot_traces(recording, ["inter_3", "motor_1"]).neurons) == ["inter_3", "motor_1"]
    assert set(plot_traces(recording).neurons) == set(recording.neurons)
    with pytest.raises(CircuitError, match="no neuron 'motor_7' in this recording of 14 neurons"):
        plot_traces(recording, ["motor_7"])


def test_few_traces_are_named_and_many_have_a_mean(recording):
    few = plot_traces(recording, "motor")
    assert {text.get_text() for text in few.ax.texts} == {"motor_0", "motor_1", "motor_2"}
    boxes = [text.get_window_extent() for text in few.ax.texts]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    many = plot_traces(recording)
    np.testing.assert_allclose(many.artists["mean"].get_ydata(), recording.states.mean(axis=1), rtol=1e-5)


def test_one_sequence_of_a_batch(circuit, record):
    batch = record(circuit, batch=3)
    batch.states[1] *= 0.5
    line = plot_traces(batch, ["motor_0"], sequence=1).artists["traces"].get_segments()[0]
    np.testing.assert_allclose(line[:, 1], batch.states[1, :, 0])
    with pytest.raises(IndexError, match="sequence 3 of a recording of 3 sequences"):
        plot_activity(batch, sequence=3)


def test_clustering_puts_like_neurons_together(circuit, record):
    recording = record(circuit)
    wave = np.sin(recording.times)
    inter = [k for k, role in enumerate(recording.roles) if role == "inter"]
    for at, k in enumerate(inter):
        recording.states[:, k] = wave if at % 2 else -wave
    rows = list(plot_heatmap(recording, cluster=True).neurons)
    names = [recording.neurons[k] for k in inter]
    odd = sorted(rows.index(name) for name in names[1::2])
    assert odd[-1] - odd[0] == len(odd) - 1
    assert [name.split("_")[0] for name in rows] == sorted(
        [name.split("_")[0] for name in rows], key=["inter", "command", "motor"].index
    )


def test_gaps_are_gaps_with_a_warning(recording):
    states = recording.states.copy()
    states[5:9, 0] = np.nan
    states[12, 1] = np.inf
    broken = changed(recording, states=states)
    with pytest.warns(
        UserWarning, match="5 values are not finite .first in 'motor_0'.; they are drawn as gaps"
    ):
        picture = plot_heatmap(broken, "motor")
    assert picture.artists["heatmap"].get_array().mask.sum() == 5
    with pytest.warns(UserWarning, match="gaps"):
        picture = plot_traces(broken, "motor")
    assert np.isnan(picture.artists["traces"].get_segments()[0][5:9, 1]).all() or (
        len(picture.artists["traces"].get_segments()[0]) == len(recording.times) - 4
    )
    with pytest.warns(UserWarning, match="gaps"):
        plot_activity(broken).figure.canvas.draw()


def test_a_neuron_of_which_nothing_is_known(recording):
    states = np.full_like(recording.states, np.nan)
    with pytest.warns(UserWarning, match="gaps"):
        picture = plot_activity(changed(recording, states=states))
    picture.figure.canvas.draw()
    with pytest.warns(UserWarning, match="gaps"):
        plot_heatmap(changed(recording, states=states), cluster=True).figure.canvas.draw()


@pytest.mark.parametrize("draw", [plot_activity, plot_heatmap, plot_traces])
def test_one_time_step_is_seen(circuit, record, draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = draw(record(circuit, steps=1))
        picture.figure.canvas.draw()
    if draw is plot_traces:
        assert len(picture.artists["dots"].get_offsets()) == 14


def test_recordings_without_samples_or_with_times_that_fall_are_refused(circuit, record, recording):
    with pytest.raises(ValueError, match="no samples"):
        plot_activity(record(circuit, steps=0))
    with pytest.raises(ValueError, match="times of a recording must rise"):
        plot_activity(changed(recording, times=recording.times[::-1]))


def test_a_recording_of_another_circuit_is_refused_and_the_difference_named(circuit, recording):
    circuit.add_node("extra", role="inter")
    with pytest.raises(CircuitError, match="the circuit's neuron 'extra' was not recorded"):
        plot_activity(recording, circuit=circuit)
    circuit.remove_nodes_from(["extra", "inter_1", "inter_2"])
    with pytest.raises(CircuitError, match=r"has no neuron 'inter_1', which was recorded \(and 1 more\)"):
        plot_activity(recording, circuit=circuit)


def test_a_changed_role_is_another_circuit(circuit, recording):
    circuit.nodes["inter_1"]["role"] = "command"
    with pytest.raises(CircuitError, match="'inter_1' is command in the circuit and was recorded as inter"):
        plot_activity(recording, circuit=circuit)


@pytest.mark.parametrize("draw", [plot_activity, plot_heatmap, plot_traces])
def test_ax_is_used(recording, draw):
    figure, axes = plt.subplots(1, 2)
    picture = draw(recording, ax=axes[0])
    assert picture.figure is figure
    assert len(plt.get_fignums()) == 1
    assert not axes[1].collections
