"""Electrical synapses on the page: drawn by keys and mouse, made chemical and back, and running."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.hand import Hand, frames, until
from tests.browser.test_standalone import small
from tests.support.edits import exact

import ganglion as gl
from ganglion.editor.standalone import Standalone

COUPLED = {"polarity": 1, "kind": "electrical"}


@pytest.fixture
def editor() -> Iterator[Standalone]:
    with gl.edit(small(), browser=False) as editor:
        assert isinstance(editor, Standalone)
        yield editor


def test_by_keys_and_undone(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.keys("j", "ArrowDown", "Enter")
    until(lambda: editor.circuit.has_edge("a", "b"))
    assert editor.circuit.edges["a", "b"] == COUPLED
    assert gl.check(editor.circuit) == []
    hand.keys("Control+z")
    until(lambda: exact(editor.circuit) == exact(small()))


def test_by_dragging_after_the_kind_was_chosen(editor: Standalone, hand: Hand) -> None:
    for kind in ("excitatory", "inhibitory"):
        hand.page.get_by_role("button", name=f"New synapses are {kind}").click()
    hand.keys("c")
    hand.drag(hand.at("b"), hand.at("m"))
    until(lambda: editor.circuit.has_edge("b", "m"))
    assert editor.circuit.edges["b", "m"] == COUPLED
    hand.drag(hand.at("m"), hand.at("b"))
    expect(hand.page.locator(".gl-toast")).to_contain_text("already")
    hand.drag(hand.at("eye"), hand.at("c"))
    expect(hand.page.locator(".gl-toast")).to_contain_text("sensory")
    hand.drag(hand.at("eye"), hand.free())
    expect(hand.page.locator(".gl-toast")).to_contain_text("sensory")
    assert editor.session.revision == 1
    # A pair that has a synapse one way has room the other way; one that has both keeps the strength on one.
    hand.drag(hand.at("a"), hand.at("c"))
    until(lambda: editor.circuit.has_edge("c", "a"))
    assert editor.circuit.edges["c", "a"] == COUPLED


def test_beside_synapses_of_both_directions(editor: Standalone, hand: Hand) -> None:
    before = hand.revision()
    editor.circuit.add_synapse("c", "a", polarity=-1)
    until(lambda: hand.revision() > before, "the page has the synapse, and its neurons stand still")
    hand.click("a")
    hand.click("c", "Shift")
    hand.keys("j")
    until(lambda: "gap" in editor.circuit.edges["a", "c"])
    assert editor.circuit.edges["a", "c"] == {"polarity": 1, "gap": 1}
    assert gl.check(editor.circuit) == []


def test_a_synapse_becomes_electrical_and_chemical_again_while_the_network_runs(
    editor: Standalone, hand: Hand
) -> None:
    hub = editor._server.hub  # type: ignore[union-attr]
    until(lambda: hub._live.probe is not None)
    hand.click("a")
    hand.keys("7", "t")
    panel = hand.page.get_by_role("complementary", name="Properties")
    panel.get_by_role("radio", name="electrical").click()
    until(lambda: editor.circuit.edges["a", "c"] == COUPLED)
    expect(panel.get_by_role("radio", name="electrical")).to_be_checked()
    until(lambda: len(hub._live.probe.network.cell.compiled.plan.electrical) == 1)
    hand.keys("f")
    expect(hand.page.locator(".gl-toast")).to_contain_text("no sign")
    panel.get_by_role("radio", name="inhibitory").click()
    until(lambda: editor.circuit.edges["a", "c"] == {"polarity": -1})
    until(lambda: len(hub._live.probe.network.cell.compiled.plan.electrical) == 0)
    hand.click("eye")
    hand.keys("7")
    panel.get_by_role("radio", name="electrical").click()
    expect(hand.page.locator(".gl-toast")).to_contain_text("'eye' is sensory")


def test_the_matrix_shows_it_from_both_sides(editor: Standalone, hand: Hand) -> None:
    before = hand.revision()
    editor.circuit.add_synapse("a", "b", polarity=1, kind="electrical")
    until(lambda: hand.revision() > before)
    hand.keys("x")
    matrix = hand.page.get_by_test_id("matrix")
    until(lambda: matrix.bounding_box() is not None)
    matrix.focus()
    words = set()
    hint = hand.page.locator("section.gl-fill .gl-hint")
    row = ["ArrowRight"] * 4 + ["ArrowDown"] + ["ArrowLeft"] * 4
    for key in ["ArrowDown", *["ArrowLeft"] * 5, *row * 4]:
        hand.page.keyboard.press(key)
        frames(hand.page, 2)
        words.add(hint.inner_text())
    assert {"a → b: electrical", "b → a: electrical"} <= words


def test_a_circuit_without_places_stands_as_in_python_s_pictures(page: Page) -> None:
    with gl.edit(gl.connectomes.tap_withdrawal(), browser=False, live=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        shown = {name: hand.at(name) for name in hand.names()}
        drawn = gl.viz.layout(editor.circuit)
        for axis, sign in ((0, 1), (1, -1)):
            on_page = np.array([shown[name][axis] for name in drawn])
            in_python = sign * np.array([place[axis] for place in drawn.values()])
            assert np.corrcoef(on_page, in_python)[0, 1] > 0.9999
        assert "x" not in editor.circuit.nodes["AVA"]
