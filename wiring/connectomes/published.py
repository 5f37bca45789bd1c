"""Loaders of published connectomes, from files that you have."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...arguments import at_home
from ...errors import CircuitError
from ..circuit import Circuit
from ..files.source import read_together
from ..importing.door import circuit_from
from ..importing.polarity import Polarity
from ..importing.roles import Roles
from .workbook import edges_of_workbook

Pathlike = str | os.PathLike[str]

# The 26 neurons of the hermaphrodite that are known to use GABA (McIntire et al., Nature 364 (1993) 334).
GABA = re.compile(r"(DD[1-6]|VD([1-9]|1[0-3])|RME[DVLR]|AVL|DVB|RIS)")
_SENSORY = ("sens", "amphid", "phasmid", "cephalic", "touch", "nociceptive", "polymodal", "o2, co2")
_OUTPUTS = ("DN-SEZ", "DN-VNC", "RGN")  # of the larva
_SHIPPED = {"edges": "herm_full_edgelist.csv", "cells": "all_cell_info.csv"}


def celegans(
    edges: Pathlike | None = None,
    cells: Pathlike | None = None,
    *,
    polarity: Polarity = None,
    sensors: str = "split",
    electrical: str = "keep",
) -> Circuit:
    """The whole-animal connectome of the hermaphrodite (Cook et al., Nature 571 (2019) 63).

    Muscles and other end organs are motor neurons here, since they are outputs. Blanks in names are tidied
    and leading zeros go (`VD01` is `VD1`). A neuron of several kinds has the role that is named first.

    Args:
        edges: the edge list `herm_full_edgelist.csv` (Source, Target, Weight, Type), or another in columns;
            by default the one that the package `cect` has, if it is installed. Or the publication's own
            matrices, the workbook of its supplementary information 5 (`.xlsx`, read by openpyxl), which
            `cect` has too: they have 300 edges more than the list.
        cells: a table `Cell name`, `Type`; by default `all_cell_info.csv` of `cect`. What is not in it is an
            end organ.
        polarity: as in `circuit_from`. By default the 26 neurons that use GABA inhibit and all others excite,
            which is known to be wrong for some (glutamate inhibits where its receptor is a channel for
            chloride).
        sensors, electrical: as in `circuit_from`.

    Raises:
        FileNotFoundError: no file is given, and `cect` is not installed.
        CircuitError: a file is damaged.

    Example:
        >>> circuit = gl.connectomes.celegans()           # with pip install cect
        >>> print(circuit.origin)
    """
    types = _types(_shipped("cells", cells))

    def role(name: Any) -> str:
        return _role(types.get(str(name)))

    def sign(pre: Any, _: Any) -> int:
        return -1 if GABA.fullmatch(str(pre)) else 1

    path = _shipped("edges", edges)
    circuit = circuit_from(
        edges_of_workbook(path) if path.suffix == ".xlsx" else path,
        roles=role,
        polarity=sign if polarity is None else polarity,
        sensors=sensors,
        electrical=electrical,
        parallel="sum",
        clean_names=["blanks", "zeros"],
    )
    circuit.graph["citation"] = "Cook et al., Nature 571 (2019) 63, doi 10.1038/s41586-019-1352-7"
    circuit.graph["uncertain"] = "signs: only that of the 26 GABA neurons is known for all their synapses"
    return circuit


def larva(
    matrix: Pathlike,
    annotations: Pathlike | None = None,
    *,
    polarity: Polarity,
    roles: Roles = None,
    sensors: str = "split",
) -> Circuit:
    """The brain of a larva of Drosophila (Winding et al., Science 379 (2023) eadd9330).

    Args:
        matrix: `all-all_connectivity_matrix.csv`, with the ids of neurons above and on the left.
        annotations: `annotations.csv` (left_id, right_id, celltype): sensory neurons are inputs, descending
            and ring gland neurons (DN-SEZ, DN-VNC, RGN) outputs, and all others inter neurons.
        polarity: as in `circuit_from`. The transmitters of most neurons are not known, so there is no
            default.
        roles: as in `circuit_from`, instead of annotations.
        sensors: as in `circuit_from`.

    Raises:
        CircuitError: a file is damaged, or neither annotations nor roles are given.

    Example:
        >>> circuit = gl.connectomes.larva("all-all_connectivity_matrix.csv", "annotations.csv", polarity=1)
    """
    if annotations is not None and roles is None:
        roles = _annotated(at_home("annotations", annotations))
    circuit = circuit_from(matrix, roles=roles, polarity=polarity, sensors=sensors, parallel="sum")
    circuit.graph["citation"] = "Winding et al., Science 379 (2023) eadd9330, doi 10.1126/science.add9330"
    circuit.graph["uncertain"] = "signs: the transmitters of most neurons are not known"
    return circuit


def flywire(
    connections: Pathlike,
    neurons: Pathlike,
    *,
    polarity: Polarity = ("nt_type", {"GABA": -1, "GLUT": -1, None: 1}),
    sensors: str = "split",
) -> Circuit:
    """The brain of an adult Drosophila (Dorkenwald et al., Nature 634 (2024) 124), from FlyWire's tables.

    Synapses of one pair in several neuropils are added up. A circuit of a whole brain (139,000 neurons, 2.7
    million pairs) takes gigabytes as a networkx graph: cut the tables first, or give arrays to
    `gl.Plan.from_arrays`.

    Args:
        connections: `connections.csv` (pre_root_id, post_root_id, neuropil, syn_count, nt_type), also .gz.
        neurons: `classification.csv` (root_id, flow, ...); afferent neurons are sensory, efferent ones motor.
        polarity: as in `circuit_from`; by default GABA and glutamate inhibit, as in Shiu et al., Nature 634
            (2024) 210, and all others excite.
        sensors: as in `circuit_from`.

    Example:
        >>> circuit = gl.connectomes.flywire("connections.csv.gz", "classification.csv.gz")
    """
    circuit = circuit_from(
        connections,
        neurons=neurons,
        roles=("flow", {"afferent": "sensory", "intrinsic": "inter", "efferent": "motor"}),
        polarity=polarity,
        sensors=sensors,
        parallel="majority",
    )
    circuit.graph["citation"] = "Dorkenwald et al., Nature 634 (2024) 124, doi 10.1038/s41586-024-07558-y"
    circuit.graph["uncertain"] = "transmitters are predicted from images, and their signs depend on receptors"
    return circuit


def _annotated(path: Path) -> Callable[[Any], str]:
    """The role of a neuron of the larva, by its id."""
    types: dict[str, str] = {}
    for row in _rows(path, {"left_id", "right_id", "celltype"}):
        types.update(dict.fromkeys((row["left_id"], row["right_id"]), row["celltype"].strip()))

    def role(name: Any) -> str:
        type_ = types.get(str(name), "")
        return "sensory" if type_ == "sensory" else "motor" if type_ in _OUTPUTS else "inter"

    return role


def _rows(path: Path, columns: set[str]) -> list[dict[str, str]]:
    """The rows of a table that has these columns."""
    (source,) = read_together([path])
    table = csv.DictReader(source.text().splitlines())
    if not columns <= set(table.fieldnames or ()):
        raise CircuitError(
            f"{path}: expected the columns {', '.join(sorted(columns))}, got {table.fieldnames}"
        )
    return [{key: row[key] or "" for key in columns} for row in table]


def _shipped(what: str, given: Pathlike | None) -> Path:
    """The file that is given, or the one in the package `cect`."""
    if given is not None:
        return at_home(what, given)
    found = find_spec("cect")
    if found is None or found.origin is None:
        raise FileNotFoundError(
            f"celegans() needs {_SHIPPED[what]}: give its path as {what}=, or pip install cect, which has it"
        )
    return Path(found.origin).parent / "data" / _SHIPPED[what]


def _types(path: Path) -> dict[str, str]:
    """The type of each cell, by its name without leading zeros."""
    table = _rows(path, {"Cell name", "Type"})
    return {re.sub(r"(?<=[^\W\d])0+(?=\d)", "", row["Cell name"].strip()): row["Type"] for row in table}


def _role(type_: str | None) -> str:
    """The role of a type of cells, by its first part; what is no neuron is an end organ, an output."""
    first = (type_ or "").partition(";")[0].casefold()
    if "interneuron" in first or "canal neuron" in first:
        return "inter"
    return "sensory" if any(word in first for word in _SENSORY) else "motor"
