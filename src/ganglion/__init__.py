"""Ganglion: a graph-first toolkit for liquid neural circuits on MLX.

The public names are listed in ``__init__.pyi`` and are loaded on first use, so that ``import ganglion`` is
quick and ``import ganglion.wiring`` needs no MLX.
"""

import builtins
from typing import Any

import lazy_loader

_public, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# A star import brings the public names, but for those that hide one of Python (`compile`) or of the importer.
__all__ = [name for name in __all__ if not hasattr(builtins, name) and name != "__version__"]


def __getattr__(name: str) -> Any:
    try:
        return _public(name)
    except AttributeError:
        if name.startswith("_") or name in __dir__():
            raise
        from .wiring.words import suggestion

        raise AttributeError(f"ganglion has no {name!r}{suggestion(name, __dir__())}") from None
