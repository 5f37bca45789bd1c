"""The network that runs while its circuit is edited, against networks made from scratch."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

import ganglion as gl
from ganglion.editor import EditSession
from ganglion.editor.live import Live
from ganglion.editor.signals import read_signal, read_table, value_at
from ganglion.wiring import edits

PATIENCE = 60.0


def circuit() -> gl.Circuit:
    return gl.auto_ncp(12, 2, inputs=3, sparsity=0.4, seed=3)


class Page:
    """Hears what a live network tells."""

    def __init__(self, session: EditSession, **options: Any) -> None:
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.live = Live(session, self.heard.put, **options)

    def wait(self, kind: str, **fields: Any) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            message = self.heard.get(timeout=max(0.0, end - time.monotonic()))
            if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                return message


@pytest.fixture
def session() -> EditSession:
    return EditSession(circuit())


@pytest.fixture
def network() -> Any:
    return gl.LTC(circuit(), key=mx.random.key(5))


@pytest.fixture
def page(session: EditSession, network: Any) -> Any:
    page = Page(session, network=network)
    page.wait("facts")
    yield page
    page.live.close()


def constant(network: Any, values: list[float], steps: int) -> np.ndarray[Any, Any]:
    return np.array(network(mx.array([values] * steps))[0])


def test_it_steps_as_the_network_does(page: Page, network: Any) -> None:
    values = [0.5, -1.0, 2.0]
    for name, value in zip(network.cell.sensors, values, strict=True):
        page.live.set_signal(name, {"kind": "constant", "value": value})
    page.live.steps(4)
    frame = page.wait("frame", step=4)
    np.testing.assert_allclose(frame["outputs"], constant(network, values, 4)[-1], rtol=1e-3, atol=1e-4)
    assert frame["inputs"] == values
    page.live.steps(3)
    frame = page.wait("frame", step=7)
    np.testing.assert_allclose(frame["outputs"], constant(network, values, 7)[-1], rtol=1e-3, atol=1e-4)
    page.live.reset()
    assert set(page.wait("frame", step=0)["states"]) == {0.0}


def test_an_edit_compiles_anew_and_keeps_weights_and_state(
    page: Page, session: EditSession, network: Any
) -> None:
    page.live.set_signal("sensory_0", {"kind": "constant", "value": 1.0})
    page.live.steps(5)
    before = page.wait("frame", step=5)
    session.apply(edits.Rename({"motor_0": "left"}))
    session.apply(edits.Add([("new", {"role": "motor"})], [("inter_0", "new", {"polarity": 1})]))
    message = page.wait("network", revision=2)
    assert message["outputs"] == ["left", "motor_1", "new"]
    after = page.wait("frame", revision=2)
    assert after["states"][:2] == before["states"][:2]
    assert after["states"][2] == 0.0
    ours = {(pre, post): value for pre, post, value in message["synapses"]}
    theirs = gl.carried(network, session.circuit, renames={"motor_0": "left"})
    cell = theirs.cell
    recurrent = cell.compiled.plan.recurrent
    expected = np.array(cell.w * mx.sign(cell.erev)) / np.array(cell.gleak)[recurrent.post]
    for k, (i, j) in enumerate(zip(recurrent.pre, recurrent.post, strict=True)):
        if "new" not in (cell.neurons[i], cell.neurons[j]):
            assert ours[cell.neurons[i], cell.neurons[j]] == pytest.approx(expected[k], rel=1e-3)
    assert len(ours) == len(session.circuit.edges)


def test_a_flip_is_as_good_as_a_compile(page: Page, session: EditSession, network: Any) -> None:
    page.live.set_signal("sensory_0", {"kind": "constant", "value": 1.0})
    compiles = []
    follow = page.live.probe.follow
    page.live.probe.follow = lambda *given: (compiles.append(given), follow(*given))[1]
    pairs = [(u, v) for u, v, _ in session.circuit.synapses()]
    chosen = [pairs[0], pairs[-1], next(p for p in pairs if p[0].startswith("sensory"))]
    for revision, (u, v) in enumerate(dict.fromkeys(chosen), 1):
        sign = -session.circuit.edges[u, v]["polarity"]
        session.apply(edits.Set(synapses=[(u, v, "polarity", sign)]))
        page.wait("network", revision=revision)
    assert compiles == []
    page.live.reset()
    page.wait("frame", step=0)
    page.live.steps(6)
    frame = page.wait("frame", step=6)
    other = gl.carried(network, session.circuit)
    np.testing.assert_allclose(
        frame["outputs"], constant(other, [1.0, 0.0, 0.0], 6)[-1], rtol=1e-3, atol=1e-4
    )
    session.apply(edits.Add([("new", {"role": "inter"})]))
    page.wait("network", revision=session.revision)
    assert len(compiles) == 1
    page.live.reset()
    page.wait("frame", step=0)
    page.live.steps(6)
    frame = page.wait("frame", step=6)
    np.testing.assert_allclose(
        frame["outputs"], constant(other, [1.0, 0.0, 0.0], 6)[-1], rtol=1e-3, atol=1e-4
    )


def test_moving_and_notes_do_not_concern_the_network(page: Page, session: EditSession) -> None:
    session.apply(edits.Set([("inter_0", "x", 5), ("inter_0", "note", "here")]))
    page.wait("facts", revision=1)
    kinds = []
    while not page.heard.empty():
        kinds.append(page.heard.get()["type"])
    assert "network" not in kinds


def test_a_circuit_that_cannot_run_says_why_and_runs_again_when_mended(
    page: Page, session: EditSession
) -> None:
    session.apply(edits.Remove(["motor_0", "motor_1"]))
    state = page.wait("live")
    assert "no motor neuron" in state["error"]
    message = page.wait("facts", revision=1)
    assert "no-motor" in [problem["kind"] for problem in message["problems"]]
    session.undo()
    assert page.wait("network", revision=2)["outputs"] == ["motor_0", "motor_1"]
    assert page.wait("live")["error"] is None


def test_playing_goes_on_until_it_is_stopped(page: Page) -> None:
    page.live.play(True, 200)
    first = page.wait("frame")["step"]
    page.wait("frame", step=first + 7)
    page.live.play(False)
    page.wait("live", playing=False)
    while not page.heard.empty():
        page.heard.get()
    time.sleep(0.1)
    assert page.heard.empty()


def test_switched_off_it_tells_facts_only(session: EditSession) -> None:
    page = Page(session, on=False)
    message = page.wait("facts")
    assert (message["facts"]["neurons"], message["facts"]["layout"]) == (15, None)
    page.live.play(True)
    page.live.steps(3)
    session.apply(edits.Remove(["inter_0"]))
    page.wait("facts", revision=1)
    assert page.live.probe.network is None
    page.live.switch(True)
    page.wait("network")
    page.live.close()


def test_a_signal_stays_with_a_sensor_that_is_renamed_twice(session: EditSession, network: Any) -> None:
    page = Page(session, network=network, on=False)
    signal = {"kind": "constant", "value": 2.0}
    page.live.set_signal("sensory_0", signal)
    session.apply(edits.Rename([("sensory_0", "x")]))
    session.apply(edits.Rename([("x", "y")]))
    page.wait("facts", revision=2)
    page.live.switch(True)
    page.live.steps(1)
    assert page.wait("frame", step=1)["inputs"] == [2.0, 0.0, 0.0]
    assert page.live.signals == {"y": signal}
    page.live.close()


def test_what_if_is_a_lesion(page: Page, network: Any) -> None:
    page.live.set_signal("sensory_0", {"kind": "sine", "amplitude": 2})
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    synapse = tuple(
        network.cell.neurons[k[0]]
        for k in (network.cell.compiled.plan.recurrent.pre, network.cell.compiled.plan.recurrent.post)
    )
    page.live.what_if(["inter_0"], [synapse], 20, answers.put)
    answer = answers.get(timeout=PATIENCE)
    x = np.zeros((20, 3), np.float32)
    x[:, 0] = [2 * np.sin(2 * np.pi * k / 40) for k in range(20)]
    without = gl.lesion(network, ["inter_0"], [synapse])
    np.testing.assert_allclose(
        np.array(answer["base"]).T, np.array(network(mx.array(x))[0]), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(
        np.array(answer["without"]).T, np.array(without(mx.array(x))[0]), rtol=1e-3, atol=1e-4
    )
    page.live.what_if(["motor_0", "sensory_1"], [], 3, answers.put)
    answer = answers.get(timeout=PATIENCE)
    assert answer["without"][0] == [None] * 3
    page.live.what_if(["nobody"], [], 3, answers.put)
    assert "no neuron 'nobody'" in answers.get(timeout=PATIENCE)["why"]


def test_the_ranking_is_that_of_all_lesions(page: Page, network: Any) -> None:
    page.live.set_signal("sensory_0", {"kind": "step", "at": 3})
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    page.live.rank(10, answers.put)
    effects = dict(map(tuple, answers.get(timeout=PATIENCE)["effects"]))
    assert set(effects) == {*network.cell.neurons, *network.cell.sensors}
    assert list(effects.values()) == sorted(effects.values(), reverse=True)
    x = np.zeros((10, 3), np.float32)
    x[3:, 0] = 1
    base = np.array(network(mx.array(x))[0])
    without = np.array(gl.lesion(network, ["inter_1"])(mx.array(x))[0])
    assert effects["inter_1"] == pytest.approx(np.abs(base - without).mean(), rel=1e-3, abs=1e-5)


def test_a_cfc_runs_too(session: EditSession) -> None:
    network = gl.CfC(circuit(), key=mx.random.key(1))
    page = Page(session, network=network)
    assert page.wait("network")["cell"] == "CfC"
    u, v, sign = session.circuit.synapses("inter")[0]
    session.apply(edits.Set(synapses=[(u, v, "polarity", -sign)]))
    page.wait("network", revision=1)
    page.live.steps(4)
    frame = page.wait("frame", step=4)
    other = gl.carried(network, session.circuit)
    np.testing.assert_allclose(frame["outputs"], constant(other, [0.0] * 3, 4)[-1], rtol=1e-3, atol=1e-4)
    page.live.close()


def test_a_recording_is_played(session: EditSession, network: Any) -> None:
    x = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    page = Page(session, network=network, recording=gl.record(network, x))
    page.wait("facts")
    for name in network.cell.sensors:
        page.live.set_signal(name, {"kind": "recording"})
    page.live.steps(6)
    frame = page.wait("frame", step=6)
    np.testing.assert_allclose(frame["outputs"], np.array(network(mx.array(x))[0])[-1], rtol=1e-3, atol=1e-4)
    page.live.close()


def test_a_synapse_that_becomes_electrical_is_run_as_one() -> None:
    circuit = gl.Circuit()
    circuit.add_neuron("eye", role="sensory")
    circuit.add_neurons(["a", "b"], role="inter")
    circuit.add_neuron("m", role="motor")
    circuit.add_synapses([("eye", "a"), ("a", "b"), ("b", "m")])
    session = EditSession(circuit)
    page = Page(session)
    assert ["a", "b"] in [row[:2] for row in page.wait("network", revision=0)["synapses"]]
    session.apply(edits.Set(synapses=[("a", "b", "kind", "electrical")]))
    assert ["a", "b"] not in [row[:2] for row in page.wait("network", revision=1)["synapses"]]
    assert len(page.live.probe.network.cell.compiled.plan.electrical) == 1
    session.undo()
    assert ["a", "b"] in [row[:2] for row in page.wait("network", revision=2)["synapses"]]
    page.live.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed on Linux")
def test_a_closed_network_leaves_no_thread_that_could_outlive_python(network: Any) -> None:
    page = Page(EditSession(gl.circuit_of(network)))
    page.wait("network", revision=0)
    thread = page.live._thread
    page.live.close()
    assert not thread.is_alive()
    assert not Path(f"/proc/self/task/{thread.native_id}").exists()


def test_saliency_is_how_much_the_outputs_change(page: Page, network: Any) -> None:
    """Against central differences, from where the network is."""
    for name, value in zip(network.cell.sensors, [0.5, -1.0, 2.0], strict=True):
        page.live.set_signal(name, {"kind": "constant", "value": value})
    page.live.steps(4)
    start = np.array(page.wait("frame", step=4)["states"], np.float32)
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    page.live.saliency(5, answers.put)
    found = dict(map(tuple, answers.get(timeout=PATIENCE)["values"]))

    def outputs(state: Any, inputs: Any) -> np.ndarray[Any, Any]:
        return np.array(network(mx.array(inputs), mx.array(state))[0])[-1]

    x, size = np.array([[0.5, -1.0, 2.0]] * 5, np.float32), np.float32(1e-2)
    for k, name in enumerate(network.cell.neurons):
        step = size * np.eye(len(start), dtype=np.float32)[k]
        change = np.abs(outputs(start + step, x) - outputs(start - step, x)).sum() / (2 * size)
        assert found[name] == pytest.approx(change, rel=0.02, abs=2e-4), name
    for k, name in enumerate(network.cell.sensors):
        step = size * np.eye(3, dtype=np.float32)[k]
        change = np.abs(outputs(start, x + step) - outputs(start, x - step)).sum() / (2 * size)
        assert found[name] == pytest.approx(change, rel=0.02, abs=2e-4), name


def test_a_network_with_a_memory_has_the_saliency_of_its_sensors(session: EditSession) -> None:
    page = Page(session, network=gl.LTC(circuit(), mixed_memory=True))
    page.wait("facts")
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    page.live.saliency(5, answers.put)
    assert [name for name, _ in answers.get(timeout=PATIENCE)["values"]] == [
        "sensory_0",
        "sensory_1",
        "sensory_2",
    ]
    page.live.close()


def test_a_network_that_does_not_run_has_no_saliency(session: EditSession) -> None:
    page = Page(session, on=False)
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    page.live.saliency(5, answers.put)
    assert answers.get(timeout=PATIENCE) == {"type": "refused", "why": "live running is off"}
    page.live.close()


# Signals


@pytest.mark.parametrize(
    ("signal", "step", "value"),
    [
        ({"kind": "constant", "value": 2}, 9, 2.0),
        ({"kind": "step", "at": 3, "low": -1, "high": 1}, 2, -1.0),
        ({"kind": "step", "at": 3, "low": -1, "high": 1}, 3, 1.0),
        ({"kind": "sine", "amplitude": 3, "period": 4, "offset": 1}, 1, 4.0),
        ({"kind": "table", "values": [1, 2, 3]}, 4, 2.0),
        ({"kind": "noise", "deviation": 0, "mean": 7}, 4, 7.0),
    ],
)
def test_signals(signal: dict[str, Any], step: int, value: float) -> None:
    assert value_at(read_signal(signal), step) == pytest.approx(value)


def test_noise_is_the_same_whenever_it_is_asked_and_has_its_spread() -> None:
    signal = read_signal({"kind": "noise", "deviation": 2.0, "seed": 4})
    drawn = [value_at(signal, k) for k in range(4000)]
    assert [value_at(signal, k) for k in range(10)] == drawn[:10]
    assert np.std(drawn) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "whose kind is one of"),
        ({"kind": "square"}, "whose kind is one of"),
        ({"kind": "sine", "height": 1}, "has no 'height'"),
        ({"kind": "sine", "period": 0}, "period must be above 0"),
        ({"kind": "sine", "period": "x"}, "period must be a finite number"),
        ({"kind": "constant", "value": float("nan")}, "value must be a finite number"),
        ({"kind": "table", "values": []}, "needs a list of values"),
        ({"kind": "table", "values": [1, None]}, "a value of the table must be a finite number"),
    ],
)
def test_what_is_no_signal_is_refused(data: Any, why: str) -> None:
    with pytest.raises(gl.CircuitError, match=why):
        read_signal(data)


def test_a_table_gives_every_sensor_its_column() -> None:
    assert read_table("time,eye,ear\n0,1,2\n1,3,4\n", ["eye", "ear", "nose"]) == {
        "eye": {"kind": "table", "values": [1.0, 3.0]},
        "ear": {"kind": "table", "values": [2.0, 4.0]},
    }
    with pytest.raises(gl.CircuitError, match="no column is named like a sensory neuron"):
        read_table("a,b\n1,2\n", ["eye"])
    with pytest.raises(gl.CircuitError, match="line 3, column eye: 'x' is no number"):
        read_table("eye\n1\nx\n", ["eye"])
