"""Look at the built pages as readers do: what is wider than a phone, texts of too little contrast, pictures.

    python docs/look.py [FOLDER]          # after make docs; GANGLION_CHROMIUM names a browser

Prints a line per fault: text or a table that scrolls sideways at 390 px, and text whose contrast is below
4.5 (WCAG AA; 3 for large letters), in light and in dark: `look.html` shows every page in a frame.
With a folder, every page is kept as pictures at 390 and 1440 px, light and dark.
"""

from __future__ import annotations

import functools
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

PROBE = Path(__file__).with_suffix(".html")
BUILT = Path(__file__).resolve().parent / "_build" / "html"
CHROMIUM = os.environ.get("GANGLION_CHROMIUM") or shutil.which("chromium") or "/usr/lib/chromium/chromium"
LEFT_OUT = ("genindex", "search", "py-modindex", "_modules", "sg_execution_times", "_static")


def browse(*options: str) -> str:
    """What the browser prints."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def pages() -> list[str]:
    """The built pages, but for those of Sphinx and of source code."""
    names = [path.relative_to(BUILT).as_posix() for path in sorted(BUILT.rglob("*.html"))]
    return [name for name in names if not name.startswith(LEFT_OUT)]


def main(folder: Path | None = None) -> int:
    """Print what is found, and draw; the number of faults."""
    serve = functools.partial(_Quiet, directory=str(BUILT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    probe = BUILT / "_probe.html"
    probe.write_text(PROBE.read_text().replace("PAGES", json.dumps(pages())))
    try:
        printed = browse("--virtual-time-budget=240000", "--dump-dom", f"{root}/_probe.html")
    finally:
        probe.unlink()
    match = re.search(r'<pre id="found">(.*?)</pre>', printed, re.DOTALL)
    found = json.loads(html.unescape(match[1])) if match else []
    for page, *rest in found:
        print(f"{page}: {', '.join(rest)}")
    print(f"{len(pages())} pages, {len(found)} faults")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for page in pages():
            for dark in (False, True):
                for width in (390, 1440):
                    name = f"{page.removesuffix('.html').replace('/', '-')}-{width}{'-dark' * dark}.png"
                    options = ["--blink-settings=preferredColorScheme=0"] * dark
                    browse(
                        *options,
                        f"--window-size={width},1600",
                        f"--screenshot={folder / name}",
                        f"{root}/{page}",
                    )
    server.shutdown()
    return len(found)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
