"""What there is to document: public names of modules, and commands of the command line."""

from __future__ import annotations

import argparse
from types import ModuleType


def public_names(module: ModuleType) -> list[str]:
    """What a module lists, or defines itself; modules inside it have places of their own."""
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    listed = getattr(module, "__all__", [name for name in own if not name.startswith("_")])
    return [name for name in listed if not isinstance(getattr(module, name), ModuleType | dict)]


def commands_of(parser: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    """The parser itself and each of its commands, by what one types."""
    found = [(parser.prog, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in dict.fromkeys(action.choices.values()):
                found += commands_of(inner)
    return found
