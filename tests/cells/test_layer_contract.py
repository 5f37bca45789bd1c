"""Layers and cells as their users write them: the names and habits of Keras and mlx.nn."""

from __future__ import annotations

import builtins
import subprocess
import sys
import threading
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map
from scipy import sparse

import ganglion as gl
from ganglion import distribution

X = mx.array(np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32))
CIRCUIT = gl.auto_ncp(12, 2, inputs=3, seed=1)


# Cells with a __call__ of their own


class Keras(gl.NCPRNNCell):
    """A cell as Keras has them: its states come and go as a list."""

    def __init__(self, units: int):
        super().__init__(units)
        self.units = units
        self.state_size = units

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.kernel_in = mx.full((input_shape[-1], self.units), 0.1)
        self.kernel_state = 0.3 * mx.eye(self.units)
        super().build(input_shape)

    def __call__(self, inputs: Any, states: Any) -> Any:
        (before,) = states
        output = mx.tanh(inputs @ self.kernel_in + before @ self.kernel_state)
        return output, [output]


class Plain(Keras):
    """The same on one array."""

    def __call__(self, inputs: Any, states: Any) -> Any:
        output = mx.tanh(inputs @ self.kernel_in + states @ self.kernel_state)
        return output, output


class Timed(Keras):
    """With the time span."""

    def __call__(self, inputs: Any, states: Any, timespan: Any) -> Any:
        assert timespan.shape == (len(inputs), 1)
        output = states + timespan * mx.tanh(inputs @ self.kernel_in)
        return output, output


class Two(Keras):
    """With two arrays of state, of sizes of their own."""

    def __init__(self, units: int):
        super().__init__(units)
        self.state_size = [units, 7]

    def __call__(self, inputs: Any, states: Any) -> Any:
        h, count = states
        output = mx.tanh(inputs @ self.kernel_in + h @ self.kernel_state)
        return output, [output, count + 1.0]


def by_hand(x: np.ndarray, units: int) -> np.ndarray:
    h, outputs = np.zeros((len(x), units)), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ np.full((x.shape[2], units), 0.1) + 0.3 * h)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("kind", [Keras, Plain, Two])
def test_rnn_runs_a_cell_that_has_its_own_call(kind: Any) -> None:
    rnn = gl.RNN(kind(6))
    outputs, state = rnn(X)
    expected = by_hand(np.array(X, np.float64), 6)
    np.testing.assert_allclose(np.array(outputs), expected, atol=1e-6)
    first = state[0] if kind is Two else state
    np.testing.assert_allclose(np.array(first), expected[:, -1], atol=1e-6)
    if kind is Two:
        assert state[1].tolist() == [[5.0] * 7] * 4
    alone = rnn(X[0])[0]
    np.testing.assert_allclose(np.array(alone), expected[0], atol=1e-6)
    stream = rnn.stream(4)
    np.testing.assert_allclose(np.array(stream(X[:, 0])), expected[:, 0], atol=1e-6)
    states = rnn(X, return_states=True)[2]
    np.testing.assert_allclose(np.array(states), expected, atol=1e-6)
    masked = rnn(X, lengths=[5, 2, 1, 0])[0]
    np.testing.assert_allclose(np.array(masked[1, 4]), expected[1, 1], atol=1e-6)
    gradient = nn.value_and_grad(rnn, lambda m: m(X)[0].sum())(rnn)[1]
    assert mx.abs(gradient["cell"]["kernel_in"]).min() > 0


def test_a_cell_with_its_own_call_may_take_the_time_span() -> None:
    rnn = gl.RNN(Timed(6))
    spans = np.random.default_rng(1).uniform(0.1, 2.0, (4, 5)).astype(np.float32)
    drive = np.tanh(np.array(X) @ np.full((3, 6), 0.1))
    expected = np.cumsum(spans[..., None] * drive, axis=1)
    np.testing.assert_allclose(np.array(rnn(X, timespans=spans)[0]), expected, atol=1e-5)


def test_a_subclass_of_a_cell_of_ours_is_run_with_its_own_call() -> None:
    class TwiceLTC(gl.LTCCell):
        def __call__(self, x: Any, state: Any = None, timespan: Any = 1.0) -> Any:
            output, state = super().__call__(x, state, timespan)
            return 2.0 * output, state

    rnn, plain = gl.RNN(TwiceLTC(CIRCUIT)), gl.RNN(gl.LTCCell(CIRCUIT))
    plain.update(rnn.parameters())
    np.testing.assert_allclose(np.array(rnn(X)[0]), 2 * np.array(plain(X)[0]), atol=1e-5)
    with pytest.raises(gl.KernelError, match="no fused kernel for TwiceLTC"):
        gl.RNN(TwiceLTC(CIRCUIT), engine="fused")(X)


def test_what_a_call_gives_is_looked_at() -> None:
    class Alone(Keras):
        def __call__(self, inputs: Any, states: Any) -> Any:
            return states

    class Narrow(Keras):
        def __call__(self, inputs: Any, states: Any) -> Any:
            return states[:, :2], states

    with pytest.raises(TypeError, match=r"Alone.__call__ gives array: expected the outputs and the new"):
        gl.RNN(Alone(6))(X)
    with pytest.raises(ValueError, match=r"gives .*\(4, 2\).*: expected \[\(4, 6\), \(4, 6\)\]"):
        gl.RNN(Narrow(6))(X)
    cell = Keras(6)
    cell.build((3,))
    with pytest.raises(TypeError, match="Keras has its own __call__: a cell inside another needs step"):
        gl.MixedMemoryCell(cell)
    with pytest.raises(ValueError, match="units is 7: the cell was made with 6"):
        cell.units = 7


@pytest.mark.parametrize(
    ("make", "units", "size"),
    [
        (lambda: gl.LTCCell(CIRCUIT), 12, 12),
        (lambda: gl.CfCCell(CIRCUIT), 12, 12),
        (lambda: gl.LiquidCell(8), 8, 8),
        (lambda: gl.CTGRUCell(CIRCUIT, scales=4), 12, (12, 4)),
        (lambda: gl.MixedMemoryCell(gl.LTCCell(CIRCUIT)), 12, [12, 12]),
        (lambda: Two(5), 5, [5, 7]),
    ],
)
def test_cells_say_their_sizes(make: Any, units: int, size: Any) -> None:
    cell = make()
    assert (cell.units, cell.state_size) == (units, size)


# Layers


class Own(gl.NCPLayer):
    """A layer with a __call__ of its own, which ends with that of its base."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.scale = mx.full((input_shape[-1],), 2.0)  # and does not call the build of its base

    def __call__(self, x: Any) -> Any:
        x = super().__call__(x)
        return x * self.scale


class Noisy(gl.NCPDense):
    def __call__(self, x: Any) -> Any:
        return super().__call__(x + 1.0)


def test_a_layer_may_have_a_call_of_its_own() -> None:
    layer = Own()
    assert (layer.built, layer.input_shape) == (False, None)
    assert mx.array_equal(layer(X), 2 * X)
    kept = layer.scale
    layer(X)
    assert layer.scale is kept
    assert (layer.built, layer.input_shape) == (True, (None, 3))
    noisy = Noisy(4)
    y = noisy(X)
    np.testing.assert_allclose(np.array(y), (np.array(X) + 1) @ np.array(noisy.weight), atol=1e-5)


def layers() -> dict[str, Any]:
    return {
        "LTC": gl.LTC(CIRCUIT),
        "LTCCell": gl.LTCCell(CIRCUIT),
        "CfC without wiring": gl.CfC(gl.dense(3, 4)),
        "NCPDense": gl.NCPDense(4, wiring=np.ones((3, 4))),
        "Bidirectional": gl.Bidirectional(gl.CfC(CIRCUIT)),
        "Stack": gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(4)]),
    }


@pytest.mark.parametrize("name", layers())
def test_shapes_that_a_layer_does_not_read_have_no_output(name: str) -> None:
    layer = layers()[name]
    assert layer.built
    assert layer.input_shape == (None, 3)
    shape = layer.compute_output_shape((4, 5, 3) if layer.recurrent else (4, 3))
    found = layer(X if layer.recurrent else X[:, 0])
    assert shape == (found[0] if isinstance(found, tuple) else found).shape
    with pytest.raises(ValueError, match=r"inputs of shape \(4, 7\): the layer reads 3 features"):
        layer.compute_output_shape((4, 7))
    with pytest.raises(ValueError, match=r"inputs of shape \(\)"):
        layer.compute_output_shape(())


def test_wirings_can_be_asked_for() -> None:
    assert gl.LTC(CIRCUIT).wiring.plan == gl.LTCCell(CIRCUIT).wiring.plan
    assert gl.NCPDense(4).wiring is None
    assert gl.CfC(gl.dense(3, 4)).wiring is None
    assert gl.NCPDense(12, wiring=CIRCUIT).wiring.plan.n_inputs == 3


@pytest.mark.parametrize(
    "make", [lambda: gl.NCPDense(4), lambda: gl.LTCCell(CIRCUIT), lambda: gl.LTC(CIRCUIT)]
)
def test_layers_take_a_stream(make: Any) -> None:
    layer = make()
    x = X if layer.recurrent else X[:, 0]
    found, expected = layer(x, stream=mx.cpu), layer(x)
    for ours, theirs in zip(
        *(value if isinstance(value, tuple) else (value,) for value in (found, expected)), strict=True
    ):
        assert mx.allclose(ours, theirs)


# What a dense layer takes for its wiring

MASK = (np.random.default_rng(2).random((3, 6)) < 0.5).astype(np.float32)
SIGNED = MASK * np.where(np.random.default_rng(3).random((3, 6)) < 0.5, -1, 1)


def dense_matrix(layer: gl.NCPDense) -> np.ndarray:
    sensory = layer.wiring.plan.sensory
    matrix = np.zeros((sensory.n_pre, sensory.n_post), np.float32)
    matrix[sensory.pre, sensory.post] = np.array(layer.weight)
    return matrix


@pytest.mark.parametrize(
    "wiring", [MASK, MASK.astype(bool), SIGNED, MASK.tolist(), sparse.csr_matrix(SIGNED), mx.array(SIGNED)]
)
def test_dense_takes_a_matrix_for_its_wiring(wiring: Any) -> None:
    layer = gl.NCPDense(6, wiring=wiring, key=mx.random.key(0))
    assert layer.built
    matrix = dense_matrix(layer)
    given = wiring.toarray() if sparse.issparse(wiring) else np.array(wiring, np.float32)
    assert np.array_equal(matrix != 0, given != 0)
    assert np.array_equal(np.sign(matrix), given) == (given.min() < 0)
    np.testing.assert_allclose(np.array(layer(X)), np.array(X) @ matrix, atol=1e-6)
    twin = gl.NCPLayer.from_config(layer.get_config())
    twin.update(layer.parameters())
    assert mx.array_equal(twin(X), layer(X))


def test_dense_takes_the_sensory_synapses_of_any_circuit() -> None:
    layer = gl.NCPDense(12, "relu", wiring=CIRCUIT)
    plan = gl.compile_circuit(CIRCUIT).plan
    mask = np.zeros((3, 12), bool)
    mask[plan.sensory.pre, plan.sensory.post] = True
    assert np.array_equal(dense_matrix(layer) != 0, mask)
    np.testing.assert_allclose(
        np.array(layer(X)), np.maximum(np.array(X) @ dense_matrix(layer), 0), atol=1e-6
    )


@pytest.mark.parametrize(
    ("rule", "degrees"),
    [
        ("all_to_all", {3}),
        ({"rule": "all_to_all"}, {3}),
        ({"rule": "fixed_indegree", "indegree": 2, "seed": 1}, {2}),
        ({"rule": "fixed_indegree", "indegree": 2, "seed": 1, "inhibitory": 0.5}, {2}),
        ({"rule": "pairwise_bernoulli", "p": 0.5, "seed": 1}, {0, 1, 2, 3}),
    ],
)
def test_dense_takes_a_rule_for_its_wiring(rule: Any, degrees: set[int]) -> None:
    layer = gl.NCPDense(8, wiring=rule)
    assert not layer.built
    layer(X)
    found = (dense_matrix(layer) != 0).sum(axis=0)
    assert set(found.tolist()) <= degrees
    if "inhibitory" in rule:
        assert (layer.wiring.plan.sensory.polarity < 0).sum() == 8
        assert np.array_equal(np.sign(layer.weight), layer.wiring.plan.sensory.polarity)
    twin = gl.NCPLayer.from_config(layer.get_config())
    twin.update(layer.parameters())
    assert mx.array_equal(twin(X), layer(X))


def test_dense_says_what_is_no_wiring() -> None:
    for wiring, error, words in (
        (np.ones((3, 5)), ValueError, r"6 units for a wiring of shape \(3, 5\): expected \(inputs, 6\)"),
        (np.ones(3), ValueError, r"the wiring has shape \(3,\): expected \(inputs, units\)"),
        (np.full((3, 6), np.nan), ValueError, "not finite"),
        (gl.auto_ncp(8, 2, inputs=3), ValueError, "6 units for a wiring of 8 neurons"),
        (object(), TypeError, "the wiring is a object: expected a circuit, an .in, out. matrix, or a rule"),
    ):
        with pytest.raises(error, match=words):
            gl.NCPDense(6, wiring=wiring)
    for wiring, error, words in (
        ("nonsense", ValueError, "unknown rule 'nonsense'; expected one of all_to_all"),
        ({"rule": "fixed_indegree", "seed": 1}, TypeError, "takes indegree= and nothing else"),
        (
            {"rule": "all_to_all", "indgree": 1},
            TypeError,
            "the wiring has indgree: expected rule",
        ),
        ({"indegree": 1}, ValueError, "unknown rule None"),
    ):
        with pytest.raises(error, match=words):
            gl.NCPDense(6, wiring=wiring)(X)


def test_dense_takes_any_function_and_knows_how_many_outputs_it_leaves() -> None:
    plain = gl.NCPDense(6, key=mx.random.key(0))(X)
    for activation in (mx.tanh, nn.Tanh(), "tanh"):
        layer = gl.NCPDense(6, activation, key=mx.random.key(0))
        assert mx.allclose(layer(X), mx.tanh(plain))
        assert layer.get_config()["activation"] == "tanh"
    leaky = gl.NCPDense(6, nn.LeakyReLU(0.3), key=mx.random.key(0))
    assert mx.allclose(leaky(X), mx.maximum(0.3 * plain, plain))
    learned = gl.NCPDense(6, nn.PReLU())
    learned(X)
    assert "activation.weight" in dict(tree_flatten(learned.trainable_parameters()))
    gated = gl.NCPDense(6, "glu")
    assert gated(X).shape == gated.compute_output_shape(X.shape) == (4, 5, 3)
    with pytest.raises(TypeError, match=r"activation of NCPDense is a function, which a config cannot hold"):
        gl.NCPDense(6, lambda x: x).get_config()


def test_quantization_is_refused_rather_than_left_out() -> None:
    for layer in (gl.NCPDense(64, wiring=np.eye(64)), gl.NCPDense(64)):
        with pytest.raises(ValueError, match="NCPDense has no quantized form: rounding would"):
            nn.quantize(nn.Sequential(layer, nn.Linear(64, 64)))
    stack = gl.Stack([nn.Linear(64, 64), gl.NCPDense(64)])
    nn.quantize(
        stack,
        class_predicate=lambda _, m: hasattr(m, "to_quantized") and not isinstance(m, gl.NCPDense),
    )
    assert isinstance(stack.layers[0], nn.QuantizedLinear)


# Built early, and nothing silent before that


def test_a_stack_whose_sizes_are_known_is_built_when_it_is_made() -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(4, "relu"), gl.RNN(gl.LiquidCell(5)), gl.NCPDense(1)])
    assert stack.built
    assert all(layer.built for layer in stack.layers)
    assert stack.input_shape == (None, 3)
    gradients = nn.value_and_grad(stack, lambda m: m(X)[0].sum())(stack)[1]
    assert "weight" in gradients["layers"][1]
    assert gl.Bidirectional(gl.LTC(CIRCUIT)).built


def unbuilt() -> gl.Stack:
    return gl.Stack([gl.NCPDense(3), gl.LTC(CIRCUIT)])


@pytest.mark.parametrize(
    ("ask", "what"),
    [
        (lambda m: nn.value_and_grad(m, lambda m: m(X)[0].sum())(m), "has nothing to train"),
        (lambda m: optim.Adam(0.01).init(m.trainable_parameters()), "has nothing to train"),
        (lambda m: m.save_weights("never.safetensors"), "has no weights to save"),
        (lambda m: m.load_weights([]), "cannot take weights"),
        (lambda m: m.set_dtype(mx.bfloat16), "has nothing whose type could change"),
        (lambda m: m.freeze(), "has nothing to freeze"),
        (lambda m: gl.save(m, "never.safetensors"), "has no weights to save"),
    ],
)
def test_a_layer_that_is_not_built_says_so(ask: Any, what: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=rf"the Stack {what}: it is not built yet; call the network once, or build"
    ):
        ask(unbuilt())
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"the Holding .*: the NCPDense 'head' in it is not built yet"):
        ask(Holding())


class Holding(gl.NCPLayer):
    """A layer around one that is not built."""

    def __init__(self) -> None:
        super().__init__()
        self.head = gl.NCPDense(3)
        self.built = True

    def call(self, x: Any) -> Any:
        return self.head(x), None


@pytest.mark.parametrize(
    "make",
    [
        lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(1)]),
        lambda: gl.Stack([gl.NCPDense(3), gl.LTC(CIRCUIT), gl.NCPDense(1)]),
    ],
)
def test_fit_trains_every_layer_of_a_network_that_was_never_called(make: Any) -> None:
    stack = make()
    data = np.random.default_rng(0).normal(size=(8, 5, 3)).astype(np.float32), np.zeros((8, 5, 1), np.float32)
    optimizer = optim.SGD(0.1)
    gl.fit(stack, data, loss=gl.training.mse, optimizer=optimizer, epochs=1, batch_size=4, progress=False)
    before = stack.parameters()
    gl.fit(stack, data, loss=gl.training.mse, optimizer=optimizer, epochs=1, batch_size=4, progress=False)
    for name, value in tree_flatten(stack.parameters()):
        if name.endswith((".weight", ".bias")):
            assert not mx.array_equal(value, dict(tree_flatten(before))[name]), name


def test_a_saved_stack_that_was_never_called_loads(tmp_path: Any) -> None:
    stack = gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(1)])
    gl.save(stack, tmp_path / "stack.safetensors")
    assert mx.array_equal(gl.load(tmp_path / "stack.safetensors")(X)[0], stack(X)[0])


# As mlx.nn does


@pytest.mark.parametrize("engine", ["ops", "auto"])
@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16])
@pytest.mark.parametrize("name", layers())
def test_outputs_and_states_have_the_type_of_the_parameters(name: str, dtype: mx.Dtype, engine: str) -> None:
    layer = layers()[name]
    for part in layer.modules():
        if isinstance(part, gl.RNN):
            part.engine = engine
    x = X if layer.recurrent else X[:, 0]
    expected = [array for _, array in tree_flatten(layer(x))]
    layer.set_dtype(dtype)
    found = [array for _, array in tree_flatten(layer(x.astype(dtype)))]
    assert {array.dtype for array in found} == {dtype}
    for ours, theirs in zip(found, expected, strict=True):
        assert mx.abs(ours.astype(mx.float32) - theirs).max() < 0.1
    assert {array.dtype for _, array in tree_flatten(layer(x))} == {dtype}


@pytest.mark.parametrize("engine", ["ops", "auto"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: gl.LTC(CIRCUIT),
        lambda: gl.LTC(CIRCUIT, mixed_memory=True),
        lambda: gl.CfC(CIRCUIT, return_sequences=False),
        lambda: gl.Bidirectional(gl.CfC(CIRCUIT)),
        lambda: gl.Stack([gl.LTC(CIRCUIT), gl.NCPDense(4)]),
    ],
)
def test_inputs_may_have_any_leading_axes(make: Any, engine: str) -> None:
    network = make()
    for part in network.modules():
        if isinstance(part, gl.RNN):
            part.engine = engine
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 5, 3)).astype(np.float32)
    given = {
        "timespans": rng.uniform(0.1, 1.0, (2, 3, 4, 5)).astype(np.float32),
        "lengths": rng.integers(1, 6, (2, 3, 4)),
    }
    found = dict(tree_flatten(network(x, **given)))
    flat = {name: value.reshape(24, *value.shape[3:]) for name, value in given.items()}
    expected = dict(tree_flatten(network(x.reshape(24, 5, 3), **flat)))
    for name, value in expected.items():
        assert mx.array_equal(found[name], value.reshape(2, 3, 4, *value.shape[1:])), name
    # A state that comes back goes in again.
    outputs, state = network(x)
    assert outputs.shape == network.compute_output_shape(x.shape)
    again = network(x, state)[0]
    assert not mx.allclose(again, outputs)


@pytest.mark.parametrize("wrap", [lambda rnn: rnn, lambda rnn: gl.Stack([rnn, gl.NCPDense(4)])])
def test_time_spans_of_rows_are_not_taken_for_those_of_steps(wrap: Any) -> None:
    """2 * 3 rows of 6 samples: (2, 3) spans, one a row, are no (6,) spans, one a step."""
    network = wrap(gl.LTC(CIRCUIT))
    with pytest.raises(ValueError, match=r"timespans have shape \(2, 3\)"):
        network(mx.zeros((2, 3, 6, 3)), timespans=mx.ones((2, 3)))


def test_nn_gru_reads_leading_axes_likewise() -> None:
    """The habit that the test above holds our networks to."""
    gru, x = nn.GRU(3, 6), mx.random.normal((2, 4, 5, 3))
    assert gru(x).shape == (2, 4, 5, 6)
    assert gl.LTC(CIRCUIT)(x)[0].shape == (2, 4, 5, 2)


@pytest.mark.parametrize("name", layers())
def test_a_layer_is_a_tree_of_arrays_alone(name: str) -> None:
    layer = layers()[name]
    x = X if layer.recurrent else X[:, 0]

    def loss(m: Any) -> mx.array:
        found = m(x)
        return mx.square(found[0] if isinstance(found, tuple) else found).sum()

    kinds = {type(value) for _, value in tree_flatten(tree_map(lambda value: value, layer))}
    assert kinds == {mx.array}
    gradients = dict(tree_flatten(mx.grad(loss)(layer)))
    expected = dict(tree_flatten(nn.value_and_grad(layer, loss)(layer)[1]))
    assert expected
    for path, gradient in expected.items():
        assert mx.allclose(gradients[path], gradient, atol=1e-5), path


@pytest.mark.parametrize("engine", ["ops", "fused"])
def test_a_parameter_that_another_thread_computes_is_asked_for_there(engine: str) -> None:
    rnn = gl.LTC(CIRCUIT, engine=engine)
    rnn.cell.w = 0.5 * mx.abs(rnn.cell.w)
    told: list[BaseException | mx.array] = []

    def use() -> None:
        try:
            told.append(rnn(np.array(X))[0])
        except RuntimeError as error:
            told.append(error)

    for _ in range(2):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        mx.eval(rnn.parameters())
    assert "still to be computed" in str(told[0])
    assert "mx.eval(network.parameters())" in str(told[0])
    assert isinstance(told[1], mx.array)


def test_a_layer_that_was_built_here_can_be_used_in_another_thread() -> None:
    layers = [gl.NCPDense(4), gl.LiquidCell(4), gl.RNN(gl.LiquidCell(4)), Own()]
    x = np.array(X)
    for layer in layers:
        layer.build((4, 5, 3))
    layers[-1].settle()  # its build does not compute what it makes
    layers[1] = gl.RNN(layers[1])
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(layer(x) for layer in layers))
    thread.start()
    thread.join()
    assert len(found) == 4


# The face of the package


def test_the_version_has_its_name() -> None:
    assert gl.__version__ == distribution.__version__
    assert "__version__" in dir(gl)


def test_a_star_import_hides_nothing_of_python() -> None:
    script = "before = set(globals())\nfrom ganglion import *\nprint(*(set(globals()) - before))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = set(ran.stdout.split())
    assert {"LTC", "CfC", "auto_ncp", "fit"} <= names
    assert not names & set(dir(builtins))
    assert gl.compile.compile_circuit is gl.compile_circuit
