"""Proximal policy optimization (Schulman et al., 2017) of a policy with a state, on rows of cut episodes."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from policies import Loop
from tasks import Task

ROWS, STEPS, EPOCHS, PARTS = 16, 64, 4, 4
DISCOUNT, MIXING, CLIP, ENTROPY = 0.99, 0.95, 0.2, 0.01
SCALE = 0.01  # of rewards: values of up to 100 steps' rewards are then of the size of the other outputs


class Rollout:
    """Environments side by side, and the steps that a policy takes in them."""

    def __init__(self, task: Task, policy: nn.Module, seed: int) -> None:
        self._task, self._rng = task, np.random.default_rng(seed)
        self._envs = [task.make() for _ in range(ROWS)]
        self._now = [task.see(env.reset(seed=1000 * seed + k)[0]) for k, env in enumerate(self._envs)]
        self._starts = np.ones(ROWS, bool)
        self._policy, self._state = policy, None

    def __call__(self) -> dict[str, Any]:
        """STEPS steps of all rows, with what the policy thought of them."""
        state, loop = self._state, Loop(self._policy, ROWS, self._state)  # with the weights of now
        keys = ("seen", "starts", "actions", "logs", "values", "rewards", "over")
        told: dict[str, list[Any]] = {key: [] for key in keys}
        for _ in range(STEPS):
            seen, starts = np.stack(self._now), self._starts
            outputs = loop(seen, starts)
            logs = outputs[:, :-1] - np.logaddexp.reduce(outputs[:, :-1], axis=1, keepdims=True)
            noise = self._rng.gumbel(size=logs.shape)
            actions = (logs + noise).argmax(axis=1)
            rewards, self._starts = np.zeros(ROWS, np.float32), np.zeros(ROWS, bool)
            for k, env in enumerate(self._envs):
                observation, reward, ended, cut, _ = env.step(int(actions[k]))
                rewards[k], self._starts[k] = SCALE * float(reward), ended or cut
                if cut and not ended:  # it would have gone on, about as well as it stood
                    rewards[k] += DISCOUNT * float(outputs[k, -1])
                self._now[k] = self._task.see(env.reset()[0] if ended or cut else observation)
            chosen = np.take_along_axis(logs, actions[:, None], 1)[:, 0]
            rows = (seen, starts, actions, chosen, outputs[:, -1], rewards, self._starts.copy())
            for key, values in zip(keys, rows, strict=True):
                told[key].append(values)
        found: dict[str, Any] = {key: np.stack(values, axis=1) for key, values in told.items()}
        self._state = loop.kept()
        now = mx.array(np.stack(self._now)[:, None])
        after = self._policy(now, self._state, starts=self._starts[:, None])[0]
        found["gains"], found["aims"] = _gains(found, np.array(after[:, 0, -1]))
        return found | {"state": state}


def _gains(told: dict[str, Any], after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much better actions were than expected, and what the values should have been."""
    gains, gain = np.zeros_like(told["values"]), np.zeros(ROWS, np.float32)
    for t in reversed(range(STEPS)):
        goes_on = 1.0 - told["over"][:, t]
        surprise = told["rewards"][:, t] + DISCOUNT * after * goes_on - told["values"][:, t]
        gain = surprise + DISCOUNT * MIXING * goes_on * gain
        gains[:, t], after = gain, told["values"][:, t]
    return gains, gains + told["values"]


def train(
    task: Task, policy: nn.Module, seed: int, iterations: int = 160, *, rate: float = 2e-3
) -> nn.Module:
    """Train a policy by its own steps."""
    rollout, rng = Rollout(task, policy, seed), np.random.default_rng(seed + 1)
    optimizer = optim.Adam(rate, bias_correction=True)

    def loss(policy: nn.Module, told: dict[str, Any], rows: np.ndarray) -> mx.array:
        state = None if told["state"] is None else _rows(told["state"], rows)
        outputs = policy(mx.array(told["seen"][rows]), state, starts=told["starts"][rows])[0]
        logs = outputs[..., :-1] - mx.logsumexp(outputs[..., :-1], axis=-1, keepdims=True)
        taken = mx.take_along_axis(logs, mx.array(told["actions"][rows])[..., None], axis=-1)[..., 0]
        gains = told["gains"][rows]
        gains = mx.array((gains - gains.mean()) / (gains.std() + 1e-6))
        ratio = mx.exp(taken - mx.array(told["logs"][rows]))
        better = mx.minimum(ratio * gains, mx.clip(ratio, 1.0 - CLIP, 1.0 + CLIP) * gains)
        wrong = mx.square(outputs[..., -1] - mx.array(told["aims"][rows]))
        entropy = -(mx.exp(logs) * logs).sum(axis=-1)
        return (0.5 * wrong - better - ENTROPY * entropy).mean()

    step = nn.value_and_grad(policy, loss)
    for k in range(iterations):
        optimizer.learning_rate = rate * (1.0 - 0.9 * k / iterations)
        told = rollout()
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(ROWS), PARTS):
                _, gradients = step(policy, told, rows)
                gradients, _ = optim.clip_grad_norm(gradients, 0.5)
                optimizer.update(policy, gradients)
                policy.apply_constraints()
                mx.eval(policy.parameters(), optimizer.state)
    return policy


def _rows(state: Any, rows: np.ndarray) -> Any:
    """Some rows of a state of arrays."""
    chosen = mx.array(rows.astype(np.int32))
    return tuple(_rows(part, rows) for part in state) if isinstance(state, tuple) else state[chosen]
