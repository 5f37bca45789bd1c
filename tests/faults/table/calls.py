"""Calls of studies, perturbations, experiments, operations, streams and training that cannot be served."""

from __future__ import annotations

from .fault import Fault

C = "gl.read('good.json')"
LTC, CFC = f"gl.LTC({C})", f"gl.CfC({C})"
X = "np.zeros((4, 5, 3), np.float32)"
STUDY = f"gl.study({LTC}, gl.each('command'), x={X}, progress=False"
OVER = f"gl.perturbed({LTC}, gl.studies."
EXPERIMENT = "gl.experiment(lambda trial: 1.0, {'x': [1]}, store='e.journal'"
FIT = (
    f"gl.fit({CFC}, ({X}, np.zeros((4, 5, 2), np.float32)), loss=gl.training.mse, epochs=1, progress=False, "
    "optimizer=optim.Adam(0.01)"
)
STATE = "(mx.ones((4, 3)), mx.ones((4, 2)))"


def call(given: str, command: str, says: str, left: tuple[str, ...] = ()) -> Fault:
    return Fault(given, command, says, left=left)


ROWS = [
    # Perturbations.
    call("a lesion of nobody", f"{OVER}Lesion('nobody'))", "nobody"),
    call("a lesion of a number", f"{OVER}Lesion(3))", "3"),
    call("a lesion that is a text", f"gl.perturbed({LTC}, 'AVA')", "expected perturbations"),
    call(
        "a lesion of all that is not there",
        f"{OVER}Lesion({{'type': 'T4'}}))",
        "no neuron has an attribute 'type'",
    ),
    call(
        "a lesion of a layer without circuit",
        "gl.perturbed(gl.NCPDense(4), gl.studies.Lesion('x'))",
        "circuit",
    ),
    call(
        "a perturbation of a module",
        "gl.perturbed(nn.Linear(2, 2), gl.studies.Lesion('x'))",
        "network must be",
    ),
    call("a silence at nan", f"{OVER}Silence('inter', float('nan')))", "to must be finite"),
    call("a silence at a text", f"{OVER}Silence('inter', 'peace'))", "unknown to 'peace'"),
    call("a scale by infinity", f"{OVER}Scale('inter', by=float('inf')))", "by must be finite"),
    call("a scale by a text", f"{OVER}Scale('inter', by='half'))", "by must be a number, got 'half'"),
    call("a scale beyond float32", f"{OVER}Scale('inter', by=1e39))", "by must be from"),
    call("a cut between strangers", f"{OVER}Cut('motor', 'sensory'))", "there is no synapse"),
    call("a current of nan", f"{OVER}Stimulate('inter_0', float('nan')))", "current must be finite"),
    call("noise of a neuron with state", f"{OVER}Noise('inter_0'))", "noise is for sensors alone"),
    call("noise of a negative spread", f"{OVER}Noise('sensory_0', spread=-1))", "spread"),
    call("noise of half a seed", f"{OVER}Noise('sensory_0', seed=0.5))", "seed must be a whole number"),
    call("together of no perturbations", "gl.studies.Together([1])", "a part must be a perturbation"),
    call("together of a number", "gl.studies.Together(3)", "parts must be a list of perturbations"),
    # Studies.
    call(
        "a study of no network", f"gl.study(3, gl.each('inter'), x={X})", "network must be a network, got 3"
    ),
    call("a study of nothing", f"gl.study({LTC}, [], x={X}, progress=False)", "no perturbation"),
    call("a study of one sequence", f"gl.study({LTC}, gl.each('inter'), x={X}[0])", "expected (B, T, I)"),
    call("a study of other inputs", f"gl.study({LTC}, gl.each('inter'), x={X}[..., :2])", "2"),
    call("a study of texts", f"gl.study({LTC}, gl.each('inter'), x='abc')", "the input must hold"),
    call("an unknown measure", f"{STUDY}, measure='beauty')", "unknown measure 'beauty'"),
    call("a measure of errors without targets", f"{STUDY}, measure='error')", "y"),
    call("a measure that gives a text", f"{STUDY}, measure=lambda look: 'much')", "measure"),
    call("no resamples", f"{STUDY}, resamples=0)", "resamples must be 1 or more"),
    call("a confidence of 1", f"{STUDY}, confidence=1.0)", "confidence must be from 0.0 to below 1.0"),
    call("a study in a folder", f"{STUDY}, store='run')", "run: this is a directory"),
    call("a study in a table", f"{STUDY}, store='good.csv')", "good.csv: its first line"),
    call("a study in a circuit", f"{STUDY}, store='good.json')", "good.json: its first line"),
    call(
        "a study of a study that is perturbed",
        f"gl.study(gl.silenced({LTC}, 'inter').copy(), [], x={X})",
        "study",
    ),
    call("three at once", "gl.each('inter', at_once=3)", "at_once must be 2 or less"),
    call("each of neurons and synapses", "gl.each('inter', pre='motor')", "and not both"),
    # Experiments.
    call("a train that is a text", "gl.experiment('train', {'x': [1]})", "train must be a function"),
    call("an empty space", "gl.experiment(print, {})", "space is empty"),
    call("a space of arrays", "gl.experiment(print, {'x': [np.ones(2)]})", "need labels"),
    call("a train without a number", f"{EXPERIMENT.replace('1.0', 'None')})", "every trial", ("e.…",)),
    call("an experiment of another search", f"{EXPERIMENT}, search='guess')", "unknown search 'guess'"),
    call(
        "an experiment on a machine of its own", f"{EXPERIMENT}, backend=3)", "backend must be a text, got 3"
    ),
    call("a million million trials", f"{EXPERIMENT}, seeds=10**12)", "seeds must be 2147483647 or less"),
    call(
        "a store in no database", EXPERIMENT.replace("e.journal", "foo://x") + ")", "no store of experiments"
    ),
    # Operations.
    call("a row beyond a state", f"gl.ops.rows({STATE}, 10**6)", "there is no 1000000 among 4 rows"),
    call(
        "a step beyond a sequence",
        f"gl.ops.take_steps({X}, np.full((4, 1), 9))",
        "there is no 9 among 5 steps",
    ),
    call(
        "an axis beyond an array", "gl.ops.sum(mx.ones((2, 3)), axis=2)", "axis is 2, but the array has shape"
    ),
    call(
        "a text for an axis", "gl.ops.mean(mx.ones((2, 3)), axis='x')", "axis must be a whole number, got 'x'"
    ),
    call("an axis twice", "gl.ops.sum(mx.ones((2, 3)), axis=(0, -2))", "axis holds an axis twice"),
    call("a shape of 10**30", "gl.ops.zeros(10**30)", "a length must be 2147483647 or less"),
    call("a negative length", "gl.ops.ones((2, -1))", "a length must be 0 or more, got -1"),
    call("no arrays", "gl.ops.concatenate([])", "arrays is empty"),
    call("three parts of four", "gl.ops.split(mx.ones((4,)), 3)", "do not make 3 parts"),
    call("half of three", "gl.ops.glu(mx.ones((2, 3)))", "has no two halves"),
    call(
        "a mask of numbers", "gl.ops.held_index(np.ones((2, 3)))", "mask must be an array (B, T) of booleans"
    ),
    call("lengths of text", "gl.ops.length_mask(['a'], 3)", "lengths must be an array (B,) of whole numbers"),
    call(
        "rows of numbers", f"gl.ops.reset({STATE}, np.array([0.0, 1, 2, 3]))", "rows are chosen by booleans"
    ),
    call("states that differ", f"gl.ops.blend([True], {STATE}, mx.ones((1, 3)))", "not made alike"),
    call("an activation of its own", "gl.ops.activate('loud', mx.ones(3))", "unknown activation 'loud'"),
    call(
        "a rate that is a number",
        "gl.ops.ode_step('rk4', 3, mx.ones(2), mx.ones(2))",
        "rate must be a function",
    ),
    call("a softplus of nothing", "gl.ops.softplus_inverse('x')", "y must be a number, got 'x'"),
    call("a dropout of all", "gl.ops.dropout(mx.ones(3), 1.0)", "p must be from 0.0 to below 1.0"),
    call("numbers between texts", "gl.ops.random.uniform('a', 1)", "low must be a number, got 'a'"),
    call("a key of floats", "gl.ops.random.split(mx.ones(2))", "key must be"),
    call(
        "variables of no module", "gl.ops.update(nn.Linear(2, 2), {'other': 3})", "unknown variable 'other'"
    ),
    call(
        "a seed that holds itself",
        f"gl.read and (lambda seed: [seed.append(seed), {C}.connect('motor', 'inter', rule='fixed_indegree', "
        "indegree=1, seed=seed)])([1])",
        "seed must be a whole number",
    ),
    # Streams, solvers, training and the rest.
    call("a stream of no rows", f"{LTC}.stream(0)", "must be 1 or more, got 0"),
    call("a sample of another size", f"{LTC}.stream()(np.zeros(5))", "5"),
    call("a sample of text", f"{LTC}.stream()(['a', 'b', 'c'])", "must hold"),
    call("a negative time span", f"{LTC}.stream()(np.zeros(3), timespan=-1)", "-1"),
    call("a reset of other rows", f"{LTC}.stream(2).reset(np.array([True]))", "2"),
    call("an error of a solver that has none", f"gl.solver_error({CFC}, {X})", "CfC"),
    call("an error over no samples", f"gl.solver_error({LTC}, {X}[:, :0])", "0"),
    call("a validation that is a circuit", f"{FIT}, validation={C})", "the validation data are a Circuit"),
    call("a validation that is a text", f"{FIT}, validation='half')", "the validation data are a str"),
    call("a validation of one array", f"{FIT}, validation=({X},))", "the validation data give 1 arrays"),
    call("a validation that gives nothing", f"{FIT}, validation=lambda model: None)", "validation gave None"),
    call("data of a circuit", FIT.replace(f"({X}, np", f"({C}, np", 1) + ")", "the data"),
    call("a loss that gives a text", FIT.replace("gl.training.mse", "lambda *_: 3") + ")", "loss"),
    call("an ensemble of nothing", "gl.ensemble([])", "at least one network, got none"),
    call("an ensemble of strangers", f"gl.ensemble([{LTC}, {CFC}])", "same"),
    call("a network of two circuits", f"gl.carried({LTC}, 3)", "got int (3)"),
    call("a lesion by number", f"gl.lesion({LTC}, [99])", "99"),
    call("a saliency of two networks", f"gl.saliency([{LTC}], {X})", "network"),
]
