"""Checkpoints: a run in a directory, complete or not there at all.

    run/step-00000040/   model.safetensors      weights, options and circuit; gl.load reads it
                         best.safetensors       the same after the best epoch, with validation
                         optimizer.safetensors  the optimizer's state
                         carried.safetensors    the state that the last window of recordings left
                         circuit.json           the circuit; gl.read reads it
                         state.json             epoch, batch, random state, history, digests of the others

A checkpoint is written under a temporary name, flushed to the disk and renamed. So a directory with such a
name is complete, whenever the power goes, and older ones are removed only after that.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import mlx.nn as nn
import mlx.optimizers as optim
from mlx.utils import tree_flatten, tree_unflatten

from ..arguments import short
from ..errors import FileError
from ..interchange.describe import circuits_of
from ..interchange.files import check_arrays, metadata_of, newest_checkpoint, parameters_of, put_parameters
from ..interchange.tensors import Arrays, decode, encode
from ..storage import make_directory, read_document, read_file, remove_directory, sweep_directory
from ..wiring.files import json_format

FORMAT = "ganglion-checkpoint"
VERSION = 1
MODEL, BEST, OPTIMIZER, STATE = "model.safetensors", "best.safetensors", "optimizer.safetensors", "state.json"
CARRIED = "carried.safetensors"
KEPT = 2
"""Checkpoints that stay in the directory: the newest, and one to go back to."""

Files = dict[str, bytes]


class Store:
    """The checkpoints of one run in one directory, which one process at a time may write.

    Raises:
        FileError: another process is training into the directory.
        OSError: the directory cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(directory / ".lock")
        sweep_directory(directory, "step-*")

    def close(self) -> None:
        """Let another process train into the directory."""
        self._lock.close()

    def write(self, step: int, files: Files) -> None:
        """Write a checkpoint.

        Raises:
            OSError: the disk is full or refuses; the checkpoints before are still there.
        """
        final = self.directory / f"step-{step:08d}"
        if final.exists():  # the run was resumed here and has not moved
            return
        try:
            make_directory(final, files)
        except OSError as error:
            raise OSError(error.errno, self._refusal(error), str(final)) from None
        self._remove_old()

    def read(self) -> Files:
        """The files of the newest checkpoint; none if there is no checkpoint."""
        newest = self.newest()
        return {path.name: read_file(path) for path in newest.iterdir()} if newest else {}

    def newest(self) -> Path | None:
        """The newest checkpoint."""
        return newest_checkpoint(self.directory)

    def _refusal(self, error: OSError) -> str:
        kept = self.newest()
        last = f"the last complete checkpoint is {kept.name}" if kept else "there is no checkpoint yet"
        return f"{error.strerror}; {last}"

    def _remove_old(self) -> None:
        names = [path for path in self.directory.glob("step-*") if path.name[5:].isdecimal()]
        for path in sorted(names, key=lambda path: int(path.name[5:]))[:-KEPT]:
            remove_directory(path)


class About:
    """What a model is: the parts of its checkpoints that do not change while it trains.

    A module of your own has no description, and only its weights are kept.
    """

    def __init__(self, model: nn.Module) -> None:
        try:
            self.metadata = metadata_of(model)
        except TypeError:
            self.metadata = {}
        self.circuits = {
            f"{place}.circuit.json" if place else "circuit.json": json_format.encode(circuit)
            for place, circuit in circuits_of(model).items()
        }


def encode_checkpoint(
    about: About,
    weights: Arrays,
    best: Arrays | None,
    optimizer_state: Any,
    state: Mapping[str, Any],
    carried: Any = None,
) -> Files:
    """The files of a checkpoint; `state` is whatever JSON holds, `carried` that of a network, if any."""
    files = {
        **about.circuits,
        MODEL: encode(weights, about.metadata),
        OPTIMIZER: encode(dict(tree_flatten(optimizer_state)), {}),
    }
    if best is not None:
        files[BEST] = encode(best, about.metadata)
    if carried is not None:
        files[CARRIED] = encode(dict(tree_flatten({"state": carried})), {})
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    document = {"format": FORMAT, "version": VERSION, **state, "files": digests}
    files[STATE] = json.dumps(document).encode()
    return files


def load_checkpoint(
    files: Files, about: About, model: nn.Module, optimizer: optim.Optimizer, source: object
) -> tuple[dict[str, Any], Arrays | None, Any]:
    """Load a checkpoint into a model and an optimizer.

    Returns:
        The rest of the state, the best weights and the state of the network; None for what is not there.

    Raises:
        FileError: a file is missing, damaged, or of another circuit, model or optimizer; nothing is loaded.
    """
    state = read_state(files, source)
    for name in (MODEL, OPTIMIZER):
        if name not in files:
            raise FileError(f"{source}: there is no {name}")
    for name, circuit in about.circuits.items():
        if files.get(name) != circuit:
            raise FileError(f"{source}/{name}: this run trains another circuit")
    optimizer.init(model.trainable_parameters())
    parameters = parameters_of(model)
    expected = {MODEL: parameters, BEST: parameters, OPTIMIZER: dict(tree_flatten(optimizer.state))}
    found = {name: decode(files[name], f"{source}/{name}")[0] for name in expected if name in files}
    for name, arrays in found.items():
        try:
            check_arrays(arrays, expected[name])
        except FileError as error:
            raise FileError(f"{source}/{name}: {error}") from None
    put_parameters(model, found[MODEL])
    optimizer.state = tree_unflatten(list(found[OPTIMIZER].items()))
    carried = None
    if CARRIED in files:
        carried = _in_tuples(tree_unflatten(list(decode(files[CARRIED], f"{source}/{CARRIED}")[0].items())))
        carried = carried["state"]
    return state, found.get(BEST), carried


def _in_tuples(tree: Any) -> Any:
    """Lists as the tuples that networks return."""
    if isinstance(tree, dict):
        return {name: _in_tuples(part) for name, part in tree.items()}
    return tuple(map(_in_tuples, tree)) if isinstance(tree, list) else tree


def read_state(files: Files, source: object) -> dict[str, Any]:
    """What `encode_checkpoint` was given as state, after comparing all files with their digests.

    Raises:
        FileError: a file is missing, foreign or damaged.
    """
    try:
        state = read_document(files.get(STATE, b""), FORMAT, VERSION)
    except FileError as error:
        raise FileError(f"{source}/{STATE} {error}") from None
    digests = state.get("files")
    if not isinstance(digests, dict) or digests.keys() != files.keys() - {STATE}:
        raise FileError(f"{source}: the files are not those that {STATE} names: {short(digests)}")
    for name, digest in digests.items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise FileError(f"{source}/{name}: the content is not what was written: the file is damaged")
    return state


def _locked(path: Path) -> IO[bytes]:
    """Hold a lock that the system lets go when the process ends, however it ends."""
    lock = path.open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise FileError(f"{path.parent}: another process is training into this directory") from None
    return lock
