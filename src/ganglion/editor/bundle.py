"""The page as it is shipped: the built module and styles, and the document that loads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

BUILT = Path(__file__).parents[1] / "viz" / "editor" / "page" / "dist"  # without loading what draws pictures
FILES = {"editor.js": "text/javascript", "editor.css": "text/css"}

INDEX = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/editor.css">
<title>Ganglion</title>
<style>html, body { margin: 0; height: 100%; } main { height: 100vh; }</style>
<main id="ganglion" data-session="/session"></main>
<script type="module" src="/editor.js"></script>
</html>
"""
"""The document of the standalone page."""


@cache
def asset(name: str) -> tuple[str, str]:
    """A file of the page and its media type.

    Raises:
        KeyError: there is none of this name.
    """
    return (BUILT / name).read_text(encoding="utf-8"), FILES[name]
