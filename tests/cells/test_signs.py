"""Signs that are held: no step of training contradicts the circuit, and no synapse is stuck at zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

import ganglion as gl

from ..support.networks import ENGINES, LAYOUTS

CIRCUIT = gl.auto_ncp(16, 2, inputs=3, seed=5)
Make = Callable[..., Any]
NETWORKS: dict[str, Make] = {
    "ltc": lambda circuit, **given: gl.LTC(circuit, **given),
    "ltc-softplus": lambda circuit, **given: gl.LTC(circuit, positive="softplus", **given),
    "cfc": lambda circuit, **given: gl.CfC(circuit, **given),
    "cfc-no_gate": lambda circuit, **given: gl.CfC(circuit, mode="no_gate", **given),
    "cfc-pure": lambda circuit, **given: gl.CfC(circuit, mode="pure", **given),
    "cfc-synchronous": lambda circuit, **given: gl.CfC(circuit, schedule="synchronous", **given),
}
OTHERS: dict[str, Make] = {
    "ctrnn": lambda circuit, **given: gl.RNN(gl.CTRNNCell(circuit, **given)),
    "ctgru": lambda circuit, **given: gl.RNN(gl.CTGRUCell(circuit, scales=3, **given)),
}
# The parameters whose signs are those of the synapses, written down here once more on purpose.
SIGNED = ("erev", "ff1_w", "ff2_w", "rate_w", "detect_w")


def signed(cell: Any) -> dict[str, np.ndarray]:
    """The signs that the circuit gives to parameters, by name."""
    plan = cell.compiled.plan
    sides = (("", plan.recurrent), ("sensory_", plan.sensory))
    names = {f"{side}{name}": s.polarity for side, s in sides for name in SIGNED}
    return {name: sign for name, sign in names.items() if name in cell}


def crossed(cell: Any, rng: np.random.Generator, share: float = 0.5) -> None:
    """Put a share of the signed parameters on the wrong side of zero."""
    for name in signed(cell):
        turned = rng.random(cell[name].shape) < share
        cell[name] = mx.where(mx.array(turned), -cell[name], cell[name])


def gradients(rnn: Any, x: mx.array) -> tuple[mx.array, dict[str, mx.array]]:
    def loss(rnn: Any) -> mx.array:
        return mx.square(rnn(x)[0] - 0.3).sum()

    value, found = nn.value_and_grad(rnn, loss)(rnn)
    return value, dict(tree_flatten(found))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["ltc", "cfc"])
def test_two_hundred_steps_of_training_contradict_no_sign(name: str, engine: str) -> None:
    mx.random.seed(0)
    rnn = NETWORKS[name](CIRCUIT, polarity="fixed", engine=engine)
    signs = signed(rnn.cell)
    optimizer = optim.Adam(0.2, bias_correction=True)  # violent, so that many weights come to zero
    met_zero, steps = 0, 200 if engine == "fused" else 40  # the rule is the same; operations take longer
    for step in range(steps):
        mx.random.seed(step)
        x, target = mx.random.normal((4, 5, 3)), mx.random.normal((4, 5, 2))

        def loss(rnn: Any, x: mx.array = x, target: mx.array = target) -> mx.array:
            return mx.square(rnn(x)[0] - target).mean()

        optimizer.update(rnn, nn.value_and_grad(rnn, loss)(rnn)[1])
        used = rnn.cell.effective()  # already before the constraints
        for key, sign in signs.items():
            met_zero += int((np.array(used[key]) == 0).sum())
            assert (np.array(used[key]) * sign >= 0).all(), (step, key)
        rnn.apply_constraints()
        mx.eval(rnn.parameters())
        for key, sign in signs.items():
            assert (np.array(rnn.cell[key]) * sign >= 0).all(), (step, key)
        for key in ("w", "sensory_w", "sigma", "sensory_sigma"):
            assert key not in rnn.cell or (np.array(rnn.cell[key]) >= 0).all(), (step, key)
    assert met_zero > 0, "no weight came to zero: the test did not put the rule to work"


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_beyond_zero_a_weight_counts_as_zero_and_has_the_gradient_there(name: str) -> None:
    """The reference is the network without the rule, whose weights were put to zero by hand."""
    make = (NETWORKS | OTHERS)[name]
    mx.random.seed(1)
    held, free = make(CIRCUIT, polarity="fixed"), make(CIRCUIT, polarity="init")
    free.update(held.parameters())
    crossed(held.cell, np.random.default_rng(0))
    for key, sign in signed(held.cell).items():
        value = np.array(held.cell[key])
        free.cell[key] = mx.array(np.where(value * sign < 0, 0, value).astype(np.float32))
    x = mx.random.normal((4, 5, 3))
    (loss, by_name), (expected, reference) = gradients(held, x), gradients(free, x)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for key, values in reference.items():
        np.testing.assert_allclose(by_name[key], values, rtol=1e-4, atol=1e-6, err_msg=key)
    alive = 0
    for key, sign in signed(held.cell).items():
        away = np.array(held.cell[key]) * sign < 0
        alive += int((np.array(by_name[f"cell.{key}"])[away] != 0).sum())
    assert alive > 0, "every weight that came to zero is stuck there"


@pytest.mark.parametrize("name", NETWORKS)
def test_layouts_and_engines_agree_on_weights_beyond_zero(name: str) -> None:
    mx.random.seed(2)
    start = NETWORKS[name](CIRCUIT, polarity="fixed")
    crossed(start.cell, np.random.default_rng(1))
    x = mx.random.normal((4, 5, 3))
    expected = None
    for layout in LAYOUTS:
        for engine in ENGINES:
            compiled = gl.compile_circuit(CIRCUIT, layout=layout)
            rnn = NETWORKS[name](compiled, polarity="fixed", engine=engine)
            rnn.update(start.parameters())
            found = gradients(rnn, x)
            expected = expected or found
            assert found[0].item() == pytest.approx(expected[0].item(), rel=1e-5)
            for key, values in expected[1].items():
                np.testing.assert_allclose(found[1][key], values, rtol=2e-3, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", [*NETWORKS, *OTHERS])
def test_constraints_put_back_what_crossed_zero_and_nothing_else(name: str) -> None:
    mx.random.seed(3)
    rnn = (NETWORKS | OTHERS)[name](CIRCUIT, polarity="fixed")
    crossed(rnn.cell, np.random.default_rng(2))
    before = {key: np.array(value) for key, value in rnn.cell.parameters().items()}
    wrong = {key: before[key] * sign < 0 for key, sign in signed(rnn.cell).items()}
    rnn.apply_constraints()
    for key, value in before.items():
        expected = np.where(wrong[key], 0, value) if key in wrong else value
        assert np.array_equal(np.array(rnn.cell[key]), expected), key


def test_synapses_that_only_ncps_has_keep_no_sign() -> None:
    """A layer of ncps is fully connected inside, which no circuit says the signs of."""
    rnn = gl.CfC(CIRCUIT, ncps_compat=True, polarity="fixed")
    x = mx.random.normal((2, 3, 3))
    synapses = rnn.cell.signal.recurrent
    roles = np.array(rnn.cell.roles)
    inside = mx.array(roles[synapses.pre] == roles[synapses.post])
    before = rnn(x)[0]
    rnn.cell.ff1_w = mx.where(inside, -mx.abs(rnn.cell.ff1_w) - 0.1, rnn.cell.ff1_w)
    turned = rnn(x)[0]
    rnn.apply_constraints()
    assert (np.array(rnn.cell.ff1_w)[np.array(inside)] < 0).all()
    assert not mx.allclose(before, turned)
    assert mx.array_equal(turned, rnn(x)[0])
