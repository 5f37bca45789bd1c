"""Whether a browser starts here: `python -m tests.browser.start` says why not, in a sentence, and fails."""

from __future__ import annotations

import os
import shutil
import sys

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def start(playwright: Playwright) -> Browser:
    """Chromium as it is installed here, without a GPU.

    Raises:
        FileNotFoundError: there is none.
    """
    found = os.environ.get("GANGLION_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise FileNotFoundError("install Debian's package chromium, or set GANGLION_CHROMIUM")
    return playwright.chromium.launch(executable_path=found, args=["--disable-gpu", "--no-sandbox"])


def main() -> int:
    try:
        with sync_playwright() as playwright:
            browser = start(playwright)
            page = browser.new_page()
            page.set_content("<canvas></canvas>")
            drawn = page.evaluate("() => !!document.querySelector('canvas').getContext('2d')")
            browser.close()
    except Exception as error:
        print(f"no browser starts: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    return 0 if drawn else 1


if __name__ == "__main__":
    sys.exit(main())
