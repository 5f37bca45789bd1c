"""Make the golden files in `models/`: what whole models of ncps 1.0.1 on PyTorch are and compute.

    pip install torch==2.13.0 ncps==1.0.1
    python tests/golden/make_ncps_models.py              # writes models/*.npz and models/manifest.json
    python tests/golden/make_ncps_models.py --check      # makes them again in memory and compares every array
    python tests/golden/make_ncps_models.py --compare    # runs Ganglion (installed too) on the real models;
                                                         # on one of Keras too, where that is installed

The models are made as users make them, with the defaults of ncps unless a row says otherwise. Each file holds

    config           JSON: the class and its arguments
    module           JSON: what the real object says of itself: classes, attributes and children, and of the
                     wiring its sizes, layers and types, for a stand-in where there is no torch
    adjacency, sensory_adjacency  the matrices of the wiring, where there is one
    param/NAME       the state dict, float32 numbers far from their initial values
    x, timespans     the inputs, (2, 12, inputs) and (2, 12)
    outputs, states  what the model computes in float64, state columns in ncps order
    grad/NAME        the gradient of (sum outputs^2 + sum last state^2) / 2 for every parameter, and for x

`--compare` gives the real torch objects to `gl.from_ncps`, `gl.load_ncps` and `gl.to_ncps`, and prints the
largest difference from their outputs both ways.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import ncps.torch
import ncps.wirings
import numpy as np
import torch
from make_ncps import digest, draw_parameter

FOLDER = Path(__file__).resolve().parent / "models"
BATCH, STEPS = 2, 12
PLAIN = (bool, int, float, str, type(None))
MODES = ("default", "pure", "no_gate")

NCP = ("AutoNCP", {"units": 12, "output_size": 3, "seed": 7})
RANDOM = ("Random", {"units": 9, "output_dim": 4, "sparsity_level": 0.5, "random_seed": 3})
UNITS = ("units", 7)

# name: (class, inputs, wiring or units, arguments)
MODELS: dict[str, tuple[str, int, Any, dict[str, Any]]] = {
    "ltc-wired": ("LTC", 5, NCP, {}),
    "ltc-random": ("LTC", 4, RANDOM, {}),
    "ltc-units": ("LTC", 4, UNITS, {}),
    "ltc-mixed": ("LTC", 5, NCP, {"mixed_memory": True}),
    "ltc-clip": ("LTC", 5, NCP, {"implicit_param_constraints": False}),
    "ltc-options": ("LTC", 5, NCP, {
        "ode_unfolds": 3, "epsilon": 0.1, "input_mapping": "linear", "output_mapping": None,
        "return_sequences": False,
    }),
    "ltc-shared-wiring": ("LTC", 5, NCP, {}),
    "cfc-projected-mixed": ("CfC", 5, NCP, {"proj_size": 4, "mixed_memory": True}),
    "cfc-shared-wiring": ("CfC", 5, NCP, {}),
    "cfc-random": ("CfC", 4, RANDOM, {}),
    "cfc-units-projected-mixed": ("CfC", 4, UNITS, {"proj_size": 2, "mixed_memory": True}),
    "cfc-units-relu": ("CfC", 4, UNITS, {
        "activation": "relu", "backbone_layers": 3, "backbone_units": 9, "backbone_dropout": 0.2,
    }),
    "cfc-units-no-backbone": ("CfC", 4, UNITS, {"backbone_layers": 0}),
    **{f"cfc-wired-{mode}": ("CfC", 5, NCP, {"mode": mode}) for mode in MODES},
    **{f"cfc-units-{mode}": ("CfC", 4, UNITS, {"mode": mode}) for mode in MODES},
}  # fmt: skip


def build(name: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    """The model; of a shared wiring others were built before and after it, which adds synapses to it."""
    torch.set_default_dtype(dtype)
    kind, inputs, (wiring, arguments), options = MODELS[name]
    units = arguments if wiring == "units" else getattr(ncps.wirings, wiring)(**arguments)
    shared = "shared" in name
    if shared:
        ncps.torch.LTC(inputs, units)
    model = getattr(ncps.torch, kind)(inputs, units, **options)
    if shared:
        ncps.torch.LTC(inputs, units)
    return model.to(dtype).eval()


def describe(module: torch.nn.Module) -> dict[str, Any]:
    """A module's class, plain attributes and children, and the wiring it refers to."""
    own = {name: value for name, value in vars(module).items() if isinstance(value, PLAIN)}
    children = {name: describe(child) for name, child in module.named_children()}
    found: dict[str, Any] = {"class": type(module).__name__, "attributes": own, "children": children}
    wiring = getattr(module, "_wiring", None)
    if wiring is not None:
        found["wiring"] = {
            "units": wiring.units,
            "input_dim": wiring.input_dim,
            "output_dim": wiring.output_dim,
            "layers": [list(wiring.get_neurons_of_layer(k)) for k in range(wiring.num_layers)],
            "types": [wiring.get_type_of_neuron(k) for k in range(wiring.units)],
        }
    return found


def draw(name: str, model: torch.nn.Module, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Parameters by name and inputs, all float32; see `draw_parameter`."""
    rng = np.random.default_rng(seed)
    kind, inputs, _, options = MODELS[name]
    implicit = options.get("implicit_param_constraints", True)
    config = {"positive": "softplus" if implicit else "clip", "mode": options.get("mode"), "label": kind}
    parameters = {
        key: value.numpy() if "mask" in key else draw_parameter(key, tuple(value.shape), config, rng)
        for key, value in model.state_dict().items()
    }
    x = rng.normal(0.0, 0.8, (BATCH, STEPS, inputs)).astype(np.float32)
    return parameters, {"x": x, "timespans": rng.uniform(0.1, 2.0, x.shape[:2]).astype(np.float32)}


def fill(model: torch.nn.Module, parameters: dict[str, np.ndarray]) -> torch.nn.Module:
    model.load_state_dict({name: torch.tensor(value) for name, value in parameters.items()})
    return model


def run(model: torch.nn.Module, x: torch.Tensor, spans: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs and states step by step: the sequence classes of ncps mix up batched time spans."""
    mixed, project = getattr(model, "use_mixed", False), getattr(model, "fc", torch.nn.Identity())
    state = memory = torch.zeros(len(x), model.state_size, dtype=x.dtype)
    outputs, states = [], []
    for step in range(x.shape[1]):
        if mixed:
            state, memory = model.lstm(x[:, step], (state, memory))
        output, state = model.rnn_cell(x[:, step], state, spans[:, step : step + 1])
        outputs.append(project(output))
        states.append(state)
    return torch.stack(outputs, dim=1), torch.stack(states, dim=1)


def make(name: str, seed: int) -> dict[str, np.ndarray]:
    """All arrays of one golden file."""
    parameters, given = draw(name, build(name), seed)
    model = fill(build(name, torch.float64), parameters)
    x = torch.tensor(given["x"], dtype=torch.float64, requires_grad=True)
    outputs, states = run(model, x, torch.tensor(given["timespans"], dtype=torch.float64))
    sequence, _ = model(x[:1], None, torch.tensor(given["timespans"][:1], dtype=torch.float64))
    alone = outputs[:1] if model.return_sequences else outputs[:1, -1]
    assert torch.allclose(sequence, alone, atol=1e-12), name  # one sequence it reads rightly
    outputs_used = outputs[..., : outputs_of(name, outputs.shape[-1])]
    (0.5 * (outputs_used.square().sum() + states[:, -1].square().sum())).backward()
    gradients = {key: p.grad for key, p in model.named_parameters() if p.requires_grad} | {"x": x.grad}
    arrays: dict[str, np.ndarray] = {
        "config": np.array(json.dumps(MODELS[name])),
        "module": np.array(json.dumps(describe(model))),
        **given,
        "outputs": outputs.detach().numpy(),
        "states": states.detach().numpy(),
        **{f"param/{key}": value for key, value in parameters.items()},
        **{f"grad/{key}": value.numpy() for key, value in gradients.items()},
    }
    wiring = getattr(model.rnn_cell, "_wiring", None)
    if wiring is not None:
        arrays["adjacency"] = wiring.adjacency_matrix.astype(np.int8)
        arrays["sensory_adjacency"] = wiring.sensory_adjacency_matrix.astype(np.int8)
    return {key: a.astype(np.float32) if a.dtype == np.float64 else a for key, a in arrays.items()}


def outputs_of(name: str, all_of_them: int) -> int:
    """How many outputs the wiring declares: the wired CfC of one layer returns all units."""
    return MODELS[name][2][1]["output_dim"] if name == "cfc-random" else all_of_them


def compare() -> float:
    """The largest difference of Ganglion from real models, there and back."""
    import mlx.core as mx

    import ganglion as gl

    worst = 0.0
    for seed, name in enumerate(MODELS):
        parameters, given = draw(name, build(name), seed)
        model = fill(build(name), parameters)
        x, spans = torch.tensor(given["x"]), torch.tensor(given["timespans"])
        rnn = gl.from_ncps(model)
        rnn.return_sequences = True
        ours = np.array(rnn(mx.array(given["x"]), None, mx.array(given["timespans"]))[0])
        with torch.no_grad():
            theirs = run(model, x, spans)[0].numpy()[..., : ours.shape[-1]]
            gl.load_ncps(rnn, model)
            other = build(name)  # with initial weights, until ours are put in
            gl.to_ncps(rnn, other)
            back = run(other, x, spans)[0].numpy()[..., : ours.shape[-1]]
        there, again = np.abs(ours - theirs).max(), np.abs(back - theirs).max()
        print(f"{name:28} {there:.1e} there, {again:.1e} and back")
        worst = max(worst, there, again)
    return max(worst, compare_keras())


def compare_keras() -> float:
    """The same for an LTC on Keras, with its initial weights, where Keras is installed."""
    if find_spec("keras") is None:
        print("no Keras here")
        return 0.0
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import mlx.core as mx
    import ncps.keras

    import ganglion as gl

    torch.set_default_dtype(torch.float32)
    x = np.random.default_rng(0).normal(0.0, 0.8, (BATCH, STEPS, 5)).astype(np.float32)
    worst = 0.0
    others = {"ode_unfolds": 3, "epsilon": 0.1, "input_mapping": None, "output_mapping": "linear"}
    for options in ({}, others):
        model = ncps.keras.LTC(ncps.wirings.AutoNCP(12, 3, seed=7), return_sequences=True, **options)
        theirs = model(x)
        ours = gl.from_ncps(model)(mx.array(x))
        worst = max(worst, float(np.abs(np.array(ours) - theirs.detach().numpy()).max()))
    print(f"{'LTC on Keras':28} {worst:.1e} there")
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description="Make or check the golden files of whole ncps models.")
    parser.add_argument("--check", action="store_true", help="compare with the files here; write nothing")
    parser.add_argument("--compare", action="store_true", help="run Ganglion on the real models")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.compare:
        return compare() > 1e-5
    made = {name: make(name, seed) for seed, name in enumerate(MODELS)}
    files = {f"{name}.npz": digest(arrays) for name, arrays in made.items()}
    if given.check:
        differing = []
        for name, digested in files.items():
            with np.load(FOLDER / name) as stored:
                differing += [name] if digest(dict(stored)) != digested else []
        print(f"{len(files)} files made again; different: {', '.join(differing) or 'none'}")
        return bool(differing)
    FOLDER.mkdir(exist_ok=True)
    for name, arrays in made.items():
        np.savez_compressed(FOLDER / f"{name}.npz", **arrays)
    made_with = {package: version(package) for package in ("ncps", "torch", "numpy")}
    manifest = {"made_by": Path(__file__).name, "made_with": made_with, "files": files}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{len(files)} files and manifest.json written to {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
