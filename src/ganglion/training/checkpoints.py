"""When checkpoints are written and how a run goes on from one, on one process or several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from ..arguments import short
from ..errors import FileError
from ..interchange.files import load_arrays, parameters_of
from ..interchange.randomness import random_key, set_random_key
from ..interchange.tensors import decode, encode
from .ranks import Ranks
from .recipe import difference
from .run import Callback, Run
from .store import About, Files, Store, encode_checkpoint, load_checkpoint, read_state


class Checkpoints(Callback):
    """The checkpoints of a run; without a directory, only the processes of a run are brought together.

    Args:
        directory: where they are; None for nowhere.
        every: steps between two checkpoints inside an epoch.
        ranks: the processes; the first one reads and writes.
        recipe: what must be the same when the run goes on, see `recipe`.
    """

    def __init__(
        self, directory: Path | None, every: int | None, ranks: Ranks, recipe: Mapping[str, Any]
    ) -> None:
        self.directory, self.every, self.ranks, self.recipe = directory, every, ranks, dict(recipe)
        self._known: About | None = None
        self._store = Store(directory) if directory is not None and ranks.first else None

    def resume(self, run: Run) -> None:
        """Put a run where its newest checkpoint is, and all processes where the first one is.

        Raises:
            FileError: the checkpoint is damaged, or of another model, circuit or recipe.
        """
        found = self._store.read() if self._store else {}
        files = found if self.ranks.size == 1 else _unpacked(self.ranks.broadcast(_packed(found)))
        if files:
            self._load(run, files)
        elif self.ranks.size > 1:
            weights = self.ranks.broadcast(encode(parameters_of(run.model), {}))
            load_arrays(run.model, decode(weights, "the first process's model")[0])

    def on_step(self, run: Run) -> None:
        # At the end of an epoch it would lack the validation, and stand in the way of the one that has it.
        due = self.every and run.step % self.every == 0 and run.batch < run.steps_per_epoch
        # Stopped inside an epoch, a run keeps what it has trained; one of several processes may stop alone.
        if due or (run.stop is not None and self.ranks.size == 1):
            self.write(run)

    def on_epoch(self, run: Run) -> None:
        self.write(run)

    def on_end(self, run: Run) -> None:
        if self._store:
            self._store.close()

    def write(self, run: Run) -> None:
        """Write a checkpoint.

        Raises:
            FloatingPointError: a weight is not finite.
            OSError: the disk is full or refuses; the checkpoint before is still there.
        """
        if self.directory is None:
            return
        run.require_sound()
        keys = self.ranks.gather(random_key())
        if self._store:
            state = {**run.to_json(), "recipe": self.recipe, "random": keys}
            weights = parameters_of(run.model)
            carried = run.carried if run.batch else None  # an epoch begins without
            files = encode_checkpoint(
                self._about(run), weights, run.best, run.optimizer.state, state, carried
            )
            self._store.write(run.step, files)

    def last(self) -> str:
        """A clause about the last complete checkpoint, for an error message."""
        if self.directory is None:
            return "the run kept no checkpoints"
        newest = self._store.newest() if self._store else None
        return f"the last complete checkpoint is {newest}" if newest else f"look into {self.directory}"

    def _about(self, run: Run) -> About:
        """What the model is, worked out once: for a large circuit it takes a while."""
        if self._known is None:
            self._known = About(run.model)
        return self._known

    def _load(self, run: Run, files: Files) -> None:
        source = (self._store and self._store.newest()) or "the first process's checkpoint"
        _check_state(read_state(files, source), self.recipe, source)
        state, best, run.carried = load_checkpoint(files, self._about(run), run.model, run.optimizer, source)
        run.restore(state, best)
        keys = state["random"]
        set_random_key(keys[self.ranks.rank % len(keys)])


def _check_state(state: Mapping[str, Any], recipe: Mapping[str, Any], source: object) -> None:
    """Refuse the checkpoint of another run, before anything of it is loaded."""
    theirs = state.get("recipe")
    if (found := difference(theirs, recipe)) is not None:
        raise FileError(f"{source}: the run there has {found}: choose another directory")
    keys: Any = state.get("random")
    if not isinstance(keys, list) or not keys or not all(_is_key(key) for key in keys):
        raise FileError(f"{source}: the random state is {short(keys)}, not a list of keys")


def _is_key(key: Any) -> bool:
    return isinstance(key, list) and len(key) == 2 and all(type(h) is int and 0 <= h < 2**32 for h in key)


def _packed(files: Files) -> bytes:
    if not files:
        return b""
    return encode({name: mx.array(np.frombuffer(data, np.uint8)) for name, data in files.items()}, {})


def _unpacked(data: bytes) -> Files:
    if not data:
        return {}
    return {name: np.array(array).tobytes() for name, array in decode(data, "the checkpoint")[0].items()}
