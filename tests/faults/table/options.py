"""Arguments of commands that cannot be served."""

from __future__ import annotations

from .fault import Fault
from .running import TRAIN

WHOLE, NATURAL = "is not a whole number of 1 or more", "is not a whole number of 0 or more"
NEW = "new auto-ncp --units 12 --outputs 2 --inputs 3 -o new.json"


def each(command: str, option: str, *rows: tuple[str, str]) -> list[Fault]:
    """A row for each wrong value of an option."""
    return [Fault(f"{option} {value!r}", f"{command} {option}={value}", says) for value, says in rows]


ROWS = [
    Fault("no such command", "fly", "invalid choice: 'fly'"),
    Fault("an abbreviated command", "trai", "invalid choice: 'trai'"),
    Fault("an option of no command", "--fast", "--fast"),
    Fault("a command of 100,000 letters", "x" * 100_000, "invalid choice"),
    Fault("show: nothing", "show", "arguments are required: circuit"),
    Fault("show: two files", "show good.json more", "unrecognized arguments: more"),
    Fault("show: an option it has not", "show --fast good.json", "unrecognized arguments: --fast"),
    Fault("plot: no figure", "plot good.json", "required: -o"),
    Fault("plot: a document", "plot good.json -o f.docx", "f.docx: a figure ends in one of"),
    Fault("plot: no ending", "plot good.json -o figure", "a figure ends in one of"),
    Fault("plot: an ending only", "plot good.json -o .png", "a figure ends in one of"),
    Fault(
        "plot: a layout of its own", "plot good.json -o f.png --layout sideways", "unknown layout 'sideways'"
    ),
    Fault("plot: no name of a layout", "plot good.json -o f.png --layout=", "unknown layout ''"),
    Fault("plot: a style of its own", "plot good.json -o f.png --style loud", "invalid choice: 'loud'"),
    Fault(
        "plot: a layout of a function", "plot good.json -o f.png --layout rescale_layout", "unknown layout"
    ),
    Fault("convert: one file", "convert good.json", "arguments are required: OUT"),
    Fault("convert: onto itself", "convert good.json ./good.json", "this is the file that is read"),
    Fault("convert: an unknown ending", "convert good.json good.xyz", "good.xyz"),
    Fault("convert: an unknown format", "convert good.json new.json --format YAML", "YAML"),
    Fault("convert: no attribute", "convert good.csv new.json --roles nothing", "good.csv"),
    Fault("convert: neurons that are not there", "convert good.json new.json --sensory a,b", "'a'"),
    Fault("convert: inhibitory strangers", "convert good.json new.json --inhibitory x", "x"),
    Fault("convert: a rule of its own", "convert good.json new.json --parallel mix", "mix"),
    Fault("convert: sensors of its own", "convert good.json new.json --sensors many", "many"),
    Fault("convert: polarity 2", "convert good.json new.json --polarity 2", "2"),
    Fault("check: nothing", "check", "arguments are required: FILE"),
    Fault("new: no kind", "new", "required: KIND"),
    Fault("new: a kind of its own", "new star -o new.json", "invalid choice: 'star'"),
    Fault("new: no file", "new auto-ncp --units 12", "required: "),
    *each(
        NEW,
        "--units",
        ("0", "units must be 1 or more, got 0"),
        ("-3", NATURAL),
        ("1e3", NATURAL),
        ("9999999999", "is not a whole number up to 4294967295"),
        ("2000000000", "units must be 1048576 or less"),
        ("2", "outputs must be below units"),
    ),
    *each(NEW, "--sparsity", ("2", "sparsity"), ("-0.5", "sparsity"), ("nan", "sparsity"), ("x", "float")),
    Fault("new: no ending", "new auto-ncp --units 12 --outputs 2 --inputs 3 -o new", "new"),
    Fault("new: layers of nothing", "new layered --layers 4,,3 --inputs 2 --outputs 1 -o new.json", NATURAL),
    Fault("train: no target", "train good.json good.csv --out new", "required: --target"),
    Fault("train: no folder", "train good.json good.csv --target motor_0", "required: --out"),
    Fault("train: too few targets", "train good.json good.csv --target motor_0 --out new", "2"),
    Fault("train: a target twice", f"{TRAIN} --target motor_0", "motor_0"),
    Fault("train: no such target", f"{TRAIN} --target other", "other"),
    Fault("train: no such input", f"{TRAIN} --input other", "other"),
    Fault("train: a target for an input", f"{TRAIN} --input motor_0", "motor_0"),
    Fault("train: no column of times", f"{TRAIN} --time other", "no column 'other'"),
    Fault("train: no column of groups", f"{TRAIN} --group other", "no column 'other'"),
    Fault("train: times that fall", f"{TRAIN} --time sensory_0", "line 5: time '0.141' does not come after"),
    Fault("train: another cell", f"{TRAIN} --cell gru", "invalid choice: 'gru'"),
    *(
        row
        for option in ("--epochs", "--batch-size", "--window", "--patience")
        for row in each(
            TRAIN,
            option,
            ("0", WHOLE),
            ("-1", WHOLE),
            ("1.5", WHOLE),
            ("many", WHOLE),
            ("", WHOLE),
            ("9" * 23, "is not a whole number up to 2147483647"),
        )
    ),
    Fault("train: a number of 6000 digits", f"{TRAIN} --epochs {'9' * 6000}", WHOLE),
    *each(
        TRAIN,
        "--seed",
        ("-1", NATURAL),
        ("x", NATURAL),
        ("4294967296", "is not a whole number up to 4294967295"),
    ),
    *(
        row
        for option in ("--learning-rate", "--clip-norm")
        for row in each(
            TRAIN, option, *((value, "is not a positive number") for value in ("0", "nan", "inf", "x"))
        )
    ),
    *each(TRAIN, "--validation", *((v, "is not a number between 0 and 1") for v in ("0", "1", "-0.1", "x"))),
    *(
        Fault(f"{option} {value!r}", f"{TRAIN} {option} {value}", f"invalid choice: '{value}'")
        for option, value in (
            ("--missing", "guess"),
            ("--ties", "first"),
            ("--dates", "french"),
            ("--separator", ","),
            ("--decimal", "."),
        )
    ),
    Fault("train: another separator", f"{TRAIN} --separator tab", "good.csv"),
    Fault("demo: no epochs", "demo --epochs 0", WHOLE),
    Fault("demo: no seeds", "demo --seeds 0", WHOLE),
    Fault("demo: a text for a seed", "demo --seed x", NATURAL),
    Fault("demo: another cell", "demo --cell gru", "invalid choice"),
    Fault("demo: a file for its folder", "demo --out good.csv --epochs 1", "good.csv"),
    Fault("edit: a port beyond all", "edit good.json --port 65536", "is not a whole number up to 65535"),
    Fault("edit: a port below all", "edit good.json --port -1", NATURAL),
    Fault("edit: no format", "edit good.xyz --no-browser", "good.xyz must end in"),
    Fault("edit: no folder", "edit nowhere/good.json --no-browser", "nowhere"),
    Fault("cache: an option it has not", "cache --empty", "unrecognized arguments"),
    Fault("predict: no table to write", "predict run good.csv", "required: -o"),
    Fault("predict: one name", "predict run -o said.csv", "required: data"),
    Fault(
        "train: --target alone",
        "train good.json good.csv --out new --target",
        "--target: expected one argument",
    ),
]
