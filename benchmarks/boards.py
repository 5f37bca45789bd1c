"""Exported networks on boards: flash, memory and instructions per step, by QEMU's Cortex-M4 and Cortex-M0.

    apt install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
    python benchmarks/boards.py [--out benchmarks/results]
    python benchmarks/boards.py policy.safetensors    # networks of yours: saved ones, or runs

The networks are of the demo's size, auto_ncp(64, 10, inputs=8), and of one for a small robot, or yours, which
are given random samples. QEMU counts
instructions (``-icount``); one is not one cycle, of which a product or a read of flash may take more. Flash
is what the file takes, with what it needs of the compiler's library for floats; memory is the state, of
which all but the neurons is for a step alone. Outputs are compared with those of the network in Python.
"""

from __future__ import annotations

import argparse
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import ganglion as gl

HERE = Path(__file__).parent / "boards"
STEPS, WAITED = 20, 1_000_000


@dataclass(frozen=True)
class Board:
    """A board: QEMU's name for it, the compiler's options and its memory."""

    name: str
    machine: str
    options: tuple[str, ...]
    flash: str
    ram: str


M4 = ("-mcpu=cortex-m4", "-mthumb")
BOARDS = (
    Board("Cortex-M4F", "mps2-an386", (*M4, "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "4M", "4M"),
    Board("Cortex-M4, no floats", "mps2-an386", (*M4, "-mfloat-abi=soft"), "4M", "4M"),
    Board("Cortex-M0", "microbit", ("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft"), "256K", "16K"),
)
SMALL, LARGE = gl.auto_ncp(16, 2, inputs=4, seed=1), gl.auto_ncp(64, 10, inputs=8, seed=1)
NETWORKS: dict[str, Callable[[], Any]] = {
    "LTC, auto_ncp(16, 2)": lambda: gl.LTC(SMALL),
    "CfC, auto_ncp(16, 2)": lambda: gl.CfC(SMALL),
    "scaled stack: dense 4, LTC as above, dense 1": lambda: stack(),
    "LTC, auto_ncp(64, 10)": lambda: gl.LTC(LARGE),
    "CfC, auto_ncp(64, 10)": lambda: gl.CfC(LARGE),
}


def stack() -> Any:
    """What one trains for a small robot, in the units of its data."""
    layers = gl.Stack([gl.NCPDense(4, "tanh"), gl.LTC(SMALL), gl.NCPDense(1)])
    layers.build((1, 1, 4))
    return gl.Scaled(layers, list("abcd"), ["e"], mean=0.5, spread=2.0, scale=3.0)


@dataclass(frozen=True)
class Measured:
    """What a network takes on a board, and how far it is from Python."""

    flash: int
    memory: int
    instructions: float
    most: float
    error: float


def measure(network: Any, board: Board, *, fixed: bool, steps: int = STEPS) -> Measured:
    """Build a network for a board and run it there."""
    rng = np.random.default_rng(0)
    x, spans = rng.normal(size=(steps, network.input_size)), rng.uniform(0.5, 1.5, steps)
    if isinstance(network, gl.Scaled):  # in the units of its data
        units = network.data_units()
        x, spans = units.mean + units.spread * x, units.time_unit * spans
    expected = np.array(network(x, timespans=spans)[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gl.export_c(network, folder / "policy.c", fixed=(x, spans) if fixed else None)
        image = build(folder, board, np.column_stack([x, spans]))
        told = run(image, board)
        flash = _flash(image) - _flash(build(folder, board, np.column_stack([x, spans]), without=True))
    waited, total, most, memory, *bits = (int(line, 16) for line in told)
    outputs = np.array([struct.unpack("<f", struct.pack("<I", b))[0] for b in bits]).reshape(expected.shape)
    tick = WAITED / waited  # instructions in one of the clock
    return Measured(flash, memory, total * tick / steps, most * tick, float(np.abs(outputs - expected).max()))


def build(folder: Path, board: Board, rows: np.ndarray, *, without: bool = False) -> Path:
    """The image of a board, or the same without the network."""
    cells = ",\n".join("{" + ", ".join(f"{v:.17g}" for v in row) + "}" for row in rows)
    data = f'#include "policy.h"\nconst policy_number samples[][policy_inputs + 1] = {{\n{cells}}};\n'
    if without:
        data += "void policy_reset(policy_state *s) { (void)s; }\n"
        data += "void policy_step(policy_state *s, const policy_number *x, float t, policy_number *y)"
        data += " { (void)s; (void)x; (void)t; (void)y; }\n"
    (folder / "samples.c").write_text(data)
    image = folder / f"board{int(without)}.elf"
    sources = [HERE / "start.c", folder / "samples.c", *([] if without else [folder / "policy.c"])]
    warnings = ("-std=gnu99", "-Wall", "-Wextra", "-Werror")
    layout = (folder / "board.ld").absolute()
    layout.write_text(
        (HERE / "board.ld")
        .read_text()
        .replace("= FLASH", f"= {board.flash}")
        .replace("= RAM", f"= {board.ram}")
    )
    command = [
        "arm-none-eabi-gcc",
        "-O2",
        *warnings,
        *board.options,
        f"-DSTEPS={len(rows)}",
        "-I",
        folder,
        *sources,
    ]
    command += [
        "-masm-syntax-unified",
        "-nostartfiles",
        "-ffunction-sections",
        "-Wl,--gc-sections",
        "-T",
        layout,
        "-o",
        image,
    ]
    subprocess.run([*map(str, command)], check=True)
    return image


def run(image: Path, board: Board) -> list[str]:
    """What an image says."""
    command = ["qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "none"]
    command += [
        "-icount",
        "shift=6,sleep=off",
        "-semihosting-config",
        "enable=on,target=native",
        "-kernel",
        str(image),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lines = (ran.stdout + ran.stderr).split()
    if not lines or "fault" in lines:
        raise RuntimeError(f"{board.name} stopped: {ran.stdout}{ran.stderr}")
    return lines


def _flash(image: Path) -> int:
    sizes = subprocess.run(["arm-none-eabi-size", str(image)], capture_output=True, text=True, check=True)
    text, data = sizes.stdout.splitlines()[1].split()[:2]
    return int(text) + int(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "network", nargs="*", type=Path, help="of yours: a saved one or a run (default: ours)"
    )
    parser.add_argument("--out", type=Path, help="folder for boards.md")
    chosen = parser.parse_args()
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            raise SystemExit(
                f"{tool} is missing: apt install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
            )
    lines = [
        f"arm-none-eabi-gcc -O2, QEMU with -icount, {STEPS} steps; flash with the library for floats;\n"
        "memory is the state, both in bytes; outputs differ so much from those of the network in Python\n",
        "| network | board | numbers | flash | memory | instructions a step | most | differs by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    yours = {path.stem: partial(gl.load, path) for path in chosen.network}
    for name, make in (yours or NETWORKS).items():
        mx.random.seed(0)
        network = make()
        for board in BOARDS:
            for fixed in (False, True):
                m = measure(network, board, fixed=fixed)
                numbers = "fixed point" if fixed else "float32"
                taken = f"{m.flash:,} | {m.memory:,} | {m.instructions:,.0f} | {m.most:,.0f}"
                lines.append(f"| {name} | {board.name} | {numbers} | {taken} | {m.error:.0e} |")
                print(lines[-1], flush=True)
    if chosen.out:
        (chosen.out / "boards.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
