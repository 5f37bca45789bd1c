"""Two directives of ours: what a module offers, and what the command line says of itself."""

from __future__ import annotations

import argparse
import inspect
from importlib import import_module
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from offered import commands_of, public_names
from sphinx.util.docutils import SphinxDirective


class Offers(SphinxDirective):
    """A table of a module's public names, each with its first line, and then every one in full.

    The content lists some of the names, in that order; without it all are taken. With ``intro`` the module's
    own words come first.
    """

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"intro": directives.flag}

    def run(self) -> list[nodes.Node]:
        module = import_module(self.arguments[0])
        names = [line.strip() for line in self.content if line.strip()] or public_names(module)
        lines = [f".. automodule:: {module.__name__}", "   :no-members:", ""] * ("intro" in self.options)
        lines += [".. currentmodule:: None", "", ".. autosummary::", "   :nosignatures:", ""]
        told = [
            name for name in names if _kind(getattr(module, name)) != "data"
        ]  # of a tuple it would tell what tuples are
        lines += [*(f"   ~{module.__name__}.{name}" for name in told), ""]
        lines += [f".. currentmodule:: {module.__name__}", ""]
        for name in names:
            value = getattr(module, name)
            if _kind(value) == "data":  # whose words stand where it is made, out of sight of autodoc
                lines += [f".. py:data:: {module.__name__}.{name}", f"   :value: {value!r}", ""]
            else:
                lines += [f".. auto{_kind(value)}:: {module.__name__}.{name}", *_options(value), ""]
        return self.rst(lines)

    def rst(self, lines: list[str]) -> list[nodes.Node]:
        """Parse lines of reStructuredText inside a page of Markdown."""
        place = nodes.container()
        fenced = StringList(["```{eval-rst}", *lines, "```"], self.get_source_info()[0])
        self.state.nested_parse(fenced, self.content_offset, place)
        return list(place.children)


def _options(value: Any) -> list[str]:
    return ["   :members:"] * inspect.isclass(value)


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


class Commands(SphinxDirective):
    """Every command of the command line as its own ``--help`` says it."""

    def run(self) -> list[nodes.Node]:
        from ganglion.cli import build_parser

        return [_section(name, parser) for name, parser in commands_of(build_parser())]


def _section(name: str, parser: argparse.ArgumentParser) -> nodes.section:
    text = parser.format_help()
    section = nodes.section("", ids=[nodes.make_id(name)], names=[name])
    section += nodes.title("", "", nodes.literal("", name))
    section += nodes.literal_block(text, text, language="text")
    return section
