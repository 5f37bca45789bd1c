"""The cells of `equations.py` in JAX, as one would write them there: jitted, with `lax.scan` over time.

What synapses bring is summed over matrices of all pairs of neurons, or over lists by `segment_sum`: which of
the two is faster depends on the circuit, so there are both. One thread, as the kernels have beside them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

import ganglion as gl

MOST_BYTES = 2 << 30
"""Of what a gradient over matrices of all pairs would keep; beyond, only lists are tried."""
SYNAPTIC = ("recurrent", "sensory")
P = Mapping[str, Any]
Sums = Callable[[Callable[..., tuple[Any, ...]], str, Any], tuple[Any, ...]]


class Synapses:
    """The sums over the synapses of a plan, as matrices or as lists."""

    def __init__(self, cell: Any, *, pairs: bool) -> None:
        self.plan, self.pairs, self.homes = cell.compiled.plan, pairs, cell.declared()
        self.p = {key: self._laid_out(key, np.array(cell[key])) for key in self.homes}
        self.masks = {side: self._dense(side, np.ones(len(getattr(self.plan, side)))) for side in SYNAPTIC}

    def _dense(self, side: str, values: np.ndarray) -> np.ndarray:
        ends = getattr(self.plan, side)
        found = np.zeros((ends.n_pre, ends.n_post), np.float32)
        found[ends.pre, ends.post] = values
        return found

    def _laid_out(self, key: str, values: np.ndarray) -> jax.Array:
        side = self.homes[key].lies_on
        return jnp.asarray(self._dense(side, values) if self.pairs and side in SYNAPTIC else values)

    def summed(self, side: str, brings: Callable[[Any], tuple[Any, ...]], v: Any) -> list[Any]:
        """The sums onto each neuron of what `brings` makes of the sources' values."""
        ends = getattr(self.plan, side)
        if self.pairs:
            return [(part * self.masks[side]).sum(-2) for part in brings(v[:, :, None])]
        sums = []
        for part in brings(v[:, ends.pre]):
            sums.append(jax.ops.segment_sum(part.T, ends.post, ends.n_post, indices_are_sorted=True).T)
        return sums

    def product(self, side: str, weights: Any, v: Any) -> Any:
        """The same where a synapse has a weight alone: with matrices, a product of them."""
        if self.pairs:
            return v @ (weights * self.masks[side])
        return self.summed(side, lambda v: (weights * v,), v)[0]


def ltc(s: Synapses, unfolds: int) -> Any:
    """One sample of the LTC."""

    def step(p: P, v: Any, x: Any) -> Any:
        def brings(prefix: str) -> Any:
            w, mu, sigma, erev = (p[prefix + key] for key in ("w", "mu", "sigma", "erev"))

            def of(v: Any) -> tuple[Any, ...]:
                a = w * nn.sigmoid(sigma * (v - mu))
                return a * erev, a

            return of

        num, den = s.summed("sensory", brings("sensory_"), x * p["input_w"] + p["input_b"])
        c = p["cm"] * unfolds
        num, den = num + p["gleak"] * p["vleak"], den + p["gleak"] + c + 1e-8
        for _ in range(unfolds):
            more_num, more_den = s.summed("recurrent", brings(""), v)
            v = (c * v + num + more_num) / (den + more_den)
        return v

    return step


def lrc(s: Synapses, unfolds: int) -> Any:
    """One sample of the LRC of asymmetric elastance."""

    def step(p: P, v: Any, x: Any) -> Any:
        def brings(prefix: str) -> Any:
            w, h, mu, sigma = (p[prefix + key] for key in ("w", "h", "mu", "sigma"))

            def of(v: Any) -> tuple[Any, ...]:
                a = nn.sigmoid(sigma * (v - mu))
                return w * a, h * a

            return of

        x = x * p["input_w"] + p["input_b"]
        f, u = s.summed("sensory", brings("sensory_"), x)
        f, u = f + p["gleak"], u + p["gleak"]
        q = s.product("sensory", p["sensory_elastance_w"], x) + p["elastance_b"]
        for _ in range(unfolds):
            more_f, more_u = s.summed("recurrent", brings(""), v)
            speed = nn.sigmoid(q + s.product("recurrent", p["elastance_w"], v)) / unfolds
            pull = speed * nn.sigmoid(f + more_f)
            v = (v + speed * jnp.tanh(u + more_u) * p["vleak"]) / (1 + pull)
        return v

    return step


def ctrnn(s: Synapses, unfolds: int) -> Any:
    """One sample of the CTRNN."""

    def step(p: P, h: Any, x: Any) -> Any:
        drive = s.product("sensory", p["sensory_rate_w"], x) + p["rate_b"]
        speed = 1 / (unfolds * nn.softplus(p["tau"]))
        for _ in range(unfolds):
            fired = jnp.tanh(drive + s.product("recurrent", p["rate_w"], h))
            h = (h + speed * fired) / (1 + speed)
        return h

    return step


STEPS = {"LTC": ltc, "LRC": lrc, "CTRNN": ctrnn}


def ways(name: str, rnn: gl.RNN, x: np.ndarray) -> dict[str, dict[str, Callable[[], Any]]]:
    """Forward passes and passes with gradients of a cell, by how its sums are written."""
    cell, (batch, steps, _) = rnn.cell, x.shape
    found: dict[str, dict[str, Callable[[], Any]]] = {"forward": {}, "gradients": {}}
    for title, pairs in (("matrices", True), ("segment sums", False)):
        synapses = Synapses(cell, pairs=pairs)
        step = STEPS[name](synapses, cell.ode_unfolds)
        outputs = cell.n_outputs

        def model(p: P, x: Any, step: Any = step, outputs: int = outputs) -> Any:
            def sample(v: Any, x: Any) -> tuple[Any, Any]:
                v = step(p, v, x)
                shown = v[:, :outputs]
                return v, shown * p["output_w"] + p["output_b"] if "output_w" in p else shown

            first = jnp.zeros((x.shape[0], cell.n_neurons))
            return lax.scan(sample, first, x.transpose(1, 0, 2))[1].transpose(1, 0, 2)

        def loss(p: P, x: Any, model: Any = model) -> Any:
            return (model(p, x) ** 2).mean()

        run, differentiate, given, p = (
            jax.jit(model),
            jax.jit(jax.value_and_grad(loss)),
            jnp.asarray(x),
            synapses.p,
        )
        found["forward"][title] = lambda run=run, p=p, given=given: run(p, given).block_until_ready()
        kept = 4 * batch * cell.n_neurons**2 * steps * cell.ode_unfolds
        if not pairs or name == "CTRNN" or kept < MOST_BYTES:
            found["gradients"][title] = lambda run=differentiate, p=p, given=given: jax.block_until_ready(
                run(p, given)
            )
    return found
