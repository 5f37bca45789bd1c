"""The import report: what was read as what, and what became of what does not fit a circuit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

from ..arguments import counted


@dataclass(frozen=True)
class Step:
    """One decision on the way to a circuit.

    Attributes:
        what: "names", "roles", "polarity", "weight", "kinds", "merged", "dropped", "split", "cleaned",
            "drawn" or "note".
        count: of the neurons or edges that it was about.
        text: a sentence.
        asked: whether the caller asked for it; what loses something and was not asked for is warned of.
    """

    what: str
    count: int
    text: str
    asked: bool = True


@dataclass
class Origin:
    """Where a circuit came from: the import report, a paragraph when printed.

    Attributes:
        source: the path, or the type of the object.
        form: the dialect that was recognised.
        nodes, edges: how many the source has.
        neurons, synapses: how many became of them.
        steps: every decision, in order.

    Example:
        >>> print(gl.circuit_from("connectome.csv", roles="infer").origin)
    """

    source: str
    form: str
    nodes: int
    edges: int
    neurons: int = 0
    synapses: int = 0
    steps: list[Step] = field(default_factory=list)

    def add(self, what: str, count: int, text: str, asked: bool = True) -> None:
        """Note a decision about `count` things; one about nothing is none."""
        if count:
            self.steps.append(Step(what, count, text, asked))

    def count(self, what: str) -> int:
        """How many neurons or edges the decisions of one kind were about."""
        return sum(step.count for step in self.steps if step.what == what)

    @property
    def merged(self) -> int:
        """Edges that became part of another one's synapse."""
        return self.count("merged")

    @property
    def dropped(self) -> int:
        """Edges and nodes that are not in the circuit."""
        return self.count("dropped")

    @property
    def split(self) -> int:
        """Sensory neurons that became an input and a neuron with state."""
        return self.count("split")

    @property
    def cleaned(self) -> int:
        """Nodes whose name was cleaned."""
        return self.count("cleaned")

    @property
    def drawn(self) -> int:
        """Synapses whose polarity was drawn at random."""
        return self.count("drawn")

    def warn(self) -> None:
        """One warning about all that was lost without having been asked for."""
        lost = [step.text for step in self.steps if not step.asked]
        if lost:
            warnings.warn(f"{self.source}: {'; '.join(lost)}", stacklevel=4)

    def __str__(self) -> str:
        head = (
            f"{self.source}, read as {self.form}: {counted(self.nodes, 'node')} and "
            f"{counted(self.edges, 'edge')} became "
            f"{counted(self.neurons, 'neuron')} and {counted(self.synapses, 'synapse')}."
        )
        return " ".join([head, *(f"{step.text[:1].upper()}{step.text[1:]}." for step in self.steps)])
