"""What the package is called and which release it is, declared once. A leaf that imports nothing."""

from __future__ import annotations

__version__ = "0.1.0"
NAME = "ganglion-mlx"
"""The distribution's name. On PyPI, ``ganglion`` is somebody else's package."""
PUBLISHED = False
"""Until it is, whoever registers the name there could serve anything, so nobody is sent to it."""


def how_to_install(extra: str) -> str:
    """Which extra brings something, and how to get it.

    Example:
        >>> how_to_install("demo")
        '"ganglion-mlx[demo]"; it is not on PyPI yet: run pip install ".[demo]" in a checkout of Ganglion'
    """
    wanted = f'"{NAME}[{extra}]"'
    if PUBLISHED:
        return f"pip install {wanted}"
    return f'{wanted}; it is not on PyPI yet: run pip install ".[{extra}]" in a checkout of Ganglion'
