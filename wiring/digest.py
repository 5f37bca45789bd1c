"""The digest of a circuit: one text that is equal exactly when two circuits make the same network.

| line | of | holds |
|---|---|---|
| 1 | the form | the text below, whose number counts changes of this table |
| one per neuron, role by role as in `DIGEST_ROLES`, each role in the order of the graph | name | its text |
| | role | or null |
| one per synapse, by pre and then post | pre, post | places in that list, from 0 |
| | polarity | 1, -1, or null if there is none |
| | kind | "chemical" if the synapse has no `kind` |
| one per electrical synapse, behind those of the first of its neurons | pair | both places, in their order |
| | polarity | null |
| | kind | "electrical" |

Each line is a JSON list without blanks, in ASCII, ended by a line feed; the digest is their SHA-256. What is
not in the table is no part of it: positions, notes, colours, weights, and whether a name is the number 3 or
the text "3". The order of the roles is that of a plan, so that a circuit and its network have one digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator
from typing import Any

import networkx as nx

from .roles import is_polarity, is_role, text_of

FORM = "ganglion-circuit-digest 1"
DIGEST_ROLES = ("sensory", "motor", "command", "inter", None)
CHEMICAL, ELECTRICAL = "chemical", "electrical"


def digest(circuit: nx.DiGraph[Any]) -> str:
    """The digest of any digraph, sound or not, as 64 hexadecimal digits.

    Example:
        >>> digest(circuit) == digest(gl.read("c.json"))
    """
    state = hashlib.sha256()
    for record in _records(circuit):
        state.update(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n")
    return state.hexdigest()


def _records(circuit: nx.DiGraph[Any]) -> Iterator[list[Any]]:
    yield [FORM]
    roles: dict[Hashable, str | None] = {
        name: str(role) if is_role(role) else None for name, role in circuit.nodes(data="role")
    }
    ordered = sorted(roles, key=lambda name: DIGEST_ROLES.index(roles[name]))  # a stable sort
    place = {name: k for k, name in enumerate(ordered)}
    for name in ordered:
        yield [text_of(name), roles[name]]
    gaps: dict[int, set[int]] = {}
    for pre, post, data in circuit.edges(data=True):
        if "gap" in data or str(data.get("kind")) == ELECTRICAL:
            first, second = sorted((place[pre], place[post]))
            gaps.setdefault(first, set()).add(second)
    for pre in ordered:
        for post, data in sorted(circuit.adj[pre].items(), key=lambda item: place[item[0]]):
            sign: Any = data.get("polarity")
            kind = text_of(data.get("kind") or CHEMICAL)
            if kind != ELECTRICAL:
                yield [place[pre], place[post], int(sign) if is_polarity(sign) else None, kind]
        for second in sorted(gaps.get(place[pre], ())):
            yield [place[pre], second, None, ELECTRICAL]
