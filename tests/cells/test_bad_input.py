"""Bad input is refused with a message that names what was given and what was expected."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import networkx as nx
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

from ..support.golden import Golden
from ..support.networks import ENGINES

B, T, I, N, M = 3, 5, 4, 12, 2  # noqa: E741

CELLS = {"LTC": gl.LTC, "CfC": gl.CfC}


@pytest.fixture(params=[(cell, engine) for cell in CELLS for engine in ENGINES], ids="-".join)
def rnn(request: pytest.FixtureRequest) -> Any:
    cell, engine = request.param
    return CELLS[cell](gl.auto_ncp(N, M, inputs=I), engine=engine)


X = mx.zeros((B, T, I))


# Inputs


@pytest.mark.parametrize("shape", [(B, T, I + 1), (T, I - 1), (B, T, 1)])
def test_wrong_number_of_features(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"{shape[-1]} features?.*4 sensory neurons.*\(T, 4\)"):
        rnn(mx.zeros(shape))


@pytest.mark.parametrize("shape", [(), (I,)])
def test_wrong_number_of_axes(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape \(.*expected \(B, T, 4\) or \(T, 4\)"):
        rnn(mx.zeros(shape))


@pytest.mark.parametrize("shape", [(B, 0, I), (0, I), (0, T, I), (0, 0, I)])
def test_empty_sequence_or_batch(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape \(.*at least one sequence and one sample"):
        rnn(mx.zeros(shape))


@pytest.mark.parametrize("x", [mx.zeros((B, T, I), mx.complex64), np.zeros((B, T, I), complex)])
def test_complex_input(rnn: Any, x: Any) -> None:
    with pytest.raises(TypeError, match=r"the input must hold real numbers, got .*complex"):
        rnn(x)


@pytest.mark.parametrize("x", ["zeros", None, {"x": 1.0}, [["a"] * I] * T])
def test_input_that_is_no_array(rnn: Any, x: Any) -> None:
    with pytest.raises(TypeError, match=rf"the input must hold real numbers, got {type(x).__name__}"):
        rnn(x)


def test_rows_of_different_lengths(rnn: Any) -> None:
    with pytest.raises(TypeError, match="the input must be one array, got list of unequal parts"):
        rnn([[0.0] * I, [0.0]])


def test_whole_numbers_and_half_floats_are_welcome(rnn: Any) -> None:
    expected = np.array(rnn(mx.ones((B, T, I)))[0])
    for x in (
        mx.ones((B, T, I), mx.int32),
        mx.ones((B, T, I), mx.float16),
        np.ones((B, T, I)),
        np.ones((B, T, I), bool),
        np.ones((B, T, I)).tolist(),
    ):
        y, state = rnn(x)
        assert y.dtype == state.dtype == mx.float32
        np.testing.assert_array_equal(np.array(y), expected)


def test_nan_in_the_input_shows_in_its_own_sequence_only(rnn: Any) -> None:
    """It is data, not a mistake in the call: it passes through, and other sequences do not see it."""
    x = np.zeros((B, T, I), np.float32)
    x[1, 2, 0] = np.nan
    y, state = (np.array(value) for value in rnn(mx.array(x)))
    assert np.isnan(state[1]).any()
    assert np.isfinite(y[1, :2]).all()
    assert np.isfinite(np.delete(y, 1, axis=0)).all()
    assert np.isfinite(np.delete(state, 1, axis=0)).all()


# State


@pytest.mark.parametrize("shape", [(B, N + 1), (B + 1, N), (1, N), (N,), (B, 1, N), ()])
def test_wrong_shape_of_a_batched_state(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"state has shape \(.*expected \(3, 12\).*batch of 3.*12 neurons"):
        rnn(X, mx.zeros(shape))


@pytest.mark.parametrize("shape", [(1, N), (N + 1,), ()])
def test_wrong_shape_of_an_unbatched_state(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"state has shape \(.*expected \(12,\).*without batch axis"):
        rnn(X[0], mx.zeros(shape))


def test_state_that_is_no_array(rnn: Any) -> None:
    with pytest.raises(TypeError, match="the state must be one array, got tuple of unequal parts"):
        rnn(X, (mx.zeros((B, N)), mx.zeros((B, N + 1))))


# Time spans


@pytest.mark.parametrize(
    "shape", [(B + 1, T), (1, T), (B, T + 1), (T + 1,), (B,), (T, B), (B, T, 2), (B, 1, T)]
)
def test_batch_or_length_mismatch_in_time_spans(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"timespans have shape \(.*scalar.*\(5,\).*\(3, 5\).*\(3, 5, 1\)"):
        rnn(X, timespans=mx.ones(shape))


@pytest.mark.parametrize("shape", [(1, T), (T, 1), (T - 1,)])
def test_time_spans_of_one_sequence(rnn: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"timespans have shape \(.*scalar or \(5,\)"):
        rnn(X[0], timespans=mx.ones(shape))


@pytest.mark.parametrize("bad", [-1e-30, -1.0, np.nan, np.inf, -np.inf, 1e39])
def test_time_spans_that_are_no_time(rnn: Any, bad: float) -> None:
    spans = np.ones((B, T))
    spans[2, 3] = bad
    given = np.array(mx.array(bad))  # the float32 counts
    with pytest.raises(
        ValueError, match=f"time span of row 2 at step 3 is {given}: expected a finite number"
    ):
        rnn(X, timespans=spans)
    with pytest.raises(ValueError, match=f"time span at step 3 is {given}: expected a finite number of at"):
        rnn(X, timespans=spans[2])
    with pytest.raises(ValueError, match=f"time span is {given}: expected a finite number of at least 0"):
        rnn(X, timespans=bad)


def test_time_spans_that_are_no_numbers(rnn: Any) -> None:
    with pytest.raises(TypeError, match="timespans must hold real numbers, got str"):
        rnn(X, timespans="hourly")


# One step


def test_one_step_of_a_cell(rnn: Any) -> None:
    cell = rnn.cell
    with pytest.raises(ValueError, match=r"shape \(3, 5\): expected \(B, 4\) or \(4,\)"):
        cell(mx.zeros((B, I + 1)))
    with pytest.raises(ValueError, match=r"state has shape \(3, 11\): expected \(3, 12\)"):
        cell(mx.zeros((B, I)), mx.zeros((B, N - 1)))
    with pytest.raises(ValueError, match=r"time span has shape \(4,\): expected a scalar.*\(3,\)"):
        cell(mx.zeros((B, I)), None, mx.ones((B + 1,)))
    with pytest.raises(ValueError, match=r"time span is -1.0: expected a finite number of at least 0"):
        cell(mx.zeros((B, I)), None, -1.0)
    with pytest.raises(ValueError, match=r"time span of row 1 is nan: expected"):
        cell(mx.zeros((B, I)), None, np.array([0.0, np.nan, 1.0]))


# Options


def test_unknown_options_of_networks() -> None:
    circuit = gl.auto_ncp(N, M, inputs=I)
    for make, options, message in (
        (gl.CfC, {"mode": "gated"}, "unknown mode 'gated': expected one of default, .*pure"),
        (gl.CfC, {"schedule": "random"}, "unknown schedule 'random': expected one of layered, synchronous"),
        (gl.CfC, {"polarity": "free"}, "unknown polarity 'free': expected one of init, fixed"),
        (gl.LTC, {"polarity": "free"}, "unknown polarity 'free': expected one of init, fixed"),
        (gl.LTC, {"positive": "relu"}, "unknown positive 'relu': expected one of clip, softplus"),
        (gl.LTC, {"input_mapping": "mlp"}, "unknown input_mapping 'mlp': expected one of affine, linear"),
        (gl.LTC, {"output_mapping": "mlp"}, "unknown output_mapping 'mlp': expected one of affine, linear"),
        (gl.LTC, {"ode_unfolds": 0}, "ode_unfolds must be 1 or more, got 0"),
        (gl.LTC, {"ode_unfolds": 2.5}, "ode_unfolds must be a whole number, got 2.5"),
        (gl.LTC, {"engine": "warp"}, "unknown engine 'warp': expected one of auto, .*ops"),
        (gl.CfC, {"engine": "warp"}, "unknown engine 'warp': expected one of auto, .*ops"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            make(circuit, **options)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda c: gl.LTC(c, proj_size=2.5), TypeError, "proj_size must be a whole number, got 2.5"),
        (lambda c: gl.LTC(c, checkpoint_every=1.5), TypeError, "checkpoint_every must be a whole number"),
        (lambda c: gl.LTC(c, epsilon=-1), ValueError, "epsilon must be finite and 0 or more, got -1"),
        (lambda c: gl.LTC(c, initial_ranges={"cm": 0.5}), TypeError, r"cm is 0.5: expected \(low, high\)"),
        (lambda c: gl.LTC(c, key=3), TypeError, "key must be one that mx.random.key made, got int"),
        (
            lambda c: gl.CTRNNCell(c, ode_unfolds=2.5),
            TypeError,
            "ode_unfolds must be a whole number, got 2.5",
        ),
        (lambda c: gl.CTGRUCell(c, scales=2.5), TypeError, "scales must be a whole number, got 2.5"),
        (lambda _: gl.LiquidCell(4, ode_unfolds=0), ValueError, "ode_unfolds must be 1 or more, got 0"),
        (lambda _: gl.CfC(gl.dense(4, 4), backbone_layers=1.5), TypeError, "backbone_layers must be a whole"),
        (lambda _: gl.NCPDense(2.5), TypeError, "units must be a whole number, got 2.5"),
        (lambda c: gl.LTC(c).stream(2.5), TypeError, "batch_size must be a whole number, got 2.5"),
        (lambda c: gl.LTC(c).memory(2.5, 1), TypeError, "batch must be a whole number, got 2.5"),
        (
            lambda c: gl.LTC(c).get_initial_state(batch_size=0),
            ValueError,
            "batch_size must be 1 or more, got 0",
        ),
        (
            lambda c: gl.LTC(c).stream()(np.zeros(I, complex)),
            TypeError,
            "real numbers, got ndarray of complex",
        ),
        (gl.RNN, TypeError, "expected a cell, such as gl.LTCCell.*got Circuit"),
        (lambda c: gl.RNN(gl.LTC(c)), TypeError, "expected a cell.*got LTC"),
        (gl.MixedMemoryCell, TypeError, "expected a cell.*got Circuit"),
        (lambda c: gl.Bidirectional(gl.LTCCell(c)), TypeError, "must be a network.*got LTCCell"),
        (lambda c: gl.Stack([gl.LTCCell(c)]), TypeError, r"layer 0 is a LTCCell: .*gl\.RNN"),
        (lambda c: gl.Stack(gl.LTC(c)), TypeError, "expected a list of layers, got LTC"),
        (lambda c: gl.Stack([gl.LTC(c)])(X, mx.zeros((B, N))), TypeError, "tuple of 1 state, got array"),
        (lambda c: gl.Bidirectional(gl.LTC(c))(X, mx.zeros((B, N))), TypeError, "a pair.*got array"),
        (
            lambda c: gl.LTC(c)(X, mask=2 * np.ones((B, T), int)),
            ValueError,
            "mask holds 2: expected booleans",
        ),
        (lambda _: gl.NCPLayer.from_config("LTC"), TypeError, "a config is a dict.*got str"),
        (lambda _: gl.NCPLayer.from_config({}), ValueError, "names no 'class'; it has nothing"),
    ],
)
def test_arguments_that_make_no_sense(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(gl.auto_ncp(N, M, inputs=I))


def test_unknown_options_of_a_cfc_without_wiring() -> None:
    with pytest.raises(ValueError, match="unknown mode 'gated'"):
        gl.CfC(gl.dense(I, N), mode="gated")
    with pytest.raises(ValueError, match="unknown backbone_activation 'relux': expected one of celu"):
        gl.CfC(gl.dense(I, N), backbone_activation="relux")


@pytest.mark.parametrize("option", ["mode", "backbone_units", "colour"])
def test_options_of_another_cell(option: str) -> None:
    with pytest.raises(TypeError, match=option):
        gl.LTC(gl.auto_ncp(N, M, inputs=I), **{option: 1})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layout": "sparse"}, "unknown layout 'sparse': expected one of .*dense"),
        ({"order": "alphabet"}, "unknown order 'alphabet': expected one of role"),
        ({"block_size": 7}, "unknown block_size 7: expected one of 8, 16, 32, 64"),
    ],
)
def test_unknown_layout_or_order(options: dict[str, Any], message: str) -> None:
    with pytest.raises(gl.LayoutError, match=message):
        gl.compile_circuit(gl.auto_ncp(N, M, inputs=I), **options)


# Circuits


def broken_circuit() -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_node("eye", role="sensory")
    graph.add_node("brain", role="cortex")
    graph.add_edge("eye", "brain", polarity=2)
    graph.add_edge("brain", "eye", polarity=1)
    return graph


@pytest.mark.parametrize("cell", CELLS)
def test_unsound_circuit(cell: str) -> None:
    """All problems at once, each with the neuron or synapse at fault."""
    with pytest.raises(gl.CircuitError) as caught:
        CELLS[cell](broken_circuit())
    message = str(caught.value)
    for part in ("cortex", "brain", "eye", "polarity", "no motor neuron"):
        assert part in message, message


@pytest.mark.parametrize("cell", CELLS)
def test_unbuilt_circuit(cell: str) -> None:
    with pytest.raises(gl.CircuitError, match="the circuit has no neurons"):
        CELLS[cell](gl.Circuit())
    with pytest.raises(gl.CircuitError, match="no motor neuron"):
        CELLS[cell](gl.Circuit(nx.create_empty_copy(gl.auto_ncp(N, M, inputs=I).subgraph(["sensory_0"]))))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("source", [64, "auto_ncp", None, nx.Graph(), np.eye(3)])
def test_no_circuit_at_all(cell: str, source: Any) -> None:
    with pytest.raises(TypeError, match=rf"expected .*DiGraph.*got {type(source).__name__}"):
        CELLS[cell](source)


# State dicts of ncps


def loadable(name: str) -> tuple[Any, dict[str, np.ndarray]]:
    """A network, and a state dict that fits it."""
    golden = Golden.load(name)
    config = golden.config
    circuit = getattr(gl, config["generator"])(**config["arguments"])
    network = gl.LTC(circuit) if config["cell"] == "LTC" else gl.CfC(circuit, ncps_compat=True)
    return network, golden.state_dict


@pytest.fixture(params=["ltc-clip-auto_ncp-irregular-h0", "cfc-default-auto_ncp-irregular"], ids=CELLS)
def loading(request: pytest.FixtureRequest) -> tuple[Any, dict[str, np.ndarray]]:
    return loadable(request.param)


def check_refused(network: Any, state_dict: Any, message: str, error: type[Exception] = ValueError) -> None:
    """The state dict is refused, and no parameter has changed."""
    before = {name: np.array(value) for name, value in network.cell.trainable_parameters().items()}
    with pytest.raises(error, match=message):
        gl.load_ncps(network, state_dict)
    after = network.cell.trainable_parameters()
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(np.array(after[name]), value)


def names_of(state_dict: dict[str, np.ndarray]) -> list[str]:
    return [name for name in state_dict if "sparsity_mask" not in name]


def test_every_missing_key(loading: tuple[Any, dict[str, np.ndarray]]) -> None:
    network, state_dict = loading
    for name in names_of(state_dict):
        rest = {key: value for key, value in state_dict.items() if key != name}
        check_refused(network, rest, rf"no '{name.removeprefix('rnn_cell.')}'")


def test_every_wrong_shape(loading: tuple[Any, dict[str, np.ndarray]]) -> None:
    network, state_dict = loading
    for name in names_of(state_dict):
        wrong = np.zeros((*state_dict[name].shape, 1), np.float32)
        message = rf"'{name.removeprefix('rnn_cell.')}' has shape \(.*1\).*\("
        check_refused(network, {**state_dict, name: wrong}, message)


class Tensor:
    """What `load_ncps` uses of a torch tensor; of bfloat16 there is no NumPy array."""

    def __init__(self, array: np.ndarray, dtype: str) -> None:
        self.array, self.dtype = array, f"torch.{dtype}"

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def is_floating_point(self) -> bool:
        return "float" in self.dtype

    def float(self) -> Tensor:
        return Tensor(self.array.astype(np.float32), "float32")

    def numpy(self) -> np.ndarray:
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_other_floating_point_types_become_float32(dtype: str) -> None:
    network, state_dict = loadable("ltc-clip-auto_ncp-irregular-h0")
    short = {name: mx.array(array).astype(mx.bfloat16) for name, array in state_dict.items()}
    exact = {name: np.array(array.astype(mx.float32)) for name, array in short.items()}
    gl.load_ncps(network, exact)
    expected = dict(tree_flatten(network.parameters()))
    if dtype == "float16":
        exact = {name: array.astype(np.float16).astype(np.float32) for name, array in exact.items()}
        gl.load_ncps(network, exact)
        expected = dict(tree_flatten(network.parameters()))
    numpy_type = np.float64 if dtype == "bfloat16" else dtype
    arrays = {name: array.astype(numpy_type) for name, array in exact.items()}
    forms = [{name: Tensor(array, dtype) for name, array in arrays.items()}]
    forms.append(short if dtype == "bfloat16" else arrays)
    for form in forms:
        other, _ = loadable("ltc-clip-auto_ncp-irregular-h0")
        gl.load_ncps(other, form)
        for name, array in tree_flatten(other.parameters()):
            assert array.dtype == mx.float32 or not array.size
            assert mx.array_equal(array, expected[name]).item(), name


def test_types_that_hold_no_weights(loading: tuple[Any, dict[str, np.ndarray]]) -> None:
    network, state_dict = loading
    name = names_of(state_dict)[0]
    says = f"'{name.removeprefix('rnn_cell.')}' holds "
    array = state_dict[name]
    for dtype in (np.int64, np.complex64, bool):
        message = rf"{says}(torch\.)?{np.dtype(dtype).name}: expected floating-point numbers"
        for wrong in (array.astype(dtype), Tensor(array.astype(dtype), np.dtype(dtype).name)):
            check_refused(network, {**state_dict, name: wrong}, message)
    check_refused(network, {**state_dict, name: [[1.0], []]}, "does not become an array")
    check_refused(network, {**state_dict, name: array.astype(np.float64) + 1e300}, "not finite")
    whole = {n: a.astype(np.int64) if n.endswith("mask") else a for n, a in state_dict.items()}
    gl.load_ncps(network, whole)


def test_values_that_are_not_finite(loading: tuple[Any, dict[str, np.ndarray]]) -> None:
    """One NaN at a synapse; at a place without synapse it does not matter."""
    network, state_dict = loading
    name = next(name for name in names_of(state_dict) if name.endswith(("vleak", "ff1.bias")))
    poisoned = state_dict[name].copy()
    poisoned[0] = np.nan
    check_refused(network, {**state_dict, name: poisoned}, "not finite")


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("ltc-clip-auto_ncp-irregular-h0", "sparsity_mask"),
        ("ltc-clip-auto_ncp-irregular-h0", "sensory_sparsity_mask"),
        ("cfc-default-auto_ncp-irregular", "layer_0.sparsity_mask"),
        ("cfc-default-auto_ncp-irregular", "layer_1.sparsity_mask"),
    ],
)
def test_weights_of_another_wiring(name: str, mask: str) -> None:
    network, state_dict = loadable(name)
    other = state_dict[f"rnn_cell.{mask}"].copy()
    other[0, 0] = 1 - other[0, 0]
    check_refused(network, {**state_dict, f"rnn_cell.{mask}": other}, rf"'{mask}' is another wiring.*synapse")


def test_wired_cfc_needs_the_compatible_cell() -> None:
    network, state_dict = loadable("cfc-default-auto_ncp-irregular")
    network = gl.CfC(gl.auto_ncp(16, 3, inputs=5))
    check_refused(network, state_dict, "ncps_compat=True")


def test_state_dict_of_another_cell() -> None:
    network, _ = loadable("ltc-clip-auto_ncp-irregular-h0")
    _, state_dict = loadable("cfc-default-auto_ncp-irregular")
    check_refused(network, state_dict, "no 'w'")


@pytest.mark.parametrize("state_dict", [None, 3, ["w"], "weights.pt"])
def test_state_dict_that_is_no_mapping(state_dict: Any) -> None:
    network, _ = loadable("ltc-clip-auto_ncp-irregular-h0")
    check_refused(network, state_dict, f"mapping.*got {type(state_dict).__name__}", TypeError)


# Circuits and sizes


class NcpsWiring:
    """What identifies a wiring of ncps."""

    adjacency_matrix = np.zeros((4, 4))
    sensory_adjacency_matrix = np.zeros((2, 4))


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC, gl.CTRNNCell, gl.compile_circuit])
def test_a_wiring_of_ncps_is_told_the_way(make: Any) -> None:
    with pytest.raises(TypeError, match=r"got NcpsWiring, a wiring of ncps: gl\.from_ncps\(wiring\)"):
        make(NcpsWiring())


@pytest.mark.parametrize("make", [gl.LTC, gl.CfC, gl.compile_circuit])
def test_a_number_is_no_circuit(make: Any) -> None:
    with pytest.raises(TypeError, match=r"got int \(20\): a circuit knows its inputs"):
        make(20)


@pytest.mark.parametrize("name", CELLS)
def test_the_number_of_inputs_beside_a_circuit(name: str) -> None:
    for second, shown in ((gl.auto_ncp(N, M, inputs=I), "Circuit"), (NcpsWiring(), "NcpsWiring"), (64, "64")):
        with pytest.raises(TypeError, match=rf"gl\.{name}\(20, {shown}\): .*knows its inputs.*from_ncps"):
            CELLS[name](20, second)


def test_a_subclass_has_the_arguments_that_it_likes() -> None:
    class Named(gl.CfC):
        def __init__(self, label: str, circuit: gl.Circuit) -> None:
            super().__init__(circuit)
            self.label = label

    assert Named("rat", gl.auto_ncp(N, M, inputs=I)).label == "rat"
