"""Studies: a planted truth is found, a trained network's effects are those of lesions one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.stats import spearmanr

import ganglion as gl
from ganglion.studies import Cut, Flip, Lesion, Look, Noise, Scale, Silence, Stimulate

ROW = gl.studies.Row("lesion a", "lesion", "a", "", "error", 2.0, 1.0, 1.0, 0.5, 1.5)
CIRCUIT = gl.auto_ncp(24, 3, inputs=4, seed=5)
X = np.random.default_rng(0).normal(size=(24, 10, 4)).astype(np.float32)


def planted(seed: int) -> tuple[gl.LTC, set[str]]:
    """An LTC in which only chosen inter and command neurons send, and who they are."""
    mx.random.seed(seed)
    rnn = gl.LTC(CIRCUIT)
    plan, rng = rnn.cell.compiled.plan, np.random.default_rng(seed)
    states = [n for n in plan.neurons if not n.startswith("motor")]
    chosen = set(rng.choice(states, 6, replace=False).tolist())
    sends = np.array([plan.neurons[i] in chosen for i in plan.recurrent.pre])
    rnn.cell.w = rnn.cell.w * mx.array(sends.astype(np.float32))
    # Of those, who matters is who reaches a motor neuron over synapses that conduct.
    import networkx as nx

    graph = nx.DiGraph([(plan.neurons[i], plan.neurons[j]) for i, j, live in zip(
        plan.recurrent.pre, plan.recurrent.post, sends, strict=True) if live])  # fmt: skip
    graph.add_nodes_from(plan.neurons)
    motors = set(plan.neurons[: plan.n_outputs])
    return rnn, {name for name in states if nx.descendants(graph, name) & motors}


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_truth_is_found_exactly(seed: int) -> None:
    rnn, truth = planted(seed)
    found = gl.study(rnn, [gl.each("inter"), gl.each("command")], x=X)
    matter = {row.first for row in found if row.effect > 1e-6}
    assert matter == truth
    assert all(row.low > 0 for row in found if row.first in truth)
    assert all(row.low == row.high == 0 for row in found if row.first not in truth)


def trained() -> tuple[gl.CfC, np.ndarray]:
    mx.random.seed(0)
    rnn = gl.CfC(CIRCUIT)
    y = np.tanh(np.cumsum(X[..., :3], axis=1)).astype(np.float32)
    gl.fit(rnn, (mx.array(X), mx.array(y)), loss=gl.training.mse, epochs=60, progress=False,
           optimizer=optim.Adam(0.02, bias_correction=True))  # fmt: skip
    return rnn, y


def test_effects_in_a_trained_network_rank_as_lesions_one_by_one() -> None:
    rnn, y = trained()
    found = gl.study(rnn, [gl.each("inter"), gl.each("command")], measure="error", x=X, y=y)
    base = np.mean((np.array(rnn(mx.array(X))[0]) - y) ** 2)
    exhaustive = [
        np.mean((np.array(gl.lesion(rnn, row.first)(mx.array(X))[0]) - y) ** 2) - base for row in found
    ]
    assert spearmanr([row.effect for row in found], exhaustive).statistic >= 0.95
    np.testing.assert_allclose([row.effect for row in found], exhaustive, atol=1e-6)
    # The interval is that of the mean of paired differences: nearly its normal one.
    for row in list(found)[:5]:
        with gl.perturbed(rnn, Lesion(row.first)):
            errors = ((np.array(rnn(mx.array(X))[0]) - y) ** 2).mean(axis=(1, 2))
        spread = (errors - ((np.array(rnn(mx.array(X))[0]) - y) ** 2).mean(axis=(1, 2))).std() / np.sqrt(24)
        assert row.low <= row.effect <= row.high
        assert 0.6 * 3.92 * spread <= row.high - row.low <= 1.3 * 3.92 * spread


def test_tap_withdrawal_answers_to_the_half_that_is_touched() -> None:
    """Each sensor of a half drives its own answer: without AVM and ALM, nothing drives REV more than FWD."""
    mx.random.seed(1)
    rnn = gl.LTC(gl.connectomes.tap_withdrawal())
    motors = list(rnn.cell.neurons[:2])
    x = np.zeros((8, 30, 4), np.float32)
    sensors = list(rnn.sensors)
    x[:4, :, sensors.index("PLM")] = 1.0
    x[4:, :, [sensors.index("AVM"), sensors.index("ALM")]] = 1.0

    def right(look: Look) -> np.ndarray:
        difference = look.outputs[:, -1, motors.index("REV")] - look.outputs[:, -1, motors.index("FWD")]
        return np.where(np.arange(8) < 4, -difference, difference)

    found = gl.study(rnn, [gl.each("command"), gl.each("sensory")], measure=right, x=x)
    effects = found.effects()
    assert effects["AVA"] < 0
    assert effects["AVB"] < 0
    assert (
        spearmanr(
            list(effects.values()),
            [_alone(rnn, name, right, x) for name in effects],
        ).statistic
        >= 0.95
    )


def _alone(rnn: Any, name: str, measure: Any, x: np.ndarray) -> float:
    base = np.array(rnn(mx.array(x))[0])
    other = gl.lesion(rnn, name, keep_shapes=False)
    kept = [k for k, sensor in enumerate(rnn.sensors) if sensor != name]
    outputs = np.array(other(mx.array(x[..., kept]))[0])
    look = lambda values: Look(values, base, x, None, None, rnn, [])  # noqa: E731
    return float(measure(look(outputs)).mean() - measure(look(base)).mean())


def test_the_table_is_tidy_and_goes_to_files(tmp_path: Any) -> None:
    rnn = gl.LTC(CIRCUIT)
    found = gl.study(
        rnn, [Lesion("inter_0"), Silence("inter", 0.5), Noise("sensory_1"), Cut("command", "motor")],
        measure={"change": "output change", "paths": "path length", "drivers": "driver neurons",
                 "reached": "reached"}, x=X,
    )  # fmt: skip
    assert len(found) == 16
    assert found.measures == ("change", "paths", "drivers", "reached")
    frame = found.table
    assert list(frame.columns) == list(found[0].__dataclass_fields__)
    text = found.to_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == text
    assert text.count("\n") == 17
    cut = next(row for row in found.of("reached") if row.kind == "cut")
    assert cut.value == 0.0
    assert np.isnan(cut.low)
    assert "lesion inter_0" in str(found)
    assert "interval" in found._repr_html_()
    assert found.effects("change")["inter"] > 0


def test_pairs_are_drawn_as_a_matrix_and_others_with_intervals() -> None:
    rnn = gl.LTC(CIRCUIT)
    pairs = gl.study(rnn, gl.each("command", at_once=2), x=X)
    assert all(who.count(" + ") == 1 and "->" not in who for who in pairs.effects())
    picture = gl.viz.plot_study(pairs)
    values = picture.artists["matrix"].get_array()
    values = np.ma.filled(values, np.nan)
    assert np.allclose(values, values.T, equal_nan=True)
    assert np.nanmax(values) == pytest.approx(max(row.effect for row in pairs))
    singles = gl.study(rnn, gl.each("command"), x=X)
    picture = gl.viz.plot_study(singles, top=3)
    ranked = sorted((row.effect for row in singles), reverse=True)[:3]
    np.testing.assert_allclose(picture.artists["effects"].get_offsets()[:, 0], ranked)
    low, high = picture.artists["intervals"].get_segments()[0][:, 0]
    assert low < ranked[0] < high


CONTAINERS: dict[str, Any] = {
    "scaled": lambda: gl.Scaled(gl.LTC(CIRCUIT), list("abcd"), list("pqr"), mean=[1.0] * 4, spread=[2.0] * 4),
    "stack": lambda: gl.Stack([gl.NCPDense(4), gl.LTC(CIRCUIT)]),
    "bidirectional": lambda: gl.Bidirectional(gl.CfC(CIRCUIT)),
    "missing": lambda: gl.RNN(gl.MissingValueCell(gl.LTCCell(gl.auto_ncp(24, 3, inputs=12, seed=5)))),
    "mixed memory": lambda: gl.LTC(CIRCUIT, mixed_memory=True),
    "scaled stack": lambda: gl.Scaled(gl.Stack([gl.CfC(CIRCUIT)]), list("abcd"), list("pqr")),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_every_container_can_be_studied(kind: str, tmp_path: Any) -> None:
    """Each effect, by whatever engine, is that of the perturbed network alone."""
    network = CONTAINERS[kind]()
    network(X)
    named = getattr(network, "sensors", ())
    sensor = named[1] if len(named) > 1 else "sensory_1"
    chosen = [
        Noise(sensor), Stimulate(sensor, 0.5), Stimulate("inter_0", 0.5), Silence(sensor, 0.3),
        Silence("inter_1"), Lesion(sensor), Lesion("inter_2"), Cut("command", "motor"), Flip("inter"),
        Scale("inter", by=0.5),
    ]  # fmt: skip
    found = gl.study(network, chosen, x=X, store=tmp_path / "s.jsonl")
    outputs = [np.array(network(X)[0])]
    for perturbation, row in zip(chosen, found, strict=True):
        with gl.perturbed(network, perturbation):
            outputs.append(np.array(network(X)[0]))
        expected = np.abs(outputs[-1] - outputs[0]).mean()
        assert row.effect == pytest.approx(expected, rel=1e-3, abs=2e-6), perturbation
        assert row.low <= row.effect <= row.high
    assert str(gl.study(network, chosen, x=X, store=tmp_path / "s.jsonl")) == str(found)


def test_a_small_output_beside_a_large_one_keeps_its_effects() -> None:
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(0))
    scaled = gl.Scaled(rnn, list("abcd"), list("pqr"), scale=[1e7, 1.0, 1e-4], offset=[0.0, 100.0, 0.0])
    measures = {
        str(k): lambda look, k=k: np.abs(look.outputs - look.baseline)[..., k].mean(axis=1) for k in range(3)
    }
    found = gl.study(scaled, gl.each("command"), x=X, measure=measures)
    plain = gl.study(rnn, gl.each("command"), x=X, measure=measures)
    for name, scale, least in (("0", 1e7, 0.0), ("1", 1.0, 1e-3), ("2", 1e-4, 0.0)):
        for row, alone in zip(found.of(name), plain.of(name), strict=True):
            if alone.effect > least:
                assert row.effect == pytest.approx(scale * alone.effect, rel=0.05)


@pytest.mark.parametrize("given", [{}, {"lengths": np.arange(24) % 10 + 1}])
def test_an_output_far_from_zero_keeps_its_effects(given: Any) -> None:
    """Two spacings of float32 at a million are an eighth, which is all that this output moves."""
    rnn = gl.LTC(CIRCUIT, key=mx.random.key(3))
    model = gl.Scaled(rnn, list("abcd"), list("pqr"), offset=[1e6, 0.0, -1e7], scale=[0.1, 1.0, 2.0])
    there = np.arange(10) < given.get("lengths", np.full(24, 10))[:, None]
    y = model.predict(X, **given) + np.random.default_rng(1).normal(size=(24, 10, 3))
    y[np.random.default_rng(2).random(y.shape) < 0.1] = np.nan
    known = ~np.isnan(y) & there[..., None]
    found = gl.study(model, gl.each("command"), measure=["error", "output change"], x=X, y=y, **given)
    base = model.predict(X, **given)
    assert len(found.rows) == 2 * len(CIRCUIT.neurons("command"))
    for row in found:
        with gl.perturbed(model, Lesion(row.first)):
            said = model.predict(X, **given)
        if row.measure == "error":
            wrong = [np.where(known, (o - y) ** 2, 0.0).sum((1, 2)) / known.sum((1, 2)) for o in (said, base)]
            effect = (wrong[0] - wrong[1]).mean()
        else:
            effect = (np.abs(said - base).mean(-1) * there).sum(1) @ (1 / there.sum(1)) / 24
        assert row.effect == pytest.approx(effect, rel=1e-3, abs=1e-6)
    assert any(row.effect for row in found)


def test_a_study_goes_on_where_it_stopped(tmp_path: Any) -> None:
    rnn, calls = gl.LTC(CIRCUIT), []

    def counted(look: Look) -> float:
        calls.append(look.perturbation)
        if stop and len(calls) == 4:
            raise KeyboardInterrupt
        return float(look.outputs.mean())

    store, stop = tmp_path / "study.jsonl", True
    with pytest.raises(KeyboardInterrupt):
        gl.study(rnn, gl.each("command"), measure=counted, x=X, store=store)
    with store.open("ab") as file:
        file.write(b'{"key": "les')  # cut short by a crash
    stop = False
    calls.clear()
    found = gl.study(rnn, gl.each("command"), measure=counted, x=X, store=store)
    whole = gl.study(rnn, gl.each("command"), measure=counted, x=X)
    assert str(found) == str(whole)
    commands = len(CIRCUIT.neurons("command"))
    assert len(calls) == 1 + (commands - 2) + 1 + commands
    calls.clear()
    assert str(gl.study(rnn, gl.each("command"), measure=counted, x=X, store=store)) == str(whole)
    assert len(calls) == 1
    with pytest.raises(gl.FileError, match="is of another study"):
        gl.study(gl.LTC(CIRCUIT), gl.each("command"), measure=counted, x=X, store=store)
    others: list[tuple[Any, dict[str, Any]]] = [(rnn, {"confidence": 0.5}), (rnn, {"resamples": 9})]
    for other in (gl.LTC(CIRCUIT, ode_unfolds=1), gl.LTC(CIRCUIT, engine="ops")):
        other.update(rnn.parameters())
        others.append((other, {}))
    again = others.pop()[0]
    units = {name: [2.0] * k for name, k in (("mean", 4), ("spread", 4), ("offset", 3), ("scale", 3))}
    gl.study(gl.Scaled(rnn, list("abcd"), list("pqr")), gl.each("command"), x=X, store=tmp_path / "units")
    for name, values in units.items():  # the numbers that are stored are not those of other units
        scaled = gl.Scaled(rnn, list("abcd"), list("pqr"), **{name: values})
        with pytest.raises(gl.FileError, match="is of another study"):
            gl.study(scaled, gl.each("command"), x=X, store=tmp_path / "units")
    for network, options in others:
        with pytest.raises(gl.FileError, match="is of another study"):
            gl.study(network, gl.each("command"), measure=counted, x=X, store=store, **options)
    assert str(gl.study(again, gl.each("command"), measure=counted, x=X, store=store)) == str(whole)
    store.write_text("nothing\n")
    with pytest.raises(gl.FileError, match="its first line is not sound JSON"):
        gl.study(rnn, gl.each("command"), measure=counted, x=X, store=store)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"x": X[0]}, ValueError, r"expected \(B, T, I\), a batch of sequences"),
        ({"measure": "outputs"}, ValueError, "unknown measure 'outputs': expected"),
        ({"measure": {"m": lambda look: "no"}}, ValueError, "measure 'm' gave 'no'"),
        ({"measure": "error"}, ValueError, "this measure needs the targets"),
        ({"measure": "error", "y": X}, ValueError, r"y has shape .*: expected \(24, 10, 3\)"),
        ({"perturbations": []}, ValueError, "no perturbation"),
        ({"perturbations": "command"}, TypeError, r"expected gl.each\(...\) or a list"),
        ({"confidence": 1.0}, ValueError, "confidence must be"),
        ({"network": gl.NCPDense(3)}, TypeError, "a network over sequences"),
    ],
)
def test_mistakes_are_named(changed: Any, error: Any, message: str) -> None:
    given: dict[str, Any] = {
        "network": gl.LTC(CIRCUIT),
        "perturbations": gl.each("command"),
        "x": X,
    } | changed
    with pytest.raises(error, match=message):
        gl.study(**given)


def test_gaps_among_the_targets_are_left_out() -> None:
    """As `observe` and `fit` do; a NaN among the outputs stays one."""
    rnn = gl.CfC(CIRCUIT, key=mx.random.key(1))
    x = X[:4]
    y = np.zeros((4, x.shape[1], 3), np.float32)
    y[1:, 3:, 0] = np.nan
    found = gl.study(rnn, gl.each("command"), measure="error", x=x, y=y)
    outputs = np.array(rnn(mx.array(x))[0], np.float64)
    expected = np.mean([np.square(row[~np.isnan(t)]).mean() for row, t in zip(outputs, y, strict=True)])
    assert found[0].baseline == pytest.approx(expected, rel=1e-6)
    assert all(np.isfinite([row.effect, row.low, row.high]).all() for row in found)
    broken = x.copy()
    broken[0, 0, 0] = np.nan
    assert np.isnan(gl.study(rnn, gl.each("command"), measure="error", x=broken, y=y)[0].baseline)
    y[2] = np.nan
    with pytest.raises(ValueError, match="sequence 2 of y has no target: every one is NaN"):
        gl.study(rnn, gl.each("command"), measure="error", x=x, y=y)
    with pytest.raises(ValueError, match=r"'accuracy': y\[1\] is NaN: expected the class"):
        gl.study(rnn, gl.each("command"), measure="accuracy", x=x, y=np.array([0, np.nan, 1, 2]))


def test_studies_of_several_networks_are_one() -> None:
    """The mean, the spread and the range of every effect over the networks, in a table and a picture."""
    networks = [gl.CfC(CIRCUIT, key=mx.random.key(k)) for k in range(3)]
    alone = [gl.study(rnn, gl.each("command"), measure="output change", x=X[:3]) for rnn in networks]
    turned = gl.studies.Study(alone[2].rows[::-1])
    spread = gl.studies.combined([alone[0], alone[1], turned])
    assert len(spread) == len(alone[0])
    for k, row in enumerate(spread):
        effects = [study[k].effect for study in alone]
        assert row.who == alone[0][k].who
        assert (row.effect, row.spread) == pytest.approx((np.mean(effects), np.std(effects, ddof=1)))
        assert (row.low, row.high, row.networks) == (min(effects), max(effects), 3)
    assert str(spread).splitlines()[0].split("  ")[-1] == "least to greatest"
    assert list(spread.records()[0][-2:]) == [3, spread[0].spread]
    picture = gl.viz.plot_study(spread)
    assert picture.axes["study"].get_xlabel() == "effect on output change, mean and range of 3 networks"
    assert type(spread[:2]) is gl.studies.Combined
    again = [gl.studies.Study([ROW, replace(ROW, effect=effect)]) for effect in (1.0, 3.0)]
    assert [row.effect for row in gl.studies.combined(again)] == [ROW.effect, 2.0]  # both rows of one name


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([[]], TypeError, "study 0 must be a study, as gl.study returns it"),
        ([gl.studies.Study([])], ValueError, "expected two studies or more, got 1"),
        ([gl.studies.Study([ROW]), gl.studies.Study([])], ValueError, "study 1 has no 'lesion a' by 'error'"),
        ([gl.studies.Study([]), gl.studies.Study([ROW])], ValueError, "study 0 has no 'lesion a' by 'error'"),
    ],
)
def test_studies_that_are_not_alike(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gl.studies.combined(given)


def test_signs_of_effects_have_colours_and_a_legend() -> None:
    rows = [replace(ROW, first=name, effect=effect) for name, effect in (("a", 2.0), ("b", -1.0), ("c", 0.0))]
    picture = gl.viz.plot_study(gl.studies.Study(rows))
    look = gl.viz.current()
    drawn = [to_hex(color) for color in picture.artists["effects"].get_facecolors()]
    assert drawn == [to_hex(color) for color in (look.excitatory, look.inhibitory, look.muted)]
    legend = picture.artists["legend"]
    assert [text.get_text() for text in legend.get_texts()] == ["rises", "falls", "no effect"]
    picture.figure.draw_without_rendering()
    box = picture.axes["study"].get_window_extent()
    assert legend.get_window_extent().x0 >= box.x1  # beside all intervals
    assert picture.axes["study"].get_xlabel() == "effect on error"


def test_an_unknown_measure_is_named_once() -> None:
    for measure, name in (("mistake", "measure"), ({"mine": "mistake"}, "measure 'mine'")):
        with pytest.raises(ValueError, match=f"^unknown {name} 'mistake': expected"):
            gl.study(gl.LTC(CIRCUIT), gl.each("command"), measure=measure, x=X)


def test_an_effect_that_may_be_none_is_an_empty_dot() -> None:
    rows = [replace(ROW, effect=effect, low=effect - 0.5, high=effect + 0.5) for effect in (2.0, -0.2)]
    picture = gl.viz.plot_study(gl.studies.Study(rows))
    dots, ground = picture.artists["effects"], to_hex(picture.axes["study"].get_facecolor())
    faces, edges = ([to_hex(c) for c in part] for part in (dots.get_facecolors(), dots.get_edgecolors()))
    assert (faces[0], faces[1], len(set(edges))) == (edges[0], ground, 2)
    legend = [text.get_text() for text in picture.axes["study"].get_legend().get_texts()]
    assert legend == ["rises", "falls", "interval holds 0"]
    cuts = [
        replace(ROW, perturbation=f"cut a{k} -> b{j}", kind="cut", first=f"a{k}", second=f"b{j}")
        for k in range(4)
        for j in range(4)
    ]
    axes = gl.viz.plot_study(gl.studies.Study(cuts)).axes["study"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("pre", "post")


def test_a_picture_says_how_many_effects_it_leaves_out() -> None:
    rows = [replace(ROW, first=f"n{k}", effect=float(k)) for k in range(55)]
    picture = gl.viz.plot_study(gl.studies.Study(rows))
    assert picture.axes["study"].get_xlabel() == "effect on error\nthe 40 largest of 55 effects"
    pairs = [
        replace(ROW, kind="together", first=f"n{a}", second=f"n{b}")
        for a in range(6)
        for b in range(a + 1, 6)
    ]
    axes = gl.viz.plot_study(gl.studies.Study(pairs), top=4).axes["study"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("the first 4 of 6", "the first 4 of 6")
    for neurons, drawn in ((2, "effects"), (3, "matrix"), (4, "matrix")):
        few = [row for row in pairs if {row.first, row.second} <= {f"n{k}" for k in range(neurons)}]
        assert drawn in gl.viz.plot_study(gl.studies.Study(few)).artists


def test_measures_are_over_the_samples_that_there_are() -> None:
    rnn = gl.LTC(gl.auto_ncp(8, 2, inputs=2, sparsity=0.3, seed=1), key=mx.random.key(0))
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 2)).astype(np.float32) for n in (9, 4)]
    targets = [rng.normal(size=(n, 2)).astype(np.float32) for n in (9, 4)]
    x, lengths = gl.pad(parts)
    y, _ = gl.pad(targets)
    names = ["output change", "error"]
    lesions = gl.each("inter")
    padded = gl.study(rnn, lesions, measure=names, x=x, y=y, lengths=lengths)
    masked = gl.study(rnn, lesions, measure=names, x=x, y=y, mask=np.arange(9) < lengths[:, None])
    alone = [
        gl.study(rnn, lesions, measure=names, x=a[None], y=b[None])
        for a, b in zip(parts, targets, strict=True)
    ]
    for row, same, *each in zip(padded, masked, *alone, strict=True):
        expected = np.mean([one.effect for one in each])
        assert row.effect == pytest.approx(expected, rel=1e-4, abs=1e-7)
        assert same.effect == pytest.approx(expected, rel=1e-4, abs=1e-7)
