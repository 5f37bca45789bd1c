"""The generated source: what kernel files declare, and golden files that show when the result changes.

After a change that is meant: ``python -m tests.kernels.test_source`` writes the golden files anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ganglion.compile.kernels.targets import cpu_source, gpu_body, gpu_header

from ..support.kernels import FOLDERS, kernel_named

GOLDEN = Path(__file__).parent / "golden"
SIZES = {
    "ltc": {"I": 3, "N": 20, "M": 2, "E": 40, "S": 10, "K": 0, "UNFOLDS": 6, "COUPLED": 0},
    "cfc": {
        **{"I": 3, "N": 20, "M": 2, "E": 40, "S": 10, "F": 30, "G": 8, "P": 52, "Q": 54, "PHASES": 3},
        **{"MAPS": 4, "CHUNK": 32, "TEAM": 8, "SECTIONS": 5},
    },
    "dense": {
        **{"I": 3, "N": 20, "M": 20, "H": 8, "W": 8, "LAYERS": 2, "WEIGHTS": 248},
        **{"MAPS": 4, "ACTIVATION": 0, "CHUNK": 32},
    },
}
KERNELS = [f"{name}_{direction}" for name in SIZES for direction in ("forward", "backward")]
SHOWN = "ltc_forward.metal"  # kept whole, for Metal is never compiled here; of the others, only digests


def sources() -> dict[str, str]:
    """Every kernel for every target, by file name."""
    found = {}
    for name in KERNELS:
        kernel, sizes = kernel_named(name), SIZES[name.partition("_")[0]]
        constants = tuple(sizes[constant] for constant in kernel.constants)
        found[f"{name}.cpp"] = cpu_source(kernel, 16, constants)
        for language, ending in (("cuda", "cu"), ("metal", "metal")):
            found[f"{name}.{ending}"] = "\n".join(
                [gpu_header(language, 32, 2), gpu_body(kernel, language, sizes), ""]
            )
    return found


def digests() -> dict[str, str]:
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in sources().items()}


def test_the_shown_kernel_is_as_it_was() -> None:
    assert sources()[SHOWN] == (GOLDEN / SHOWN).read_text()


def test_no_kernel_has_changed_unseen() -> None:
    assert digests() == json.loads((GOLDEN / "digests.json").read_text())


def test_what_a_kernel_file_declares() -> None:
    kernel = kernel_named("ltc_forward")
    sizes = ("T", "KEEP", "SAVING", "EVENTS", "BACK", "I", "N", "M", "E", "S", "K", "UNFOLDS")
    assert kernel.sizes == sizes
    assert kernel.constants == ("COUPLED",)
    assert kernel.numbers == ("EPSILON",)
    assert [array.name for array in kernel.of("rows")] == ["x", "timespans", "events", "state"]
    kept = kernel.arrays["kept"]
    assert kept.shape({"T": 7, "KEEP": 3, "N": 5}) == (3, 5)
    assert kernel.arrays["last"].shape({"N": 5}) == (5,)  # without dimensions that are always 1
    assert kernel.arrays["ptr"].count({"N": 5}) == 6


@pytest.mark.parametrize("name", SIZES)
def test_backward_takes_what_forward_takes_and_returns_its_gradients(name: str) -> None:
    forward, backward = kernel_named(f"{name}_forward"), kernel_named(f"{name}_backward")
    values = [array.name for array in forward.of("values")]
    assert [array.name for array in backward.of("values")] == values
    assert [array.name for array in backward.of("totals")] == [f"d_{value}" for value in values]
    assert [a.name for a in backward.of("rows")] == [
        *("x", "timespans", "events"),
        *("kept", "d_outputs", "d_last"),
    ]
    assert backward.of("saved") == [replace(a, kind="saved") for a in forward.of("saves")]
    assert [a.name for a in backward.of("results")] == ["d_x", "d_timespans", "d_state"]


def test_kernel_files_keep_to_the_subset() -> None:
    words = re.compile(r"\b(new|delete|template|class|auto|std|goto|malloc|throw|thread|device|constant)\b")
    for path in (path for folder in FOLDERS.values() for path in folder.glob("*.c")):
        code = "\n".join(line.partition("//")[0] for line in path.read_text().splitlines())
        assert words.findall(code) == [], path.name


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / SHOWN).write_text(sources()[SHOWN])
    (GOLDEN / "digests.json").write_text(json.dumps(digests(), indent=2) + "\n")
