"""The widget in JupyterLab: keys stay ours, cells change the circuit, and nothing drifts apart."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.hand import PATIENCE, frames

FIRST = """\
import ganglion as gl
circuit = gl.Circuit()
circuit.add_neuron("eye", role="sensory", x=0, y=0)
circuit.add_neuron("mid", role="inter", x=120, y=0)
circuit.add_neuron("arm", role="motor", x=240, y=0)
circuit.add_synapses([("eye", "mid"), ("mid", "arm")])
editor = gl.edit(circuit, live=False)
editor"""
TELL = (
    "print('neurons:', *circuit, '; synapses:', len(circuit.edges), '; revision:', editor.session.revision)"
)
FIT = """\
import mlx.optimizers as optim, numpy as np
rnn, x = gl.LTC(circuit), np.ones((4, 5, 1), "float32")
adam = optim.Adam(0.01, bias_correction=True)
history = gl.fit(rnn, (x, x), loss=gl.training.mse, optimizer=adam, epochs=3)"""
KEYS = ("Delete", "x", "d", "a", "b", "m", "z", "Shift+D", "Enter", "Escape", "ArrowDown", "c", "v", "0", "i")


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    folder = tmp_path_factory.mktemp("lab")
    port, token = free_port(), secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly"]  # fmt: skip
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),
        "JUPYTER_DATA_DIR": str(folder / ".data"),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{address}/api?token={token}", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.2)
        yield address, token, folder
    finally:
        process.terminate()
        process.wait(timeout=30)


class Notebook:
    """A notebook in JupyterLab."""

    def __init__(self, page: Page, lab: tuple[str, str, Path], name: str, cells: list[str]) -> None:
        address, token, folder = lab
        self.page, self.path, self.started = page, folder / f"{name}.ipynb", False
        content = [
            {
                "cell_type": "code",
                "id": f"c{k}",
                "source": text,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for k, text in enumerate(cells)
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        self.path.write_text(
            json.dumps({"cells": content, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
        )
        page.set_viewport_size({"width": 1300, "height": 1500})
        page.goto(f"{address}/lab/workspaces/{name}/tree/{name}.ipynb?token={token}&reset")
        self.cells = page.locator(".jp-Notebook .jp-Cell")
        self.cells.first.wait_for()
        expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first).to_be_visible()

    def run(self, cell: int) -> Locator:
        """Run a cell and wait for its prompt; returns its output."""
        box = self.cells.nth(cell)
        prompt = box.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        box.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")
        pressed = time.monotonic()
        while not (prompt.inner_text() != before and re.search(r"\[\d+\]", prompt.inner_text())):
            assert time.monotonic() < pressed + 3 * PATIENCE, f"cell {cell} does not run"
            if not self.started and "[ ]" in prompt.inner_text():  # shown as idle before it can be reached
                self.page.keyboard.press("Control+Enter")
            self.page.wait_for_timeout(100 if self.started else 1000)
        self.started = True
        return box.locator(".jp-OutputArea")

    def sources(self) -> list[str]:
        texts = "() => [...document.querySelectorAll('.jp-Notebook .cm-content')].map(e => e.innerText)"
        return list(self.page.evaluate(texts))

    def tell(self, cell: int = 1) -> str:
        return self.run(cell).inner_text()

    def canvas(self, view: int = 0) -> Locator:
        canvas = self.page.get_by_test_id("canvas").nth(view)
        canvas.wait_for()
        canvas.scroll_into_view_if_needed()
        return canvas


def wait_for(book: Notebook, text: str) -> None:
    end = time.monotonic() + PATIENCE
    told = ""
    while time.monotonic() < end:
        told = book.tell()
        if text in told:
            return
    raise AssertionError(f"expected {text!r}, the cell says {told!r}")


@pytest.fixture
def book(page: Page, lab: Any, request: pytest.FixtureRequest) -> Notebook:
    name = re.sub(r"\W", "_", request.node.name)
    book = Notebook(page, lab, name, [FIRST, TELL, "circuit.add_neuron('new', role='command')", "editor"])
    book.run(0)
    book.canvas()
    return book


def test_the_mouse_and_the_keys_edit_the_circuit_in_python(book: Notebook) -> None:
    canvas = book.canvas()
    box = canvas.bounding_box()
    assert box is not None
    book.page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    wait_for(book, "neurons: eye mid arm inter_0")
    canvas.focus()
    book.page.keyboard.press("Control+z")
    wait_for(book, "neurons: eye mid arm ;")
    canvas.focus()
    book.page.keyboard.press("Control+a")
    book.page.keyboard.press("Delete")
    wait_for(book, "neurons: ;")


def test_keys_in_the_focused_widget_change_no_cell(book: Notebook) -> None:
    before = book.sources()
    canvas = book.canvas()
    for key in KEYS:
        canvas.focus()
        book.page.keyboard.press(key)
        frames(book.page, 3)
    book.page.keyboard.press("Escape")
    canvas.focus()
    book.page.keyboard.press("Control+z")
    assert book.sources() == before
    assert book.page.locator(".jp-Notebook .jp-Cell").count() == 4


def test_the_right_button_is_ours(book: Notebook) -> None:
    box = book.canvas().bounding_box()
    assert box is not None
    book.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, button="right")
    expect(book.page.locator(".gl-menu")).to_be_visible()
    assert book.page.locator(".lm-Menu:visible").count() == 0


def test_what_a_cell_does_is_seen(book: Notebook) -> None:
    book.run(2)
    expect(book.page.locator(".gl-status").first).to_contain_text("4 neurons")
    canvas = book.canvas()
    canvas.focus()
    book.page.keyboard.press("Control+a")
    book.page.keyboard.press("Delete")
    wait_for(book, "neurons: ;")


def test_two_views_of_one_widget(book: Notebook) -> None:
    book.run(3)
    book.canvas(1).focus()
    book.page.keyboard.press("n")
    wait_for(book, "eye mid arm inter_0")
    for view in range(2):
        expect(book.page.locator(".gl-status").nth(view)).to_contain_text("4 neurons")


def test_a_cell_that_is_run_again_keeps_the_session(book: Notebook) -> None:
    book.canvas().focus()
    book.page.keyboard.press("n")
    wait_for(book, "inter_0")
    book.run(3)
    book.canvas(1)
    expect(book.page.locator(".gl-status").nth(1)).to_contain_text("4 neurons")


def test_a_run_of_fit_has_a_bar_and_its_curve(page: Page, lab: Any) -> None:
    book = Notebook(page, lab, "fit", [FIRST, FIT])
    book.run(0)
    output = book.run(1)
    expect(output.locator("progress")).to_have_attribute("value", "3")
    expect(output.get_by_role("img", name="loss by epoch")).to_be_visible()
    expect(output).to_contain_text("3 of 3 steps")


def test_edits_wait_while_python_is_busy(page: Page, lab: Any) -> None:
    """The session is held as long as a cell runs, as a kernel without subshells holds everything."""
    hold = (
        "import pathlib, time\nwith editor.session.lock:\n"
        "    while not pathlib.Path('go on').exists(): time.sleep(0.05)"
    )
    book = Notebook(page, lab, "busy", [FIRST, TELL, hold])
    book.run(0)
    canvas = book.canvas()
    book.cells.nth(2).locator(".cm-content").first.click()
    page.keyboard.press("Control+Enter")
    expect(book.cells.nth(2).locator(".jp-InputPrompt").first).to_contain_text("[*]")
    canvas.focus()
    page.keyboard.press("n")
    expect(page.locator(".gl-alert").first).to_contain_text("kernel is busy")
    page.keyboard.press("n")
    (book.path.parent / "go on").touch()
    expect(page.locator(".gl-alert")).to_have_count(0)
    wait_for(book, "eye mid arm inter_0 inter_1")


def test_a_restarted_kernel_ends_the_session_and_the_cell_begins_it_anew(book: Notebook) -> None:
    book.page.keyboard.press("Escape")
    book.page.get_by_role("button", name="Restart the kernel", exact=True).click()
    with book.page.expect_response(lambda answer: answer.url.split("?")[0].endswith("/restart")):
        book.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    book.started = False
    book.run(2)  # which fails, as there is no circuit
    book.run(0)
    book.canvas().focus()
    book.page.keyboard.press("n")
    wait_for(book, "neurons: eye mid arm inter_0")
