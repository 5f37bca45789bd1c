"""Imitation: the expert says what it would do wherever the policy goes (DAgger, Ross et al., 2011)."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from policies import Loop
from tasks import Task

import ganglion as gl


def episodes(task: Task, policy: nn.Module | None, seeds: range) -> list[tuple[np.ndarray, np.ndarray]]:
    """What is seen and what the expert would do, step by step; the policy acts, or at first the expert."""
    env, found = task.make(), []
    loop = None if policy is None else Loop(policy, 1)
    for seed in seeds:
        observation, _ = env.reset(seed=seed)
        seen, said, over, first = [], [], False, True
        while not over:
            seen.append(task.see(observation))
            said.append(task.expert(observation))
            action = said[-1]
            if loop is not None:
                action = int(loop(seen[-1][None], np.array([first]))[0, :-1].argmax())
            observation, _, ended, cut, _ = env.step(action)
            over, first = ended or cut, False
        found.append((np.stack(seen), np.array(said)))
    return found


def imitate(
    task: Task,
    policy: nn.Module,
    seed: int,
    rounds: int = 8,
    *,
    rate: float = 5e-3,
    episodes_each: int = 8,
    epochs: int = 20,
) -> nn.Module:
    """Train a policy on what the expert says."""
    rng, optimizer, kept = np.random.default_rng(seed), optim.Adam(rate, bias_correction=True), []

    def loss(
        policy: nn.Module, x: mx.array, lengths: np.ndarray, said: mx.array, there: mx.array
    ) -> mx.array:
        # Episodes of unequal length in one batch: what stands behind their ends reaches nothing.
        outputs = policy(x, lengths=lengths)[0]
        return (nn.losses.cross_entropy(outputs[..., :-1], said) * there).sum() / there.sum()

    step = nn.value_and_grad(policy, loss)
    for k in range(rounds):
        first = 1000 * seed + episodes_each * k
        policy.eval()
        kept += episodes(task, policy if k else None, range(first, first + episodes_each))
        policy.train()
        for _ in range(epochs):
            order = rng.permutation(len(kept))
            for some in np.array_split(order, max(1, len(kept) // 8)):
                x, lengths = gl.pad([kept[i][0] for i in some])
                said, _ = gl.pad([kept[i][1] for i in some])
                there = mx.array(np.arange(x.shape[1]) < np.asarray(lengths)[:, None])
                _, gradients = step(policy, mx.array(x), lengths, mx.array(said).astype(mx.int32), there)
                gradients, _ = optim.clip_grad_norm(gradients, 1.0)
                optimizer.update(policy, gradients)
                policy.apply_constraints()
                mx.eval(policy.parameters(), optimizer.state)
    return policy
