"""A protocol is one value that means the same to whoever runs it: studies, training, the editor, C, files."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest

import ganglion as gl
from ganglion.editor import EditSession
from ganglion.editor.course import Course
from ganglion.editor.live import Live
from ganglion.editor.probe import Probe
from ganglion.errors import FileError
from ganglion.studies import Cut, Flip, Lesion, Protocol, Scale, Silence, Stimulate

CIRCUIT = gl.auto_ncp(16, 3, inputs=3, seed=5)
PRE, POST = next((i, j) for i, j in CIRCUIT.edges if i.startswith("inter") and i != j)
COMPILER = shutil.which("cc") or shutil.which("gcc")
FLASH = (
    gl.protocol(every=0.25, until=10.0, unit="s")
    .step("sensory_0", at=1.0, to=0.5)
    .pulse("sensory_0", at=4.1, width=0.1, height=2.0)
    .train("sensory_1", at=2.0, width=0.2, period=1.0, count=5)
    .ramp("sensory_2", at=3.0, over=4.0, to=-1.0)
    .noise("sensory_2", spread=0.3, seed=4)
)
ACTED = (
    FLASH.clamp("inter_0", 0.4, 2.0, 5.0)
    .during(Cut(PRE, POST), 4.0, 8.0)
    .during(Stimulate("sensory_1", 0.3), 6.0)
    .during(Scale(None, "command", 0.5), 1.0, 9.0)
    .during(Flip("command", "motor"), 7.0)
)


@pytest.fixture(scope="module")
def rnn() -> gl.LTC:
    return gl.LTC(CIRCUIT, key=mx.random.key(3), time_scale=1.0)


def test_samples_are_means_and_edges_are_exact_on_every_grid() -> None:
    names, rng = (
        CIRCUIT.graph.get("sensors", ["sensory_0", "sensory_1", "sensory_2"]),
        np.random.default_rng(0),
    )
    fine = FLASH.sample(names, np.full(100_000, 1e-4))
    spans = rng.uniform(0, 0.7, 30)
    spans *= 10.0 / spans.sum()
    for grid in (spans, FLASH.grid(), FLASH.grid(edges=True)):
        ends = np.rint(np.cumsum(grid) * 1e4).astype(int)
        sums = np.concatenate([np.zeros((1, 3)), np.cumsum(fine, axis=0) * 1e-4])
        expected = np.diff(sums[np.append(0, ends)], axis=0) / grid[:, None]
        np.testing.assert_allclose(FLASH.sample(names, grid), expected, atol=2e-2)
        np.testing.assert_allclose((FLASH.sample(names, grid) * grid[:, None]).sum(0), sums[-1], atol=1e-6)
    short = gl.protocol(every=1.0, until=5.0).pulse("a", at=2.3, width=0.5, height=3.0)
    assert short.sample(["a"])[:, 0].tolist() == pytest.approx([0, 0, 1.5, 0, 0])  # its share of the third
    step = gl.protocol(every=0.1, until=1.0).step("a", at=0.3)
    assert step.sample(["a"])[:, 0].tolist() == pytest.approx([0] * 3 + [1] * 7)
    exact = short.grid(edges=True)
    assert np.cumsum(exact).tolist() == pytest.approx([1, 2, 2.3, 2.8, 3, 4, 5])
    assert set(np.round(short.sample(["a"], exact)[:, 0], 9)) == {0.0, 3.0}
    still = short.sample(["a"], [2.4, 0.0, 0.2, 2.4, 0.0])[:, 0]
    assert still[[1, 4]].tolist() == pytest.approx([3.0, 0.0])  # a sample of no time has what is there


def test_all_sensors_are_told_by_their_role(rnn: gl.LTC) -> None:
    timed = FLASH.clamp("sensory", 0.5, 1.0, 3.0).during(Stimulate("sensory", 0.2), 5.0)
    x, spans = timed.inputs(rnn)
    fed = rnn(mx.array(x.astype(np.float32)), timespans=mx.array(spans.astype(np.float32)))[0]
    np.testing.assert_allclose(fed, timed.run(rnn)[0], atol=1e-6)


def test_noise_is_of_a_seed_and_of_time() -> None:
    def drawn(seed: int, spans: Any, name: str = "a") -> np.ndarray:
        made = gl.protocol(every=0.5, until=2000.0).noise(name, spread=2.0, mean=1.0, seed=seed)
        return made.sample([name], spans)[:, 0]

    plain = drawn(1, None)
    assert plain.mean() == pytest.approx(1.0, abs=0.15)
    assert plain.std() == pytest.approx(2.0, abs=0.15)
    assert np.array_equal(drawn(1, None), plain)
    np.testing.assert_allclose(drawn(1, np.full(2000, 1.0)), plain.reshape(-1, 2).mean(axis=1), atol=1e-9)
    assert np.abs(np.corrcoef([plain, drawn(2, None), drawn(1, None, "b")]) - np.eye(3)).max() < 0.07


def test_running_perturbs_when_it_says_so(rnn: gl.LTC) -> None:
    outputs, state, recording = ACTED.run(rnn, record=True)
    spans, x = FLASH.grid().astype(np.float32), FLASH.sample(rnn.sensors).astype(np.float32)
    times = np.cumsum(FLASH.grid())
    expected, before = [], None
    for t, (sample, span) in enumerate(zip(x, spans, strict=True)):
        acting = [e.perturbation for e in ACTED.perturbations if e.start < times[t] <= (e.stop or 99.0)]
        with gl.perturbed(rnn, *acting):
            seen, before = rnn(sample[None], before, mx.array([float(span)]))
        expected.append(np.array(seen)[0])
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    assert mx.allclose(state, before, atol=1e-5)
    held = recording.of("inter_0")
    assert np.allclose(held[(times > 2) & (times <= 5)], 0.4, atol=1e-5)
    assert not np.allclose(held[times > 5.3], 0.4, atol=1e-2)
    np.testing.assert_allclose(recording.times, times)
    assert mx.allclose(FLASH.run(rnn)[0], rnn(mx.array(x), None, mx.array(spans))[0], atol=1e-6)
    assert mx.allclose(
        FLASH.run(rnn, state="rest")[0][:3], rnn(mx.array(x), "rest", mx.array(spans))[0][:3], atol=1e-5
    )


def test_it_means_the_same_everywhere(rnn: gl.LTC, tmp_path: Path) -> None:
    scaled = gl.Scaled(rnn, ["a", "b", "c"], list("xyz"), mean=[0.1, 0.2, 0.3], spread=0.8, time_unit=0.25)
    seen: list[np.ndarray] = []

    def looked(look: Any) -> float:
        seen.append(np.array(look.outputs))
        return 0.0

    for network, only_inputs in ((rnn, FLASH), (scaled, renamed(FLASH))):
        expected = np.array(only_inputs.run(network)[0])
        # a study
        seen.clear()
        gl.study(network, [Silence("inter_0")], measure=looked, x=only_inputs)
        np.testing.assert_allclose(seen[0][0], expected, atol=1e-5)
        np.testing.assert_allclose(
            seen[1][0], only_inputs.run(network, also=[Silence("inter_0")])[0], atol=1e-5
        )
        # training, of which the loss is that of the outputs
        history = gl.fit(
            network, ([only_inputs], expected[None] + 0.5), loss=gl.training.mse, progress=False,
            optimizer=optim.SGD(1e-12), epochs=1,
        )  # fmt: skip
        assert history.loss[0] == pytest.approx(0.25, abs=1e-5)
        # exported C
        assert COMPILER is not None
        gl.export_c(network, tmp_path / "policy.c")
        program = tmp_path / "policy"
        command = [COMPILER, "-O1", "-Dpolicy_MAIN", tmp_path / "policy.c", "-o", program, "-lm"]
        subprocess.run(command, check=True, timeout=60)
        table = only_inputs.table(network)
        done = subprocess.run(
            [program],
            input=table,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        rows = [[float(v) for v in line.split(",")] for line in done.stdout.split()]
        np.testing.assert_allclose(rows, expected, atol=1e-5)
    study = gl.study(rnn, [Lesion("command_0")], measure=looked, x=ACTED)
    assert len(study.rows) == 1
    np.testing.assert_allclose(seen[-1][0], ACTED.run(rnn, also=[Lesion("command_0")])[0], atol=1e-5)


def renamed(protocol: Protocol) -> Protocol:
    """The same for the columns a, b and c of a network in the units of its data."""
    from dataclasses import replace

    names = dict(zip(["sensory_0", "sensory_1", "sensory_2"], "abc", strict=True))
    signals = tuple(replace(signal, sensor=names[signal.sensor]) for signal in protocol.signals)
    return replace(protocol, signals=signals)


def test_the_editor_runs_it(rnn: gl.LTC) -> None:
    frames: list[dict[str, Any]] = []
    ready, last = threading.Event(), threading.Event()

    def tell(message: dict[str, Any]) -> None:
        if message["type"] == "frame":
            frames.append(message)
            ready.set()
            if message["step"] == 40:
                last.set()

    live = Live(EditSession(gl.Circuit(CIRCUIT)), tell, network=rnn, protocol=ACTED)
    try:
        assert ready.wait(60)
        for _ in range(40):
            live.steps(1)
        assert last.wait(60)
    finally:
        live.close()
    found = np.array([f["outputs"] for f in frames if f["step"]], np.float64)
    expected = np.array(ACTED.run(rnn)[0])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=5e-4 * max(1.0, np.abs(expected).max()))  # four digits


@pytest.mark.parametrize(
    ("inputs", "more", "said"),
    [
        ([FLASH, np.zeros((40, 3))], (), "the inputs are protocols and a ndarray: expected protocols alone"),
        ([FLASH], (0.25,), r"timespans have shape \(\): expected \(1, T\), a row for each protocol"),
        ([FLASH, FLASH], (np.ones((1, 40)),), r"timespans have shape \(1, 40\): expected \(2, T\)"),
    ],
)
def test_training_says_what_is_wrong(rnn: gl.LTC, inputs: Any, more: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        gl.fit(
            rnn, (inputs, np.zeros((len(inputs), 40, 3)), *more), loss=gl.training.mse,
            optimizer=optim.SGD(1e-3), epochs=1,
        )  # fmt: skip


def test_the_editor_keeps_all_parts_of_a_state() -> None:
    memory = gl.LTC(CIRCUIT, mixed_memory=True, key=mx.random.key(3))
    timed = FLASH.clamp("inter_0", 0.4, 2.0, 5.0)
    course, probe = Course(timed), Probe(memory)
    probe.follow(CIRCUIT, {})
    steps = range(40)
    inputs, acting = course.values(probe.sensors, steps), [course.acting(k) for k in steps]
    _, outputs = probe.advance(inputs, acting, course.every)
    np.testing.assert_allclose(outputs, timed.run(memory)[0][-1], atol=1e-6)


def test_files_of_version_1_have_currents_in_the_unit_of_the_neuron(rnn: gl.LTC, tmp_path: Path) -> None:
    path, plain = tmp_path / "old.json", gl.protocol(until=10.0).pulse("sensory_0", 1.0, 3.0)
    plain.during(Stimulate("inter_0", 0.3), 4.0).write(path)
    document = json.loads(path.read_text())
    assert document["version"] == 2
    del document["parts"][-1]["absolute"]
    path.write_text(json.dumps(document | {"version": 1}))
    leak = float(rnn.cell.gleak[rnn.cell.neurons.index("inter_0")])
    same = plain.during(Stimulate("inter_0", 0.3 / leak), 4.0)
    np.testing.assert_allclose(Protocol.read(path).run(rnn)[0], same.run(rnn)[0], atol=1e-6)
    assert np.abs(np.array(same.run(rnn)[0]) - np.array(plain.run(rnn)[0])).max() > 1e-4
    path.write_text(json.dumps(document))
    assert Protocol.read(path) == plain.during(Stimulate("inter_0", 0.3), 4.0)


def test_files_say_it_all_and_wrong_ones_are_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "flash.json"
    ACTED.write(path)
    assert Protocol.read(path) == ACTED
    assert str(Protocol.read(path)) == str(ACTED)
    sound = json.loads(path.read_text())

    def told(**changed: Any) -> str:
        path.write_text(json.dumps(sound | changed))
        with pytest.raises(FileError) as error:
            Protocol.read(path)
        text = str(error.value)
        assert text.startswith(str(path))
        assert "\n" not in text
        return text.removeprefix(str(path))

    part = sound["parts"][0]
    assert told(format="other") == ' has no "format": "ganglion-protocol"'
    assert "is of version 9; this release reads versions 1 and 2" in told(version=9)
    assert "is of version 0" in told(version=0)
    assert told(every=0) == ": every must be finite and above 0.0, got 0"
    assert told(parts=3) == ' has no "parts", a list'
    assert "as the kind of part 0: expected step, pulse" in told(parts=[{"kind": "jump"}])
    assert told(parts=[part | {"speed": 1}]) == " has a step as part 0 with 'speed', which it does not have"
    assert told(parts=[{"kind": "pulse", "sensor": "a", "at": 1}]) == " has a pulse as part 0 without 'width'"
    assert "the at of a step must be finite and 0.0 or more, got -1" in told(parts=[part | {"at": -1}])
    assert "must be a number, got '1'" in told(parts=[part | {"at": "1"}])
    path.write_text("{")
    with pytest.raises(FileError, match="is not sound JSON"):
        Protocol.read(path)
    with pytest.raises(ValueError, match="a function that tells neurons is in no file"):
        FLASH.during(Silence(lambda name, _: name == "inter_0", 0.0)).write(path)


def test_wrong_parts_are_refused(rnn: gl.LTC) -> None:
    plain = gl.protocol(until=10.0)
    for call, told in (
        (lambda: plain.pulse("a", at=-1.0, width=1.0), "the at of a pulse must be finite and 0.0 or more"),
        (lambda: plain.pulse("a", at=float("nan"), width=1.0), "the at of a pulse must be"),
        (lambda: plain.pulse("a", at=1.0, width=0.0), "the width of a pulse must be finite and above 0.0"),
        (lambda: plain.train("a", 1.0, 2.0, 1.0, 3), "the pulses of a train are 2 long, and its period 1"),
        (lambda: plain.noise("a", at=5.0, until=5.0), "expected an end behind its begin"),
        (lambda: plain.clamp("AVA", 1.0, 5.0, 4.0), "from 5 to 4: expected an end behind its begin"),
        (lambda: plain.clamp("AVA", 1.0, -5.0), "start must be finite and 0.0 or more"),
        (lambda: plain.clamp("AVA", 1, 1, 5).clamp(["AVB", "AVA"], 0, 4), "both hold 'AVA' at the same time"),
        (lambda: plain.during(gl.studies.Noise("a")), "use .noise"),
        (lambda: gl.protocol(every=0.0), "every must be finite and above 0.0"),
        (lambda: gl.protocol(every=1.0, until=1e12), "expected 1 to"),
        (lambda: plain.sample(["a"], [1.0, -1.0]), "a time span is -1.0"),
        (lambda: plain.sample(["a"], [[1.0]]), r"timespans have shape (1, 1): expected (T,)"),
        (lambda: plain.step("sensory2", 1.0).run(rnn), "is no sensor; did you mean 'sensory_2'?"),
        (lambda: plain.clamp("inter_O", 1.0).run(rnn), "inter_O"),
        (lambda: plain.clamp("inter_0", 1.0, 1, 5).clamp("inter", 0.0, 4).run(rnn), "both hold 'inter_0'"),
        (lambda: plain.run(gl.LTC(CIRCUIT, return_state=False)), "has return_state=False"),
        (lambda: plain.run(gl.LTC(CIRCUIT, return_sequences=False)), "has return_sequences=False"),
        (lambda: plain.clamp("inter_0", 1.0).inputs(rnn), "use protocol.run(network)"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as error:  # noqa: PT011
            call()
        assert told in str(error.value)
    after = plain.clamp("AVA", 1.0, 1, 5).clamp("AVA", 0.0, 5)  # one behind the other
    assert len(after.perturbations) == 2
    folded, _ = plain.clamp("sensory_1", 0.7, 3, 5).during(Stimulate("sensory_1", 0.2), 8).inputs(rnn)
    assert folded[:, 1].tolist() == pytest.approx([0, 0, 0, 0.7, 0.7, 0, 0, 0, 0.2, 0.2])


def test_whoever_cannot_go_on_where_it_was_is_refused() -> None:
    timed = FLASH.clamp("inter_0", 0.0, 2.0, 5.0)
    for network in (gl.LTC(CIRCUIT, reverse=True), gl.Bidirectional(gl.LTC(CIRCUIT))):
        always = FLASH.clamp("inter_0", 0.0)
        assert len(always.run(network)[0]) == 40  # in one piece
        with pytest.raises(ValueError, match="reads backwards"):
            timed.run(network)
    with pytest.raises(ValueError, match="its numbers would begin anew"):
        gl.study(gl.LTC(CIRCUIT), [gl.studies.Noise("sensory_0")], x=timed)
    with pytest.raises(ValueError, match="noise of a sensor is a signal"):
        FLASH.during(gl.studies.Together((Flip(), gl.studies.Noise("sensory_0"))))
    scaled = gl.Scaled(gl.LTC(CIRCUIT), ["sensory_0", "sensory_1", "sensory_2"], ["a", "b", "c"])
    assert len(timed.run(scaled)[0]) == 40
    with pytest.raises(TypeError, match="a network over sequences"):
        timed.run(gl.LeakyRate(CIRCUIT))  # a cell would take times for rows of a batch
    with pytest.raises(TypeError, match="a network over sequences"):
        gl.study(gl.LeakyRate(CIRCUIT), [Lesion("inter_0")], x=FLASH)


def test_it_prints_and_is_drawn() -> None:
    text = str(ACTED)
    assert text.splitlines()[0] == "protocol of 10 s, a sample every 0.25 s"
    assert "  sensory_0: pulse of 2 from 4.1 to 4.2" in text.splitlines()
    assert "  silence inter_0 at 0.4 from 2 to 5" in text.splitlines()
    picture = ACTED.plot()
    assert len(picture.artists["signals"].get_paths()) == 3
    labels = [label.get_text() for label in picture.axes["protocol"].get_yticklabels()]
    assert len(labels) == 3 + len(ACTED.perturbations)
    assert labels[0].startswith("sensory_0 (0 to 2.5")
    with pytest.raises(ValueError, match="no part"):
        gl.viz.plot_protocol(gl.protocol())


def test_a_protocol_ends_where_it_says() -> None:
    for every, until, count in (
        (1.0, 10.5, 11),
        (3.0, 10.0, 4),
        (0.1, 10.0, 100),
        (0.3, 0.9, 3),
        (4.0, 2.5, 1),
    ):
        spans = gl.protocol(every=every, until=until).grid()
        assert len(spans) == count
        assert spans.sum() == pytest.approx(until, rel=1e-12)
        np.testing.assert_allclose(spans[:-1], every)
    half = gl.protocol(every=1.0, until=2.5).step("a", 2.0)
    np.testing.assert_allclose(half.sample(["a"])[:, 0], [0, 0, 1])
