"""The plan: a circuit as index arrays, before any array library."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from .. import shown
from ..arguments import counted, instance, label, mapping_of, numbers, several, whole
from ..errors import CircuitError
from ..wiring import Circuit, CircuitArrays
from ..wiring.array_files import read_arrays, write_arrays
from .arranged import STATE_ROLES, arranged, default_names
from .attributes import PARTS, Attributes, joined
from .neighbourhood import neighbourhood
from .reading import Meaning, Table, arrays_from
from .synapses import Index, Synapses


@dataclass(frozen=True, eq=False)
class Plan:
    """A checked circuit as names and index arrays, NumPy only.

    Neurons with state are ordered motor, command, inter, and by the order of the circuit inside a role;
    synapses are ordered by (post, pre). Parameters of a cell follow this order, whatever layout runs them.

    Attributes:
        neurons: N names of the neurons with state.
        sensors: I names of the sensory neurons: the input features.
        counts: how many of the neurons are motor, command and inter neurons.
        recurrent: synapses between neurons with state, (N, N).
        sensory: synapses from sensory neurons, (I, N).
        electrical: electrical synapses, (N, N): each pair of neurons once, from the smaller number to the
            larger. Their `polarity` of 1 means nothing.
        place: (N,) where each neuron stands in the circuit it came from, if that is known. It is no part of
            what the plan says: plans that differ in it alone are equal.
        attributes: what the circuit says of neurons and synapses beyond that, such as types and counts, which
            ties and starting values may refer to. They are no part of what the plan says, either.

    Example:
        >>> plan = gl.compile_circuit(circuit).plan
        >>> plan.neurons[plan.recurrent.pre[0]]    # name of the first synapse's presynaptic neuron
    """

    neurons: tuple[str, ...]
    sensors: tuple[str, ...]
    counts: tuple[int, int, int]
    recurrent: Synapses
    sensory: Synapses
    place: Index | None = None
    attributes: Attributes = field(default_factory=Attributes)
    electrical: Synapses = field(default_factory=lambda: Synapses.none(0))

    def __post_init__(self) -> None:
        n = len(instance("neurons", self.neurons, tuple, "a tuple of names"))
        i = len(instance("sensors", self.sensors, tuple, "a tuple of names"))
        _require_names((*self.neurons, *self.sensors))
        if not len(instance("electrical", self.electrical, Synapses, "Synapses")):
            object.__setattr__(self, "electrical", Synapses.none(n))  # of any size: it is empty
        counts = several("counts", self.counts, "three numbers")
        if len([whole("a count", count, 0) for count in counts]) != 3 or sum(counts) != n:
            raise CircuitError(
                f"the counts {label(self.counts)} of motor, command and inter do not add up to "
                f"{counted(n, 'neuron')}"
            )
        if (self.electrical.pre >= self.electrical.post).any():
            raise CircuitError("an electrical synapse must lead from the smaller to the larger number")
        for what, part, n_pre in (
            ("recurrent", self.recurrent, n),
            ("sensory", self.sensory, i),
            ("electrical", self.electrical, n),
        ):
            instance(what, part, Synapses, "Synapses")
            if (part.n_pre, part.n_post) != (n_pre, n):
                raise CircuitError(
                    f"{what} synapses of {part.n_pre} onto {part.n_post} neurons: expected {n_pre} onto {n}"
                )

    @classmethod
    def from_arrays(
        cls,
        pre: ArrayLike,
        post: ArrayLike,
        polarity: ArrayLike,
        roles: Sequence[str],
        names: Sequence[str] | None = None,
        *,
        neurons: Mapping[str, ArrayLike] | None = None,
        synapses: Mapping[str, ArrayLike] | None = None,
        electrical: ArrayLike = (),
    ) -> Plan:
        """Build a plan from arrays, without going through networkx.

        Args:
            pre: (K,) presynaptic neuron of each synapse, an index into `roles`.
            post: (K,) postsynaptic neuron.
            polarity: (K,) +1 or -1.
            roles: one role per neuron, sensory neurons included.
            names: one name per neuron; ``<role>_<number>`` if not given.
            neurons: attributes by name, such as a type, one value per neuron.
            synapses: attributes by name, such as a count, one value per synapse.
            electrical: (L, 2) pairs of neurons with an electrical synapse, each pair once.

        Raises:
            CircuitError: arrays of different lengths, an index out of range, an unknown role, an illegal
                polarity, a synapse onto a sensory neuron, a synapse given twice, or no motor neuron.

        Example:
            >>> plan = Plan.from_arrays([0, 1], [1, 1], [1, -1], ["sensory", "motor"])
            >>> plan.recurrent                     # Synapses(1 from 1 onto 1, density 1)
        """
        given = tuple(several("roles", roles, "roles"))
        called = default_names(given) if names is None else several("names", names, "names")
        ends = numbers("pre", pre), numbers("post", post), numbers("polarity", polarity)
        data: tuple[Any, Any] = (
            {} if neurons is None else neurons,
            {} if synapses is None else synapses,
        )
        for name, columns in zip(("neurons", "synapses"), data, strict=True):
            mapping_of(name, columns, "names to values")
        couplings = numbers("electrical", electrical)
        return cls.from_circuit_arrays(CircuitArrays(*ends, given, tuple(called), *data, couplings))

    @classmethod
    def from_circuit_arrays(cls, arrays: CircuitArrays) -> Plan:
        """The plan of a circuit's arrays, which were checked when they were made."""
        return cls(**arranged(arrays)._asdict())

    @classmethod
    def from_scipy(cls, matrix: Any, roles: Sequence[str], names: Sequence[str] | None = None) -> Plan:
        """Build a plan from a sparse matrix of synapses.

        Args:
            matrix: (n, n) SciPy sparse matrix or array; entry (i, j) is the synapse i -> j and its sign the
                polarity. Entries that are zero are no synapses.
            roles: n roles, sensory neurons included.
            names: n names; ``<role>_<number>`` if not given.

        Raises:
            CircuitError: the matrix is not square, or does not fit the roles; else as `from_arrays`.

        Example:
            >>> plan = gl.Plan.from_scipy(scipy.sparse.csr_array([[0, 1], [0, -1]]), ["sensory", "motor"])
            >>> plan.recurrent.polarity            # [-1]
        """
        entries = scipy.sparse.coo_array(matrix)
        entries.sum_duplicates()
        expected = len(roles), len(roles)
        if entries.shape != expected:
            raise CircuitError(
                f"the matrix has shape {entries.shape}: expected one row and column per role, {expected}"
            )
        pre, post = entries.row, entries.col
        signs = np.sign(entries.data)
        given = signs != 0
        return cls.from_arrays(pre[given], post[given], signs[given], roles, names)

    @classmethod
    def read(
        cls,
        synapses: Table,
        neurons: Table | None = None,
        *,
        roles: Meaning | Sequence[str] = "role",
        polarity: Meaning | int = "polarity",
        weight: str | None = None,
        sensors: str = "split",
    ) -> Plan:
        """A plan from tables of columns, for circuits that are too large for a graph.

        Columns that are not named here become attributes, for ties and starting values.

        Args:
            synapses: a .parquet, .feather or .npz file, or columns by name: the two neurons of each synapse
                (`pre` and `post`, `source` and `target`, `pre_root_id` and `post_root_id`, ...), polarity and
                weight. A file that `write` wrote needs nothing else.
            neurons: the same for the neurons: their `name`, `id` or `root_id`, and their roles. Without it
                neurons are those that have synapses, in the order of their ids, and `roles` a list.
            roles: a column of neurons, (column, {value: role}), or a list.
            polarity: a column of synapses, (column, {value: sign}), where None stands for all others, or one
                sign for all.
            weight: a column of synapses; by default `weight`, or one of counts. Rows of one pair of neurons
                become one synapse: weights are added, and the heavier sign counts.
            sensors: of sensory neurons that receive synapses: "split" makes each an input that drives a
                neuron with state, "drop" leaves out what they receive.

        Raises:
            CircuitError: a file is damaged, or what is wrong with which neuron or synapse.
            ImportError: Parquet without the extra ``ganglion-mlx[parquet]``.

        Example:
            >>> plan = gl.Plan.read("connections.parquet", "neurons.parquet", roles=("flow", {
            ...     "afferent": "sensory", "intrinsic": "inter", "efferent": "motor"}),
            ...     polarity=("nt_type", {"GABA": -1, "GLUT": -1, None: 1}))
        """
        if isinstance(synapses, str | PathLike) and neurons is None:
            written = read_arrays(Path(synapses).expanduser())
            if written is not None:
                return cls.from_circuit_arrays(written)
        return cls.from_circuit_arrays(arrays_from(synapses, neurons, roles, polarity, weight, sensors))

    def write(self, path: str | PathLike[str]) -> None:
        """Write the plan to an .npz file, which `Plan.read` and `numpy.load` read."""
        write_arrays(self.to_arrays(), Path(path).expanduser())

    def to_arrays(self) -> CircuitArrays:
        """The plan as the arrays of a circuit, sensory neurons first."""
        names, n, said = self.sensors + self.neurons, self.n_inputs, self.attributes
        sensory, recurrent, pairs = self.sensory, self.recurrent, self.electrical
        return CircuitArrays(
            np.concatenate([sensory.pre, recurrent.pre + np.int32(n)]),
            np.concatenate([sensory.post, recurrent.post]) + np.int32(n),
            np.concatenate([sensory.polarity, recurrent.polarity]),
            ("sensory",) * n + self.roles,
            names,
            joined(said.sensors, n, said.neurons, self.n_neurons),
            joined(said.sensory, len(sensory), said.recurrent, len(recurrent)),
            np.stack([pairs.pre, pairs.post], axis=1) + np.int32(n),
            said.electrical,
        )

    def to_circuit(self, neurons: str | Iterable[str] | None = None, *, distance: int = 1) -> Circuit:
        """The circuit of the plan, or of the neighbourhood of some neurons.

        Args:
            neurons: a name, or names: only these and what is within some synapses of them, in either
                direction, with all synapses between those; everything if not given.
            distance: how many synapses away.

        Raises:
            CircuitError: a name that is not in the plan.

        Example:
            >>> plan.to_circuit("AVAL", distance=2)
        """
        arrays = self.to_arrays()
        if neurons is not None:
            named = [neurons] if isinstance(neurons, str) else list(neurons)
            arrays = neighbourhood(arrays, named, whole("distance", distance, least=0))
        return Circuit.from_arrays(arrays)

    def only(self, kept: Mapping[str, Index]) -> Plan:
        """The plan with some of the synapses alone: of each side that is named, the numbers that are kept."""
        sides = {side: getattr(self, side).only(numbers) for side, numbers in kept.items()}
        everything: dict[str, Any] = dict.fromkeys(PARTS, slice(None))
        return replace(self, attributes=self.attributes.chosen(**everything | dict(kept)), **sides)

    @property
    def n_inputs(self) -> int:
        """I: the number of sensory neurons."""
        return len(self.sensors)

    @property
    def n_neurons(self) -> int:
        """N: the number of neurons with state."""
        return len(self.neurons)

    @property
    def n_outputs(self) -> int:
        """M: the number of motor neurons."""
        return self.counts[0]

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The role of each neuron with state, in plan order."""
        return tuple(role for role, n in zip(STATE_ROLES, self.counts, strict=True) for _ in range(n))

    def role_slice(self, role: str) -> slice:
        """Where the neurons of a role lie in a state vector.

        Raises:
            ValueError: not one of the roles that have a state.
        """
        if not isinstance(role, str) or role not in STATE_ROLES:
            raise ValueError(f"unknown role {label(role)}: neurons with state are {', '.join(STATE_ROLES)}")
        k = STATE_ROLES.index(role)
        start = sum(self.counts[:k])
        return slice(start, start + self.counts[k])

    @cached_property
    def digest(self) -> str:
        """A hash of names, roles, synapses and polarities: equal exactly for equal plans."""
        state = hashlib.sha256(repr((self.neurons, self.sensors, self.counts)).encode())
        for synapses in (self.recurrent, self.sensory, *([self.electrical] if len(self.electrical) else [])):
            for array in (synapses.pre, synapses.post, synapses.polarity):
                state.update(len(array).to_bytes(8, "little"))
                state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()

    def describe(self) -> str:
        """Sizes, density and the memory that one set of synaptic weights takes in each layout."""
        motor, command, inter = self.counts
        lines = [
            f"{counted(self.n_neurons, 'neuron')} ({motor} motor, {command} command, {inter} inter), "
            f"{counted(self.n_inputs, 'sensory neuron')}",
        ]
        for name, part in (("recurrent", self.recurrent), ("sensory", self.sensory)):
            inhibitory = int((part.polarity < 0).sum())
            lines.append(
                f"{name}: {counted(len(part), 'synapse')} of {part.n_pre} x {part.n_post} "
                f"({part.density:.1%}), {inhibitory} inhibitory"
            )
        if len(self.electrical):
            lines.append(f"electrical: {counted(len(self.electrical), 'pair')} of neurons")
        dense = 4 * (self.recurrent.n_pre + self.sensory.n_pre) * self.n_neurons
        edges = 4 * (len(self.recurrent) + len(self.sensory))
        lines.append(f"memory per weight: dense {shown.human_bytes(dense)}, edge {shown.human_bytes(edges)}")
        return "\n".join(lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return (
            f"Plan({counted(self.n_inputs, 'input')}, {counted(self.n_neurons, 'neuron')}, "
            f"{counted(self.n_outputs, 'output')}, "
            f"{len(self.recurrent)} + {len(self.sensory)} synapses)"
        )

    def _repr_html_(self) -> str:
        parts = (("recurrent", self.recurrent), ("sensory", self.sensory))
        pictures = [
            shown.matrix_picture(part.n_pre, part.n_post, _cells(part), f"{name} synapses, pre down")
            for name, part in parts
            if len(part)
        ]
        rows = [line.partition(": ")[::2] for line in self.describe().splitlines()]
        return shown.page(shown.table("Plan", rows), *pictures)


def _cells(part: Synapses) -> Iterator[tuple[int, int, int]]:
    return zip(part.pre.tolist(), part.post.tolist(), part.polarity.tolist(), strict=True)


def _require_names(names: tuple[Any, ...]) -> None:
    """What is drawn and carried by name needs one of its own for each neuron."""
    for name in names:
        if not isinstance(name, str):
            raise CircuitError(f"a neuron is named {label(name)}: expected a string such as 'AVA'")
    if len(set(names)) < len(names):
        raise CircuitError(f"two neurons are named {label(Counter(names).most_common(1)[0][0])}")
