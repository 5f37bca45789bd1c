"""A single HTML file: drawn, played and edited by real events, without Python; its JSON is asserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.hand import Hand, frames, until

import ganglion as gl
from ganglion.recording import Recording


def opened(page: Page, folder: Path, circuit: gl.Circuit, **options: Any) -> Hand:
    path = folder / "circuit.html"
    gl.viz.to_html(circuit, path, **options)
    page.goto(path.as_uri())
    return Hand(page)


def circuit_on(hand: Hand, folder: Path) -> gl.Circuit:
    """The circuit as the page gives it back."""
    path = folder / "back.json"
    path.write_text(str(hand.frame.evaluate("() => ganglion.text")), encoding="utf-8")
    return gl.read(path)


def named(*names: str) -> gl.Circuit:
    circuit = gl.Circuit()
    for k, name in enumerate(names):
        circuit.add_neuron(name, x=150 * k, y=60 * (k % 2))
    return circuit


def test_ten_neurons_are_drawn_by_keys_alone(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, gl.Circuit())
    hand.focus()
    press = page.keyboard.press
    for role, count in (("1", 3), ("2", 4), ("3", 2), ("4", 1)):
        press("Escape")
        press(role)
        for _ in range(count):
            press("n")
    circuit = circuit_on(hand, tmp_path)
    assert [len(circuit.neurons(role)) for role in ("sensory", "inter", "command", "motor")] == [3, 4, 2, 1]
    press("Escape")
    press("Shift+L")  # in layers
    # From each neuron to the right, by the arrows; signs in turn.
    for k, name in enumerate(name for name in circuit if circuit.nodes[name]["role"] != "motor"):
        page.keyboard.press("Control+k")
        page.keyboard.type(name)
        press("Enter")
        press("e" if k % 2 else "i")
        press("ArrowRight")
        press("Enter")
    circuit = circuit_on(hand, tmp_path)
    assert circuit.number_of_edges() == 9
    assert sorted({polarity for *_, polarity in circuit.synapses()}) == [-1, 1]
    assert [p for p in gl.check(circuit) if p.severity == "error"] == []
    columns = {role: {circuit.nodes[n]["x"] for n in circuit.neurons(role)} for role in ("sensory", "motor")}
    assert max(columns["sensory"]) < min(columns["motor"])


def test_gestures_need_no_python_and_undo(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, named("a", "b"))
    (ax, ay), (bx, by) = hand.at("a"), hand.at("b")
    page.mouse.move(ax, ay)
    page.mouse.down(button="right")
    page.mouse.move(bx, by, steps=6)
    page.mouse.up(button="right")
    assert circuit_on(hand, tmp_path).synapses() == [("a", "b", 1)]
    hand.keys("f")
    assert circuit_on(hand, tmp_path).synapses() == [("a", "b", -1)]
    hand.drag((bx, by), (bx - 40, by + 90))
    assert hand.at("b") == pytest.approx((bx - 40, by + 90), abs=2)
    hand.keys("Control+z", "Control+z", "Control+z")
    assert circuit_on(hand, tmp_path).synapses() == []
    assert hand.at("b") == pytest.approx((bx, by), abs=2)
    hand.keys("Control+y", "Control+y", "Control+y")
    assert circuit_on(hand, tmp_path).synapses() == [("a", "b", -1)]


def test_opposite_and_self_synapses_are_told_apart(page: Page, tmp_path: Path) -> None:
    circuit = named("a", "b")
    circuit.add_synapses([("a", "b", 1), ("b", "a", -1), ("a", "a", 1)])
    hand = opened(page, tmp_path, circuit)
    (ax, ay), (bx, by) = hand.at("a"), hand.at("b")
    length = float(np.hypot(bx - ax, by - ay))
    across = np.array([by - ay, ax - bx]) / length  # to the left of a -> b
    middle = np.array([(ax + bx) / 2, (ay + by) / 2])
    bow = 0.135 * length
    for sign, pair in ((1, ("a", "b")), (-1, ("b", "a"))):
        page.mouse.click(*(middle + sign * bow * across))
        hand.keys("Delete")
        left = {(u, v) for u, v, _ in circuit_on(hand, tmp_path).synapses()}
        assert left == {("a", "b"), ("b", "a"), ("a", "a")} - {pair}
        hand.keys("Control+z")
    scale = length / float(np.hypot(150, 60))
    page.mouse.click(ax, ay - 27 * scale)
    hand.keys("f")
    assert ("a", "a", -1) in circuit_on(hand, tmp_path).synapses()


def test_a_recording_is_played(page: Page, tmp_path: Path) -> None:
    circuit = named("inter_0", "motor_0")
    circuit.set_role("motor_0", "motor")
    states = np.linspace(0, 1, 40, dtype=np.float32).reshape(20, 2)
    recording = Recording(
        states, np.zeros((20, 0), np.float32), states[:, 1:], np.arange(20.0), ("inter_0", "motor_0"), (),
        ("inter", "motor"),
    )  # fmt: skip
    hand = opened(page, tmp_path, circuit, recording=recording)
    page.get_by_role("button", name="Live", exact=True).click()
    hand.keys(".", ".", ".")
    expect(page.locator(".gl-clock")).to_have_text("step 3")
    expect(page.locator(".gl-strip output").first).to_have_text(f"{states[3, 1]:.3g}")
    hand.keys("Space")
    until(lambda: int(page.locator(".gl-clock").inner_text().split()[1]) > 8, "the recording goes on")
    hand.keys("Space")


def test_a_page_for_looking_changes_nothing(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, named("a", "b"), readonly=True)
    before = circuit_on(hand, tmp_path)
    x, y = hand.at("a")
    hand.drag((x, y), (x + 60, y + 60))
    page.mouse.dblclick(*hand.free())
    hand.click("b")
    hand.keys("Delete", "n", "2", "Control+d")
    after = circuit_on(hand, tmp_path)
    assert list(after.nodes(data=True)) == list(before.nodes(data=True))
    expect(page.locator(".gl-toast")).to_contain_text("looking only")


def test_files_are_given_and_dropped(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, named("a", "b"))
    hand.keys("n", "Control+Shift+s")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Circuit (JSON)").click()
    path = tmp_path / "got.json"
    waiting.value.save_as(path)
    assert len(gl.read(path)) == 3
    for name, start in (("SVG", "<svg"), ("PNG", "\x89PNG")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=f"Picture ({name})").click()
        waiting.value.save_as(tmp_path / name)
        assert (tmp_path / name).read_bytes().decode("latin-1").startswith(start)
    page.keyboard.press("Escape")
    other = json.dumps(json.loads((tmp_path / "got.json").read_text())).replace('"a"', '"dropped"')
    page.evaluate(
        """text => { const data = new DataTransfer(); data.items.add(new File([text], "other.json"));
        document.querySelector("[data-testid=canvas]").dispatchEvent(
          new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })); }""",
        other,
    )
    until(lambda: "dropped" in hand.names())
    hand.keys("Control+z")
    assert "a" in hand.names()


def test_hostile_names_are_text(page: Page, tmp_path: Path) -> None:
    name = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>'
    circuit = gl.Circuit(note=name)
    circuit.add_neuron(name, x=0, y=0, note=name, group=name, **{name: name})
    circuit.add_neuron("m", role="motor", x=200, y=0)
    circuit.add_synapse(name, "m", note=name)
    hand = opened(page, tmp_path, circuit, title=name)
    hand.click(name)
    for panel in ("Properties", "Table of neurons", "Matrix", "Changes", "Problems and facts", "Projections"):
        page.get_by_role("button", name=panel, exact=True).click()
    hand.keys("Shift+N")
    page.keyboard.press("Escape")
    hand.keys("Control+k")
    page.keyboard.type("img")
    page.keyboard.press("Escape")
    page.mouse.move(*hand.at(name))
    expect(page.locator(".gl-tip")).to_contain_text(name)
    assert page.title() == name
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def inside(hand: Hand) -> bool:
    """Whether all neurons are on the canvas."""
    box = hand.canvas.bounding_box()
    assert box is not None
    places = [hand.at(name) for name in hand.names()]
    return all(
        box["x"] < x < box["x"] + box["width"] and box["y"] < y < box["y"] + box["height"] for x, y in places
    )


def test_it_fits_every_window_and_screen(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, gl.auto_ncp(24, 3, inputs=6, seed=4))
    for width, height in ((1600, 900), (800, 600), (420, 640)):
        page.set_viewport_size({"width": width, "height": height})
        until(lambda: inside(hand), f"all are seen in {width} x {height}")


def test_nothing_is_drawn_at_rest(page: Page, tmp_path: Path) -> None:
    hand = opened(page, tmp_path, gl.auto_ncp(24, 3, inputs=6, seed=4))

    def drawn() -> int:
        """How many frames were drawn while the browser had time for twenty."""
        before = hand.frame.evaluate("() => ganglion.counts.frames")
        frames(page, 20)
        return int(hand.frame.evaluate("() => ganglion.counts.frames") - before)

    until(lambda: drawn() == 0, "it comes to rest")
    assert drawn() == 0
