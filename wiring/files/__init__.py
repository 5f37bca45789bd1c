"""Circuits in files: JSON, GraphML and CSV, chosen by the file's ending."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import networkx as nx

from ..circuit import Circuit
from ..roles import require_digraph
from . import csv_format, graphml_format, json_format
from .atomic import replace_files
from .source import read_together

__all__ = ["read", "write"]

ENDINGS = (".json", ".graphml", ".csv")


def read(path: str | os.PathLike[str]) -> Circuit:
    """The circuit in a file.

    The file need not hold a sound circuit, only one with roles and polarities; `check(circuit)` tells.

    Args:
        path: ends in .json, .graphml or .csv. `c.csv` stands for the two tables `c.neurons.csv` and
            `c.synapses.csv`.

    Raises:
        CircuitError: the content is no circuit; the message has the path and the line, neuron or synapse.
        ValueError: an unknown ending.
        FileNotFoundError: there is no such file.

    Example:
        >>> circuit = read("c.json")
    """
    path = Path(path)
    ending = _ending(path)
    if ending == ".csv":
        neurons, synapses = read_together(csv_format.paths(path))
        return csv_format.decode(neurons, synapses)
    (source,) = read_together([path])
    return json_format.decode(source) if ending == ".json" else graphml_format.decode(source)


def write(circuit: nx.DiGraph[Any], path: str | os.PathLike[str]) -> None:
    """Write a circuit to a file, which is replaced whole or, if there is an error, not touched.

    | ending | names | attributes |
    |---|---|---|
    | .json | texts, numbers, and tuples of these | all that JSON has; tuples and arrays become lists |
    | .graphml | become texts | texts, numbers and booleans |
    | .csv | become texts | as .graphml, of neurons and synapses only: the circuit's own give a warning |

    NumPy scalars become Python numbers. Whatever else the format does not hold is an error, not a loss.

    Args:
        circuit: a Circuit, or any networkx.DiGraph whose nodes have a role and whose edges a polarity.
        path: ends in .json, .graphml or .csv. `c.csv` stands for the two tables `c.neurons.csv` and
            `c.synapses.csv`.

    Raises:
        CircuitError: a neuron without a role, a synapse without a polarity, or something the format cannot
            hold; the message names it.
        ValueError: an unknown ending.
        TypeError: `circuit` is no directed graph.
        OSError: the file cannot be written.

    Example:
        >>> write(circuit, "c.json")
    """
    path = Path(path)
    ending = _ending(path)
    require_digraph(circuit, "write()")
    if ending == ".csv":
        contents = dict(zip(csv_format.paths(path), csv_format.encode(circuit), strict=True))
    else:
        encode = json_format.encode if ending == ".json" else graphml_format.encode
        contents = {path: encode(circuit)}
    replace_files(contents)


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"{path} must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    return ending
