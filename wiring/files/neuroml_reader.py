"""The circuit in a NeuroML 2 network: cells of populations, and what projections join."""

from __future__ import annotations

import json
import re
from typing import Any

from ...arguments import counted
from ...errors import CircuitError
from ..digest import ELECTRICAL
from .raw import Attributes, Edge, Node, RawGraph
from .source import Source
from .xml_tree import Element

MARK = "ganglion"
"""The element of the annotation that a file of ours has."""
REST = -50.0
"""Where a cell is whose leak the file does not say, in mV: synapses above it excite."""
MOST = 10_000_000
"""Cells: a number in a file of a kilobyte would fill the memory."""
PROJECTIONS = ("projection", "electricalProjection", "continuousProjection")
_VOLTS = {"V": 1000.0, "mV": 1.0, "uV": 0.001}


class Reader:
    """One document."""

    def __init__(self, source: Source, root: Element) -> None:
        self.source, self.root = source, root
        self.raw = RawGraph("NeuroML 2")
        self.raw.node_error = self.raw.edge_error = self._at
        self.names: dict[str, list[str]] = {}
        self.rest: dict[str, float] = {}
        self.erev: dict[str, float] = {}
        self.cell_of: dict[str, str] = {}
        self.places: dict[str, dict[int, int]] = {}
        self.given: dict[str, Attributes] = {}

    def graph(self) -> RawGraph:
        """The graph of its only network.

        Raises:
            CircuitError: what is wrong and at which line.
        """
        networks = list(self.root.all("network"))
        if self.root.tag != "neuroml" or len(networks) != 1:
            held = counted(len(networks), "network") if self.root.tag == "neuroml" else f"<{self.root.tag}>"
            raise self.source.error(f"expected <neuroml> with one <network>, got {held}", "line 1")
        (network,) = networks
        self.raw.own = next(network.all("annotation", MARK), None) is not None
        for part in self.root.inside:
            if "erev" in part.given:
                self.erev[part.given.get("id", "")] = self._volts(part, "erev")
            if "leakReversal" in part.given:
                self.rest[part.given.get("id", "")] = self._volts(part, "leakReversal")
        included = sum(1 for _ in self.root.all("include"))
        if included:
            self.raw.notes.append(f"{included} included files were not read")
        self.raw.graph = self._properties(network)
        for synapse in network.all("annotation", MARK, "synapse"):
            self.given[self._of(synapse, "projection")] = self._properties(synapse)
        repeated = {self._of(e, "projection") for e in network.all("annotation", MARK, "repeated")}
        for population in network.all("population"):
            self._cells(population)
        for part in network.inside:
            if part.tag == "synapticConnection":
                self._join(part, self._end(part, "from"), self._end(part, "to"), part.given.get("synapse"))
            elif part.tag in PROJECTIONS and part.given.get("id") not in repeated:
                self._project(part)
        return self.raw

    def _at(self, problem: object, line: int) -> CircuitError:
        return self.source.error(problem, f"line {line}")

    def _of(self, element: Element, name: str) -> str:
        if name not in element.given:
            raise self._at(f"this <{element.tag}> has no {name}", element.line)
        return element.given[name]

    def _properties(self, element: Element, skip: int = 0) -> Attributes:
        pairs = [(self._of(each, "tag"), self._of(each, "value")) for each in element.all("property")]
        return {tag: value_in(value) if self.raw.own else value for tag, value in pairs[skip:]}

    def _cells(self, population: Element) -> None:
        own, data = self._of(population, "id"), self._properties(population, int(self.raw.own))
        if own in self.names:
            raise self._at(f"population {own!r} is there twice", population.line)
        instances = [each.given.get("id", str(k)) for k, each in enumerate(population.all("instance"))]
        told = population.given.get("size", str(len(instances)))
        if not _is_number(told) or len(self.raw.nodes) + int(told) > MOST:
            raise self._at(
                f"population {own!r} has size {told!r}: expected at most {MOST} cells", population.line
            )
        count = int(told)
        numbers = [int(each) if _is_number(each) else -1 for each in instances]
        if instances:  # their own numbers are what paths say
            self.places[own] = {number: k for k, number in enumerate(numbers) if number >= 0}
            if not len(self.places[own]) == len(instances) == count:
                wrong = f"population {own!r} of size {told} has the instances {', '.join(instances)[:60]}"
                raise self._at(f"{wrong}: expected a number for each", population.line)
        self.cell_of[own] = population.given.get("component", "")
        if self.raw.own:
            first = next(population.all("property"), None)
            if first is None or count != 1:
                raise self._at(f"population {own!r} of a circuit is one neuron with a name", population.line)
            names = [self._of(first, "value")]
        else:
            data.setdefault("component", self.cell_of[own])
            names = [own] if count == 1 else [f"{own}[{k}]" for k in numbers or range(count)]
        self.names[own] = names
        self.raw.nodes += [Node(name, dict(data), population.line) for name in names]

    def _project(self, projection: Element) -> None:
        ends = [self._of(projection, f"{side}synapticPopulation") for side in ("pre", "post")]
        for join in projection.inside:
            if "onnection" not in join.tag:
                continue
            pre, post = (self._cell(join, side, end) for side, end in zip(("pre", "post"), ends, strict=True))
            synapse = join.given.get(
                "postComponent", join.given.get("synapse", projection.given.get("synapse"))
            )
            own = projection.given.get("id", "")
            self._join(join, pre, post, synapse, own, projection.tag == "electricalProjection")

    def _cell(self, join: Element, side: str, population: str) -> tuple[str, int]:
        told = join.given.get(f"{side}Cell", join.given.get(f"{side}CellId"))
        if told is None:
            raise self._at(f"this <{join.tag}> has no {side}Cell", join.line)
        return self._known(join, population, told)

    def _end(self, join: Element, name: str) -> tuple[str, int]:
        told = self._of(join, name)
        return self._known(join, re.split(r"[\[/]", told.removeprefix("../"))[0], told)

    def _known(self, join: Element, population: str, told: str) -> tuple[str, int]:
        """The cell that a path such as ``../AVA/0/neuron``, ``AVA[0]`` or ``0`` leads to."""
        if population not in self.names:
            raise self._at(f"there is no population {population!r}", join.line)
        found = re.search(r"\[([0-9]{1,9})\]|(?:^|/)([0-9]{1,9})(?:/|$)", told)
        count = len(self.names[population])
        if told == population and count == 1:
            return population, 0
        number = int(found[1] or found[2]) if found else -1
        place = self.places[population].get(number, -1) if population in self.places else number
        if not 0 <= place < count:
            raise self._at(f"population {population!r} has no cell {told!r}", join.line)
        return population, place

    def _join(
        self,
        join: Element,
        pre: tuple[str, int],
        post: tuple[str, int],
        synapse: str | None,
        projection: str = "",
        electrical: bool = False,
    ) -> None:
        data: Attributes = {}
        if self.raw.own:
            if not electrical and synapse in ("excitatory", "inhibitory"):
                data["polarity"] = 1 if synapse == "excitatory" else -1
            data |= self.given.get(projection, {})
        else:
            data |= self._foreign(join, post, synapse, electrical)
        first, second = (self.names[population][k] for population, k in (pre, post))
        self.raw.edges.append(Edge(first, second, data, join.line))

    def _foreign(
        self, join: Element, post: tuple[str, int], synapse: str | None, electrical: bool
    ) -> Attributes:
        data: Attributes = {} if synapse is None else {"synapse": synapse}
        if "weight" in join.given:
            try:
                data["weight"] = float(join.given["weight"])
            except ValueError:
                problem = f"weight is no number, got {join.given['weight'][:60]!r}"
                raise self._at(problem, join.line) from None
        if electrical:
            data["kind"] = ELECTRICAL
        elif synapse in self.erev:
            data["erev"] = erev = self.erev[synapse]
            data["polarity"] = 1 if erev > self.rest.get(self.cell_of[post[0]], REST) else -1
        return data

    def _volts(self, element: Element, name: str) -> float:
        found = re.fullmatch(r"\s*(\S+?)\s*(mV|uV|V)\s*", element.given[name])
        try:
            return float(found[1]) * _VOLTS[found[2]] if found else float("not")
        except ValueError:
            problem = f"{name} is {element.given[name][:60]!r}: expected a voltage such as '-80mV'"
            raise self._at(problem, element.line) from None


def _is_number(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text, re.ASCII) is not None


def value_in(text: str) -> Any:
    """The number, boolean or quoted text of JSON in a property, or the text itself."""
    if text[:1] in set('-0123456789"tfNI'):
        try:
            value = json.loads(text)
        except ValueError:
            return text
        if isinstance(value, str | int | float):
            return value
    return text
