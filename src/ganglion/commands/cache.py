"""The command ``ganglion cache``: what the cache of built kernels holds, and emptying it."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

CACHE = """\
Show the cache of built kernels, or clear it. A kernel that the package does not
carry is built at its first use on a machine and kept in a directory that only
its user can change. The cache is in $GANGLION_CACHE if that is set, else in the
user's cache. It is bounded: what was not used for longest goes first."""


def add_commands(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser("cache", help="show or clear the cache of built kernels", description=CACHE)
    parser.set_defaults(run=_cache)
    parser.add_argument("--clear", action="store_true", help="remove all kernels; the next use builds them")


def _cache(arguments: argparse.Namespace) -> None:
    from ..compile.kernels import prebuilt
    from ..compile.kernels.cache import MOST, chosen_directory, clear, entries
    from ..compile.kernels.trusted import UntrustedError, private_directory
    from ..errors import KernelError

    for level, count in prebuilt.carried().items():
        print(f"the package carries {count} kernels for {level}")
    chosen = chosen_directory()
    if not chosen.exists() and not chosen.is_symlink():
        print(f"{chosen}: no kernels, nothing was built yet")
        return
    try:
        directory = private_directory(chosen)
    except UntrustedError as error:
        raise KernelError(f"the cache is not used: {error}") from error
    if arguments.clear:
        print(f"{chosen}: {clear(directory)} kernels removed")
        return
    held = entries(directory)
    for entry in held:
        used = datetime.fromtimestamp(entry.used).isoformat(" ", "minutes")
        print(f"{used}  {entry.size / 1024:7.0f} KiB  {entry.name}")
    size = sum(entry.size for entry in held) / 2**20
    print(f"{chosen}: {len(held)} kernels, {size:.1f} MiB of {MOST / 2**20:.0f} MiB at most")
