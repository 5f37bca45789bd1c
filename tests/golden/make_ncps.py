"""Make the golden files of this folder: what ncps 1.0.1 on PyTorch computes, for 54 small configurations.

    pip install torch==2.13.0 ncps==1.0.1
    python tests/golden/make_ncps.py            # writes *.npz and manifest.json into this folder
    python tests/golden/make_ncps.py --check    # makes them again in memory and compares every array

The tests read the files and need neither package. Each file holds

    config            JSON: cell, mode, solver settings, the wiring as Ganglion's generator and its arguments
    adjacency         (N, N) synapses between neurons by ncps neuron id, [pre, post], -1, 0 or +1
    sensory_adjacency (I, N) the same for the sensory synapses (neither where there is no wiring)
    state_ids         (N,) the neuron id behind every column of an ncps state: ncps's wired CfC orders its
                      state by layer (inter, command, motor), all else is by id (motor, command, inter)
    x, h0, timespans  the inputs; h0 and timespans only where the configuration has them
    outputs, states   for all 32 steps, state columns in ncps order
    loss              (sum (y - targets)^2 + sum (last state - state_targets)^2) / 2, where y is the first M
                      outputs: ncps's one-layer wired CfC returns all units, of which M are the outputs
    param/NAME        the torch model's state dict
    c0, memory        only with mixed memory: the LSTM's memory before the first and after the last step; its
                      squared distance from memory_targets counts in the loss as well
    grad/NAME         the gradient of the loss for every trainable parameter, and for x, h0 and timespans

All inputs and parameters are float32 numbers drawn by NumPy, far from their trivial initial values, at places
without a synapse too. ncps itself runs in float64, so that a difference found by a test is the rounding of
the code under test alone; the manifest says how far ncps's own float32 run is from that (``float32_noise``).

Batched irregular time spans are given to the torch cells step by step as (B, 1): the sequence classes of ncps
squeeze them to (B,) and then raise, or mix batch and units. Where those classes are right, their output is
asserted equal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import ncps.torch
import ncps.wirings
import numpy as np
import torch

FOLDER = Path(__file__).resolve().parent
BATCH, STEPS = 3, 32

# One wiring, said twice: to ncps, and to the generator of Ganglion that must give the same circuit.
WIRINGS = {
    "auto_ncp": {
        "inputs": 5,
        "ncps": ("AutoNCP", {"units": 16, "output_size": 3, "sparsity_level": 0.5, "seed": 22222}),
        "generator": ("auto_ncp", {"units": 16, "outputs": 3, "sparsity": 0.5, "seed": 22222}),
    },
    "ncp": {
        "inputs": 4,
        "ncps": (
            "NCP",
            {
                "inter_neurons": 7, "command_neurons": 5, "motor_neurons": 2, "sensory_fanout": 3,
                "inter_fanout": 2, "recurrent_command_synapses": 6, "motor_fanin": 3, "seed": 7,
            },
        ),
        "generator": (
            "ncp",
            {
                "inter": 7, "command": 5, "motor": 2, "sensory_fanout": 3,
                "inter_fanout": 2, "recurrent_command_synapses": 6, "motor_fanin": 3, "seed": 7,
            },
        ),
    },
    "random": {
        "inputs": 6,
        "ncps": ("Random", {"units": 14, "output_dim": 4, "sparsity_level": 0.6, "random_seed": 3}),
        "generator": ("random", {"units": 14, "outputs": 4, "sparsity": 0.6, "seed": 3}),
    },
    "fully_connected": {
        "inputs": 3,
        "ncps": ("FullyConnected", {"units": 10, "output_dim": 3, "erev_init_seed": 5}),
        "generator": ("fully_connected", {"units": 10, "outputs": 3, "seed": 5}),
    },
    "no_self_synapses": {
        "inputs": 3,
        "ncps": (
            "FullyConnected",
            {"units": 9, "output_dim": 2, "erev_init_seed": 6, "self_connections": False},
        ),
        "generator": ("fully_connected", {"units": 9, "outputs": 2, "seed": 6, "self_connections": False}),
    },
    # Every synapse from one layer to the next: here ncps's wired CfC has no mask at work.
    "full_ncp": {
        "inputs": 3,
        "ncps": (
            "NCP",
            {
                "inter_neurons": 5, "command_neurons": 4, "motor_neurons": 2, "sensory_fanout": 5,
                "inter_fanout": 4, "recurrent_command_synapses": 4, "motor_fanin": 4, "seed": 1,
            },
        ),
        "generator": (
            "ncp",
            {
                "inter": 5, "command": 4, "motor": 2, "sensory_fanout": 5,
                "inter_fanout": 4, "recurrent_command_synapses": 4, "motor_fanin": 4, "seed": 1,
            },
        ),
    },
    # No wiring: ncps takes the number of units, and the CfC gets a backbone.
    "dense": {"inputs": 4, "ncps": None, "generator": ("dense", {"units": 8})},
}  # fmt: skip

# What a configuration fixes beside its wiring; the names are the keyword arguments of Ganglion's layers.
LTC_CLIP = {"cell": "LTC", "positive": "clip", "ode_unfolds": 6}
LTC_SOFTPLUS = {"cell": "LTC", "positive": "softplus", "ode_unfolds": 6}
CFC = [{"cell": "CfC", "mode": mode} for mode in ("default", "pure", "no_gate")]
BACKBONES = [
    {"backbone_layers": 2, "backbone_units": 10, "backbone_activation": "silu"},
    {"backbone_layers": 1, "backbone_units": 12, "backbone_activation": "lecun_tanh"},
    {"backbone_layers": 0},
]
# (time spans, initial state given)
RUNS = [("irregular", True), ("regular", False), ("irregular", False), ("regular", True)]


def configurations() -> list[dict]:
    """Every cell on every wiring, each of the four kinds of run once per cell; then the rare settings."""
    found = []
    for row, cell in enumerate([LTC_CLIP, LTC_SOFTPLUS, *CFC]):
        for column, wiring in enumerate(["auto_ncp", "ncp", "random", "fully_connected"]):
            times, start = RUNS[(row + column) % len(RUNS)]
            found.append({**cell, "wiring": wiring, "times": times, "start": start})
    one_sequence = {"times": "unbatched", "start": True}
    mappings = {"input_mapping": "linear", "output_mapping": None}
    found += [
        {**LTC_CLIP, "ode_unfolds": 1, **mappings, "wiring": "random", "times": "irregular", "start": True},
        {**LTC_SOFTPLUS, "ode_unfolds": 3, "input_mapping": None, "output_mapping": "linear",
         "wiring": "ncp", "times": "regular", "start": False},
        {**LTC_CLIP, "wiring": "auto_ncp", **one_sequence},
        {**CFC[0], "wiring": "auto_ncp", **one_sequence},
        {**CFC[0], "wiring": "no_self_synapses", "times": "irregular", "start": True},
    ]  # fmt: skip
    for cfc, backbone in zip(CFC, BACKBONES, strict=True):
        found.append({**cfc, "wiring": "full_ncp", "times": "irregular", "start": True})
        found.append({**cfc, **backbone, "wiring": "dense", "times": "irregular", "start": True})
    found += networks()
    for seed, config in enumerate(found):
        config["seed"] = seed
        config["name"] = name_of(config)
    assert len({config["name"] for config in found}) == len(found)
    return found


def networks() -> list[dict]:
    """What ncps puts around its cells: mixed memory, a projection, backbones of every kind."""
    found = []
    for cell, wiring, times, extra in (
        (LTC_SOFTPLUS, "auto_ncp", "irregular", {}),
        (LTC_CLIP, "fully_connected", "regular", {}),
        (CFC[0], "auto_ncp", "irregular", {}),
        (CFC[1], "random", "unbatched", {}),
        (CFC[2], "ncp", "regular", {"proj_size": 4}),
        (CFC[0], "dense", "irregular", {"proj_size": 3, "backbone_units": 9}),
    ):
        label = f"mixed-{wiring}" + ("-projected" if extra else "")
        found.append(
            {**cell, **extra, "wiring": wiring, "times": times, "mixed_memory": True, "label": label}
        )
    for wiring, backbone in (("auto_ncp", {}), ("dense", {"backbone_units": 9})):
        label = f"{wiring}-projected"
        found.append(
            {**CFC[0], **backbone, "wiring": wiring, "times": "irregular", "proj_size": 3, "label": label}
        )
    for layers in (1, 2, 3):
        for k, activation in enumerate(("lecun_tanh", "relu", "tanh", "silu", "gelu")):
            backbone = {"backbone_layers": layers, "backbone_units": 7, "backbone_activation": activation}
            label = f"backbone{layers}-{activation}"
            mode = CFC[(k + layers) % len(CFC)]
            found.append({**mode, **backbone, "wiring": "dense", "times": "irregular", "label": label})
    return [{**config, "start": True} for config in found]


def name_of(config: dict) -> str:
    """A file name that tells the configuration, such as ``ltc-clip-random-irregular-h0``."""
    if "label" in config:
        return f"net-{config['cell'].lower()}-{config['label']}"
    variant = config.get("mode") or config["positive"]
    parts = [config["cell"].lower(), variant, config["wiring"], config["times"]]
    if config.get("ode_unfolds", 6) != 6:
        parts.insert(2, f"unfolds{config['ode_unfolds']}")
    return "-".join(parts + (["h0"] if config["start"] else []))


def build_wiring(config: dict) -> ncps.wirings.Wiring | int:
    """A wiring of its own for every model: an ncps wiring must not be shared or built twice."""
    if config["wiring"] == "dense":
        return WIRINGS["dense"]["generator"][1]["units"]
    kind, arguments = WIRINGS[config["wiring"]]["ncps"]
    return getattr(ncps.wirings, kind)(**arguments)


def build_model(config: dict, dtype: torch.dtype) -> torch.nn.Module:
    """The sequence model of ncps in the given precision; its parameters are set later."""
    torch.set_default_dtype(dtype)
    inputs = WIRINGS[config["wiring"]]["inputs"]
    around = {name: config[name] for name in ("mixed_memory", "proj_size") if name in config}
    if config["cell"] == "CfC":
        backbone = {name: value for name, value in config.items() if name.startswith("backbone_")}
        if "backbone_activation" in backbone:
            backbone["activation"] = backbone.pop("backbone_activation")
        model = ncps.torch.CfC(inputs, build_wiring(config), mode=config["mode"], **backbone, **around)
    else:
        model = ncps.torch.LTC(
            inputs,
            build_wiring(config),
            input_mapping=config.get("input_mapping", "affine"),
            output_mapping=config.get("output_mapping", "affine"),
            ode_unfolds=config["ode_unfolds"],
            implicit_param_constraints=config["positive"] == "softplus",
            **around,
        )
    return model.to(dtype)


def draw_parameter(name: str, shape: tuple[int, ...], config: dict, rng: np.random.Generator) -> np.ndarray:
    """Random float32 values for one torch parameter, away from its initial value and from saturation."""
    quantity = name.removeprefix("rnn_cell.").split(".", 1)[-1].removeprefix("sensory_")
    if name.startswith("lstm."):
        values = rng.normal(0.0, 0.6 / np.sqrt(shape[-1]), shape)
    elif quantity.endswith("weight"):
        # Without the gate the state ranges over (-2, 2), and a backbone adds gain: smaller weights keep
        # 32 steps from turning chaotic.
        scale = 1.0 if config.get("mode") == "no_gate" or "label" in config else 1.5
        values = rng.normal(0.0, scale / np.sqrt(shape[1]), shape)
    elif quantity.endswith("bias"):
        values = rng.normal(0.0, 0.5, shape)
    elif quantity == "erev":
        values = rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    elif quantity in ("w", "cm", "gleak") and config["positive"] == "softplus":
        values = rng.uniform(*{"w": (-3.0, 1.0), "cm": (-1.5, 0.5), "gleak": (-3.0, 1.0)}[quantity], shape)
    else:
        ranges = {
            "w": (0.05, 1.2), "cm": (0.3, 0.8), "gleak": (0.05, 1.5), "vleak": (-0.6, 0.6),
            "sigma": (1.0, 6.0), "mu": (-0.4, 0.9), "w_tau": (-1.2, 1.2), "A": (0.4, 1.6),
            "input_w": (0.5, 1.5), "input_b": (-0.4, 0.4), "output_w": (0.5, 1.5), "output_b": (-0.4, 0.4),
        }  # fmt: skip
        values = rng.uniform(*ranges[quantity], shape)
    return values.astype(np.float32)


def draw(config: dict) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The parameters (by torch name) and the inputs of one configuration, all float32."""
    rng = np.random.default_rng(config["seed"])
    model = build_model(config, torch.float32)
    parameters = {}
    for name, parameter in model.state_dict().items():
        if "sparsity_mask" in name:
            parameters[name] = parameter.numpy().astype(np.float32)
        else:
            parameters[name] = draw_parameter(name, tuple(parameter.shape), config, rng)
    batch = 1 if config["times"] == "unbatched" else BATCH
    inputs, units = WIRINGS[config["wiring"]]["inputs"], model.state_size
    values = {"x": rng.normal(0.0, 0.8, (batch, STEPS, inputs))}
    if config["start"]:
        values["h0"] = rng.uniform(-0.8, 0.8, (batch, units))
    if config["times"] != "regular":
        values["timespans"] = rng.uniform(0.1, 2.0, (batch, STEPS))
    values["targets"] = rng.normal(0.0, 0.5, (batch, STEPS, config.get("proj_size", model.output_size)))
    values["state_targets"] = rng.normal(0.0, 0.5, (batch, units))
    if config.get("mixed_memory"):
        values["c0"] = rng.uniform(-0.8, 0.8, (batch, units))
        values["memory_targets"] = rng.normal(0.0, 0.5, (batch, units))
    return parameters, {name: value.astype(np.float32) for name, value in values.items()}


def run(config: dict, parameters: dict, inputs: dict, dtype: torch.dtype) -> dict[str, np.ndarray]:
    """Outputs, states, loss and all gradients of ncps in one precision."""
    model = build_model(config, dtype)
    model.load_state_dict({name: torch.tensor(value, dtype=dtype) for name, value in parameters.items()})
    given = {name: torch.tensor(value, dtype=dtype) for name, value in inputs.items()}
    for name in given.keys() & {"x", "h0", "c0", "timespans"}:
        given[name].requires_grad_()
    x, spans = given["x"], given.get("timespans")
    mixed, project = config.get("mixed_memory", False), getattr(model, "fc", torch.nn.Identity())

    state = given["h0"] if "h0" in given else torch.zeros(len(x), model.state_size)
    memory = given.get("c0")
    outputs, states = [], []
    for step in range(STEPS):
        span = 1.0 if spans is None else spans[:, step : step + 1]
        if mixed:
            state, memory = model.lstm(x[:, step], (state, memory))
        output, state = model.rnn_cell(x[:, step], state, span)
        outputs.append(project(output))
        states.append(state)
    outputs, states = torch.stack(outputs, dim=1), torch.stack(states, dim=1)
    if spans is None or len(x) == 1:  # where the sequence classes of ncps are right
        start = (given["h0"], given["c0"]) if mixed else given.get("h0")
        sequence, final = model(x, start, spans)
        assert torch.equal(sequence, outputs)
        assert torch.equal(final[0] if mixed else final, state)
        assert not mixed or torch.equal(final[1], memory)

    error = outputs[..., : given["targets"].shape[-1]] - given["targets"]
    loss = 0.5 * (error.square().sum() + (state - given["state_targets"]).square().sum())
    if mixed:
        loss = loss + 0.5 * (memory - given["memory_targets"]).square().sum()
    loss.backward()
    result = {"outputs": outputs, "states": states, "loss": loss}
    if mixed:
        result["memory"] = memory
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    for name, tensor in {**trainable, **given}.items():
        if tensor.requires_grad:
            assert tensor.grad is not None, f"{config['name']}: the loss does not depend on {name}"
            result[f"grad/{name}"] = tensor.grad
    return {name: tensor.detach().numpy() for name, tensor in result.items()}


def make(config: dict) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """All arrays of one golden file, and the noise of ncps's own float32 run."""
    parameters, inputs = draw(config)
    exact = run(config, parameters, inputs, torch.float64)
    noise = noise_of(exact, run(config, parameters, inputs, torch.float32))
    numbers = {name: value.astype(np.float32) for name, value in {**inputs, **exact}.items()}
    if config["times"] == "unbatched":
        per_sequence = [*inputs, "outputs", "states", "memory", *(f"grad/{name}" for name in inputs)]
        numbers |= {name: numbers[name][0] for name in per_sequence if name in numbers}
    numbers |= {f"param/{name}": value for name, value in parameters.items()}
    return {**describe(config), **numbers}, noise


def describe(config: dict) -> dict[str, np.ndarray]:
    """The arrays that tell which configuration and which circuit a file is about."""
    inputs = WIRINGS[config["wiring"]]["inputs"]
    generator, arguments = WIRINGS[config["wiring"]]["generator"]
    settings = {**config, "generator": generator, "arguments": {**arguments, "inputs": inputs}}
    described = {"config": np.array(json.dumps(settings, sort_keys=True))}
    if config["wiring"] == "dense":
        return {**described, "state_ids": np.arange(arguments["units"], dtype=np.int32)}
    wiring = build_wiring(config)
    wiring.build(inputs)
    state_ids = range(wiring.units)
    if config["cell"] == "CfC":
        state_ids = [i for layer in range(wiring.num_layers) for i in wiring.get_neurons_of_layer(layer)]
    return {
        **described,
        "adjacency": wiring.adjacency_matrix.astype(np.int8),
        "sensory_adjacency": wiring.sensory_adjacency_matrix.astype(np.int8),
        "state_ids": np.array(state_ids, dtype=np.int32),
    }


def noise_of(exact: dict[str, np.ndarray], rounded: dict[str, np.ndarray]) -> dict[str, float]:
    """How far ncps in float32 is from float64; gradients relative to the largest entry of each array."""
    values = max(np.abs(rounded[name] - exact[name]).max() for name in ("outputs", "states"))
    gradients = max(
        np.abs(rounded[name] - value).max() / np.abs(value).max()
        for name, value in exact.items()
        if name.startswith("grad/")
    )
    return {"values": float(f"{values:.1e}"), "gradients": float(f"{gradients:.1e}")}


def digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the names, types, shapes and bytes of all arrays; the zip container has no part in it."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        value = np.asarray(arrays[name])
        total.update(f"{name} {value.dtype.str} {value.shape}\n".encode())
        total.update(value.tobytes())
    return total.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description="Make or check the golden files of ncps.")
    parser.add_argument("--check", action="store_true", help="compare with the files here; write nothing")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    differing, files = [], {}
    for config in configurations():
        arrays, noise = make(config)
        path = FOLDER / f"{config['name']}.npz"
        if check:
            with np.load(path) as stored:
                if digest(dict(stored)) != digest(arrays):
                    differing.append(path.name)
        else:
            np.savez_compressed(path, **arrays)
        files[path.name] = {"sha256": digest(arrays), "float32_noise": noise}
    if check:
        print(f"{len(files)} files made again; different: {', '.join(differing) or 'none'}")
        return bool(differing)
    made_with = {package: version(package) for package in ("ncps", "torch", "numpy")}
    manifest = {"made_by": Path(__file__).name, "made_with": made_with, "files": files}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{len(files)} files and manifest.json written to {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
