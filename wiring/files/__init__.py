"""Circuits in files, in every format that a graph is likely to come in."""

from __future__ import annotations

import os
from typing import IO, Any

import networkx as nx

from ..circuit import Circuit
from ..importing.door import circuit_from
from .formats import write_file

__all__ = ["circuit_from", "read", "write"]


def read(path: str | os.PathLike[str] | IO[Any], **meaning: Any) -> Circuit:
    """The circuit in a file.

    The file need not hold a sound circuit, only one with roles and polarities; `check(circuit)` tells.

    Args:
        path: a path or an open file. The ending chooses the format: .json (Ganglion, networkx, Cytoscape.js
            and others), .graphml, .gexf, .gml, .net (Pajek), .dot, .nml (NeuroML), .h5 (SONATA), .csv and
            .tsv, each also with .gz; the content does if the ending is another one. `c.csv` stands for the
            two tables `c.neurons.csv` and `c.synapses.csv` if they exist, and else for a list of edges or a
            matrix; `c.h5` for `c_nodes.h5` and `c_edges.h5`, or for one file with both.
        **meaning: what the file does not say by itself, such as `roles=`, as in `circuit_from`.

    Raises:
        CircuitError: the content is no circuit; the message has the path and the line, neuron or synapse.
        ValueError: the format cannot be told.
        FileNotFoundError: there is no such file.

    Example:
        >>> circuit = read("c.json")
    """
    if not isinstance(path, str | os.PathLike) and not hasattr(path, "read"):
        raise TypeError(
            f"read() takes a path or an open file, got {type(path).__name__}; circuit_from takes any graph"
        )
    return circuit_from(path, **meaning)


def write(circuit: nx.DiGraph[Any], path: str | os.PathLike[str], *, strict: bool = True) -> None:
    """Write a circuit to a file, which is replaced whole or, if there is an error, not touched.

    | ending | names | attributes |
    |---|---|---|
    | .json | texts, numbers, and tuples of these | all that JSON has; tuples and arrays become lists |
    | .graphml, .gexf | become texts | texts, numbers and booleans |
    | .csv, .tsv | become texts | as .graphml; those of the circuit itself are left out, with a warning |
    | .gml | become texts | texts and numbers; booleans become 0 and 1 |
    | .net, .dot | become texts | become texts |
    | .nml | become texts | as .graphml |
    | .h5 | become texts | texts, numbers of 64 bits and booleans |

    NumPy scalars become Python numbers. Whatever else the format does not hold is an error, not a loss. An
    ending .gz behind the other compresses the file.

    Args:
        circuit: a Circuit, or any networkx.DiGraph whose nodes have a role and whose edges a polarity.
        path: ends in one of the above. `c.csv` stands for the two tables `c.neurons.csv` and
            `c.synapses.csv`, `c.h5` for `c_nodes.h5` and `c_edges.h5`.
        strict: whether to refuse what `read(path)` would refuse: a neuron without a legal role, a synapse
            without a legal polarity or kind. False writes these, too, and `read(path, strict=False)` brings
            them back. Any other problem of a draft is written in either case, and `check(circuit)` names it.

    Raises:
        CircuitError: what `strict` refuses, or something the format cannot hold; the message names it.
        FileError: an unknown ending.
        TypeError: `circuit` is no directed graph.
        ImportError: SONATA (.h5) without the extra `sonata`.
        OSError: the file cannot be written.

    Example:
        >>> write(circuit, "c.json")
    """
    write_file(circuit, path, strict)
