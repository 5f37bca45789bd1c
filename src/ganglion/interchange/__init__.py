"""Models in files: kept by `save`, read back by `load`, handed to other programs by `export_mlx`."""

from .circuits import circuit_of
from .deploy.export_c import export_c
from .deploy.export_onnx import export_onnx
from .export import export_mlx
from .files import load, provenance, save
from .lems.export import export_lems
from .ncps import to_ncps
from .nir import export_nir
from .scaled import Scaled

__all__ = [
    "Scaled",
    "circuit_of",
    "export_c",
    "export_lems",
    "export_mlx",
    "export_nir",
    "export_onnx",
    "load",
    "provenance",
    "save",
    "to_ncps",
]
