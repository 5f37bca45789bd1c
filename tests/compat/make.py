"""Write the files of this release into a folder of its own; run once for a release, and never again.

    python tests/compat/make.py tests/compat/0.1

What is in such a folder is read for ever: `test_compat.py` reads all of it, and compares circuits by their
digests and networks by what they say. A format that gets a new version gets a new folder as well.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import ganglion as gl
from ganglion.editor.journal import Journal
from ganglion.training.series import Settings, predict_series, train_series
from ganglion.wiring import edits

ENDINGS = (".json", ".json.gz", ".graphml", ".gexf", ".gml", ".net", ".dot", ".csv", ".tsv")
CIRCUIT = gl.ncp(
    inter=5, command=4, motor=2, inputs=3, sensory_fanout=2, inter_fanout=2, recurrent_command_synapses=3,
    motor_fanin=2, seed=7,
)  # fmt: skip
X = np.sin(np.arange(2 * 6 * 3, dtype=np.float32)).reshape(2, 6, 3)


def networks() -> dict[str, Any]:
    """One of every kind, with parameters that depend on a seed alone."""
    mx.random.seed(5)
    made = {
        "ltc": gl.LTC(CIRCUIT, ode_unfolds=3),
        "cfc": gl.CfC(CIRCUIT, mode="no_gate"),
        "compat": gl.CfC(CIRCUIT, ncps_compat=True),
        "backbone": gl.CfC(gl.dense(3, 4)),
        "ctrnn": gl.RNN(gl.CTRNNCell(CIRCUIT)),
        "ctgru": gl.RNN(gl.CTGRUCell(CIRCUIT)),
        "liquid": gl.RNN(gl.LiquidCell(gl.dense(3, 4))),
        "mixed": gl.LTC(CIRCUIT, mixed_memory=True),
        "stack": gl.Stack([gl.NCPDense(3), gl.CfC(CIRCUIT), gl.NCPDense(2, activation="tanh")]),
        "bidirectional": gl.Bidirectional(gl.CfC(CIRCUIT), merge="sum"),
        "scaled": gl.Scaled(gl.LTC(CIRCUIT), ["a", "b", "c"], ["d", "e"], mean=[1, 2, 3], scale=[2, 3]),
    }
    for network in made.values():
        network.build((1, 1, 3))
    return made


def outputs(network: Any) -> np.ndarray:
    """What a network says to `X`, by plain operations."""
    result = network(mx.array(X))
    return np.array(result[0] if isinstance(result, tuple) else result)


def main() -> None:
    """Write everything."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    os.chdir(folder)
    for ending in ENDINGS:
        place = Path(f"circuit{ending.replace('.', '_')}")
        place.mkdir()
        gl.write(CIRCUIT, place / f"c{ending}")
    Path("models").mkdir()
    said = {}
    for name, network in networks().items():
        gl.save(network, Path("models") / f"{name}.safetensors")
        said[name] = outputs(network)
    np.savez_compressed("outputs.npz", **said)
    names = [f"sensory_{k}" for k in range(3)] + ["motor_0", "motor_1"]
    rows = np.sin(np.arange(60)[:, None] * np.arange(1, 6) / 7)
    lines = [",".join(f"{value:.5f}" for value in row) for row in rows]
    Path("table.csv").write_text("\n".join([",".join(names), *lines]) + "\n")
    settings = Settings(cell="cfc", window=10, batch_size=4)
    train_series(Path("circuit_json/c.json"), Path("table.csv"), Path("run"), targets=names[3:], epochs=2,
                 settings=settings, progress=False)  # fmt: skip
    predict_series(Path("run"), Path("table.csv"), Path("predicted.csv"))
    Path("run/.lock").unlink(missing_ok=True)
    journal = Journal(Path("c.json.edits"))
    journal.start("0" * 64)
    session = gl.EditSession(CIRCUIT.copy(), journal=journal)
    session.apply(edits.Set(neurons=[("inter_0", "note", "seen")]))
    session.apply(edits.Remove(neurons=["inter_1"]))
    session.undo()
    session.apply(edits.Rename({"inter_2": "other"}))
    journal.close()
    about = {"release": gl.__version__, "digest": CIRCUIT.digest(), "edited": session.circuit.digest()}
    Path("about.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
