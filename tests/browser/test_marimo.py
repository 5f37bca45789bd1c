"""The widget in marimo: the same page, the same circuit."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.hand import until
from tests.browser.test_jupyter import free_port

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import ganglion as gl

    circuit = gl.Circuit()
    circuit.add_neuron("eye", role="sensory", x=0, y=0)
    circuit.add_neuron("mid", role="inter", x=120, y=0)
    circuit.add_neuron("arm", role="motor", x=240, y=0)
    circuit.add_synapses([("eye", "mid"), ("mid", "arm")])
    editor = gl.edit(circuit, live=LIVE)
    editor
    return circuit, editor, gl


@app.cell
def _():
    import marimo as mo

    again = mo.ui.button(label="tell", value=0, on_click=lambda count: count + 1)
    again
    return again, mo


@app.cell
def _(editor):
    editor
    return


@app.cell
def _(again, circuit, mo):
    mo.md(f"told {again.value}: {' '.join(circuit)}; {len(circuit.edges)} synapses")
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(params=["False", "True"], ids=["still", "live"])
def notebook(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "book.py"
    path.write_text(NOTEBOOK.replace("LIVE", request.param))
    port, token = free_port(), secrets.token_hex(8)
    command = [sys.executable, "-m", "marimo", "run", str(path), "--headless", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--token-password", token]
    environment = os.environ | {
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path),
        "MARIMO_SKIP_UPDATE_CHECK": "1",
    }
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.2)
        yield f"{address}/?access_token={token}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def tell(page: Page) -> str:
    """What the circuit in Python is now."""
    told = page.get_by_text(re.compile(r"^told \d+"))
    before = told.inner_text()
    page.get_by_role("button", name="tell").click()
    expect(told).not_to_have_text(before)
    return told.inner_text()


def wait_for(page: Page, text: str) -> None:
    """Until Python says that of the circuit."""
    until(lambda: text in tell(page), text)


def test_two_views_of_one_widget_edit_the_circuit(page: Page, notebook: str) -> None:
    page.set_viewport_size({"width": 1300, "height": 1900})
    page.goto(notebook)
    canvas, status = page.get_by_test_id("canvas"), page.locator(".gl-status")
    canvas.nth(1).wait_for()
    for view in range(2):
        expect(status.nth(view)).to_contain_text("3 neurons")
    wait_for(page, "eye mid arm; 2 synapses")
    for view, keys, count, told in (
        (0, ["n"], 4, "eye mid arm inter_0; 2 synapses"),
        (1, ["Control+a", "Delete"], 0, "; 0 synapses"),
        (1, ["Control+z"], 4, "eye mid arm inter_0; 2 synapses"),
    ):
        canvas.nth(view).focus()
        for key in keys:
            page.keyboard.press(key)
        for other in range(2):
            expect(status.nth(other)).to_contain_text(f"{count} neurons")
        wait_for(page, told)
