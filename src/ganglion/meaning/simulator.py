"""A network as a plain function of its numbers, for tools that infer these by simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from ..arguments import array_of, counted, flag, instance, label, real, seed_number, whole
from ..cells.priors import Uniform
from ..cells.strengths import Floats
from ..cells.values import Values
from ..forks import require_computing
from ..interchange.modes import modes_kept
from ..training import outputs_of
from .jacobian import Seen
from .spectrum import refuse_several
from .vector import Vector

AT_ONCE = 256
"""Networks of one launch."""


class SimulatorPrior:
    """The priors of the numbers that a simulator takes, as one distribution of vectors."""

    def __init__(self, vector: Vector) -> None:
        self._parts = [(p, places, sign) for p, places, sign in vector.priors()]
        self._size, self._begun = len(vector), vector.values()
        self.names = vector.names

    def sample(self, shape: int | Sequence[int] = 1, seed: int | None = None) -> Floats:
        """(count, P) draws, for a count or a shape (count,); NumPy's own randomness if no seed is given.

        Example:
            >>> theta = gl.simulator(rnn, x).prior.sample(1000, seed=0)
        """
        size = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        count = [whole("shape", each, least=0) for each in size]
        chance = np.random.default_rng(None if seed is None else seed_number(seed))
        found = np.array(np.broadcast_to(self._begun, (*count, self._size)))
        for prior, places, sign in self._parts:
            shares = chance.uniform(size=(*count, len(places)))
            found[..., places] = prior.quantile(shares) * sign
        return found

    def log_prob(self, theta: Any) -> Floats:
        """(K,) the logarithm of the density of (K, P) numbers, or of one vector; -inf where there is none."""
        values, batched = as_theta(theta, self._size)
        found = np.zeros(len(values))
        for prior, places, sign in self._parts:
            mine = values[:, places] * sign
            logs = np.array(prior.log_density(mx.array(mine.astype(np.float32)))).astype(np.float64)
            found += np.where((mine < 0) & prior.of_size, -np.inf, logs).sum(axis=1)
        return found if batched else found[0]

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """(P,) the lowest and the highest numbers that there are."""
        low, high = np.full(self._size, -np.inf), np.full(self._size, np.inf)
        for prior, places, sign in self._parts:
            ends = (prior.low, prior.high) if isinstance(prior, Uniform) else (0.0, np.inf)
            if isinstance(prior, Uniform) or prior.of_size:
                low[places] = np.where(sign > 0, ends[0], -ends[1])
                high[places] = np.where(sign > 0, ends[1], -ends[0])
        return low, high


class Simulator:
    """A network as a function of its numbers; see `simulator`.

    Attributes:
        names: each number in words.
        theta: (P,) the numbers that the network has now.
        prior: the priors of the numbers, to sample from and to weigh by.
    """

    def __init__(
        self,
        rnn: nn.Module,
        x: Values,
        timespans: Values | None = None,
        *,
        noise: float = 0.0,
        seed: int = 0,
        flat: bool = False,
    ) -> None:
        instance("rnn", rnn, nn.Module, "a network")
        refuse_several(rnn)
        real("noise", noise, least=0)
        flag("flat", flat)
        require_computing()
        self._seen = Seen(rnn, x, timespans, None)
        self._single = len(np.shape(x)) == 2
        self._vector = Vector(rnn).with_priors()
        if not len(self._vector):
            raise ValueError(f"the {type(rnn).__name__} has nothing that is trained")
        self._chance, self._noise, self._flat = np.random.default_rng(seed_number(seed)), noise, flat
        self.names = self._vector.names

    @property
    def theta(self) -> Floats:
        """(P,) the numbers that the network has now."""
        return self._vector.values()

    @property
    def prior(self) -> SimulatorPrior:
        """The priors of the numbers.

        Raises:
            ValueError: the network has none.
        """
        if not any(True for _ in self._vector.priors()):
            raise ValueError(
                f"the {type(self._vector.model).__name__} has no priors: make it with priors={{'w': "
                "gl.LogNormal(0.3, 0.5)}, say"
            )
        return SimulatorPrior(self._vector)

    def __call__(self, theta: Any) -> Any:
        """The outputs of networks with these numbers.

        Args:
            theta: (P,) or (K, P) numbers in the order of `names`, of NumPy, MLX, PyTorch or Python.

        Returns:
            The outputs, (B, T, M) or, for one sequence, (T, M), with K in front for a batch; a vector for
            each with `flat`. With a noise, each has its own.

        Raises:
            ValueError: numbers of another shape, or that the network cannot have.
        """
        values, batched = as_theta(theta, len(self._vector))
        wrong = np.argwhere((values < 0) & self._vector.positive)
        if len(wrong):
            k, p = wrong[0]
            raise ValueError(f"{self.names[p]} is {values[k, p]:g} in row {k}: expected 0 or more")
        found = []
        for first in range(0, len(values), AT_ONCE):
            found.append(self._outputs(values[first : first + AT_ONCE]))
        outputs = np.concatenate(found) if found else np.zeros((0, *self._seen.shape), np.float32)
        if self._single:
            outputs = outputs[:, 0]
        if self._noise:
            outputs = outputs + self._noise * self._chance.normal(size=outputs.shape).astype(np.float32)
        if self._flat:
            outputs = outputs.reshape(len(outputs), -1)
        return outputs if batched else outputs[0]

    def _outputs(self, values: Floats) -> Any:
        """(K, B, T, M) outputs, in one launch where the network can be copied."""
        model, seen = self._vector.model, self._seen
        before = model.trainable_parameters()

        def run(parameters: Any) -> mx.array:
            model.update(parameters)
            return outputs_of(model, seen.x, seen.timespans)

        with modes_kept(model):
            model.eval()
            tree = self._vector.tree(values)
            try:
                return np.array(mx.vmap(run)(tree).astype(mx.float32))
            except (RuntimeError, TypeError, ValueError):  # a module of one's own that knows no copies
                each = [np.array(run(self._vector.tree(row)).astype(mx.float32)) for row in values]
                return np.stack(each)
            finally:
                model.update(before)

    def __repr__(self) -> str:
        return f"Simulator({type(self._vector.model).__name__}, {counted(len(self.names), 'number')})"


def simulator(
    rnn: nn.Module,
    x: Values,
    timespans: Values | None = None,
    *,
    noise: float = 0.0,
    seed: int = 0,
    flat: bool = False,
) -> Simulator:
    """A network as a plain function of its numbers, for sbi and other tools that infer them by simulation.

    The numbers are those that have priors, as equations use them; all that are trained if there are no
    priors.
    Hundreds of networks run in one launch of a kernel, and the function pickles, for other processes.

    Args:
        rnn: a network, observed, in a container or in units of data; it stays as it is.
        x: (B, T, I) or (T, I) inputs.
        timespans: as the network takes them.
        noise: the standard deviation of normal noise that is added to outputs.
        seed: of the noise.
        flat: whether outputs are one vector for each network.

    Raises:
        TypeError: no network.
        ValueError: nothing that is trained.

    Example:
        >>> simulate = gl.simulator(rnn, x, noise=0.05, flat=True)
        >>> theta = simulate.prior.sample(1000)                            # (1000, P)
        >>> outputs = simulate(theta)                                      # (1000, B * T * M)
    """
    return Simulator(rnn, x, timespans, noise=noise, seed=seed, flat=flat)


def as_theta(theta: Any, size: int) -> tuple[Floats, bool]:
    """(K, P) numbers, and whether several were given.

    Raises:
        TypeError: no numbers.
        ValueError: another shape, or a number that is not finite.
    """
    if hasattr(theta, "detach"):  # PyTorch's
        theta = theta.detach().cpu().numpy()
    found = array_of(theta)
    if found is None or found.dtype.kind not in "biuf":
        raise TypeError(f"theta must hold real numbers, got {label(theta, 60)}")
    if found.ndim not in (1, 2) or found.shape[-1] != size:
        raise ValueError(f"theta has shape {found.shape}: expected ({size},) or (K, {size})")
    values = found.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("theta holds a number that is not finite")
    return values.reshape(-1, size), found.ndim == 2
