"""Promises over time: which versions of a format are read, and how a name is given up.

A document says `"version"`, a whole number that grows when older releases could misread what is written,
and `"minor"`, 0 if left out, which grows when something is added that they may leave out. So a release reads
every version it or an older release wrote, reads a later minor with a warning, and refuses a later major.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from .arguments import label

KEPT = 2
"""Minor releases that a deprecated name lives on."""


def version_fault(
    document: Mapping[str, Any], major: int, minor: int = 0, *, since: int | None = None
) -> str | None:
    """Why a document of this version is not read, as the end of a sentence; None if it is.

    Args:
        document: what says its version.
        major, minor: the newest that is read.
        since: the oldest that is read, if there is an older one.

    Warns:
        UserWarning: it is of a later minor version, and what is new in it is left out.
    """
    given, more = document.get("version"), document.get("minor", 0)
    oldest = major if since is None else since
    if type(given) is not int or not oldest <= given <= major:
        between = "and" if major == oldest + 1 else "to"
        read = f"version {major}" if oldest == major else f"versions {oldest} {between} {major}"
        return f"is {label(given, 60)}; this release reads {read}"
    if given < major:
        return None
    if type(more) is not int or more < 0:
        return f"is {major}.{label(more, 60)}; expected a whole number"
    if more > minor:
        warnings.warn(
            f"{label(document.get('format'), 60)} {major}.{more} is of a later release than this one, which "
            f"knows {major}.{minor}: what is new in it is left out",
            UserWarning,
            stacklevel=3,
        )
    return None


def removed_in(since: str) -> str:
    """The release without a name that was deprecated in `since`: two minor ones later.

    Example:
        >>> removed_in("0.3")
        '0.5'
    """
    major, minor = since.split(".")[:2]
    return f"{major}.{int(minor) + KEPT}"


def deprecated(old: str, new: str, since: str) -> None:
    """Warn the caller of the function that calls this that a name goes, and which one to use.

    Example:
        >>> def old_name(x):
        ...     deprecated("gl.old_name", "gl.new_name", since="0.3")
        ...     return new_name(x)
    """
    warnings.warn(
        f"{old} is deprecated since {since} and will be gone in {removed_in(since)}: use {new}",
        DeprecationWarning,
        stacklevel=3,
    )
