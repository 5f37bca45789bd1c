"""Make lrc.npz: what the authors' code of LRC networks computes, for six small configurations.

    pip install tensorflow-cpu==2.21.0 tf-keras==2.21.0
    python tests/equations/golden/make_lrc.py  # fetches their file, and writes lrc.npz into this folder
    python tests/equations/golden/make_lrc.py --check  # computes everything again and compares every array
    python tests/equations/golden/make_lrc.py --code lrc_cell.py  # with a copy of the file

Their code is classification/lrc_cell.py of github.com/MoniFarsang/LRC (MIT licence) at the commit below. It
is run as it is, but for its numbers, which are doubles here, so that a difference is the rounding of the code
under test. Its layers are dense: where the circuit has no synapse, all that would go through it is 0.

Each configuration has, under its name,

    inputs, spans, before      (B, T, I), (B, T), (B, N)
    outputs, after             (B, T, N) and (B, N): all neurons are motor neurons
    param/NAME                 (N,), (I,), and per synapse [pre, post]
    grad/NAME                  of sum(outputs^2) + sum((after - 0.5)^2), by parameters, inputs and before

and `mask` (N, N) and `sensory_mask` (I, N) say where the synapses are.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
import numpy as np
import tensorflow as tf

FILE = Path(__file__).with_name("lrc.npz")
COMMIT = "c9f6106888d90da43584983de4f9422d56febcd8"
CODE = f"https://raw.githubusercontent.com/MoniFarsang/LRC/{COMMIT}/classification/lrc_cell.py"
DIGEST = "f91e7b5cd13d614bae2d683f6fc1e71ab24f124ac5858ed195bfe4a0937312c3"
BATCH, STEPS, SENSORS, NEURONS = 3, 5, 4, 6
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "stc-euler": {"elastance_type": "interp", "ode_solver": "explicit", "ode_unfolds": 1},
    "stc-semi_implicit": {"elastance_type": "interp", "ode_solver": "hybrid", "ode_unfolds": 6},
    "asymmetric-euler": {"elastance_type": "asymmetric", "ode_solver": "explicit", "ode_unfolds": 1},
    "asymmetric-semi_implicit": {"elastance_type": "asymmetric", "ode_solver": "hybrid", "ode_unfolds": 3},
    "symmetric-euler": {"elastance_type": "symmetric", "ode_solver": "explicit", "ode_unfolds": 1},
    "symmetric-semi_implicit": {"elastance_type": "symmetric", "ode_solver": "hybrid", "ode_unfolds": 2},
}
NAMES = {"kernel": "elastance_w", "bias": "elastance_b", "distr_shift": "elastance_shift"}


def cell_class(code: str) -> Any:
    """The authors' class, in double precision."""
    found = hashlib.sha256(code.encode()).hexdigest()
    if found != DIGEST:
        sys.exit(f"make_lrc.py: the authors' file has the digest {found}: expected {DIGEST}")
    tf.keras.backend.set_floatx("float64")
    names: dict[str, Any] = {}
    exec(compile(code.replace("tf.float32", "tf.float64"), CODE, "exec"), names)
    return names["LRC_Cell"]


def computed(kind: Any, options: dict[str, Any], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """All arrays of one configuration."""
    mask, sensory_mask = masks()
    given = {
        "inputs": rng.uniform(-1, 1, (BATCH, STEPS, SENSORS)).astype(np.float32),
        "spans": rng.uniform(0.2, 1.5, (BATCH, STEPS)).astype(np.float32),
        "before": rng.uniform(-1, 1, (BATCH, NEURONS)).astype(np.float32),
    }
    cell = kind(NEURONS, **options)
    x, before = (tf.constant(given[key], tf.float64) for key in ("inputs", "before"))
    cell((x[:, 0], given["spans"][:, :1].astype(float)), [before])  # which makes the weights
    weights = {variable.name.split("/")[-1].split(":")[0]: variable for variable in cell.trainable_variables}
    for name, variable in weights.items():
        value = rng.uniform(0.1, 1.0, variable.shape) * rng.choice(
            [1.0, 1.0 if name in ("w", "sensory_w", "gleak", "distr_shift") else -1.0], variable.shape
        )
        if name in ("w", "h"):
            value *= mask
        elif name in ("sensory_w", "sensory_h"):
            value *= sensory_mask
        elif name == "kernel":
            value *= np.concatenate([sensory_mask, mask])
        variable.assign(value.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch([x, before])
        state, outputs = before, []
        for t in range(STEPS):
            output, (state,) = cell((x[:, t], given["spans"][:, t, None].astype(float)), [state])
            outputs.append(output)
        loss = sum(tf.reduce_sum(output**2) for output in outputs) + tf.reduce_sum((state - 0.5) ** 2)
    gradients = tape.gradient(loss, {**weights, "inputs": x, "before": before})
    found = {**given, "outputs": np.stack([y.numpy() for y in outputs], axis=1), "after": state.numpy()}
    for word, values in (("param", weights), ("grad", gradients)):
        for name, value in values.items():
            array = value.numpy()
            if name == "kernel":
                found[f"{word}/sensory_elastance_w"], array = array[:SENSORS], array[SENSORS:]
            found[f"{word}/{NAMES.get(name, name)}"] = array
    return found


def masks() -> tuple[np.ndarray, np.ndarray]:
    """Where there are synapses, (N, N) and (I, N)."""
    rng = np.random.default_rng(0)
    return rng.uniform(size=(NEURONS, NEURONS)) < 0.5, rng.uniform(size=(SENSORS, NEURONS)) < 0.6


def main() -> None:
    """Write the file, or compare with it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--code", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.code:
        code = given.code.read_text()
    else:
        with urllib.request.urlopen(CODE, timeout=60) as answer:
            code = answer.read().decode()
    kind, arrays = cell_class(code), dict(zip(("mask", "sensory_mask"), masks(), strict=True))
    for k, (name, options) in enumerate(CONFIGURATIONS.items()):
        for key, value in computed(kind, options, np.random.default_rng(k)).items():
            arrays[f"{name}/{key}"] = value
    if given.check:
        with np.load(FILE) as kept:
            assert kept.keys() == arrays.keys()
            worst = max(np.abs(kept[key].astype(float) - arrays[key]).max() for key in kept)
        print(f"{len(arrays)} arrays, largest difference {worst:.1e}")
        sys.exit(worst > 1e-12)
    np.savez_compressed(FILE, **arrays)
    print(f"{FILE}: {len(arrays)} arrays")


if __name__ == "__main__":
    main()
