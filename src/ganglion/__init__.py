"""Ganglion: a graph-first toolkit for liquid neural circuits on MLX.

The public names are listed in ``__init__.pyi`` and are loaded on first use, so that ``import ganglion`` is
quick and ``import ganglion.wiring`` needs no MLX.
"""

import builtins

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
# A star import brings the public names, but for those that hide one of Python (`compile`) or of the importer.
__all__ = [name for name in __all__ if not hasattr(builtins, name) and name != "__version__"]
