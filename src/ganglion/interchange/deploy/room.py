"""The working memory of a step, whose places are used again."""

from __future__ import annotations


class Room:
    """Places in one array.

    Attributes:
        size: how many numbers the array has to hold.
    """

    def __init__(self) -> None:
        self.size = 0
        self._free: list[tuple[int, int]] = []  # where, and how many numbers

    def take(self, size: int) -> int:
        """The first place that is free, or a new one at the end."""
        for k, (start, room) in enumerate(self._free):
            if room >= size:
                self._free[k] = (start + size, room - size)
                return start
        start = self.size
        if self._free and sum(self._free[-1]) == start:
            start = self._free.pop()[0]
        self.size = start + size
        return start

    def give_back(self, start: int, size: int) -> None:
        """Free a place, joined to its neighbours."""
        joined: list[tuple[int, int]] = []
        for begin, room in sorted([*self._free, (start, size)]):
            if joined and sum(joined[-1]) == begin:
                joined[-1] = (joined[-1][0], joined[-1][1] + room)
            elif room:
                joined.append((begin, room))
        self._free = joined
