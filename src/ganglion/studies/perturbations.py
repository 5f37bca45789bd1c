"""Perturbations as values: what is done to a network for a question, whatever network it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ..arguments import flag, function_of, instance, label, several, whole
from ..cells import NCPLayer
from ..cells.networks.perturbing import Perturbing
from ..cells.networks.sites import Site, chosen, sites_of
from ..errors import CircuitError


@dataclass(frozen=True)
class Perturbation:
    """What every perturbation is; `str` of one names it in tables.

    Wherever it takes neurons, that is a group: a role, a name, the name of a group (the attribute `group`), a
    list of names, values of attributes ({"type": "T4"}), or a predicate of a name and its attributes.
    """

    kind: ClassVar[str] = "perturbation"

    def write(self, network: Perturbing) -> None:
        """Write down what this does to a network."""
        raise NotImplementedError(f"{type(self).__name__} has no write()")

    @property
    def neurons_of(self) -> Any:
        """The neurons it is about, as they were given."""
        return getattr(self, "neurons", None)

    def __str__(self) -> str:
        return f"{self.kind} {shown(self.neurons_of)}"


@dataclass(frozen=True)
class Lesion(Perturbation):
    """Remove neurons: no synapse of theirs acts, and they show 0. A sensor is not read.

    Example:
        >>> gl.studies.Lesion("AVA")
    """

    neurons: Any
    kind: ClassVar[str] = "lesion"

    def write(self, network: Perturbing) -> None:
        network.lesion(self.neurons)


@dataclass(frozen=True)
class Silence(Perturbation):
    """Hold neurons at a value; their synapses act, so that an LTC neuron at 0 still sends.

    Attributes:
        neurons: the group.
        to: the value, of a sensor in the unit of the data; "rest" for where a neuron is without any input:
            its leak's potential in an LTC, what its biases make of a time span of 1 in a CfC. By default 0,
            and a sensor shows what the network reads as 0: the mean of its column in a `Scaled`.
    """

    neurons: Any
    to: float | str | None = None
    kind: ClassVar[str] = "silence"

    def write(self, network: Perturbing) -> None:
        network.silence(self.neurons, self.to)

    def __str__(self) -> str:
        return super().__str__() + ("" if self.to is None else f" at {self.to}")


@dataclass(frozen=True)
class Scale(Perturbation):
    """Multiply the strength of the synapses from a group to a group; None is every neuron."""

    pre: Any = None
    post: Any = None
    by: float = 0.5
    kind: ClassVar[str] = "scale"

    def write(self, network: Perturbing) -> None:
        network.scale(self.pre, self.post, self.by)

    def __str__(self) -> str:
        return f"{self.kind} {between(self.pre, self.post)} by {self.by:g}"


@dataclass(frozen=True)
class Cut(Perturbation):
    """Remove the synapses, electrical ones included, from a group to a group; None is every neuron."""

    pre: Any = None
    post: Any = None
    kind: ClassVar[str] = "cut"

    def write(self, network: Perturbing) -> None:
        network.scale(self.pre, self.post, 0.0)

    def __str__(self) -> str:
        return f"{self.kind} {between(self.pre, self.post)}"


@dataclass(frozen=True)
class Flip(Perturbation):
    """Turn the signs of the synapses from a group to a group; None is every neuron."""

    pre: Any = None
    post: Any = None
    kind: ClassVar[str] = "flip"

    def write(self, network: Perturbing) -> None:
        network.flip(self.pre, self.post)

    def __str__(self) -> str:
        return f"{self.kind} {between(self.pre, self.post)}"


@dataclass(frozen=True)
class Stimulate(Perturbation):
    """Add to what reaches neurons, such as a current in an LTC.

    A current is told by what it does, since no output tells the unit in which a neuron counts it: in an LTC
    by how far it moves the neuron's leak potential, ``current / gleak``; in a `LIF` as a share of the
    threshold, at every sample. In other cells it is added to the biases of the maps that make a state.

    To what a sensor shows it is added in the unit of the data.

    Attributes:
        neurons: the group.
        current: how much.
        absolute: whether the current is in the neuron's own unit, that of ``gleak * vleak`` in an LTC and
            that of ``bias`` in a `LIF`, as it was in protocols of version 1.
    """

    neurons: Any
    current: float
    absolute: bool = False
    kind: ClassVar[str] = "stimulate"

    def __post_init__(self) -> None:
        flag("absolute", self.absolute)

    def write(self, network: Perturbing) -> None:
        network.stimulate(self.neurons, self.current, relative=not self.absolute)

    def __str__(self) -> str:
        return f"{super().__str__()} by {self.current:g}{' of its own unit' * self.absolute}"


@dataclass(frozen=True)
class Noise(Perturbation):
    """Let sensors show normal random numbers, the same in every call, instead of what they are given.

    Attributes:
        neurons: a group of sensors.
        mean, spread: of the numbers, in the unit of the data; 0 and 1 as the network reads them if not given,
            which are those of its columns in a `Scaled`.
        seed: of the numbers.
    """

    neurons: Any
    mean: float | None = None
    spread: float | None = None
    seed: int = 0
    kind: ClassVar[str] = "noise"

    def write(self, network: Perturbing) -> None:
        network.noise(self.neurons, self.mean, self.spread, self.seed)


@dataclass(frozen=True)
class Together(Perturbation):
    """Several perturbations at once, in their order."""

    parts: tuple[Perturbation, ...]
    kind: ClassVar[str] = "together"

    def __post_init__(self) -> None:
        parts = tuple(several("parts", self.parts, "perturbations"))
        for part in parts:
            instance("a part", part, Perturbation, "a perturbation, such as gl.studies.Lesion('AVA')")
        object.__setattr__(self, "parts", parts)

    def write(self, network: Perturbing) -> None:
        for part in self.parts:
            part.write(network)

    @property
    def neurons_of(self) -> Any:
        return tuple(name for part in self.parts for name in as_names(part.neurons_of))

    def __str__(self) -> str:
        return " + ".join(map(str, self.parts))


@dataclass(frozen=True)
class Each:
    """One perturbation for every neuron of a group, or for every synapse between two; `each` makes it.

    Attributes:
        neurons: the group; None for synapses.
        how: makes a perturbation of the name of a neuron, or of the two names of a synapse.
        pre, post: the groups of a synapse's neurons.
        at_once: how many neurons at a time are perturbed, 1 or 2.
    """

    neurons: Any
    how: Callable[..., Perturbation]
    pre: Any = None
    post: Any = None
    at_once: int = 1

    def of(self, network: NCPLayer) -> Iterator[Perturbation]:
        """The perturbations of a network, one after the other."""
        sites = list(sites_of(network))
        if not sites:
            raise TypeError(f"{type(network).__name__} is not over a circuit: it has no neurons to perturb")
        if self.neurons is not None:
            _, names = chosen(sites, self.neurons)
            if self.at_once == 1:
                yield from map(self._made, names)
                return
            for k, first in enumerate(names):
                for second in names[k + 1 :]:
                    yield Together((self._made(first), self._made(second)))
            return
        for pre, post in _synapses(sites, self.pre, self.post):
            yield self._made(pre, post)

    def _made(self, *names: str) -> Perturbation:
        made = self.how(*names)
        told = f"a perturbation, such as gl.studies.Silence, from how({', '.join(map(repr, names))})"
        return instance("what how gives", made, Perturbation, told)


def each(
    neurons: Any = None,
    how: Callable[..., Perturbation] | None = None,
    *,
    pre: Any = None,
    post: Any = None,
    at_once: int = 1,
) -> Each:
    """One perturbation for every neuron of a group, or for every synapse, for `study`.

    Args:
        neurons: a group of neurons; without it, synapses are meant.
        how: makes a perturbation of the name of a neuron, or of the two names of a synapse, pre and post;
            `Lesion` and `Cut` if not given.
        pre, post: of the neurons of synapses, groups; None is every neuron.
        at_once: 2 for every pair of neurons: `how` gets the name of one of them, twice, and the two
            perturbations act together.

    Raises:
        TypeError: a `how` that cannot be called so.
        ValueError: both neurons and synapses, or another number at once.

    Example:
        >>> gl.each("command")                                             # a lesion of each
        >>> gl.each("command", gl.studies.Silence, at_once=2)              # each pair held at 0
        >>> gl.each("inter", lambda name: gl.studies.Silence(name, to=0.5))
        >>> gl.each(pre="command", post="motor")                           # a cut of each synapse
    """
    if how is not None and not callable(how):
        raise TypeError(f"how must make a perturbation, such as gl.studies.Silence, got {label(how)}")
    if whole("at_once", at_once, 1, 2) == 2 and neurons is None:
        raise ValueError("at_once=2 is for neurons: two synapses at a time are gl.studies.Together")
    if neurons is not None and (pre is not None or post is not None):
        raise ValueError("each takes neurons, or pre and post of synapses, and not both")
    if how is not None and neurons is None:
        function_of("how", how, "the names of a synapse's neurons, pre and post", 2)
    elif how is not None:
        pairs = ", and both perturbations of a pair act together" if at_once == 2 else ""
        function_of("how", how, f"the name of one neuron{pairs}")
    return Each(neurons, how or (Cut if neurons is None else Lesion), pre, post, at_once)


def _synapses(sites: list[Site], pre: Any, post: Any) -> list[tuple[str, str]]:
    """The synapses between two groups, by the names from outside; None is every neuron."""
    found: dict[tuple[str, str], None] = {}
    for site in sites:
        plan = site.compiled.plan
        outside = {inner: name for name in site.sensors for inner in site.inner([name])}
        ends = [None if group is None else set(chosen(sites, group)[1]) for group in (pre, post)]
        for names, part in (
            (plan.neurons, plan.recurrent),
            ([outside.get(name, name) for name in plan.sensors], plan.sensory),
            (plan.neurons, plan.electrical),
        ):
            for i, j in zip(part.pre.tolist(), part.post.tolist(), strict=True):
                pair = names[i], plan.neurons[j]
                if all(end is None or name in end for name, end in zip(pair, ends, strict=True)):
                    found[pair] = None
    if not found:
        raise CircuitError(f"there is no synapse {between(pre, post)}")
    return list(found)


def as_names(neurons: Any) -> list[Any]:
    """What neurons were given as, in a list."""
    return [] if neurons is None else list(neurons) if isinstance(neurons, list | tuple) else [neurons]


def shown(group: Any) -> str:
    """A group in words."""
    if group is None:
        return "any"
    if isinstance(group, str):
        return group
    if isinstance(group, list | tuple):
        names = [str(name) for name in group]
        return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    if isinstance(group, dict):
        return ", ".join(f"{key}={value}" for key, value in group.items())
    return getattr(group, "__name__", label(group, 40))


def between(pre: Any, post: Any) -> str:
    """Two groups in words."""
    return f"{shown(pre)} -> {shown(post)}"
