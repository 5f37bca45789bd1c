"""Every gesture on the standalone page, by real mouse and key events, asserted on the graph in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.hand import Hand, until
from tests.support.edits import exact

import ganglion as gl
from ganglion.editor.standalone import Standalone


def small() -> gl.Circuit:
    circuit = gl.Circuit()
    places = {"eye": (0, 0), "a": (160, -60), "b": (160, 80), "c": (320, 0), "m": (480, 0)}
    roles = {"eye": "sensory", "a": "inter", "b": "inter", "c": "command", "m": "motor"}
    for name, (x, y) in places.items():
        circuit.add_neuron(name, role=roles[name], x=x, y=y)
    circuit.add_synapses([("eye", "a"), ("eye", "b", -1), ("a", "c"), ("b", "c", -1), ("c", "m")])
    return circuit


@pytest.fixture
def editor() -> Iterator[Standalone]:
    with gl.edit(small(), browser=False, live=False) as editor:
        assert isinstance(editor, Standalone)
        yield editor


def test_the_token_leaves_the_address(editor: Standalone, hand: Hand) -> None:
    assert "token" not in hand.page.url
    hand.page.reload()
    assert set(Hand(hand.page).names()) == set(editor.circuit)


# Neurons


def test_a_double_click_adds_a_neuron_there(editor: Standalone, hand: Hand) -> None:
    x, y = hand.free()
    hand.page.mouse.dblclick(x, y)
    until(lambda: len(editor.circuit) == 6)
    name = list(editor.circuit)[-1]
    assert editor.circuit.nodes[name]["role"] == "inter"
    until(lambda: name in hand.names())
    assert hand.at(name) == pytest.approx((x, y), abs=2)


def test_a_role_is_chosen_and_changed(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.keys("4")
    until(lambda: editor.circuit.nodes["a"]["role"] == "motor")
    hand.page.get_by_role("button", name="Draw command neurons").click()
    until(lambda: editor.circuit.nodes["a"]["role"] == "command")
    hand.click("c")
    hand.keys("1")
    expect(hand.page.locator(".gl-toast")).to_contain_text("receives 2 synapses")
    assert editor.circuit.nodes["c"]["role"] == "command"


def test_dragging_moves_and_is_one_edit(editor: Standalone, hand: Hand) -> None:
    before, revision = dict(editor.circuit.nodes["a"]), editor.session.revision
    x, y = hand.at("a")
    hand.drag((x, y), (x + 50, y - 40), steps=25)
    until(lambda: editor.circuit.nodes["a"]["x"] != before["x"])
    assert editor.session.revision == revision + 1
    assert hand.at("a") == pytest.approx((x + 50, y - 40), abs=2)
    assert editor.circuit.nodes["b"] == small().nodes["b"]


def test_escape_in_a_drag_leaves_everything(editor: Standalone, hand: Hand) -> None:
    x, y = hand.at("a")
    hand.page.mouse.move(x, y)
    hand.page.mouse.down()
    hand.page.mouse.move(x + 80, y + 80, steps=5)
    hand.page.keyboard.press("Escape")
    hand.page.mouse.up()
    hand.keys("?")
    assert exact(editor.circuit) == exact(small())


def test_rename_by_key_and_by_double_click(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.keys("F2")
    hand.page.get_by_role("dialog").get_by_role("textbox").fill("AVA left")
    hand.page.keyboard.press("Enter")
    until(lambda: "AVA left" in editor.circuit)
    assert list(editor.circuit) == ["eye", "AVA left", "b", "c", "m"]
    until(lambda: "AVA left" in hand.names())
    hand.page.mouse.dblclick(*hand.at("b"))
    hand.page.get_by_role("dialog").get_by_role("textbox").fill("AVA left")
    hand.page.keyboard.press("Enter")
    expect(hand.page.get_by_text("'AVA left' is taken").first).to_be_visible()
    assert "b" in editor.circuit


def test_delete_takes_neurons_with_their_synapses_and_undo_brings_all_back(
    editor: Standalone, hand: Hand
) -> None:
    hand.click("a")
    hand.keys("Delete")
    until(lambda: "a" not in editor.circuit)
    assert editor.circuit.number_of_edges() == 3
    hand.keys("Control+z")
    until(lambda: "a" in editor.circuit)
    assert exact(editor.circuit) == exact(small())
    hand.keys("Control+Shift+z")
    until(lambda: "a" not in editor.circuit)
    hand.page.get_by_role("button", name=re.compile("^Undo")).click()
    until(lambda: exact(editor.circuit) == exact(small()))


def test_copy_and_paste(editor: Standalone, hand: Hand, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.click("a")
    hand.click("c", "Shift")
    hand.keys("Control+c", "Control+v")
    until(lambda: len(editor.circuit) == 7)
    new = list(editor.circuit)[-2:]
    assert [editor.circuit.nodes[name]["role"] for name in new] == ["inter", "command"]
    assert editor.circuit.has_edge(*new)
    hand.keys("Control+z")
    until(lambda: exact(editor.circuit) == exact(small()))


def test_duplicate_and_cut(editor: Standalone, hand: Hand) -> None:
    hand.click("b")
    hand.keys("Control+d")
    until(lambda: len(editor.circuit) == 6)
    hand.keys("Control+x")
    until(lambda: len(editor.circuit) == 5)


# Synapses


def test_a_synapse_is_drawn_by_dragging_the_handle(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    x, y = hand.at("a")
    scale = (hand.at("c")[0] - hand.at("eye")[0]) / 320
    hand.drag((x + 26 * scale, y), hand.at("m"))
    until(lambda: editor.circuit.has_edge("a", "m"))
    assert editor.circuit.edges["a", "m"]["polarity"] == 1


def test_a_synapse_is_drawn_with_the_right_button_and_shift_gives_the_other_sign(
    editor: Standalone, hand: Hand
) -> None:
    hand.page.mouse.move(*hand.at("b"))
    hand.page.mouse.down(button="right")
    hand.page.keyboard.down("Shift")
    hand.page.mouse.move(*hand.at("m"), steps=6)
    hand.page.mouse.up(button="right")
    hand.page.keyboard.up("Shift")
    until(lambda: editor.circuit.has_edge("b", "m"))
    assert editor.circuit.edges["b", "m"]["polarity"] == -1


def test_the_connect_tool_and_the_polarity_of_new_synapses(editor: Standalone, hand: Hand) -> None:
    hand.page.get_by_role("button", name="New synapses are excitatory").click()
    hand.keys("c")
    hand.drag(hand.at("eye"), hand.at("c"))
    until(lambda: editor.circuit.has_edge("eye", "c"))
    assert editor.circuit.edges["eye", "c"]["polarity"] == -1
    hand.drag(hand.at("a"), hand.at("a"), steps=1)
    hand.drag(hand.at("c"), hand.at("eye"))
    expect(hand.page.locator(".gl-toast")).to_contain_text("sensory")
    assert not editor.circuit.has_edge("c", "eye")


def test_a_synapse_drawn_to_nowhere_makes_a_neuron(editor: Standalone, hand: Hand) -> None:
    hand.keys("c")
    hand.drag(hand.at("m"), hand.free())
    until(lambda: len(editor.circuit) == 6)
    assert editor.circuit.has_edge("m", list(editor.circuit)[-1])
    assert editor.session.revision == 1


def test_flip_and_delete_of_chosen_synapses(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.keys("7", "f")  # its outgoing synapses
    until(lambda: editor.circuit.edges["a", "c"]["polarity"] == -1)
    hand.click("c")
    hand.keys("6", "Delete")  # its incoming ones
    until(lambda: list(editor.circuit.predecessors("c")) == [])
    assert len(editor.circuit) == 5


# Selecting


def test_box_and_lasso_select(editor: Standalone, hand: Hand) -> None:
    (ax, ay), (bx, by) = hand.at("a"), hand.at("b")
    hand.drag((ax - 45, ay - 60), (bx + 45, by + 60))
    hand.keys("Delete")
    until(lambda: list(editor.circuit) == ["eye", "c", "m"])
    hand.keys("Control+z")
    until(lambda: len(editor.circuit) == 5)
    hand.keys("l")
    x, y = hand.at("m")
    hand.page.mouse.move(x - 50, y - 50)
    hand.page.mouse.down()
    for dx, dy in ((50, -50), (50, 50), (-50, 50), (-50, -40)):
        hand.page.mouse.move(x + dx, y + dy, steps=6)
    hand.page.mouse.up()
    hand.keys("Delete")
    until(lambda: list(editor.circuit) == ["eye", "a", "b", "c"])


def test_all_and_nothing(editor: Standalone, hand: Hand) -> None:
    hand.keys("Control+a", "Escape", "Delete", "Control+a", "Delete")
    until(lambda: len(editor.circuit) == 0)
    hand.keys("Control+z")
    until(lambda: exact(editor.circuit) == exact(small()))


def test_groups_and_a_projection_by_rule(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.click("b", "Shift")
    hand.keys("g")
    until(lambda: editor.circuit.nodes["b"].get("group") == "group 1")
    hand.keys("u")
    until(lambda: "group" not in editor.circuit.nodes["b"])


def test_align_in_layers(editor: Standalone, hand: Hand) -> None:
    hand.keys("Control+a", "Shift+L")
    until(lambda: editor.session.revision == 1)
    assert editor.circuit.nodes["a"]["x"] == editor.circuit.nodes["b"]["x"]


def test_nudging_by_keys_is_one_edit(editor: Standalone, hand: Hand) -> None:
    hand.click("a")
    hand.keys(*["Shift+ArrowRight"] * 5)
    until(lambda: editor.circuit.nodes["a"]["x"] > 160)
    assert editor.session.revision == 1


# By keyboard alone


def test_a_circuit_of_ten_neurons_is_drawn_by_keyboard_alone(page: Page) -> None:
    with gl.edit(gl.Circuit(), browser=False, live=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        hand.focus()
        for role, count in (("1", 3), ("2", 4), ("3", 2), ("4", 1)):
            page.keyboard.press("Escape")
            page.keyboard.press(role)
            for _ in range(count):
                page.keyboard.press("n")
        until(lambda: len(editor.circuit) == 10, "ten neurons")
        roles = [data["role"] for _, data in editor.circuit.nodes(data=True)]
        assert [roles.count(role) for role in gl.wiring.ROLES] == [3, 4, 2, 1]
        for key in ("e", "i"):
            page.keyboard.press("Escape")
            page.keyboard.press("/")
            page.keyboard.type("inter_0")
            page.keyboard.press("Enter")
            page.keyboard.press(key)
            page.keyboard.press("ArrowDown" if key == "e" else "ArrowRight")
            page.keyboard.press("Enter")
        until(lambda: editor.circuit.number_of_edges() >= 1, "a synapse by keys")


# Panels and dialogs


def test_search_finds_and_commands_run(editor: Standalone, hand: Hand) -> None:
    hand.keys("Control+k")
    hand.page.keyboard.type("select all motor")
    hand.page.keyboard.press("Enter")
    hand.keys("Delete")
    until(lambda: "m" not in editor.circuit)


def test_the_matrix_adds_flips_and_removes(editor: Standalone, hand: Hand) -> None:
    hand.keys("x")
    matrix = hand.page.get_by_test_id("matrix")
    matrix.focus()
    before = set(editor.circuit.edges)
    hand.page.keyboard.press("ArrowDown")
    hand.page.keyboard.press("Enter")
    until(lambda: editor.session.revision == 1)
    changed = set(editor.circuit.edges) ^ before
    hand.page.keyboard.press("Enter")
    until(lambda: editor.session.revision == 2)
    hand.page.keyboard.press("Delete")
    until(lambda: editor.session.revision == 3)
    assert len(editor.circuit.edges) == (5 if changed else 4)
    box = matrix.bounding_box()
    assert box is not None
    edges = dict(editor.circuit.edges)
    hand.page.mouse.click(box["x"] + 14 + 5, box["y"] + 14 + 5)
    until(lambda: editor.session.revision == 4)
    assert dict(editor.circuit.edges) != edges or len(editor.circuit.edges) > 0


def test_a_motif_is_one_edit(editor: Standalone, hand: Hand) -> None:
    hand.keys("m")
    hand.page.get_by_role("dialog").get_by_role("button").filter(has_text="eciprocal").first.click()
    until(lambda: editor.session.revision == 1)
    assert len(editor.circuit) > 5


def test_a_generator_with_a_preview(editor: Standalone, hand: Hand) -> None:
    hand.keys("Shift+G")
    dialog = hand.page.get_by_role("dialog")
    expect(dialog.locator("[aria-live]")).to_contain_text("neurons")
    assert editor.session.revision == 0
    dialog.get_by_label("instead of the circuit").check()
    dialog.get_by_role("button", name="Generate").click()
    until(lambda: editor.session.revision >= 1)
    assert "eye" not in editor.circuit
    assert "motor_0" in editor.circuit
    assert gl.check(editor.circuit) == []


def test_the_help_and_every_control_has_a_name(editor: Standalone, hand: Hand) -> None:
    hand.keys("?")
    expect(hand.page.get_by_role("dialog")).to_contain_text("Undo")
    unnamed = hand.page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, canvas[tabindex]')].filter(
            e => !(e.getAttribute('aria-label') || e.title || e.placeholder || e.innerText?.trim()
                   || e.closest('label')?.innerText.trim())).map(e => e.outerHTML)"""
    )
    assert unnamed == []


def test_markup_in_names_and_notes_stays_text(editor: Standalone, hand: Hand) -> None:
    bad = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    editor.circuit.add_neuron(bad, role="inter", note=bad, x=300, y=200, group=bad)
    until(lambda: bad in hand.names())
    hand.click(bad)
    hand.keys("t")
    for panel in ("Table of neurons", "Problems and facts", "Matrix"):
        hand.page.get_by_role("button", name=panel, exact=True).click()
    hand.keys("Control+k")
    hand.page.keyboard.type("img src")
    expect(hand.page.get_by_role("option", selected=True)).to_contain_text("<img src=x")
    assert hand.page.title() == "circuit"
    assert hand.page.locator("img").count() == 0


# Python and other pages


def test_what_python_does_is_seen_and_kept_apart_from_undo(editor: Standalone, hand: Hand) -> None:
    editor.circuit.add_neuron("from python", role="motor", x=480, y=120)
    until(lambda: "from python" in hand.names())
    hand.click("from python")
    hand.keys("Delete")
    until(lambda: "from python" not in editor.circuit)


def test_two_tabs_show_one_circuit_and_undo_each_their_own(
    editor: Standalone, hand: Hand, context: BrowserContext
) -> None:
    other = Hand(_goto(context.new_page(), editor.url))
    hand.page.bring_to_front()
    hand.click("a")
    hand.keys("Delete")
    until(lambda: "a" not in editor.circuit)
    until(lambda: "a" not in other.names())
    other.page.bring_to_front()
    other.click("b")
    other.keys("F2")
    other.page.get_by_role("dialog").get_by_role("textbox").fill("bob")
    other.page.keyboard.press("Enter")
    until(lambda: "bob" in hand.names())
    hand.page.bring_to_front()
    hand.keys("Control+z")
    until(lambda: "a" in editor.circuit)
    assert "bob" in editor.circuit
    until(lambda: "a" in other.names())
    texts = [h.frame.evaluate("window.ganglion.text") for h in (hand, other)]
    assert texts[0] == texts[1]


def _goto(page: Page, url: str) -> Page:
    page.goto(url)
    return page


# Live


def test_the_network_runs_while_one_edits(page: Page) -> None:
    with gl.edit(small(), browser=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        play = page.get_by_role("button", name="Play")
        play.wait_for()
        hand.keys("o", ".")
        hub = editor._server.hub  # type: ignore[union-attr]
        until(lambda: hub._live.step >= 1)
        hand.keys("Space")
        until(lambda: hub._live.step >= 10)
        hand.click("a")
        hand.keys("Delete")
        until(lambda: hub._live.probe.neurons == ("m", "c", "b"))
        step = hub._live.step
        until(lambda: hub._live.step > step + 5)
        hand.keys("Space")
        until(lambda: not hub._live.playing)


# Files


def test_save_and_export(page: Page, tmp_path: Path) -> None:
    gl.write(small(), tmp_path / "c.json")
    with gl.edit(tmp_path / "c.json", browser=False, live=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        hand.click("a")
        hand.keys("Delete", "Control+s")
        until(lambda: "a" not in gl.read(tmp_path / "c.json"))
        assert exact(gl.read(tmp_path / "c.json")) == exact(editor.circuit)
