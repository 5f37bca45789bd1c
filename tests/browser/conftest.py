"""A real browser, driven by real mouse and key events; nothing it asks for may leave the machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from tests.browser.hand import PATIENCE, Hand
from tests.browser.start import start

from ganglion.editor.standalone import Standalone

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start(playwright)
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


@pytest.fixture
def hand(editor: Standalone, page: Page) -> Hand:
    """On the page of the `editor` that a module's tests have."""
    page.goto(editor.url)
    return Hand(page)
