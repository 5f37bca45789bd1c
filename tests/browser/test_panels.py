"""What is shown beside the circuit, what runs, and fingers, by real events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from playwright.sync_api import CDPSession, Page, expect
from tests.browser.hand import Hand, frames, until
from tests.browser.test_standalone import small

import ganglion as gl
from ganglion.editor.standalone import Standalone
from ganglion.wiring import edits, projections


@pytest.fixture
def editor() -> Iterator[Standalone]:
    with gl.edit(small(), browser=False, live=False) as editor:
        assert isinstance(editor, Standalone)
        editor.session.apply(edits.Rename({"b": "before"}))
        yield editor


def panel(page: Page, name: str) -> Any:
    page.get_by_role("button", name=name, exact=True).click()
    return page.get_by_role("complementary", name=name)


# Panels


def test_the_circuit_is_compared_with_any_revision(editor: Standalone, hand: Hand) -> None:
    side = panel(hand.page, "Changes")
    hand.click("a")
    hand.keys("Delete")
    until(lambda: "a" not in editor.circuit)
    hand.keys("Escape", "n")
    until(lambda: "inter_0" in editor.circuit)
    side.get_by_role("button", name="Since opened").click()
    expect(side.get_by_role("heading", level=3).first).to_have_text("Changes since revision 0")
    lists = side.get_by_role("list")
    expect(lists.nth(0).get_by_role("listitem")).to_have_text(
        ["before", "inter_0", "eye → before", "before → c"]
    )
    expect(lists.nth(1).get_by_role("listitem")).to_have_text(
        ["a", "b", "eye → a", "eye → b", "a → c", "b → c"]
    )
    side.get_by_role("button", name="remove", exact=False).last.click()  # before that edit
    expect(side.get_by_role("heading", level=3).first).to_have_text("Changes since revision 1")
    expect(side).to_contain_text("1 added")
    side.get_by_role("button", name="From now on").click()
    expect(side.get_by_role("heading", level=3).first).to_have_text("Changes since revision 3")
    expect(side).not_to_contain_text("added")
    side.get_by_role("button", name="End").click()
    expect(side.get_by_role("heading", level=3).first).to_have_text("Changes ")


def test_properties_of_many_at_once(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.click("before", "Shift")
    side = panel(hand.page, "Properties")
    side.get_by_label("Group", exact=True).fill("middle")
    hand.page.keyboard.press("Enter")
    until(lambda: [editor.circuit.nodes[n].get("group") for n in ("a", "before")] == ["middle"] * 2)
    side.get_by_label("Note", exact=True).fill("two\nlines")
    hand.focus()
    until(lambda: editor.circuit.nodes["before"].get("note") == "two\nlines")
    side.get_by_role("combobox", name="Role").select_option("command")
    until(lambda: {editor.circuit.nodes[n]["role"] for n in ("a", "before")} == {"command"})


def test_groups_are_folded_and_unfolded(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.click("before", "Shift")
    hand.keys("g")
    until(lambda: "group" in editor.circuit.nodes["a"])
    revision = editor.session.revision
    (ax, ay), (bx, by) = hand.at("a"), hand.at("before")
    middle = ((ax + bx) / 2, (ay + by) / 2)
    status = hand.page.locator(".gl-status")

    def fold() -> None:
        stills = hand.frame.evaluate("() => ganglion.counts.stills")
        hand.keys("Escape", "b")
        until(lambda: hand.frame.evaluate("() => ganglion.counts.stills") > stills)
        frames(hand.page, 5)

    fold()  # a click takes the whole box
    hand.page.mouse.click(*middle)
    expect(status).to_contain_text("2 selected")
    fold()
    hand.click("a")
    expect(status).to_contain_text("1 selected")
    assert editor.session.revision == revision  # a view, never a change


def test_neighbourhoods_and_paths(hand: Hand) -> None:
    def shown(*names: str) -> None:
        until(lambda: sorted(hand.frame.evaluate("() => ganglion.focus") or []) == sorted(names), str(names))

    hand.click("eye")
    hand.keys("]")
    shown("eye", "a", "before")
    hand.keys("]")
    shown("eye", "a", "before", "c")
    hand.keys("Escape", "Escape")
    shown()
    hand.click("c")
    hand.keys("[")
    shown("c", "a", "before")
    hand.keys("Escape", "Escape")
    hand.click("eye")
    hand.click("c", "Shift")
    hand.keys("p")
    shown("eye", "a", "before", "c")
    hand.keys("Escape", "Escape")
    hand.click("m")
    hand.keys("h")
    shown("m", "c")


def test_a_projection_is_kept_and_drawn_again(editor: Standalone, hand: Hand) -> None:
    hand.keys("r")
    dialog = hand.page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="From").select_option("command")
    dialog.get_by_role("combobox", name="To").select_option("inter")
    dialog.get_by_role("combobox", name="Rule").select_option("all_to_all")
    dialog.get_by_label("Name of the projection").fill("back")
    dialog.get_by_role("button", name="Connect").click()
    until(lambda: list(projections(editor.circuit)) == ["back"])
    assert editor.circuit.edges["c", "a"]["projection"] == "back"
    editor.session.apply(edits.Remove(synapses=[("c", "a")]))
    side = panel(hand.page, "Projections")
    expect(side).to_contain_text("1 removed by hand")
    side.get_by_role("button", name="Draw again").click()
    until(lambda: editor.circuit.has_edge("c", "a"))
    side.get_by_label("inhibitory of back").fill("1")
    hand.page.keyboard.press("Enter")
    until(lambda: {editor.circuit.edges["c", n]["polarity"] for n in ("a", "before")} == {-1})
    side.get_by_role("button", name="Remove", exact=True).click()
    until(lambda: not projections(editor.circuit) and not editor.circuit.has_edge("c", "a"))


def test_dark_and_light_and_problems(editor: Standalone, hand: Hand) -> None:
    before = hand.frame.evaluate("() => ganglion.theme")
    hand.keys("d")
    until(lambda: hand.frame.evaluate("() => ganglion.theme") != before)
    side = panel(hand.page, "Problems and facts")
    editor.session.apply(edits.Add([("lost", {"role": "inter"})]))
    expect(side).to_contain_text("lost")
    side.get_by_role("button", name=re.compile("lost")).first.click()
    expect(hand.page.get_by_test_id("status")).to_contain_text("lost")


# Live


def test_what_would_be_without_a_neuron_and_colours(page: Page) -> None:
    rnn = gl.LTC(small(), key=mx.random.key(0))
    with gl.edit(rnn, browser=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        side = panel(page, "Live")
        page.get_by_role("button", name="Play").first.wait_for()
        side.get_by_role("slider", name="Value of eye").fill("1.5")
        hub = editor._server.hub  # type: ignore[union-attr]
        until(lambda: hub._live.signals.get("eye") == {"kind": "constant", "value": 1.5})
        hand.point("a")
        page.keyboard.down("w")
        expect(side.get_by_role("heading", name="Without it")).to_be_visible()
        page.keyboard.up("w")
        expect(side.get_by_role("heading", name="Without it")).to_have_count(0)
        side.get_by_role("button", name="Rank").click()
        expect(side.locator(".gl-bars li")).to_have_count(4)  # all but the only output
        for shown in ("time constants", "saliency", "roles", "states"):
            before = hand.frame.evaluate("() => ganglion.counts.frames")
            side.get_by_role("combobox", name="What neurons are coloured by").select_option(shown)
            until(lambda before=before: hand.frame.evaluate("() => ganglion.counts.frames") > before)
        assert hand.frame.evaluate("() => Object.keys(ganglion.colours).length") > 0


def test_training_is_watched_paused_and_ended(page: Page) -> None:
    x = np.random.default_rng(0).normal(size=(8, 5, 1)).astype(np.float32)
    given = {
        "data": (x, x),
        "loss": gl.training.mse,
        "optimizer": optim.Adam(0.01, bias_correction=True),
        "epochs": 100_000,
    }
    rnn = gl.LTC(small(), key=mx.random.key(0))
    with gl.edit(rnn, fit=given, browser=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        side = panel(page, "Live")
        state = side.get_by_role("heading", name=re.compile("Training"))
        expect(state).to_have_text("Training: running")
        side.get_by_role("button", name="Pause", exact=True).last.click()
        expect(state).to_have_text("Training: paused")
        hand.click("a")
        hand.keys("Delete")
        until(lambda: "a" not in editor.circuit)
        side.get_by_role("button", name="Continue").click()
        expect(state).to_have_text("Training: running")
        until(lambda: "a" not in editor.network.cell.neurons)
        hand.click("eye")
        hand.keys("Delete")  # no inputs: it waits until that is mended
        expect(side).to_contain_text("waits for an edit that mends this")
        hand.keys("Control+z")
        expect(state).to_have_text("Training: running")
        side.get_by_role("button", name="Stop").click()
        expect(state).to_have_text("Training: done")


# Fingers


class Fingers:
    """Touches, as the browser gets them from a screen."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)

    def put(self, *places: tuple[float, float]) -> None:
        self.say("touchStart" if places else "touchEnd", *places)

    def say(self, what: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})

    def drag(self, *ways: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Put fingers down at the starts, move them all to the ends, and lift them."""
        self.say("touchStart", *(start for start, _ in ways))
        for k in range(1, 9):
            self.say("touchMove", *((a + (c - a) * k / 8, b + (d - b) * k / 8) for (a, b), (c, d) in ways))
        self.say("touchEnd")


def test_two_fingers_zoom_about_their_middle_and_pan(editor: Standalone, hand: Hand) -> None:
    (ax, ay), (mx_, my) = hand.at("a"), hand.at("m")
    x, y = hand.free()
    Fingers(hand.page).drag(((x - 40, y), (x - 80, y)), ((x + 40, y), (x + 80, y)))
    until(lambda: abs(hand.at("m")[0] - hand.at("a")[0] - 2 * (mx_ - ax)) < 2, "all is twice as large")
    assert hand.at("a") == pytest.approx((x + 2 * (ax - x), y + 2 * (ay - y)), abs=2)
    before = hand.at("a")
    Fingers(hand.page).drag(((x - 40, y), (x - 20, y + 30)), ((x + 40, y), (x + 60, y + 30)))
    until(lambda: hand.at("a") == pytest.approx((before[0] + 20, before[1] + 30), abs=2))
    del my
    assert editor.session.revision == 1


def test_one_finger_pans_taps_and_moves_a_neuron(editor: Standalone, hand: Hand) -> None:
    fingers, before, (x, y) = Fingers(hand.page), hand.at("a"), hand.free()
    fingers.drag(((x, y), (x + 50, y + 20)))
    until(lambda: hand.at("a") == pytest.approx((before[0] + 50, before[1] + 20), abs=2))
    fingers.put(hand.at("a"))
    fingers.put()
    expect(hand.page.get_by_test_id("status")).to_contain_text("a, inter")
    x, y = hand.at("a")
    fingers.drag(((x, y), (x + 30, y + 60)))
    until(lambda: editor.session.revision == 2)
    assert hand.at("a") == pytest.approx((x + 30, y + 60), abs=2)
