"""Several processes as one run: what they average, and what the first one tells the others."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_map


@dataclass(frozen=True)
class Ranks:
    """The processes of one run, started together by ``mlx.launch``; a single one needs no group.

    Attributes:
        group: MLX's group of processes; None for a single process.
        rank: the number of this process, from 0.
        size: how many processes there are.
    """

    group: mx.distributed.Group | None = None
    rank: int = 0
    size: int = 1

    @classmethod
    def of(cls, distributed: bool) -> Ranks:
        """This process among all that were launched together, or alone."""
        if not distributed:
            return cls()
        group = mx.distributed.init()
        return cls(group, group.rank(), group.size()) if group.size() > 1 else cls()

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def average(self, tree: Any, weight: float = 1.0) -> Any:
        """The average of a tree of arrays over all processes; the weights must average to 1."""
        if self.size == 1:
            return tree
        if weight != 1.0:
            tree = tree_map(lambda array: array * weight, tree)
        return nn.utils.average_gradients(tree, self.group)

    def sum(self, value: float) -> float:
        """The sum of a number over all processes, the same on each."""
        if self.size == 1:
            return value
        total = mx.distributed.all_sum(mx.array(value, mx.float32), group=self.group)
        return float(np.array(total))

    def broadcast(self, data: bytes) -> bytes:
        """What the first process gives, on every process."""
        if self.size == 1:
            return data
        mine = mx.array(len(data) if self.first else 0, mx.int64)
        length = int(np.array(mx.distributed.all_sum(mine, group=self.group)))
        given = np.frombuffer(data, np.uint8) if self.first else np.zeros(length, np.uint8)
        return np.array(mx.distributed.all_sum(mx.array(given), group=self.group)).tobytes()

    def gather(self, key: list[int]) -> list[list[int]]:
        """Each process's random key, in the order of the ranks, on every process."""
        if self.size == 1:
            return [key]
        keys = mx.distributed.all_gather(mx.array([key], mx.uint32), group=self.group)
        return [[int(half) for half in row] for row in np.array(keys).tolist()]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn the two signs that another process is gone into one error.

        MLX reports a lost connection, or the launcher, which notices it too, asks the others to end.

        Raises:
            LostRankError: another process of the run is gone.
        """
        if self.size == 1:
            yield
            return
        in_main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, _terminated) if in_main else None
        after = before
        try:
            try:
                yield
            except RuntimeError as error:
                if any(word in str(error).lower() for word in ("peer", "ring", "connection")):
                    after = signal.SIG_IGN  # the launcher's signal must not cut the last words short
                    raise LostRankError(str(error)) from None
                raise
        except Terminated as error:  # it may come while the other sign is being read
            after = signal.SIG_IGN
            raise LostRankError(str(error)) from None
        finally:
            if in_main:
                signal.signal(signal.SIGTERM, after)


class LostRankError(Exception):
    """Another process of a run is gone."""


class Terminated(BaseException):
    """SIGTERM, as an exception that nothing on the way takes for an error of its own."""


def _terminated(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated("the launcher ended this one too")
