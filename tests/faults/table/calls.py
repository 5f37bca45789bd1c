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


ROWS = [
    # Perturbations.
    Fault("a lesion of nobody", f"{OVER}Lesion('nobody'))", "there is no neuron 'nobody'"),
    Fault("a lesion of a number", f"{OVER}Lesion(3))", "there is no neuron 3"),
    Fault("a lesion that is a text", f"gl.perturbed({LTC}, 'AVA')", "expected perturbations"),
    Fault(
        "a lesion of all that is not there",
        f"{OVER}Lesion({{'type': 'T4'}}))",
        "no neuron has an attribute 'type'",
    ),
    Fault(
        "a lesion of a layer without circuit",
        "gl.perturbed(gl.NCPDense(4), gl.studies.Lesion('x'))",
        "is not over a circuit",
    ),
    Fault(
        "a perturbation of a module",
        "gl.perturbed(nn.Linear(2, 2), gl.studies.Lesion('x'))",
        "network must be",
    ),
    Fault("a silence at nan", f"{OVER}Silence('inter', float('nan')))", "to must be finite"),
    Fault("a silence at a text", f"{OVER}Silence('inter', 'peace'))", "unknown to 'peace'"),
    Fault("a scale by infinity", f"{OVER}Scale('inter', by=float('inf')))", "by must be finite"),
    Fault("a scale by a text", f"{OVER}Scale('inter', by='half'))", "by must be a number, got 'half'"),
    Fault("a scale beyond float32", f"{OVER}Scale('inter', by=1e39))", "by must be from"),
    Fault("a cut between strangers", f"{OVER}Cut('motor', 'sensory'))", "there is no synapse"),
    Fault("a current of nan", f"{OVER}Stimulate('inter_0', float('nan')))", "current must be finite"),
    Fault("noise of a neuron with state", f"{OVER}Noise('inter_0'))", "noise is for sensors alone"),
    Fault(
        "noise of a negative spread",
        f"{OVER}Noise('sensory_0', spread=-1))",
        "spread must be finite and 0 or more",
    ),
    Fault("noise of half a seed", f"{OVER}Noise('sensory_0', seed=0.5))", "seed must be a whole number"),
    Fault("together of no perturbations", "gl.studies.Together([1])", "a part must be a perturbation"),
    Fault("together of a number", "gl.studies.Together(3)", "parts must be a list of perturbations"),
    # Studies.
    Fault(
        "a study of no network",
        f"gl.study(3, gl.each('inter'), x={X})",
        "network must be a network over sequences, such as gl.LTC(circuit), got 3",
    ),
    Fault("a study of nothing", f"gl.study({LTC}, [], x={X}, progress=False)", "no perturbation"),
    Fault("a study of one sequence", f"gl.study({LTC}, gl.each('inter'), x={X}[0])", "expected (B, T, I)"),
    Fault(
        "a study of other inputs",
        f"gl.study({LTC}, gl.each('inter'), x={X}[..., :2])",
        "the input has 2 features",
    ),
    Fault("a study of texts", f"gl.study({LTC}, gl.each('inter'), x='abc')", "the input must hold"),
    Fault("an unknown measure", f"{STUDY}, measure='beauty')", "unknown measure 'beauty'"),
    Fault(
        "a measure of errors without targets", f"{STUDY}, measure='error')", "this measure needs the targets"
    ),
    Fault("a measure that gives a text", f"{STUDY}, measure=lambda look: 'much')", "gave 'much'"),
    Fault("no resamples", f"{STUDY}, resamples=0)", "resamples must be 1 or more"),
    Fault("a confidence of 1", f"{STUDY}, confidence=1.0)", "confidence must be from 0.0 to below 1.0"),
    Fault("a study in a folder", f"{STUDY}, store='run')", "run: this is a directory"),
    Fault("a study in a table", f"{STUDY}, store='good.csv')", "good.csv: its first line"),
    Fault("a study in a circuit", f"{STUDY}, store='good.json')", "good.json: its first line"),
    Fault(
        "a study of a study that is perturbed",
        f"gl.study(gl.silenced({LTC}, 'inter').copy(), [], x={X})",
        "the LTC is perturbed",
    ),
    Fault("three at once", "gl.each('inter', at_once=3)", "at_once must be 2 or less"),
    Fault("each of neurons and synapses", "gl.each('inter', pre='motor')", "and not both"),
    # Experiments.
    Fault("a train that is a text", "gl.experiment('train', {'x': [1]})", "train must be a function"),
    Fault("an empty space", "gl.experiment(print, {})", "space is empty"),
    Fault("a space of arrays", "gl.experiment(print, {'x': [np.ones(2)]})", "need labels"),
    Fault("a train without a number", f"{EXPERIMENT.replace('1.0', 'None')})", "every trial", left=("e.…",)),
    Fault("an experiment of another search", f"{EXPERIMENT}, search='guess')", "unknown search 'guess'"),
    Fault(
        "an experiment on a machine of its own", f"{EXPERIMENT}, backend=3)", "backend must be a text, got 3"
    ),
    Fault("a million million trials", f"{EXPERIMENT}, seeds=10**12)", "seeds must be 2147483647 or less"),
    Fault(
        "a store in no database", EXPERIMENT.replace("e.journal", "foo://x") + ")", "no store of experiments"
    ),
    # Operations.
    Fault("a row beyond a state", f"gl.ops.rows({STATE}, 10**6)", "there is no 1000000 among 4 rows"),
    Fault(
        "rows beyond a state",
        f"gl.ops.rows({STATE}, mx.array([1, 10**6]))",
        "there is no 1000000 among 4 rows",
    ),
    Fault("rows by fractions", f"gl.ops.rows({STATE}, mx.array([0.5]))", "an array of whole numbers"),
    Fault(
        "a step beyond a sequence",
        f"gl.ops.take_steps({X}, np.full((4, 1), 9))",
        "there is no 9 among 5 steps",
    ),
    Fault(
        "an axis beyond an array", "gl.ops.sum(mx.ones((2, 3)), axis=2)", "axis is 2, but the array has shape"
    ),
    Fault(
        "a text for an axis", "gl.ops.mean(mx.ones((2, 3)), axis='x')", "axis must be a whole number, got 'x'"
    ),
    Fault("an axis twice", "gl.ops.sum(mx.ones((2, 3)), axis=(0, -2))", "axis holds an axis twice"),
    Fault("an axis twice in an order", "gl.ops.transpose(mx.ones((2, 3)), (0, 0))", "expected each axis"),
    Fault("an order of too few axes", "gl.ops.transpose(mx.ones((2, 3)), (1,))", "expected each axis"),
    Fault("a shape of 10**30", "gl.ops.zeros(10**30)", "a length must be 2147483647 or less"),
    Fault("a negative length", "gl.ops.ones((2, -1))", "a length must be 0 or more, got -1"),
    Fault("no arrays", "gl.ops.concatenate([])", "arrays is empty"),
    Fault("three parts of four", "gl.ops.split(mx.ones((4,)), 3)", "do not make 3 parts"),
    Fault("half of three", "gl.ops.glu(mx.ones((2, 3)))", "has no two halves"),
    Fault(
        "a mask of numbers", "gl.ops.held_index(np.ones((2, 3)))", "mask must be an array (B, T) of booleans"
    ),
    Fault(
        "lengths of text", "gl.ops.length_mask(['a'], 3)", "lengths must be an array (B,) of whole numbers"
    ),
    Fault(
        "rows of numbers", f"gl.ops.reset({STATE}, np.array([0.0, 1, 2, 3]))", "rows are chosen by booleans"
    ),
    Fault(
        "rows of numbers of MLX",
        f"gl.ops.blend(mx.array([0.3, 0, 1, 2]), {STATE}, {STATE})",
        "rows are chosen by booleans",
    ),
    Fault("states that differ", f"gl.ops.blend([True], {STATE}, mx.ones((1, 3)))", "not made alike"),
    Fault("an activation of its own", "gl.ops.activate('loud', mx.ones(3))", "unknown activation 'loud'"),
    Fault(
        "a rate that is a number",
        "gl.ops.ode_step('rk4', 3, mx.ones(2), mx.ones(2))",
        "rate must be a function",
    ),
    Fault("a softplus of nothing", "gl.ops.softplus_inverse('x')", "y must be a number, got 'x'"),
    Fault("a dropout of all", "gl.ops.dropout(mx.ones(3), 1.0)", "p must be from 0.0 to below 1.0"),
    Fault("numbers between texts", "gl.ops.random.uniform('a', 1)", "low must be a number, got 'a'"),
    Fault("a key of floats", "gl.ops.random.split(mx.ones(2))", "key must be"),
    Fault(
        "variables of no module", "gl.ops.update(nn.Linear(2, 2), {'other': 3})", "unknown variable 'other'"
    ),
    Fault(
        "a seed that holds itself",
        f"gl.read and (lambda seed: [seed.append(seed), {C}.connect('motor', 'inter', rule='fixed_indegree', "
        "indegree=1, seed=seed)])([1])",
        "seed must be a whole number",
    ),
    # Streams, solvers, training and the rest.
    Fault("a stream of no rows", f"{LTC}.stream(0)", "must be 1 or more, got 0"),
    Fault("a sample of another size", f"{LTC}.stream()(np.zeros(5))", "has shape (5,)"),
    Fault("a sample of text", f"{LTC}.stream()(['a', 'b', 'c'])", "must hold"),
    Fault("a negative time span", f"{LTC}.stream()(np.zeros(3), timespan=-1)", "the time span is -1.0"),
    Fault("a reset of other rows", f"{LTC}.stream(2).reset(np.array([True]))", "reset has shape (1,)"),
    Fault("an error of a solver that has none", f"gl.solver_error({CFC}, {X})", "solves nothing"),
    Fault(
        "an error over no samples",
        f"gl.solver_error({LTC}, {X}[:, :0])",
        "at least one sequence and one sample",
    ),
    Fault("a validation that is a circuit", f"{FIT}, validation={C})", "the validation data are a Circuit"),
    Fault("a validation that is a text", f"{FIT}, validation='half')", "the validation data are a str"),
    Fault("a validation of one array", f"{FIT}, validation=({X},))", "the validation data give 1 array"),
    Fault(
        "a validation that gives nothing",
        f"{FIT}, validation=lambda model: None)",
        "what validation gives must be a number, got None",
    ),
    Fault(
        "data of a circuit",
        FIT.replace(f"({X}, np", f"({C}, np", 1) + ")",
        "the data are arrays of [15, 4] items",
    ),
    Fault(
        "a loss that gives a number of Python",
        FIT.replace("gl.training.mse", "lambda *_: 3") + ")",
        "the loss gave 3",
    ),
    Fault("an ensemble of nothing", "gl.ensemble([])", "at least one network, got none"),
    Fault("an ensemble of strangers", f"gl.ensemble([{LTC}, {CFC}])", "network 1 of the ensemble"),
    Fault("a network of two circuits", f"gl.carried({LTC}, 3)", "got int (3)"),
    Fault("a lesion by number", f"gl.lesion({LTC}, [99])", "a neuron to remove must be a text, got 99"),
    Fault("a saliency of two networks", f"gl.saliency([{LTC}], {X})", "got list"),
]
