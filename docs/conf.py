"""Sphinx settings; ``make docs`` builds the pages with warnings as errors."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import inspect
from sphinx.util.logging import getLogger
from sphinx.writers.html5 import HTML5Translator

from ganglion.distribution import __version__

sys.path.insert(0, str(Path(__file__).parent))  # for our directives and the order of the gallery

from directives import Commands, Offers

project = "Ganglion"
author = "The Ganglion authors"
copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

# In docstrings, single backticks mean code, as they do in Markdown.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "ignore_pattern": "train_",  # these take long, and draw nothing
    "within_subsection_order": "example_order.place",
    "capture_repr": ("_repr_html_",),
    "image_srcset": ["2x"],
    "thumbnail_size": (480, 336),
    "run_stale_examples": True,  # the package may have changed where the example has not
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 3600,  # how long an example took says nothing to its reader
    "write_computation_times": False,
}

html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["equations.css", "gallery.css"]
html_title = f"Ganglion {release}"
html_theme_options = {"navigation_with_keys": True}


def setup(app: Sphinx) -> None:
    """Show equations as MathML, which needs no script, and let docstrings hold Markdown tables."""
    app.add_directive("offers", Offers)
    app.add_directive("commands", Commands)
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    app.connect("source-read", _without_building)
    app.connect("autodoc-process-signature", _init_signature)
    app.connect("autodoc-process-docstring", _tables)
    app.connect("autodoc-process-docstring", _plain_properties, priority=400)


BUILDING = r"^ *ganglion: building kernels [^\n]*\n"
ALONE = (
    r"^\.\. rst-class:: sphx-glr-script-out\n\n \.\. code-block:: none\n\n" + BUILDING[1:] + r"\n*(?=\S|\Z)"
)


def _without_building(app: Sphinx, name: str, source: list[str]) -> None:
    # The first example of a fresh machine builds kernels and says so; that is no output of the example.
    if name.startswith("gallery/"):
        for wrong in (ALONE, BUILDING):
            source[0] = re.sub(wrong, "", source[0], flags=re.MULTILINE)


def _init_signature(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    # The classes of networkx and MLX that ours build on take any arguments, and autodoc would show just that.
    if what != "class" or "*args" not in (signature or ""):
        return None
    taken = inspect.signature(obj.__init__, bound_method=True)
    return inspect.stringify_signature(taken, show_return_annotation=False), returns


def _inline(writer: HTML5Translator, node: nodes.math) -> None:
    writer.body.append(_mathml(node, node.astext()))
    raise nodes.SkipNode


def _block(writer: HTML5Translator, node: nodes.math_block) -> None:
    tex = node.astext()
    if "\\\\" in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    writer.body.append(
        f'<div class="math" style="padding: 0.5em 0">{_mathml(node, tex, as_block=True)}</div>'
    )
    raise nodes.SkipNode


def _mathml(node: nodes.Node, tex: str, *, as_block: bool = False) -> str:
    try:
        return str(tex2mathml(tex, as_block=as_block))
    except MathError as error:
        getLogger(__name__).warning("equation %r: %s", tex, error, location=node)
        return ""


def _tables(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = [
        new for group in _grouped(lines) for new in (_list_table(group) if _is_table(group) else group)
    ]


def _plain_properties(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    # Napoleon takes the words before a colon for a type, but not where the colon ends the line.
    if what == "property" and ": " in lines[0]:
        before, after = lines[0].split(": ", 1)
        lines[:1] = [f"{before}:", after]


def _grouped(lines: list[str]) -> list[list[str]]:
    return [list(group) for _, group in groupby(lines, key=lambda line: line.lstrip().startswith("|"))]


def _is_table(group: list[str]) -> bool:
    return len(group) > 1 and group[1].lstrip().startswith("|-")


def _list_table(rows: list[str]) -> list[str]:
    indent = rows[0][: -len(rows[0].lstrip())]
    lines = ["", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", ""]
    for row in (rows[0], *rows[2:]):
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        marks = ["* -", *["  -"] * (len(cells) - 1)]
        lines += [f"{indent}   {mark} {cell}" for mark, cell in zip(marks, cells, strict=True)]
    return [*lines, ""]
