"""A hand at mouse and keyboard over the canvas of an editor, and how to wait for the circuit in Python."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Frame, Page

from ganglion import EditSession

PATIENCE = 60.0


def until(true: Callable[[], Any], what: str = "") -> None:
    """Wait until Python's circuit is as it should be, and the edit that made it so is whole."""

    def so() -> bool:
        try:
            return bool(true())
        except KeyError:  # another thread is in the middle of an edit
            return False

    end = time.monotonic() + PATIENCE
    while not so():
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen: {what or true}")
        time.sleep(0.02)
    for session in [held for held in gc.get_objects() if type(held) is EditSession]:
        with session.lock:  # another thread may be in the middle of the edit
            pass


def frames(page: Page, count: int) -> None:
    """Let the page draw so many frames."""
    code = (
        "n => new Promise(done => { const next = () => n-- ? requestAnimationFrame(next) : done(); next(); })"
    )
    page.evaluate(code, count)


class Hand:
    """Mouse and keys on one page. Neurons are found by their names."""

    def __init__(self, page: Page, frame: Frame | None = None) -> None:
        self.page, self.frame = page, frame or page.main_frame
        self.canvas = self.frame.get_by_test_id("canvas").first
        self.canvas.wait_for()
        # Not wait_for_function, whose polling the page's content security policy may refuse.
        ready = "() => !!window.ganglion && window.ganglion.revision >= 0"
        until(lambda: self.frame.evaluate(ready), "the page has the circuit")

    def at(self, name: str) -> tuple[float, float]:
        x, y = self.frame.evaluate("name => window.ganglion.positions()[name]", name)
        return x, y

    def revision(self) -> int:
        """How many edits the page has."""
        return int(self.frame.evaluate("() => window.ganglion.revision"))

    def names(self) -> list[str]:
        return list(self.frame.evaluate("() => Object.keys(window.ganglion.positions())"))

    def free(self) -> tuple[float, float]:
        """A place on the canvas without a neuron, away from the tools at its edges."""
        box = self.canvas.bounding_box()
        assert box is not None
        taken = [self.at(name) for name in self.names()]
        for row in range(1, 8):
            for column in range(2, 10):
                x, y = box["x"] + column * box["width"] / 12, box["y"] + row * box["height"] / 9
                if all((x - a) ** 2 + (y - b) ** 2 > 70**2 for a, b in taken):
                    return x, y
        raise AssertionError("no free place")

    def focus(self) -> None:
        self.canvas.focus()

    def keys(self, *keys: str) -> None:
        self.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def point(self, name: str) -> None:
        """Put the mouse over a neuron, wherever a resize or a fit that is on its way brings it."""

        def there() -> bool:
            self.page.mouse.move(*self.at(name))
            return bool(self.frame.evaluate("() => window.ganglion.hover") == name)

        until(there, f"the mouse is over {name}")

    def click(self, name: str, *modifiers: str) -> None:
        self.point(name)
        for key in modifiers:
            self.page.keyboard.down(key)
        self.page.mouse.click(*self.at(name))
        for key in modifiers:
            self.page.keyboard.up(key)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=steps)
        self.page.mouse.up()
