"""The kernels that a wheel carries against those built on this machine: epochs of the demo, in turns.

Two processes import the same wheel, unpacked; from one the kernels are taken out, so that it builds them
here. They take turns of one epoch. Shown are the median seconds of both, the median of the ratios of all
pairs, and whether the losses are the same.

    GANGLION_KERNELS=linux_x86_64 python -m build --wheel
    python benchmarks/carried.py dist/ganglion_mlx-*-linux_x86_64.whl --pairs 20
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WORKER = """
import json, sys
from dataclasses import replace
from ganglion.demo import CLASSES, COLUMNS, UNITS, build
from ganglion.demo.data import Digits
from ganglion.demo.training import RECIPES, train
import ganglion as gl
digits, compiled = Digits.load(), gl.compile_circuit(gl.auto_ncp(UNITS, CLASSES, inputs=COLUMNS))
networks = {cell: build(cell, compiled, 0) for cell in RECIPES}
print(json.dumps({cell: network.explain() for cell, network in networks.items()}), flush=True)
for line in sys.stdin:
    cell = json.loads(line)
    history = train(networks[cell], digits, replace(RECIPES[cell], epochs=1), seed=0)
    print(json.dumps([history.seconds[0], history.loss[0]]), flush=True)
"""


class Worker:
    """A process that imports an unpacked wheel."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "GANGLION_CACHE": str(folder / "cache")},
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.write, self.read = self.process.stdin, self.process.stdout
        self.explained: dict[str, str] = json.loads(self.read.readline())

    def epoch(self, cell: str) -> tuple[float, float]:
        """Seconds and loss of the next epoch."""
        self.write.write(json.dumps(cell) + "\n")
        self.write.flush()
        seconds, loss = json.loads(self.read.readline())
        return seconds, loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--pairs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("carried", "built"):
            zipfile.ZipFile(options.wheel).extractall(Path(folder, name))
        shutil.rmtree(Path(folder, "built", "ganglion", "compile", "kernels", "prebuilt"))
        carried, built = Worker(Path(folder, "carried")), Worker(Path(folder, "built"))
        print("| network | carried s | built here s | carried / built | same losses |\n|---|---|---|---|---|")
        for cell, told in carried.explained.items():
            assert "carried by the package" in told, told
            assert "built on this machine" in built.explained[cell], built.explained[cell]
            pairs = []
            for turn in range(options.pairs + 1):
                order = (carried, built) if turn % 2 else (built, carried)
                found = {id(side): side.epoch(cell) for side in order}
                if turn:  # the first one builds kernels
                    pairs.append((*found[id(carried)], *found[id(built)]))
            times = [statistics.median(pair[side] for pair in pairs) for side in (0, 2)]
            ratio = statistics.median(pair[0] / pair[2] for pair in pairs)
            same = all(pair[1] == pair[3] for pair in pairs)
            print(f"| {cell} | {times[0]:.3f} | {times[1]:.3f} | {ratio:.3f} | {same} |", flush=True)


if __name__ == "__main__":
    main()
