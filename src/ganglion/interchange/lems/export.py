"""An LTC and what it is shown as a LEMS model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import mlx.nn as nn
import numpy as np

from ...arguments import counted, instance, one_of, real
from ...arguments import path as as_path
from ...cells import RNN, LTCCell
from ...cells.calls import sequence_call
from ...cells.networks.resting import is_rest, rest_for
from ...cells.strengths import Floats, as_floats
from ...cells.values import mlx_array
from ...compile.synapses import Synapses
from ...errors import FileError
from ...storage import replace_files
from ...wiring.files.identifiers import identifiers

TYPES = Path(__file__).with_name("types.xml")
UNITS = {"s": "nF", "ms": "pF"}
"""Units of time, and of the capacitance that with conductances in nS gives them."""
SHARE = 300
"""What part of the shortest time constant that a step is: interpreters of LEMS take explicit Euler steps."""


def export_lems(
    model: nn.Module,
    path: str | os.PathLike[str],
    x: Any,
    timespans: Any = None,
    *,
    state: Any = None,
    unit: str = "s",
    step: float | None = None,
) -> None:
    r"""Write an LTC and a series of inputs as a LEMS model, which PyLEMS, jLEMS and jNeuroML run.

    The file says the equation itself, as types of components, and needs nothing else: neurons,

    .. math::

        c_j \frac{dv_j}{dt} = g_j (v^{leak}_j - v_j) + \sum_i w_{ij}\,
        \sigma\bigl(\sigma_{ij} (v_i - \mu_{ij})\bigr) (E_{ij} - v_j) + \sum_k g_{jk} (v_k - v_j)

    with graded and electrical synapses, each in a projection that is called after both of its neurons. That
    is what the steps of the solver here go towards as they become shorter: `solver_error` says how far off
    they are, and an LTC with more `ode_unfolds` is nearer. A state of 1 is 1 mV, a conductance of 1 is 1 nS.

    An interpreter writes ``NAME.dat`` beside the file: in each line the time in seconds, the states of all
    neurons in volts, in the order of the plan, and the outputs. A sample is held over its time span, at the
    end of which `model` has the state that it returns.

    Args:
        model: an `LTC`, or an `RNN` over an `LTCCell`, that reads forwards.
        path: where to write, such as ``worm.xml``.
        x: (T, I) inputs, or (1, T, I).
        timespans: time since the previous sample, as the network takes it: a scalar, (T,) or (1, T); its
            `time_scale`, or 1, if not given.
        state: (N,) where the states begin, or "rest"; zeros if not given.
        unit: "s" or "ms", what a time span of 1 is.
        step: of the interpreter, in that unit; if not given, a 300th of the shortest time constant that
            a neuron can have.

    Raises:
        TypeError: another network, whose equation LEMS would have to be told.
        ValueError: more than one sequence, a neuron whose `cm` is 0 and that so has no differential equation,
            or a number that is not finite.
        FileError: a file that does not end in .xml.
        OSError: the file cannot be written.

    Example:
        >>> gl.export_lems(rnn, "worm.xml", x, timespans=0.1)
        >>> # pylems worm.xml, or jnml worm.xml -nogui

    Source: Cannon et al., LEMS: a language for expressing complex biological models in concise and
    hierarchical form, Frontiers in Neuroinformatics 2014.
    """
    target = as_path("path", path)
    if target.suffix != ".xml":
        raise FileError(f"{target} must end in .xml")
    cell = _cell_of(model)
    one_of("unit", unit, tuple(UNITS))
    if step is not None:
        real("step", step, above=0)
    if is_rest(state):
        state = rest_for(model, mlx_array("the input", x))
    call = sequence_call(x, state, timespans, cell.n_inputs, cell.state_shapes, time_scale=cell.time_scale)
    if call.x.shape[0] != 1:
        raise ValueError(f"the input has {counted(call.x.shape[0], 'sequence')}: a LEMS model is shown one")
    spans = np.broadcast_to(as_floats(call.timespans).reshape(-1) * call.time_scale, call.x.shape[1])
    begin: Any = call.state
    shown = Shown(as_floats(cell.encode(call.x))[0], spans, as_floats(begin)[0])
    replace_files({target: _Writer(cell, shown, unit, step).document(target.stem).encode()})


def _cell_of(model: nn.Module) -> LTCCell:
    instance("model", model, nn.Module, "an LTC")
    cell = getattr(model, "cell", None)
    if not isinstance(model, RNN) or not isinstance(cell, LTCCell):
        inner = f" over {type(cell).__name__}" if isinstance(model, RNN) else ""
        raise TypeError(
            f"export_lems takes an LTC, or an RNN over an LTCCell, got {type(model).__name__}{inner}: of "
            "other cells the equation is not declared in LEMS (a Scaled network has its own as .model)"
        )
    if model.reverse or model.proj_size is not None:
        raise ValueError("export_lems: a LEMS model reads forwards, and has no projection of its outputs")
    return cell


@dataclass(frozen=True)
class Shown:
    """(T, I) inputs behind their mapping, (T,) time spans and (N,) the first state."""

    x: Floats
    spans: Floats
    state: Floats


class _Writer:
    """The document of one network."""

    def __init__(self, cell: LTCCell, shown: Shown, unit: str, step: float | None) -> None:
        self.cell, self.plan, self.shown, self.unit = cell, cell.compiled.plan, shown, unit
        self.p = {name: as_floats(array) for name, array in cell.effective().items()}
        self.p["cm"] = self.p["cm"] * (cell.time_scale or 1.0)  # in the unit of the data
        for name, values in (*self.p.items(), ("x", shown.x), ("state", shown.state)):
            if not np.isfinite(values).all():
                raise ValueError(f"export_lems: {name} has a number that is not finite")
        if (still := np.flatnonzero(self.p["cm"] <= 0)).size:
            raise ValueError(
                f"export_lems: neuron {self.plan.neurons[still[0]]!r} has cm = 0, and so no differential "
                "equation"
            )
        self.step = self._fastest() / SHARE if step is None else step
        ids = identifiers([*self.plan.sensors, *self.plan.neurons])
        self.ids = {name: _apart(own) for name, own in ids.items()}
        self.v = _unused("v", self.ids.values())
        self.output = _unused("shown", self.ids.values())

    def _fastest(self) -> float:
        """The shortest time constant: of a neuron all whose synapses are open."""
        plan, p = self.plan, self.p
        total = p["gleak"] + self.cell.epsilon
        for w, post in ((p["w"], plan.recurrent.post), (p["sensory_w"], plan.sensory.post)):
            np.add.at(total, post, w)
        for side in (plan.electrical.pre, plan.electrical.post) if "gap" in p else ():
            np.add.at(total, side, p["gap"])
        return float((p["cm"] / np.maximum(total, np.finfo(float).tiny)).min())

    def document(self, name: str) -> str:
        length = float(self.shown.spans.sum())
        steps = f"{counted(self.cell.ode_unfolds, self.cell.solver.replace('_', '-') + ' step')} a sample"
        columns = [f"{self.ids[neuron]}/v" for neuron in self.plan.neurons]
        columns += [f"{self.output}_{k}" for k in range(self.plan.n_outputs)]
        lines = [
            "<Lems>",
            f"  <!-- A liquid time-constant network of Ganglion, which itself takes {steps}. -->",
            TYPES.read_text(encoding="utf-8").rstrip(),
            "",
            *self._sensors(),
            *self._projections(),
            *self._network_type(),
            '  <ltcNetwork id="network">',
            *(f'    <sensor_{self.ids[sensor]} id="{self.ids[sensor]}"/>' for sensor in self.plan.sensors),
            *self._neurons(),
            "  </ltcNetwork>",
            "",
            f'  <Simulation id="simulation" length="{length!r}{self.unit}" '
            f'step="{float(self.step)!r}{self.unit}" target="network">',
            f'    <OutputFile id="states" path="." fileName={quoteattr(name + ".dat")}>',
            *(f'      <OutputColumn id="column_{k}" quantity="{q}"/>' for k, q in enumerate(columns)),
            "    </OutputFile>",
            "  </Simulation>",
            "</Lems>",
            "",
        ]
        return "\n".join(lines)

    def _sensors(self) -> Iterator[str]:
        """A type for each sensor, with its series."""
        ends = np.cumsum(self.shown.spans)
        steps = [(k, float(e)) for k, e in enumerate(ends[:-1]) if self.shown.spans[k + 1] > 0]
        first = int(np.argmax(self.shown.spans > 0))
        for j, sensor in enumerate(self.plan.sensors):
            values = self.shown.x[:, j].tolist()
            yield f'  <ComponentType name="sensor_{self.ids[sensor]}" extends="baseSensor">'
            yield f'    <Constant name="unit_time" dimension="time" value="1{self.unit}"/>'
            yield '    <Constant name="unit_voltage" dimension="voltage" value="1mV"/>'
            yield '    <Requirement name="t" dimension="time"/>'
            yield "    <Dynamics>"
            yield '      <StateVariable name="v" dimension="voltage" exposure="v"/>'
            yield f"      <OnStart>{_assigned(values[first])}</OnStart>"
            for (k, begin), (_, end) in zip(steps, [*steps[1:], (0, float("inf"))], strict=True):
                test = f"t / unit_time .geq. {begin!r}"
                test += f" .and. t / unit_time .lt. {end!r}" if np.isfinite(end) else ""
                yield f'      <OnCondition test="{test}">{_assigned(values[k + 1])}</OnCondition>'
            yield "    </Dynamics>"
            yield "  </ComponentType>"
            yield ""

    def _sources(self) -> list[str]:
        """Who has a synapse onto another: their ids."""
        plan = self.plan
        sensors = [plan.sensors[k] for k in np.unique(plan.sensory.pre)]
        electrical = np.concatenate([plan.electrical.pre, plan.electrical.post])
        neurons = [plan.neurons[k] for k in np.unique(np.concatenate([plan.recurrent.pre, electrical]))]
        return [self.ids[name] for name in (*sensors, *neurons)]

    def _projections(self) -> Iterator[str]:
        """A type for each presynaptic neuron: LEMS finds what a component needs around it, by name."""
        for source in self._sources():
            yield f'  <ComponentType name="from_{source}" extends="baseProjection">'
            yield f'    <Requirement name="{self.v}_{source}" dimension="voltage"/>'
            yield "    <Dynamics>"
            yield f'      <DerivedVariable name="vpre" dimension="voltage" value="{self.v}_{source}"/>'
            yield (
                '      <DerivedVariable name="i" dimension="current" exposure="i" select="synapses[*]/i" '
                'reduce="add"/>'
            )
            yield "    </Dynamics>"
            yield "  </ComponentType>"
            yield ""

    def _network_type(self) -> Iterator[str]:
        yield '  <ComponentType name="ltcNetwork">'
        yield '    <Children name="sensors" type="baseSensor"/>'
        yield '    <Children name="neurons" type="ltcNeuron"/>'
        yield '    <Constant name="unit_voltage" dimension="voltage" value="1mV"/>'
        for k in range(self.plan.n_outputs):
            yield f'    <Exposure name="{self.output}_{k}" dimension="voltage"/>'
        yield "    <Dynamics>"
        outputs = [self.ids[name] for name in self.plan.neurons[: self.plan.n_outputs]]
        for source in dict.fromkeys([*self._sources(), *outputs]):
            yield f'      <DerivedVariable name="{self.v}_{source}" dimension="voltage" select="{source}/v"/>'
        ones, zeros = np.ones(len(outputs)), np.zeros(len(outputs))
        factors, shifts = self.p.get("output_w", ones).tolist(), self.p.get("output_b", zeros).tolist()
        for k, (source, w, b) in enumerate(zip(outputs, factors, shifts, strict=True)):
            value = f"({w!r}) * {self.v}_{source} + ({b!r}) * unit_voltage"
            own = f"{self.output}_{k}"
            yield (
                f'      <DerivedVariable name="{own}" dimension="voltage" exposure="{own}" value="{value}"/>'
            )
        yield "    </Dynamics>"
        yield "  </ComponentType>"
        yield ""

    def _neurons(self) -> Iterator[str]:
        plan, p = self.plan, self.p
        inside = self._synapses()
        for j, name in enumerate(plan.neurons):
            given = {
                "C": f"{float(p['cm'][j])!r}{UNITS[self.unit]}",
                "gleak": f"{float(p['gleak'][j])!r}nS",
                "vleak": f"{float(p['vleak'][j])!r}mV",
                "epsilon": f"{float(self.cell.epsilon)!r}nS",
                "v0": f"{float(self.shown.state[j])!r}mV",
            }
            yield f'    <ltcNeuron id="{self.ids[name]}" {_attributes(given)}>'
            for source, lines in inside.get(j, {}).items():
                yield f'      <from_{source} id="{source}_to_{self.ids[name]}">'
                yield from lines
                yield f"      </from_{source}>"
            yield "    </ltcNeuron>"

    def _synapses(self) -> dict[int, dict[str, list[str]]]:
        """The synapses by their second neuron and the id of the first."""
        plan, p, found = self.plan, self.p, dict[int, dict[str, list[str]]]()

        def put(kind: str, pre: str, post: int, given: dict[str, str]) -> None:
            source = self.ids[pre]
            own = f"{kind}_{source}_{self.ids[plan.neurons[post]]}"
            line = f'        <{kind} id="{own}" {_attributes(given)}/>'
            found.setdefault(post, {}).setdefault(source, []).append(line)

        sides: tuple[tuple[str, Synapses, tuple[str, ...]], ...] = (
            ("sensory_", plan.sensory, plan.sensors),
            ("", plan.recurrent, plan.neurons),
        )
        units = {"w": "nS", "mu": "mV", "sigma": "per_mV", "erev": "mV"}
        for side, synapses, names in sides:
            for k, (i, j) in enumerate(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True)):
                given = {name: f"{float(p[side + name][k])!r}{u}" for name, u in units.items()}
                put("gradedSynapse", names[i], j, given)
        pairs = zip(plan.electrical.pre.tolist(), plan.electrical.post.tolist(), strict=True)
        for k, (i, j) in enumerate(pairs):
            given = {"gap": f"{float(p['gap'][k])!r}nS"}
            put("gapJunction", plan.neurons[i], j, given)
            put("gapJunction", plan.neurons[j], i, given)
        return found


def _assigned(value: float) -> str:
    return f'<StateAssignment variable="v" value="({value!r}) * unit_voltage"/>'


def _attributes(given: dict[str, str]) -> str:
    return " ".join(f'{name}="{value}"' for name, value in given.items())


def _apart(own: str) -> str:
    """An identifier that no interpreter has as a word of its own, as `parent`, `id` and `class` are."""
    return f"{own}_" if re.fullmatch("[a-z_]+|(True|False|None)_*", own) else own


def _unused(word: str, ids: Iterable[str]) -> str:
    """The word, or a longer one, such that nothing is called by it and an underscore."""
    while any(own.startswith(f"{word}_") for own in ids):
        word += word[-1]
    return word
