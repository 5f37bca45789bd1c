"""A real browser, driven by real mouse and key events; nothing it asks for may leave the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from tests.browser.hand import PATIENCE

expect.set_options(timeout=1000 * PATIENCE)

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("GANGLION_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"no browser: install Debian's package chromium (looked for {', '.join(NAMES)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--disable-gpu", "--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile; a request to another machine, or an error on a page, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(1000 * PATIENCE)
    foreign: list[str] = []
    broken: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "http://localhost:", "data:", "blob:", "file:")):
            foreign.append(request.url)

    context.on("request", look)
    context.on("weberror", lambda error: broken.append(str(error.error)))
    yield context
    context.close()
    assert foreign == []
    assert broken == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()
