"""Networks that cannot be exported, and places and names that exports cannot have."""

from __future__ import annotations

import os

from .environment import without
from .fault import Fault, spoilt, written
from .outputs import filling, limited
from .running import HEADER

NAMED = "begins the names in the file: expected letters, digits and underscores"
FIXED = "export run -o p.c --fixed"
CIRCUIT = "gl.read('good.json')"
LTC = f"gl.LTC({CIRCUIT})"
X = "np.zeros((3, 3))"


ROWS = [
    *(
        Fault(f"a name: {name}", f"export run -o {name}", NAMED)
        for name in ("p", "p.py", "1.c", "a-b.c", ".c", "\u03b1.c", "'a b.c'")
    ),
    Fault("a name of 300 letters", f"export run -o {'f' * 300}.c", "File name too long"),
    Fault("no run", "export nothing -o p.c", "nothing: No such file or directory"),
    Fault("a table", "export good.csv -o p.c", "good.csv: this is something else"),
    Fault("a circuit", "export good.json -o p.c", "good.json: this is something else"),
    Fault("an empty folder", "export d -o p.c", "there is no checkpoint", lambda: os.mkdir("d")),
    Fault("a pipe", "export d.safetensors -o p.c", "this is a pipe", lambda: os.mkfifo("d.safetensors")),
    Fault("a run that is damaged", "export run -o p.c", "best.safetensors", spoilt("*.safetensors")),
    Fault("a folder in its place", "export run -o d.c", "it is a directory", lambda: os.mkdir("d.c")),
    Fault("a folder for the header", "export run -o d.c", "d.h: it is a directory", lambda: os.mkdir("d.h")),
    Fault("a pipe for the header", "export run -o d.c", "it is no regular file", lambda: os.mkfifo("d.h")),
    Fault("a folder that is not there", "export run -o nowhere/p.c", "there is no directory"),
    Fault("ONNX: a folder that is not there", "export run -o nowhere/p.onnx", "there is no directory"),
    Fault(
        "ONNX: a folder in its place", "export run -o p.onnx", "is a directory", lambda: os.mkdir("p.onnx")
    ),
    Fault("ONNX that is not installed", "export run -o p.onnx", "onnx", within=without("onnx")),
    Fault("SONATA without h5py", "convert good.json c.h5", "ganglion-mlx[sonata]", within=without("h5py")),
    Fault(
        "NIR without nir",
        f"gl.export_nir(gl.RNN(gl.LIF({CIRCUIT})), 'p.nir')",
        "[nir]",
        within=without("nir"),
    ),
    Fault("NIR of an LTC", f"gl.export_nir({LTC}, 'p.nir')", "NIR has no node for the equation"),
    Fault("LEMS of two sequences", f"gl.export_lems({LTC}, 'p.xml', np.zeros((2, 3, 3)))", "has 2 sequences"),
    Fault("LEMS: a folder that is not there", f"gl.export_lems({LTC}, 'd/p.xml', {X})", "no directory"),
    Fault("a disk that fills up", "export run -o p.c", "No space left on device", within=filling),
    Fault("a disk that takes 600 bytes", "export run -o p.c", "File too large", within=limited(600)),
    Fault("fixed: no table", f"{FIXED} nothing.csv", "nothing.csv: No such file"),
    Fault("fixed: a pipe", f"{FIXED} d.csv", "this is a pipe", lambda: os.mkfifo("d.csv")),
    Fault("fixed: a circuit", f"{FIXED} good.json", "good.json has no column 'sensory_0'"),
    Fault("fixed: no rows", f"{FIXED} d.csv", "has a header but no rows", written("d.csv", f"{HEADER}\n")),
    Fault(
        "fixed: a text",
        f"{FIXED} d.csv",
        "'two', not a finite number",
        written("d.csv", f"{HEADER}\n1,two,3,4,5\n"),
    ),
    Fault("fixed: ONNX", "export run -o p.onnx --fixed good.csv", "ONNX has no numbers in fixed point"),
    Fault("of nothing", "gl.export_c(None, 'p.c')", "model must be a network"),
    Fault("with some noise", f"gl.export_c({LTC}, 'p.c', noise=0.5)", "noise must be True or False, got 0.5"),
    Fault("to a number", f"gl.export_c({LTC}, 3)", "path must be a path, got 3"),
    Fault("MLX: no example", f"gl.export_mlx({LTC}, 'p.mlxfn', None)", "the example must hold real numbers"),
    Fault("MLX: another example", f"gl.export_mlx({LTC}, 'p.mlxfn', np.zeros((1, 4, 5)))", "has 5 features"),
    Fault(
        "of a network with noise",
        f"gl.export_onnx(gl.perturbed({LTC}, gl.studies.Noise('sensory_0')).copy(), 'p.onnx')",
        "needs the whole sequence",
    ),
]
