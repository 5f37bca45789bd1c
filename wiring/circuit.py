"""The circuit: a networkx digraph whose nodes are neurons and whose edges are synapses."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import networkx as nx

from ..arguments import mapping_of, several
from ..errors import CircuitError
from .arrays import CircuitArrays
from .attributes import require_sound
from .checks import Problem, check
from .conversion import arrays_of, fill
from .digest import digest
from .electrical import size_of
from .groups import bunch_of, group_of
from .guards import (
    has_synapse,
    pair_of,
    require_addable,
    require_attributes,
    require_neuron,
    require_new,
    require_renames,
    require_role_change,
    require_synapse,
    require_turnable,
    understood,
    warn_of_merged,
    warn_of_size,
)
from .order import relabel
from .origin import Origin
from .projections import drawn, only_new, renamed_projections
from .roles import label, require_polarity, require_role, require_sign, synapse_label, with_role
from .rules import Seed
from .summary import Summary, page, summary

if TYPE_CHECKING:
    from typing import Self

    _DiGraph = nx.DiGraph[Hashable]
else:
    _DiGraph = nx.DiGraph

Pair = tuple[Hashable, Hashable]
Synapse = tuple[Hashable, Hashable, int]


class Circuit(_DiGraph):
    """A `networkx.DiGraph` of neurons (node attribute `role`) and synapses (edge attribute `polarity`).

    Every networkx function works on it. The methods below keep the circuit sound: each either does its whole
    edit or raises `CircuitError` and changes nothing. Plain networkx edits (`add_node`, `add_edge`) stay
    possible; `check(circuit)` finds what they left wrong.

    Wherever a method takes a group of neurons, that is a role ("command"), one name, the name of a group (the
    attribute `group`), a list of names, values of attributes ({"type": "T4"}), or a predicate of a name and
    its attributes.

    Args:
        incoming_graph_data: whatever `networkx.DiGraph` takes, read as it reads it: another graph to copy, a
            dict of dicts or lists, a list of edges, a NumPy array, a SciPy matrix, a pandas edge list. Its
            attributes `role` and `polarity` are taken; `check(circuit)` names what is missing. `circuit_from`
            reads roles and signs out of others, weights and files.
        **attr: attributes of the graph, as in networkx.

    Raises:
        networkx.NetworkXError: networkx cannot make a graph of it.

    Example:
        >>> circuit = Circuit()
        >>> circuit.add_neurons(["left", "right"], role="sensory")
        >>> circuit.add_neuron("muscle", role="motor")
        >>> circuit.add_synapse("left", "muscle", polarity=-1)
    """

    origin: Origin | None = None  # the import report of `circuit_from`; copies have none

    def __init__(self, incoming_graph_data: Any = None, **attr: Any) -> None:
        with understood(incoming_graph_data):
            super().__init__(incoming_graph_data, **attr)
        if isinstance(incoming_graph_data, nx.MultiGraph):
            warn_of_merged(incoming_graph_data)

    def to_directed_class(self) -> type[Circuit]:
        """The class networkx gives to directed copies (`to_directed`)."""
        return Circuit

    def subgraph(self, nodes: Any) -> Circuit:
        """A view of some neurons and the synapses between them, as in networkx, but in graph order.

        networkx orders small views by the hashes of the names, which differ from run to run, and with them
        the plan of `circuit.subgraph(names).copy()`.

        Args:
            nodes: a role, a name, or names, of which those that do not exist are left out, as in networkx.

        Raises:
            CircuitError: a text that is neither a role nor, whole or letter by letter, a name.

        Example:
            >>> circuit.subgraph("motor").synapses()
        """
        return self._view(bunch_of(self, nodes), getattr(self, "_EDGE_OK", None))

    def edge_subgraph(self, edges: Iterable[Pair | Synapse]) -> Circuit:
        """A view of some synapses and the neurons they connect, as in networkx, but in graph order.

        Args:
            edges: each (pre, post) or (pre, post, polarity); those that do not exist are left out.
        """
        found = [pair_of(edge) for edge in several("edges", edges, "synapses")]
        pairs = {pair for pair in found if has_synapse(self, *pair)}
        return self._view({name for pair in pairs for name in pair}, lambda *pair: pair in pairs)

    def _view(self, kept: set[Hashable], edge_ok: Any) -> Circuit:
        """A view of some neurons; one of a view looks at what that looks at, so that chains stay fast."""
        graph: Any = getattr(self, "_graph", self) if hasattr(self, "_NODE_OK") else self
        edges = {} if edge_ok is None else {"filter_edge": edge_ok}
        view: Circuit = nx.subgraph_view(graph, filter_node=kept.__contains__, **edges)
        return view

    def __repr__(self) -> str:
        return f"Circuit({size_of(self)})"

    def _repr_html_(self) -> str:
        return page(self)

    # What is in it

    def neurons(self, role: str | None = None) -> list[Hashable]:
        """The names of all neurons, or of those with `role`, in the order of the graph."""
        return list(self) if role is None else with_role(self, require_role(role))

    def synapses(self, pre: Any = None, post: Any = None) -> list[Synapse]:
        """The synapses from group `pre` to group `post` as (pre, post, polarity), in the order of the graph.

        Args:
            pre, post: groups of neurons; None means all of them.

        Example:
            >>> circuit.remove_synapses(circuit.synapses("command", "command"))
        """
        sources = set(self if pre is None else group_of(self, pre))
        targets = set(self if post is None else group_of(self, post))
        edges = self.edges(data=True)
        return [(u, v, data.get("polarity")) for u, v, data in edges if u in sources and v in targets]  # type: ignore[misc]

    def check(self) -> list[Problem]:
        """Every problem of the circuit; the same as `check(circuit)`."""
        return check(self)

    def summary(self) -> Summary:
        """The circuit in words and numbers; the same as `summary(circuit)`."""
        return summary(self)

    def compute_output_shape(self, input_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of what a network over the circuit gives for inputs of a shape: (..., M) for (..., I).

        Raises:
            ValueError: the last axis is not that of the sensory neurons.

        Example:
            >>> gl.auto_ncp(64, 8, inputs=16).compute_output_shape((32, 20, 16))           # (32, 20, 8)
        """
        inputs, shape = len(self.neurons("sensory")), tuple(input_shape)
        if shape[-1:] != (inputs,):
            raise ValueError(f"inputs of shape {shape}: the circuit reads {inputs}, expected (..., {inputs})")
        return (*shape[:-1], len(self.neurons("motor")))

    def digest(self) -> str:
        """A text that is equal exactly for circuits that make the same network, whatever file they came from.

        It depends on names, roles, their order, synapses, polarities and kinds, and on nothing else.

        Example:
            >>> gl.read("c.json").digest() == circuit.digest()
        """
        return digest(self)

    # Building

    def add_neuron(self, name: Hashable, role: str = "inter", **attr: Any) -> None:
        """Add one neuron. To add many, `add_neurons` is faster.

        Raises:
            CircuitError: as `add_neurons`.
        """
        self.add_neurons([name], role, **attr)

    def add_neurons(self, names: Iterable[Hashable], role: str = "inter", **attr: Any) -> None:
        """Add neurons of one role, with common attributes.

        Args:
            names, role: of the neurons.
            **attr: `tau` and `cm` (above 0), `gleak` (at least 0), `bias`, `threshold` and `vleak` are
                numbers, kept in files and in the plan's `attributes`, from which no cell starts by itself;
                `group` the name of a group that they are of; any other attribute is the user's own.

        Raises:
            CircuitError: an unknown role, a name that is taken or given twice, or a name without text; an
                attribute whose name is nearly one of those, or that is no such number.
        """
        require_role(role)
        require_sound("neuron", "a neuron", attr)
        if isinstance(names, str):
            raise TypeError(f"add_neurons takes a list of names, got {label(names)}; add_neuron adds one")
        names = several("names", names, "names")
        require_new(self, names)
        self.add_nodes_from(names, **attr, role=role)

    def add_synapse(self, pre: Hashable, post: Hashable, polarity: int = 1, **attr: Any) -> None:
        """Add the synapse `pre -> post`.

        An electrical synapse has neither direction nor sign: it is added once, from either end.

        Args:
            pre, post, polarity: names of neurons; +1 excitatory, -1 inhibitory.
            **attr: `kind` is "chemical", if it is not given, or "electrical"; `weight` the strength, a number
                of at least 0; `gap` that of an electrical synapse beside this chemical one; `delay` one, too.
                Any other attribute is the user's own.

        Raises:
            CircuitError: an unknown neuron, an illegal polarity, a sensory `post`, or a synapse that exists;
                an unknown kind, an electrical synapse of a sensory neuron or of one with itself; an attribute
                whose name is nearly one of those, or that is no such number.

        Example:
            >>> circuit.add_synapse("AVA", "muscle", polarity=-1, weight=3)
            >>> circuit.add_synapse("AVA", "AVB", kind="electrical", weight=2)
        """
        require_addable(self, pre, post, attr)
        sign = require_polarity(polarity, pre, post)
        require_attributes(self, pre, post, sign, attr)
        self.add_edge(pre, post, **attr, polarity=sign)

    def add_synapses(self, synapses: Iterable[Pair | Synapse], polarity: int = 1) -> None:
        """Add many synapses, each (pre, post) or (pre, post, polarity).

        Args:
            synapses: what to add; what `other.synapses()` returns will do.
            polarity: of the synapses given without one.

        Raises:
            CircuitError: as `add_synapse`; a synapse that is given twice.
        """
        polarity = require_sign(polarity)
        new: dict[Pair, int] = {}
        for synapse in several("synapses", synapses, "synapses"):
            pre, post = pair_of(synapse)
            sign = synapse[2] if len(synapse) == 3 else polarity
            require_addable(self, pre, post)
            if (pre, post) in new:
                raise CircuitError(f"{synapse_label(pre, post)} is given twice")
            new[pre, post] = require_polarity(sign, pre, post)
        self.add_edges_from((*pair, {"polarity": sign}) for pair, sign in new.items())

    def connect(
        self,
        pre: Any,
        post: Any,
        rule: str = "all_to_all",
        *,
        indegree: int | None = None,
        outdegree: int | None = None,
        p: float | None = None,
        total: int | None = None,
        self_synapses: bool = True,
        inhibitory: float = 0.0,
        skip_existing: bool = False,
        seed: Seed = None,
    ) -> list[Synapse]:
        """Add the synapses that a connection rule makes between two groups.

        - `all_to_all`: every synapse from the pre to the post group.
        - `one_to_one`: the k-th pre to the k-th post neuron.
        - `fixed_indegree`: for every post neuron, `indegree` different pre neurons.
        - `fixed_outdegree`: for every pre neuron, `outdegree` different post neurons.
        - `pairwise_bernoulli`: every synapse, with probability `p`.
        - `fixed_total_number`: `total` different synapses.

        Args:
            pre, post: a role, a name or a list of names.
            rule: one of the rules above.
            indegree, outdegree, p, total: the argument of the rule, if it has one.
            self_synapses: whether a neuron in both groups may be connected to itself.
            inhibitory: the share of the synapses, rounded to whole synapses, that get polarity -1.
            skip_existing: leave synapses that exist already as they are, instead of raising an error.
            seed: an integer or a `numpy.random.Generator`; needed when the rule or the signs are random.

        Returns:
            The new synapses as (pre, post, polarity).

        Raises:
            CircuitError: an unknown or empty group, a sensory post neuron, or a synapse that exists.
            ValueError, TypeError: an unknown rule, or arguments that do not fit the rule or the groups.

        Example:
            >>> circuit.connect("inter", "command", "fixed_indegree", indegree=4, inhibitory=0.2, seed=7)
        """
        sources, targets = group_of(self, pre), group_of(self, post)
        for given, names in ((pre, sources), (post, targets)):
            if not names:
                raise CircuitError(f"the group {label(given)} has no neurons")
        arguments = {"indegree": indegree, "outdegree": outdegree, "p": p, "total": total}
        made = drawn(self, sources, targets, rule, arguments, self_synapses, inhibitory, seed)
        new = only_new(self, made, skip_existing)
        self.add_edges_from((u, v, {"polarity": sign}) for u, v, sign in new)
        return new

    # Changing

    def remove_neuron(self, name: Hashable) -> None:
        """Remove a neuron and its synapses. Raises `CircuitError` if there is none of this name."""
        require_neuron(self, name)
        self.remove_node(name)

    def remove_neurons(self, neurons: Any) -> None:
        """Remove a group of neurons and their synapses.

        Raises:
            CircuitError: an unknown neuron.
        """
        self.remove_nodes_from(group_of(self, neurons))

    def remove_synapse(self, pre: Hashable, post: Hashable) -> None:
        """Remove a synapse. Raises `CircuitError` if there is none."""
        require_synapse(self, pre, post)
        self.remove_edge(pre, post)

    def remove_synapses(self, synapses: Iterable[Pair | Synapse]) -> None:
        """Remove many synapses, each (pre, post) or (pre, post, polarity).

        Raises:
            CircuitError: one of them is not there.
        """
        pairs = [pair_of(synapse) for synapse in several("synapses", synapses, "synapses")]
        for pre, post in pairs:
            require_synapse(self, pre, post)
        self.remove_edges_from(pairs)

    def flip(self, pre: Hashable, post: Hashable) -> None:
        """Turn an excitatory synapse into an inhibitory one, or the other way round.

        Raises:
            CircuitError: no such synapse, or it has no legal polarity, as an electrical one.
        """
        self.add_edge(pre, post, polarity=-require_turnable(self, pre, post))

    def set_role(self, name: Hashable, role: str) -> None:
        """Give a neuron another role.

        Raises:
            CircuitError: an unknown neuron or role, or role "sensory" for a neuron that receives synapses or
                has electrical ones.
        """
        require_neuron(self, name)
        require_role(role)
        require_role_change(self, name, role)
        self.add_node(name, role=role)

    def rename(self, names: Mapping[Any, Hashable]) -> None:
        """Rename neurons, from old to new name, and keep the order of the graph. Names may be exchanged.

        Raises:
            CircuitError: an unknown neuron, a new name that is taken or given twice, or one without text.

        Example:
            >>> circuit.rename({"motor_0": "left wheel", "motor_1": "right wheel"})
        """
        require_renames(self, mapping_of("names", names, "old to new names"))
        # networkx.relabel_nodes(copy=False) would move renamed neurons to the end of the graph.
        relabel(self, names)
        self.graph.update(renamed_projections(self, names))

    # Arrays

    def to_arrays(self) -> CircuitArrays:
        """The circuit as index arrays, neurons and synapses in the order of the graph.

        Attributes that are texts, numbers or booleans come along.

        Raises:
            CircuitError: the circuit breaks a rule; `check(circuit)` lists all problems.
        """
        return arrays_of(self)

    @classmethod
    def from_arrays(cls, arrays: CircuitArrays) -> Self:
        """The circuit of these arrays: the inverse of `to_arrays`, with texts for names.

        Example:
            >>> Circuit.from_arrays(CircuitArrays([0], [1], [-1], ["sensory", "motor"], ["eye", "muscle"]))
        """
        warn_of_size(len(arrays.pre))
        circuit = cls()
        fill(circuit, arrays)
        return circuit
