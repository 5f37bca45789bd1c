"""Stand-ins for models of ncps on PyTorch, with the attributes that `tests/golden/models` has of real ones.

`tests/golden/make_ncps_models.py` made the files from real models, and with ``--compare`` it gives those real
objects to `gl.from_ncps`, `gl.load_ncps` and `gl.to_ncps`; so tests need no torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from .golden import FOLDER as GOLDEN

FOLDER = GOLDEN / "models"
MODELS = sorted(path.stem for path in FOLDER.glob("*.npz"))


@dataclass(frozen=True)
class Tensor:
    """What is used of a torch tensor."""

    array: np.ndarray

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def float(self) -> Tensor:
        return Tensor(self.array.astype(np.float32))

    def numpy(self) -> np.ndarray:
        return self.array

    def new_tensor(self, values: np.ndarray) -> Tensor:
        return Tensor(values.astype(self.array.dtype))


class Module:
    """What is used of a torch module: attributes, children in order, and the state dict."""

    tensors: dict[str, Tensor]
    children: dict[str, Module]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.children.values())

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self.tensors)

    def load_state_dict(self, given: Mapping[str, Tensor]) -> None:
        assert given.keys() == self.tensors.keys()
        assert all(given[name].array.shape == self.tensors[name].array.shape for name in given)
        self.tensors.update(given)


def module(described: dict[str, Any], tensors: dict[str, Tensor], wiring: Any) -> Module:
    """A module as it was described, of a class of the same name."""
    made: Module = type(described["class"], (Module,), {"__module__": "ncps.torch"})()
    vars(made).update(described["attributes"], tensors=tensors, children={})
    if "wiring" in described:
        vars(made)["_wiring"] = wiring
    for name, value in tensors.items():
        if "." not in name:
            setattr(made, name, value)
    for name, child in described["children"].items():
        start = f"{name}."
        inner = {key.removeprefix(start): value for key, value in tensors.items() if key.startswith(start)}
        made.children[name] = module(child, inner, wiring)
        setattr(made, name, made.children[name])
    return made


@dataclass(frozen=True)
class Recorded:
    """One file: what one real model said of itself and computed."""

    described: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @classmethod
    def load(cls, name: str) -> Recorded:
        with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
            arrays = dict(stored)
        return cls(json.loads(str(arrays["module"])), arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(prefix): a for n, a in self.arrays.items() if n.startswith(prefix)}

    def model(self) -> Any:
        """A new stand-in for the model."""
        tensors = {name: Tensor(array.copy()) for name, array in self.group("param/").items()}
        return module(self.described, tensors, self.wiring())

    def wiring(self) -> Any:
        """A stand-in for the wiring as it is now: of a shared one, built again since."""
        described = self.described["children"]["rnn_cell"].get("wiring")
        if described is None:
            return None
        return SimpleNamespace(
            units=described["units"],
            input_dim=described["input_dim"],
            output_dim=described["output_dim"],
            adjacency_matrix=self["adjacency"],
            sensory_adjacency_matrix=self["sensory_adjacency"],
            num_layers=len(described["layers"]),
            get_neurons_of_layer=described["layers"].__getitem__,
            get_type_of_neuron=described["types"].__getitem__,
        )

    @property
    def state_ids(self) -> list[int]:
        """The neuron behind every column of a state: a wired CfC has them by layer."""
        cell = self.described["children"]["rnn_cell"]
        if cell["class"] == "WiredCfCCell":
            return [neuron for layer in cell["wiring"]["layers"] for neuron in layer]
        return list(range(self["states"].shape[-1]))

    def by_neuron(self, states: np.ndarray) -> np.ndarray:
        ordered = np.empty_like(states)
        ordered[..., self.state_ids] = states
        return ordered
