"""Four policies with one face: rows of episodes at once for learning, and one sample at a time for the loop.

Outputs are one number for each action, and one more that says how well things stand (for PPO).
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

import ganglion as gl

NETS = ("cfc", "ltc", "lstm", "mlp")
UNITS = 32


def make(net: str, inputs: int, actions: int, seed: int) -> nn.Module:
    """A fresh policy."""
    mx.random.seed(seed)
    if net == "lstm":
        return LSTM(inputs, actions + 1)
    # An LTC's synapses begin, as in ncps, where inputs are between 0 and 1: what lies around 0 goes to it
    # through a layer that gives both signs, without which it is half blind.
    width = 8 if net == "ltc" else inputs
    circuit = gl.auto_ncp(UNITS, 8, inputs=width, sparsity=0.5, seed=seed + 1)
    first: list[nn.Module] = {
        "cfc": lambda: [gl.CfC(circuit)],
        "ltc": lambda: [gl.NCPDense(width), gl.LTC(circuit)],
        "mlp": lambda: [gl.NCPDense(UNITS, "tanh"), gl.NCPDense(UNITS, "tanh")],
    }[net]()
    policy = gl.Stack([*first, gl.NCPDense(actions + 1)])
    policy.build((1, 1, inputs))
    return policy


class LSTM(nn.Module):
    """mlx.nn.LSTM, which knows no episodes: here it goes sample by sample and forgets where one begins."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(inputs, UNITS), nn.Linear(UNITS, outputs)

    def __call__(self, x: mx.array, state: Any = None, *, starts: Any = None, lengths: Any = None) -> Any:
        hidden = cell = mx.zeros((len(x), UNITS))
        if state is not None:
            hidden, cell = state
        shown = []
        for t in range(x.shape[1]):
            if starts is not None:
                kept = mx.array(1.0 - np.asarray(starts)[:, t, None].astype(np.float32))
                hidden, cell = hidden * kept, cell * kept
            h, c = self.lstm(x[:, t : t + 1], hidden, cell)
            hidden, cell = h[:, -1], c[:, -1]
            shown.append(hidden)
        return self.head(mx.stack(shown, axis=1)), (hidden, cell)

    def apply_constraints(self) -> None:
        """There are none."""


class Loop:
    """A policy in the loop: rows of samples in, rows of outputs out, the state kept between."""

    def __init__(self, policy: nn.Module, rows: int, state: Any = None) -> None:
        self._policy, self._state = policy, state
        self._stream = gl.BoundedStream(policy.stream(rows)) if isinstance(policy, gl.Stack) else None
        if self._stream is not None and state is not None:
            self._stream.state = state

    def __call__(self, seen: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """(B, A + 1) outputs for (B, I) samples; (B,) `starts` says whose episode begins."""
        if self._stream is not None:
            return np.array(self._stream(seen, starts=starts))
        outputs, self._state = self._policy(mx.array(seen[:, None]), self._state, starts=starts[:, None])
        mx.eval(outputs, self._state)
        return np.array(outputs[:, 0])

    def kept(self) -> Any:
        """The state, to learn from what comes next."""
        return self._state if self._stream is None else self._stream.state


def greedy(policy: nn.Module) -> Any:
    """The best action for what is seen, one episode at a time."""
    policy.eval()
    loop = Loop(policy, 1)

    def act(seen: np.ndarray, first: bool) -> int:
        return int(loop(seen[None], np.array([first]))[0, :-1].argmax())

    return act
