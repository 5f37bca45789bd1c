"""Kernels as nodes of MLX's graph: every transformation of MLX gives what plain operations give."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache as cached
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map

import ganglion as gl
from ganglion.cells.networks import engine
from ganglion.compile.kernels import SAVED_MOST, build, cache, forget_spare, nodes
from ganglion.errors import KernelError

B, T = 9, 5
CIRCUIT = gl.auto_ncp(24, 4, inputs=3, seed=1)
KINDS: dict[str, Callable[..., Any]] = {
    "ltc": partial(gl.LTC, CIRCUIT),
    "cfc": partial(gl.CfC, CIRCUIT),
    "pure": partial(gl.CfC, CIRCUIT, mode="pure"),
    "backbone": partial(gl.CfC, gl.dense(3, 4), backbone_units=8),
}
Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    """No test here falls back to operations."""
    assert nodes.usable(), nodes.why_not()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.fixture(params=KINDS)
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """One network on the kernels and on operations."""
    made = KINDS[request.param]
    fused, plain = (made(engine=name, key=mx.random.key(0)) for name in ("fused", "ops"))
    return fused, plain


def drawn(*shape: int, seed: int = 0, low: float = -1.0) -> mx.array:
    values = mx.random.uniform(low, 1.5, shape, key=mx.random.key(seed))
    mx.eval(values)
    return values


X, Y, SPANS = drawn(B, T, 3), drawn(B, T, 4, seed=1), drawn(B, T, seed=2, low=0.5)


def agree(found: Any, expected: Any, tolerance: float = 2e-5) -> None:
    """Two trees of arrays are equal, relative to the largest value of each."""
    ours, theirs = (dict(tree_flatten(tree)) for tree in ({"": found}, {"": expected}))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].shape == value.shape, name
        a, b = np.array(ours[name]), np.array(value)
        assert a.size == 0 or np.abs(a - b).max() <= tolerance * (1 + np.abs(b).max()), name


def loss(rnn: Any, x: mx.array, y: mx.array, **options: Any) -> mx.array:
    return mx.square(rnn(x, **options)[0] - y).mean()


def gradients(rnn: Any, x: mx.array, y: mx.array, **options: Any) -> Any:
    return nn.value_and_grad(rnn, loss)(rnn, x, y, **options)


def loss_of(rnn: Any, parameters: Any, x: mx.array) -> mx.array:
    before = rnn.parameters()
    rnn.update(parameters)
    found = loss(rnn, x, Y)
    rnn.update(before)
    return found


def several(rnn: Any) -> Any:
    """Three networks' parameters, stacked."""
    factors = mx.array([1.0, 1.05, 1.1])
    return tree_map(lambda a: mx.stack([a * f for f in factors]), rnn.trainable_parameters())


BATCHES = drawn(4, B, T, 3, seed=3)
Way = Callable[[Any, Function], Any]
# Each with a network and mx.compile, or nothing instead of it: MLX compiles operations for minutes.
WAYS: dict[str, Way] = {
    "at once": lambda r, c: r(X, timespans=SPANS),
    "compiled": lambda r, c: c(lambda x, t: r(x, timespans=t))(X, SPANS),
    "one span for each step": lambda r, c: c(lambda x, t: r(x, timespans=t)[0])(X, SPANS[0]),
    "shapeless": lambda r, c: partial(c, shapeless=True)(lambda x: r(x)[0])(X),
    "all states, a mask": lambda r, c: c(lambda x: r(x, lengths=[5, 1, 3] * 3, return_states=True))(X),
    "two calls": lambda r, c: c(lambda x: r(x, r(x)[1]))(X),
    "gradients": lambda r, c: gradients(r, X, Y, timespans=SPANS),
    "compiled gradients": lambda r, c: c(partial(gradients, r))(X, Y),
    "gradient of a compiled call": lambda r, c: through(r, c(lambda x: r(x)[0])),
    "gradient of spans": lambda r, c: mx.grad(lambda t: loss(r, X, Y, timespans=t))(SPANS),
    "gradient of one span": lambda r, c: mx.grad(lambda t: loss(r, X, Y, timespans=t))(SPANS[0]),
    "gradient of a state": lambda r, c: mx.grad(lambda s: r(X, s)[1].square().sum())(drawn(B, states(r))),
    "transposed input": lambda r, c: mx.grad(lambda x: loss(r, x.swapaxes(0, 1), Y))(
        mx.contiguous(X.swapaxes(0, 1))
    ),
    "evaluated inside": lambda r, c: mx.grad(lambda x: evaluated_loss(r, x))(X),
    "checkpoint": lambda r, c: through(r, mx.checkpoint(lambda x: r(x)[0])),
    "batches": lambda r, c: mx.vmap(lambda x: r(x)[0])(BATCHES),
    "another axis": lambda r, c: mx.vmap(lambda x: r(x)[0], in_axes=2)(BATCHES.transpose(1, 2, 0, 3)),
    "batches of batches": lambda r, c: mx.vmap(mx.vmap(lambda x: r(x)[0]))(BATCHES.reshape(2, 2, B, T, 3)),
    "spans alone": lambda r, c: mx.vmap(lambda t: r(X, timespans=t)[0])(mx.stack([SPANS, 2 * SPANS])),
    "gradients of batches": lambda r, c: mx.vmap(mx.grad(lambda x: loss(r, x, Y)))(BATCHES),
    "members": lambda r, c: c(mx.vmap(lambda p: loss_of(r, p, X)))(several(r)),
    "gradients of members": lambda r, c: c(mx.vmap(mx.grad(lambda p: loss_of(r, p, X))))(several(r)),
    "members and batches": lambda r, c: mx.vmap(
        lambda p: mx.vmap(lambda x: mx.grad(lambda p: loss_of(r, p, x))(p))(BATCHES)
    )(several(r)),
    "gradients for each batch": lambda r, c: mx.vmap(
        lambda x: mx.grad(lambda p: loss_of(r, p, x))(r.trainable_parameters())
    )(BATCHES),
    "through members": lambda r, c: mx.grad(lambda p: mx.vmap(lambda p: loss_of(r, p, X))(p).sum())(
        several(r)
    ),
    "what members share": lambda r, c: c(mx.grad(lambda x, t: shared(r, several(r), x, t), argnums=(0, 1)))(
        X, SPANS
    ),
    "members of what is shared": lambda r, c: mx.vmap(
        lambda x: mx.grad(lambda p: mx.vmap(lambda p: loss_of(r, p, x))(p).sum())(several(r))
    )(BATCHES),
    "members of each other": lambda r, c: mx.vmap(lambda p: shared(r, several(r), X, SPANS, p))(several(r)),
    "many directions": lambda r, c: mx.vmap(lambda d: mx.vjp(lambda x: r(x)[0], [X], [d])[1][0])(
        mx.stack([Y, 2 * Y])
    ),
}


def as_it_is(function: Function, **_: Any) -> Function:
    return function


def through(rnn: Any, function: Function) -> mx.array:
    return mx.grad(lambda x: function(x).square().sum())(X)


def shared(rnn: Any, members: Any, x: mx.array, spans: mx.array, also: Any = None) -> mx.array:
    """The loss of all members over one batch; with the parameters `also`, of as many more."""
    before = rnn.parameters()

    def member(parameters: Any) -> mx.array:
        both = parameters if also is None else tree_map(lambda a, b: a + 0.1 * b, parameters, also)
        rnn.update(both)
        return loss(rnn, x, Y, timespans=spans)

    try:
        return mx.vmap(member)(members).sum()
    finally:
        rnn.update(before)


def states(rnn: Any) -> int:
    return int(rnn.cell.n_neurons)


def evaluated_loss(rnn: Any, x: mx.array) -> mx.array:
    outputs = rnn(x)[0]
    mx.eval(outputs)
    return mx.square(outputs - Y).mean()


@pytest.mark.parametrize("way", WAYS)
def test_every_transformation_gives_what_operations_give(way: str, pair: tuple[Any, Any]) -> None:
    fused, plain = pair
    agree(WAYS[way](fused, mx.compile), WAYS[way](plain, as_it_is))


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("saved_most", [0, 1 << 26])
def test_gradients_do_not_depend_on_what_is_kept(every: int, saved_most: int, pair: tuple[Any, Any]) -> None:
    fused, plain = pair
    fused.checkpoint_every = every
    before = SAVED_MOST.set(saved_most)
    try:
        for way in ("gradients", "gradients of batches", "gradients of members"):
            agree(WAYS[way](fused, as_it_is), WAYS[way](plain, as_it_is))
    finally:
        SAVED_MOST.reset(before)


def trained(make: Callable[..., Any], name: str, *, compiled: bool, steps: int = 8) -> Any:
    """The weights after some steps of Adam."""
    rnn, optimizer = make(engine=name, key=mx.random.key(0)), optim.Adam(1e-2, bias_correction=True)

    def step(x: mx.array, y: mx.array) -> mx.array:
        value, slope = gradients(rnn, x, y)
        optimizer.update(rnn, slope)
        return value

    optimizer.init(rnn.trainable_parameters())
    state = [rnn.state, optimizer.state]
    run = mx.compile(step, inputs=state, outputs=state) if compiled else step
    for _ in range(steps):
        mx.eval(run(X, Y), state)
    return rnn.trainable_parameters()


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_training_step_trains_as_operations_do(kind: str) -> None:
    expected = trained(KINDS[kind], "ops", compiled=False)
    agree(trained(KINDS[kind], "fused", compiled=True), expected, 1e-4)
    agree(trained(KINDS[kind], "fused", compiled=False), expected, 1e-4)


def drawing(array: mx.array) -> str:
    """What MLX still has to compute for an array."""
    text = io.StringIO()
    mx.export_to_dot(text, array)
    return text.getvalue()


@pytest.mark.parametrize("spans", [None, SPANS], ids=["plain", "spans"])
def test_members_whose_values_are_known_are_computed_at_once(spans: mx.array | None) -> None:
    rnn = KINDS["ltc"](engine="fused", key=mx.random.key(0))
    members = several(rnn)
    turned = tree_map(lambda a: mx.swapaxes(mx.stack(list(a), axis=1), 0, 1), members)
    run = mx.vmap(lambda p: called(rnn, p, X, timespans=spans))
    unknown = run(members)
    assert "Ganglion" in drawing(unknown)
    mx.eval(members, turned)  # known now, and laid out otherwise
    for given in (members, turned):
        found = run(given)
        assert "label" not in drawing(found)
        agree(found, unknown, 0.0)
        agree(found, mx.compile(run)(given), 0.0)
    for k in range(3):
        agree(unknown[k], called(rnn, tree_map(lambda a, k=k: a[k], members), X, timespans=spans), 0.0)


def test_a_step_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rnn, x = KINDS["ltc"](engine="fused", key=mx.random.key(0)), drawn(70, T, 3)
    members = mx.vmap(mx.grad(lambda p: mx.square(called(rnn, p, x)).sum()))
    found = []
    for count in ("1", "2", "3", "8"):
        monkeypatch.setenv("GANGLION_NUM_THREADS", count)
        single = mx.grad(lambda p: mx.square(called(rnn, p, x)).sum())
        found.append([single(rnn.trainable_parameters()), members(several(rnn))])
    for other in found[1:]:
        agree(other, found[0], 0.0)


def called(rnn: Any, parameters: Any, x: mx.array, **given: Any) -> mx.array:
    before = rnn.parameters()
    rnn.update(parameters)
    found = rnn(x, **given)[0]
    rnn.update(before)
    return found


def test_evaluation_in_the_background_and_on_other_streams(pair: tuple[Any, Any]) -> None:
    fused, plain = pair
    found = []
    for k in range(10):
        outputs = fused(X * (1 + k))[0]
        mx.async_eval(outputs)
        found.append(outputs)
    agree(found, [plain(X * (1 + k))[0] for k in range(10)])
    with mx.stream(mx.new_stream(mx.cpu)):
        agree(gradients(fused, X, Y), gradients(plain, X, Y))


def test_an_exported_function_holds_operations(tmp_path: Path) -> None:
    for kind, make in KINDS.items():
        rnn = make(key=mx.random.key(0))
        path = str(tmp_path / f"{kind}.mlxfn")
        mx.export_function(path, lambda x, rnn=rnn: rnn(x)[0], X)
        agree(mx.import_function(path)(X)[0], rnn(X)[0])
        rnn.engine = "fused"
        with pytest.raises(KernelError, match=r"mx\.export_function writes MLX's own operations only"):
            mx.export_function(path, lambda x, rnn=rnn: rnn(x)[0], X)
        rnn(X)  # and goes on


def test_what_has_no_derivative_says_so(pair: tuple[Any, Any]) -> None:
    fused, _ = pair

    def of_outputs(x: mx.array) -> mx.array:
        return mx.square(fused(x)[0]).sum()

    with pytest.raises(RuntimeError, match=r"no second derivatives: use engine='ops'"):
        mx.eval(mx.grad(lambda x: mx.grad(of_outputs)(x).sum())(X))
    with pytest.raises(RuntimeError, match=r"no forward-mode derivatives: use engine='ops'"):
        mx.jvp(of_outputs, [X], [X])


def test_a_shapeless_function_refuses_another_shape(pair: tuple[Any, Any]) -> None:
    fused, _ = pair
    shapeless = mx.compile(lambda x: fused(x)[0], shapeless=True)
    agree(shapeless(X), fused(X)[0])
    for other in (X[:, :3], X[:4]):
        with pytest.raises(ValueError, match=r"shapeless|broadcast"):
            mx.eval(shapeless(other))


def test_what_is_no_array_of_the_right_size_is_named() -> None:
    rnn = KINDS["ltc"](engine="fused")
    kernel = engine.cell_kernel(rnn.cell)
    given = X, mx.ones((B, T)), mx.zeros((B, 24))
    for wrong, told in (
        (np.ones(3, np.float32), r"w of the kernel ltc_forward is a ndarray: expected an mx\.array"),
        (None, r"w of the kernel ltc_forward is a NoneType"),
        (mx.ones((3,)), r"w of the kernel ltc_forward has shape \(3,\) of mlx\.core\.float32: expected 71"),
        (mx.ones((71,), mx.float16), r"w of the kernel .*float16: expected 71 of float32"),
    ):
        with pytest.raises(KernelError, match=told):
            kernel.sequence(*given, [wrong, *kernel.parameters[1:]])
    with pytest.raises(KernelError, match=rf"state of the kernel .*\(2, 24\).*expected {24 * B} of float32"):
        kernel.sequence(*given[:2], mx.zeros((2, 24)), kernel.parameters)


@pytest.mark.parametrize("batch", [1, 9, 40])
@pytest.mark.parametrize("kind", ["ltc", "cfc"])
def test_what_is_saved_for_gradients_stays_within_its_bound(kind: str, batch: int) -> None:
    """What is saved stays in memory for the next call, so memory tells."""
    rnn = KINDS[kind](engine="fused")
    kernel = engine.cell_kernel(rnn.cell).sequence
    x, spans = drawn(batch, T, 3), mx.full((T,), 2.0)

    def kept(most: int) -> int:
        before = SAVED_MOST.set(most)
        try:
            for _ in range(2):  # the first call makes constants, too
                forget_spare()
                start = mx.get_active_memory()
                mx.eval(mx.grad(lambda x: rnn(x, timespans=spans)[0].sum())(x))
                mx.synchronize()
            return int(mx.get_active_memory()) - start
        finally:
            SAVED_MOST.reset(before)

    saved = kernel.saved_bytes(batch, T)
    with_it, without = kept(saved), kept(saved - 1)
    assert without < saved <= with_it < saved + (1 << 15)  # pages, and what the backward pass needs


def test_memory_stays_flat_in_compiled_training() -> None:
    rnn = KINDS["cfc"](engine="fused")
    step = mx.compile(partial(gradients, rnn))

    def run(times: int) -> int:
        for _ in range(times):
            mx.eval(step(X, Y))
        return int(mx.get_active_memory())

    assert run(300) <= run(100)


CROWDED = """
import resource, sys
import ganglion as gl, mlx.core as mx, numpy as np
from pathlib import Path

rnn = gl.LTC(gl.auto_ncp(64, 8, inputs=2), engine="fused", checkpoint_every=60000)
gradient = mx.compile(mx.grad(lambda x: rnn(x)[0].sum()))
mx.eval(gradient(mx.ones((1, 50, 2))))
x = mx.ones((1, 60000, 2))
mx.eval(x)
mx.synchronize()
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (30 << 20), resource.RLIM_INFINITY))
found = np.array(gradient(x))
print(np.isnan(found).all())
try:
    rnn(mx.ones((1, 50, 2)))
except MemoryError as error:
    print(error)
rnn(mx.ones((1, 50, 2)))
print("goes on")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the address space")
def test_a_node_without_memory_gives_nan_and_the_next_call_says_so() -> None:
    ran = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True, check=False)
    told = (
        "no memory for the working arrays of the kernel ltc_forward in an earlier call, whose results are NaN"
    )
    assert ran.stdout.splitlines() == ["True", told, "goes on"], ran.stderr


# How the library comes to be trusted


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and nothing loaded yet."""
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path))
    nodes._found.cache_clear()
    yield tmp_path / "kernels"
    monkeypatch.undo()
    nodes._found.cache_clear()


OTHERS = (*nodes.SYMBOLS[1:], "ganglion_index", "ganglion_drop_index", "ganglion_drop_pair")
FUNCTIONS = {
    **{name: f"void *{name}() {{ return 0; }}" for name in OTHERS},
    "mlx": 'const char *ganglion_mlx() { return "1"; }',
    "built_for": 'const char *ganglion_built_for() { return "1"; }',
    "look": "int ganglion_look(void *, long *) { return 0; }",
}
STUBS = 'extern "C" {{ {} void ganglion_begin() {{ {{}} }} }}'.format(" ".join(FUNCTIONS.values()))
BROKEN = {
    "crashes": (STUBS.replace("{}", "*(volatile int *)8 = 1;"), "signal 11"),
    "is wrong": (STUBS.replace("{}", ""), "layout of arrays"),
    "does not compile": ("this is no C++;", r"failed \(exit code 1\)"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_build_that_fails_is_told_once_and_never_tried_again(
    fault: str, fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text, reason = BROKEN[fault]
    texts = tmp_path / "source"
    texts.mkdir()
    for part in nodes.PARTS:
        (texts / part).write_text(text if part == nodes.PARTS[0] else "")
    monkeypatch.setattr(nodes, "SOURCE", texts)
    rnn, plain = (KINDS["ltc"](engine=name, key=mx.random.key(0)) for name in ("auto", "ops"))
    with pytest.warns(RuntimeWarning, match=rf"not inside mx\.compile: [\s\S]*{reason}"):
        agree(rnn(X), plain(X))
    agree(gradients(rnn, X, Y), gradients(plain, X, Y))  # and without another warning
    assert not list(fresh.glob("nodes-*.so"))
    rnn.explain()  # which builds the kernel for one row, if no other test of this process has
    nodes._found.cache_clear()
    monkeypatch.setattr(build, "_compile", lambda *_: pytest.fail("built again"))
    with pytest.warns(RuntimeWarning, match=r"`ganglion cache --clear` lets it be built again"):
        assert not nodes.usable()
    assert "a graph of MLX cannot hold it" in rnn.explain()
    cache.clear(fresh)
    assert not list(fresh.iterdir())


def test_while_the_library_is_built_plain_calls_run_and_all_others_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnn = KINDS["ltc"](engine="fused", key=mx.random.key(0))
    expected, compiled = rnn(X), mx.compile(lambda x: rnn(x)[0])(X)
    ahead, go, built = nodes.library()._handle, threading.Event(), list[str]()
    for name, value in (("_known", False), ("_builder", None), ("_found", cached(nodes._found.__wrapped__))):
        monkeypatch.setattr(nodes, name, value)
    monkeypatch.setenv("GANGLION_CACHE", str(tmp_path))

    def slowly(source: str, directory: Path, stem: str, extra: build.Extra) -> None:
        assert go.wait(60)
        built.append(stem)
        (directory / f"{stem}-1.so").touch()

    monkeypatch.setattr(build, "_compile", slowly)
    monkeypatch.setattr(build, "find", lambda directory, stem: (directory, 0) if built else None)
    monkeypatch.setattr(build, "_load", lambda *_: SimpleNamespace(_handle=ahead))
    threads = threading.active_count()
    for _ in range(2):
        agree(rnn(X), expected, 0.0)
    assert threading.active_count() == threads + 1
    assert not built
    threading.Timer(0.05, go.set).start()
    agree(mx.compile(lambda x: rnn(x)[0])(X), compiled, 0.0)
    assert len(built) == 1
    assert built[0].startswith("nodes-")
    assert not nodes.coming()
    agree(rnn(X), expected, 0.0)


def test_another_mlx_gets_a_build_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = Path(mx.__file__).parent
    copy = tmp_path / "mlx"
    (copy / "include").mkdir(parents=True)
    (copy / "lib").mkdir()
    (copy / "include" / "a.h").write_text("1")
    (copy / "lib" / "libmlx.so").write_text("1")
    first = nodes._contents(copy)
    (copy / "include" / "a.h").write_text("12")
    second = nodes._contents(copy)
    os.utime(copy / "lib" / "libmlx.so", (1.0, 1.0))
    assert len({first, second, nodes._contents(copy), nodes._contents(home)}) == 4
    source, flags = "int x;", ("-O1",)
    digests = {build._digest(source, build.Extra(flags, identity)) for identity in (first, second)}
    assert (
        len(digests | {build._digest(source, build.Extra()), build._digest(source, build.Extra(flags))}) == 4
    )


def test_switched_off_the_older_way_runs_and_explain_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANGLION_NODES", "0")
    nodes._found.cache_clear()
    try:
        rnn, plain = (KINDS["cfc"](engine=name, key=mx.random.key(0)) for name in ("fused", "ops"))
        agree(gradients(rnn, X, Y), gradients(plain, X, Y))
        assert "GANGLION_NODES is 0" in rnn.explain()
        with pytest.raises(KernelError, match=r"GANGLION_NODES is 0"):
            mx.compile(lambda x: rnn(x)[0])(X)
    finally:
        monkeypatch.undo()
        nodes._found.cache_clear()
    assert "a node of MLX's graph" in rnn.explain()


def test_an_object_with_another_layout_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of another Python, whose objects have a larger head, or of an array of another MLX."""
    handle = nodes.library()._handle
    larger = SimpleNamespace(__basicsize__=object.__basicsize__ + 8)  # of a class it would be Python's own
    monkeypatch.setattr(nodes, "object", larger, raising=False)
    with pytest.raises(KernelError, match="layout of arrays"):
        nodes.prepared(handle)
    monkeypatch.undo()
    nodes.prepared(handle)


def test_the_words_for_results_are_those_of_the_library() -> None:
    text = (nodes.SOURCE / "entry.h").read_text()
    words = dict(part.split(" = ") for part in text.split("enum { ")[1].split(" }")[0].split(", "))
    ours = {name: str(getattr(nodes, name)) for name in words}
    assert ours == words
