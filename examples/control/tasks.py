"""Two tasks of gymnasium's classic control, of which the policies see no velocities, and what solves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import numpy as np


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        name: the environment.
        seen: which numbers of an observation the policies see: what is left out, they have to remember.
        scale: what the numbers they see are divided by.
        actions: how many actions there are.
        expert: the action that solves the task, from the whole observation.
    """

    name: str
    seen: tuple[int, ...]
    scale: tuple[float, ...]
    actions: int
    expert: Callable[[np.ndarray], int]

    def make(self) -> gymnasium.Env:
        return gymnasium.make(self.name)

    def see(self, observation: np.ndarray) -> np.ndarray:
        """(I,) what a policy sees."""
        return (np.asarray(observation)[list(self.seen)] / self.scale).astype(np.float32)


def balance(observation: np.ndarray) -> int:
    """Push where the pole falls, and a little against where the cart runs off."""
    x, v, angle, spin = observation
    return int(0.1 * x + 0.3 * v + 8.0 * angle + 2.0 * spin > 0.0)


def swing(observation: np.ndarray) -> int:
    """Turn the lower link against the speed of the upper one and with its own: energy for the swing."""
    return 2 if observation[4] < 0.5 * observation[5] else 0


TASKS = {
    "cartpole": Task("CartPole-v1", (0, 2), (2.4, 0.21), 2, balance),
    "acrobot": Task("Acrobot-v1", (0, 1, 2, 3), (1.0, 1.0, 1.0, 1.0), 3, swing),
}


def returns(task: Task, act: Callable[[np.ndarray, bool], int], seeds: range) -> np.ndarray:
    """The return of an episode per seed; `act` is given what is seen, and whether an episode begins."""
    env, found = task.make(), []
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        total, over, first = 0.0, False, True
        while not over:
            observation, reward, ended, cut, _ = env.step(act(task.see(observation), first))
            total, over, first = total + float(reward), ended or cut, False
        found.append(total)
    return np.array(found)
