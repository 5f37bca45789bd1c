"""The steps of `docs/tutorials/design.md`, as somebody new would take them, end at the circuit that it has.

With GANGLION_PICTURES=docs/pictures the pictures of that page are taken as well.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect
from tests.browser.hand import Hand, until

import ganglion as gl

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "design.md"


def written(folder: Path) -> gl.Circuit:
    """The circuit that the page's first block of Python writes."""
    (code,) = re.findall(r"^```python\n(import ganglion as gl\n.*?)^```$", TUTORIAL.read_text(), re.M | re.S)
    exec(code.replace('"steering.json"', repr(str(folder / "written.json"))), {})
    return gl.read(folder / "written.json")


def connect(page: Page, hand: Hand, pre: str, post: str, inhibitory: str = "0", seed: str = "") -> None:
    hand.keys("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="From").select_option(pre)
    dialog.get_by_role("combobox", name="To").select_option(post)
    dialog.get_by_role("combobox", name="Rule").select_option("all_to_all")
    dialog.get_by_role("slider", name="Share of inhibitory synapses").fill(inhibitory)
    if seed:
        dialog.get_by_label("Seed").fill(seed)
    dialog.get_by_role("button", name="Connect").click()
    expect(dialog).to_have_count(0)


def test_a_circuit_from_an_empty_page(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "steering.json"
    with gl.edit(path, browser=False) as editor:
        page.goto(editor.url)  # type: ignore[union-attr]
        hand = Hand(page)
        hand.keys("1", "n", "n", "Escape", "2", "n", "n", "n", "n", "Escape", "4", "n", "n", "Escape")
        hand.keys("Shift+L")
        for old, new in (
            ("sensory_0", "left_eye"),
            ("sensory_1", "right_eye"),
            ("motor_0", "left_wheel"),
            ("motor_1", "right_wheel"),
        ):
            page.mouse.dblclick(*hand.at(old))
            page.get_by_role("dialog").get_by_role("textbox").fill(new)
            page.keyboard.press("Enter")
            until(lambda new=new: new in editor.circuit)
            hand.keys("Escape")
        connect(page, hand, "sensory", "inter")
        connect(page, hand, "inter", "motor", "0.5", "1")
        hand.keys("Escape")
        for pre, post in (("left_wheel", "right_wheel"), ("right_wheel", "left_wheel")):
            page.mouse.move(*hand.at(pre))
            page.mouse.down(button="right")
            page.mouse.move(*hand.at(post), steps=6)
            page.mouse.up(button="right")
            hand.keys("f")
            until(lambda pair=(pre, post): editor.circuit.edges.get(pair, {}).get("polarity") == -1)
        assert editor.circuit.digest() == written(tmp_path).digest()

        hand.keys("Escape", "0", "o", "Space")
        side = page.get_by_role("complementary", name="Live")
        side.get_by_role("slider", name="Value of left_eye").fill("1")
        hub = editor._server.hub  # type: ignore[union-attr]
        until(lambda: hub._live.step > 60)
        hand.point("inter_1")
        page.keyboard.down("w")
        expect(side.get_by_role("heading", name="Without it")).to_be_visible()
        pictures(page, hand)
        page.keyboard.up("w")
        hand.keys("Space", "Control+s")
        until(lambda: path.exists() and gl.read(path).digest() == editor.circuit.digest())
        page.get_by_role("button", name="Export and download").click()
        with page.expect_download() as given:
            page.get_by_role("dialog").get_by_role("button", name=re.compile(r"\bC\b")).click()
        assert "steering_step" in Path(given.value.path()).read_text(encoding="utf-8")


def pictures(page: Page, hand: Hand) -> None:
    folder = os.environ.get("GANGLION_PICTURES")
    if not folder:
        return
    for _ in range(2):
        theme = hand.frame.evaluate("() => ganglion.theme")
        page.wait_for_timeout(800)  # so that the colours have settled; this is no test
        page.screenshot(path=Path(folder) / f"design-{theme}.png")
        hand.keys("d")
