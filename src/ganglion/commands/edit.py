"""The command ``ganglion edit``: a circuit file in the browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .options import port

EDIT = """\
Edit a circuit file in the browser, with the network running meanwhile. A file
that is not there yet starts empty. Every edit is kept in FILE.journal at once;
the file itself is written when you save, and when nobody has edited for a
minute. The page is served on this machine only, to whoever has the address that
is printed."""


def add_commands(commands: Any) -> None:
    """Add the command to those of the command line."""
    edit = commands.add_parser("edit", help="edit a circuit file in the browser", description=EDIT)
    edit.set_defaults(run=_edit)
    edit.add_argument("circuit", type=Path, metavar="FILE", help="circuit file, such as c.json")
    edit.add_argument("--port", type=port, default=0, metavar="N", help="default: a free one")
    edit.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    edit.add_argument("--no-live", action="store_true", help="do not compile and run the network")
    edit.add_argument("--no-autosave", action="store_true", help="write the file only when you save")


def _edit(arguments: argparse.Namespace) -> None:
    from ..editor.standalone import serve

    serve(
        arguments.circuit,
        port=arguments.port,
        browser=not arguments.no_browser,
        live=not arguments.no_live,
        autosave=not arguments.no_autosave,
        tell=lambda line: print(line, flush=True),
    )
