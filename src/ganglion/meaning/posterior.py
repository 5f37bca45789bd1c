"""How sure the trained numbers of a network are, given data and priors: a normal distribution around them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from .. import shown
from ..arguments import counted, function_of, instance, real, seed_number, whole
from ..cells.spread import Spread
from ..cells.strengths import Floats, as_floats
from ..cells.values import Values, mlx_array
from ..forks import require_computing
from ..frames import Tabled
from .jacobian import Seen, factor
from .spectrum import looked_at
from .vector import Vector

FAINT = 1e-13
"""Beside the largest eigenvalue, of numbers in units of their own deviations, one that counts as none."""
MOST_SHOWN = 60


class Posterior(Tabled):
    """A normal distribution of the trained numbers of a network around where they are; see `laplace`.

    Attributes:
        names: each number in words.
        values: (P,) the numbers, as equations use them.
        covariance: (P, P) of the numbers; of those that nothing tells, without what nothing tells.
        deviations: (P,) standard deviations; infinite for numbers that neither data nor priors tell.
        prior_deviations: (P,) those that the priors leave alone; infinite without one.
        noise: the standard deviation of the noise of an output.

    Example:
        >>> posterior = gl.laplace(rnn, x, y, noise=0.05)
        >>> print(posterior)
        >>> outputs, deviation = posterior.outputs(x)
    """

    columns = ("parameter", "value", "deviation", "prior")

    def __init__(self, vector: Vector, precision: Floats, prior_deviations: Floats, noise: float) -> None:
        self._vector = vector
        self.names, self.values = vector.names, vector.values()
        self.prior_deviations, self.noise = prior_deviations, noise
        own = np.sqrt(np.maximum(np.diag(precision), 0.0))
        own = np.where(own > 0, own, 1.0)
        found, directions = np.linalg.eigh(precision / np.outer(own, own))
        known = found > FAINT * max(float(found[-1]), 0.0)
        roots = np.where(known, 1.0 / np.sqrt(np.where(known, found, 1.0)), 0.0)
        self._root = directions * roots / own[:, None]  # whose square is the covariance
        self._lost = directions[:, ~known] / own[:, None]
        self.covariance = self._root @ self._root.T
        unknown = np.abs(directions[:, ~known]).max(axis=1, initial=0.0) > 1e-6
        self.deviations = np.where(unknown, np.inf, np.sqrt(np.diag(self.covariance)))

    def outputs(self, x: Values, timespans: Values | None = None) -> tuple[Floats, Floats]:
        """The outputs of the network and their standard deviations, without that of the noise.

        They are those of the outputs as they move with the numbers in small; infinite where neither data nor
        priors tell them.

        Returns:
            (B, T, M) outputs and deviations, or (T, M), as the inputs.

        Raises:
            ValueError: inputs that the network does not read.
        """
        seen = Seen(self._vector.model, x, timespans, None)
        now, before = np.array(seen.outputs()).astype(np.float64), self._vector.values()
        if not np.array_equal(before, self.values):
            raise ValueError("the network has other numbers now than those that this posterior is around")
        deviations = []
        for rows in seen.rows(self._vector):
            own = np.sqrt(np.square(rows @ self._root).sum(axis=1))
            lost = np.square(rows @ self._lost).sum(axis=1) > 1e-8 * np.square(rows).sum(axis=1)
            deviations.append(np.where(lost, np.inf, own))
        found = np.concatenate(deviations).reshape(now.shape)
        return (now, found) if mlx_array("x", x).ndim == now.ndim else (now[0], found[0])

    def sample(self, count: int, seed: int = 0) -> Floats:
        """(count, P) draws of the numbers; what nothing tells stays.

        Positive numbers are drawn by their logarithms, which is the same in small and never below 0.
        """
        whole("count", count)
        drawn = np.random.default_rng(seed_number(seed)).normal(size=(count, self._root.shape[1]))
        apart = drawn @ self._root.T
        positive = self._vector.positive & (self.values > 0)
        ratio = np.where(positive, apart / np.where(positive, self.values, 1.0), 0.0)
        return np.where(positive, self.values * np.exp(np.clip(ratio, -20.0, 20.0)), self.values + apart)

    def spread(self, number: Callable[[nn.Module], Any], count: int = 100, seed: int = 0) -> Spread:
        """The mean and deviation of any number of the network, over draws of the posterior.

        Args:
            number: what gives it, or an array, for a network.
            count: how many draws.
            seed: of the draws.

        Example:
            >>> strength = lambda rnn: gl.circuit_of(rnn).edges["AVA", "AVB"]["weight"]
            >>> print(posterior.spread(strength))
        """
        function_of("number", number, "a network")
        values = []
        with self._vector.kept_back():
            for draw in self.sample(count, seed):
                self._vector.put(draw)
                values.append(np.asarray(number(self._vector.model), np.float64))
        return Spread.of(np.stack(values))

    def describe(self) -> str:
        """How many numbers there are, and how many of them nothing tells."""
        lost = int(np.isinf(self.deviations).sum())
        words = f"{counted(len(self.names), 'number')}, noise {self.noise:.3g}"
        if not lost:
            return words
        return f"{words}; {lost} that neither data nor priors tell: gl.identifiability names them"

    def __repr__(self) -> str:
        return f"Posterior({self.describe()})"

    def __str__(self) -> str:
        rows = [self.columns, *map(_words, self.records()[:MOST_SHOWN])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        more = [f"and {len(self.names) - MOST_SHOWN} more"] if len(self.names) > MOST_SHOWN else []
        return "\n".join([self.describe(), *lines, *more])

    def _repr_html_(self) -> str:
        return shown.table(self.describe(), map(_words, self.records()[:MOST_SHOWN]), self.columns)

    def records(self) -> list[tuple[Any, ...]]:
        """The rows, a value for each column."""
        columns = (self.values, self.deviations, self.prior_deviations)
        return list(zip(self.names, *(column.tolist() for column in columns), strict=True))


def _words(row: tuple[Any, ...]) -> tuple[str, ...]:
    return (row[0], *(f"{value:.4g}" for value in row[1:]))


def laplace(
    rnn: nn.Module,
    x: Values,
    y: Values | None = None,
    timespans: Values | None = None,
    *,
    mask: Any = None,
    noise: float | None = None,
) -> Posterior:
    r"""How sure the trained numbers of a network are: Laplace's approximation of their posterior.

    .. math:: \theta \sim \mathcal{N}\!\left(\hat\theta, \;
        \Bigl(\tfrac{1}{noise^2} J^T J - \nabla^2 \log p(\hat\theta)\Bigr)^{-1}\right)

    around where the numbers are, which is to be the maximum a posteriori: that of `fit` with ``priors`` and
    the loss `gl.training.gaussian`. J is how outputs move with numbers (Gauss and Newton), and p the priors.
    It is exact where outputs are linear in the numbers and priors are normal; a log-normal prior counts as it
    bends by the logarithm of a number.

    Args:
        rnn: a network, observed, in a container or in units of data.
        x: (B, T, I) or (T, I) inputs.
        y: targets of the outputs' shape; only needed without `noise`.
        timespans: as the network takes them.
        mask: which outputs are seen, of their shape, or (B, T); all if not given. NaN among targets is a gap.
        noise: the standard deviation of the noise of an output; if not given, those that the network's
            indicator says, or from the errors of the targets.

    Raises:
        TypeError: no network.
        ValueError: neither noise nor targets, targets of another shape, or what `identifiability` refuses.

    Example:
        >>> posterior = gl.laplace(rnn, x, y, noise=0.05)
        >>> posterior.table

    Source: MacKay, Neural Computation 4 (1992) 448; Daxberger and others, Laplace Redux, NeurIPS 2021.
    """
    instance("rnn", rnn, nn.Module, "a network")
    if noise is not None:
        real("noise", noise, above=0)
    level = getattr(rnn, "noise", None) if noise is None else None
    said = isinstance(level, mx.array)  # by an indicator
    if noise is None and not said and y is None:
        raise ValueError("laplace needs the noise of outputs, or targets y to take it from")
    require_computing()
    seen, vector = looked_at(rnn, x, timespans, mask)
    errors: Floats | None = None
    if y is not None:
        targets = np.array(mlx_array("y", y)).astype(np.float64)
        if targets.shape not in (seen.shape, seen.shape[1:] if len(seen.x) == 1 else ()):
            raise ValueError(f"the targets have shape {targets.shape}, but the outputs {seen.shape}")
        there = ~np.isnan(targets.reshape(seen.shape))
        seen.mask = there if seen.mask is None else there & seen.mask
        errors = (targets.reshape(seen.shape) - np.array(seen.outputs()))[seen.mask]
    if isinstance(level, mx.array):
        seen.noise = as_floats(level)
    root = factor(seen, vector, np.ones(len(vector)))
    values, bent = vector.values(), np.zeros(len(vector))
    alone = np.full(len(vector), np.inf)
    for prior, places, sign in vector.priors():
        bent[places] = prior.precision(values[places] * sign)
        alone[places] = prior.deviation_alone
    if noise is None and not said:
        assert errors is not None
        left = errors.size - np.linalg.matrix_rank(root)
        if left < 1:
            raise ValueError(
                f"{errors.size} targets are no more than the numbers that they tell: give the noise= of them"
            )
        noise = math.sqrt(float(np.square(errors).sum()) / left)
        if not noise > 0:
            raise ValueError("the network hits all targets exactly: give the noise= of an output")
    mx.eval(rnn.parameters())
    precision = root.T @ root / (noise or 1.0) ** 2 + np.diag(bent)
    each = 1.0 if seen.noise is None else float(seen.noise.mean())
    return Posterior(vector, precision, alone, noise or each)
