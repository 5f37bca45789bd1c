"""`save` and `load`: a model in one file, weights and circuit together, that cannot run code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten

from ..arguments import instance, one_of, short
from ..arguments import path as as_path
from ..cells.belonging import without_digests
from ..cells.networks.engine import ENGINES
from ..cells.overlay import refuse_perturbed
from ..compile.pipeline import CHOICES
from ..errors import FileError, LayoutError
from ..forks import require_computing
from ..storage import finite, read_document, read_file, replace_files
from .describe import build, describe
from .origins import KEY, LINES, provenance_in_lines, provenance_of, remember_training
from .randomness import random_state_kept
from .tensors import Arrays, decode, encode

FORMAT = "ganglion-model"
VERSION = 1
SMALLEST_LIMIT = 10_000
"""Whole numbers up to this are accepted in every description, such as the unfolds of a tiny LTC."""
MODEL_FILES = ("best.safetensors", "model.safetensors")
"""What to load from a checkpoint, best first."""


def save(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write a network to a safetensors file: weights, options, circuit, and which parameters are frozen.

    The file is replaced whole or, if there is an error, not touched. Any safetensors reader can open it; the
    description, the model's config, is JSON in its metadata.

    Raises:
        TypeError: a module of your own, which a file cannot describe; one derived from `NCPLayer` it can.
        ValueError: a parameter holds values that are not finite, which `load` would refuse.
        OSError: the file cannot be written.

    Example:
        >>> gl.save(rnn, "rnn.safetensors")
        >>> rnn = gl.load("rnn.safetensors")
    """
    require_computing()
    instance("model", model, nn.Module, "a network")
    refuse_perturbed(model, "a file")
    file = as_path("path", path)
    for name, array in parameters_of(model).items():
        if mx.issubdtype(array.dtype, mx.floating) and not mx.isfinite(array).all().item():
            raise ValueError(f"{name!r} holds values that are not finite, which load would refuse: not saved")
    replace_files({file: encode_model(model)})


def load(path: str | os.PathLike[str], *, engine: str | None = None, layout: str | None = None) -> Any:
    """The network in a file that `save` wrote, or the best one of a training run's directory.

    Nothing in a file can run code: there is no pickle, and what it names is chosen from the layers that the
    program knows. A layer of your own is known once its module is imported.

    Args:
        path: a file, or the directory of a run of `fit` or ``ganglion train``.
        engine: who runs sequences, see `RNN`; as it was saved if not given.
        layout: how synapses are executed, see `compile_circuit`; as it was saved if not given.

    Raises:
        FileError: not a model, cut short, or something in it does not fit; the message says what.
        OSError: the file cannot be read.

    Example:
        >>> rnn = gl.load("run")
        >>> outputs, state = rnn(x)
    """
    require_computing()
    if engine is not None:
        one_of("engine", engine, ENGINES)
    if layout is not None:
        one_of("layout", layout, CHOICES, LayoutError)
    file = _file(path)
    arrays, metadata = decode(read_file(file), file)
    largest = max(SMALLEST_LIMIT, sum(array.size for array in arrays.values()))
    try:
        with random_state_kept():  # building draws initial values, which are then replaced
            document = _document(metadata)
            model = build(document.get("model"), largest, engine=engine, layout=layout)
        take_precision(model, arrays)
        load_arrays(model, arrays)
        _freeze(model, document.get("frozen", []))
    except FileError as error:
        raise FileError(f"{file}: {error}") from None
    with suppress(FileError):  # which says nothing that the network needs
        remember_training(model, _provenance(metadata, file).get("training"))
    return model


def provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Where the network in a file, or in a training run's directory, comes from, as the file says.

    Or where a store of `study` or `experiment` was begun.

    Returns:
        The releases of ``ganglion``, ``mlx``, ``numpy`` and ``python``, the ``machine``, ``device`` and
        ``command``, a digest of the texts of the ``kernels``, and by the path of each network its engine and
        its circuit's digest. A network that `fit` trained has ``training``: seed, loss, optimizer and other
        settings, and digests of the data. Empty for files of releases before this.

    Raises:
        FileError: not a model, or the file is damaged.
        OSError: the file cannot be read.

    Example:
        >>> gl.provenance("run")["training"]["seed"]
    """
    file = _file(path)
    data = read_file(file)
    if data.startswith(LINES):
        return provenance_in_lines(data)
    return _provenance(decode(data, file)[1], file)


def _provenance(metadata: Mapping[str, str], file: Path) -> dict[str, Any]:
    try:
        found = json.loads(metadata.get(KEY, "{}"), parse_constant=finite, parse_float=finite)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{file}: the provenance is not sound JSON: {str(error)[:80]}") from None
    if not isinstance(found, dict):
        raise FileError(f"{file}: the provenance is {short(found)}, expected an object")
    return found


def _file(path: str | os.PathLike[str]) -> Path:
    """The file of a model: the path, or the best one in the directory of a run."""
    file = as_path("path", path)
    return _in_run(file) if file.is_dir() else file


def encode_model(model: nn.Module) -> bytes:
    """A model as the content of a file."""
    return encode(parameters_of(model), metadata_of(model))


def metadata_of(model: nn.Module) -> dict[str, str]:
    """The texts that go with the weights of a model in a file.

    Raises:
        TypeError: a module that cannot be described.
    """
    described = describe(model)
    frozen = sorted(set(parameters_of(model)) - set(dict(tree_flatten(model.trainable_parameters()))))
    document = {"format": FORMAT, "version": VERSION, "model": described, "frozen": frozen}
    texts = {"ganglion": document, KEY: provenance_of(model)}
    return {name: json.dumps(value, separators=(",", ":")) for name, value in texts.items()}


def parameters_of(model: nn.Module) -> Arrays:
    """All parameters by name, frozen ones included; the digests of circuits not, which are files' own."""
    return without_digests(dict(tree_flatten(model.parameters())))


def take_precision(model: nn.Module, arrays: Mapping[str, mx.array]) -> None:
    """Give the parameters of a model the floating-point types of the arrays that are to take their place."""
    kinds = (mx.float16, mx.bfloat16, mx.float32)
    turned = [
        (name, ours.astype(arrays[name].dtype))
        for name, ours in parameters_of(model).items()
        if name in arrays and ours.dtype in kinds and arrays[name].dtype in kinds
    ]
    model.update(tree_unflatten(turned))


def _freeze(model: nn.Module, frozen: Any) -> None:
    """Freeze parameters by path.

    Raises:
        FileError: no list of the names of parameters.
    """
    known = parameters_of(model)
    names = frozen if isinstance(frozen, list) else [frozen]
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if unknown:
        raise FileError(f"{short(unknown[0])} is frozen, but there is no such parameter")
    modules = dict(model.named_modules())
    for name in names:
        path, _, key = name.rpartition(".")
        while path not in modules:  # an array in a list or a dict of a module: its first name is the key
            path, _, first = path.rpartition(".")
            key = first
        modules[path].freeze(keys=[key], recurse=False)


def load_arrays(model: nn.Module, arrays: Mapping[str, mx.array]) -> None:
    """Load parameters by name: all of them, or none if there is an error.

    Raises:
        FileError: as `check_arrays`.
    """
    check_arrays(arrays, parameters_of(model))
    put_parameters(model, arrays)


def put_parameters(model: nn.Module, arrays: Mapping[str, mx.array]) -> None:
    """Let a model have these parameters, by name, as `parameters_of` gives them."""
    model.update(tree_unflatten(list(arrays.items())))


def check_arrays(arrays: Mapping[str, mx.array], expected: Mapping[str, mx.array]) -> None:
    """Refuse arrays that cannot take the place of those expected.

    Raises:
        FileError: a name is missing or unknown, a shape or type differs, or a value is not finite.
    """
    for name in arrays:
        if name not in expected:
            raise FileError(f"{short(name)} is not among the names expected, {', '.join(expected)}")
    for name, ours in expected.items():
        if name not in arrays:
            raise FileError(f"there is no {name!r}")
        theirs = arrays[name]
        if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
            raise FileError(
                f"{name!r} is {theirs.dtype} of shape {theirs.shape}, not {ours.dtype} of shape {ours.shape}"
            )
        if mx.issubdtype(theirs.dtype, mx.floating) and not mx.isfinite(theirs).all().item():
            raise FileError(f"{name!r} holds values that are not finite")


def newest_checkpoint(directory: Path) -> Path | None:
    """The newest complete checkpoint of a run, ``step-<number>``; None if there is none.

    A checkpoint gets its name when it is complete, so whatever has one is.
    """
    found = [path for path in directory.glob("step-*") if path.name[5:].isdecimal() and path.is_dir()]
    return max(found, key=lambda path: int(path.name[5:]), default=None)


def _in_run(directory: Path) -> Path:
    checkpoint = newest_checkpoint(directory)
    files = [checkpoint / name for name in MODEL_FILES] if checkpoint else []
    for file in files:
        if file.is_file():
            return file
    raise FileError(f"{directory}: there is no checkpoint in this directory")


def _document(metadata: Mapping[str, str]) -> dict[str, Any]:
    if "ganglion" not in metadata:
        raise FileError(
            "this safetensors file holds weights but no description of a network; gl.save writes one"
        )
    try:
        return read_document(metadata["ganglion"], FORMAT, VERSION)
    except FileError as error:
        raise FileError(f"the description {error}") from None
