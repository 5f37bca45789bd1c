"""The network that runs while its circuit is edited: compiled anew after edits, its weights carried over.

Everything here happens in one thread of its own, so that whoever answers the page never waits for a compile.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CircuitError
from ..recording import Recording
from ..studies.protocol import Protocol
from ..wiring import Circuit
from ..wiring.edits import Edit, Rename
from ..wiring.order import twin
from .course import Course
from .facts import facts
from .numbers import four, rows
from .probe import Probe
from .renames import composed, needs_compile, turns_signs
from .session import EditSession, Entry
from .signals import SILENT, Signal, read_signal, read_table, value_at
from .threads import wait_for_end

Message = dict[str, Any]
REST = 0.05
"""Seconds without an edit after which the network is compiled anew."""
TURN = threading.Lock()
"""Who holds it may compute: arrays that two threads use at once can bring MLX down."""
TRIES = 5
"""How often that is tried again by itself if it fails."""
FASTEST_FRAMES = 30.0
SPEEDS = (0.1, 240.0)
MOST_STEPS = 1000


class Live:
    """Runs a session's circuit as a network, and tells what it does in messages.

    Args:
        session: what is edited.
        tell: takes every message; it is called in the thread of this object.
        network: an `LTC` or `CfC` over the circuit, whose weights are kept; a new `LTC` if not given.
        recording: what the signal "recording" plays.
        protocol: what is done to the network in the course of its steps, beside the signals of pages.
        on: whether to compile and run at all; facts and problems are told anyway.
    """

    def __init__(
        self,
        session: EditSession,
        tell: Callable[[Message], None],
        *,
        network: Any = None,
        recording: Recording | None = None,
        protocol: Protocol | None = None,
        on: bool = True,
    ) -> None:
        self._session, self._tell, self._recording = session, tell, recording
        self.probe = Probe(network)
        self.on, self.playing, self.speed, self.step = on, False, 20.0, 0
        self.error: str | None = None
        self.signals: dict[str, Signal] = {}
        self._course = None if protocol is None else Course(protocol)
        self._renames: dict[str, str] = {}
        self._tries = 0
        self._stale, self._turned = True, False
        self._due: float | None = 0.0
        self._next = 0.0
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._leave = session.observe(self._heard)
        self._thread = threading.Thread(target=self._run, name="ganglion live", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # MLX does not survive the end of Python while a thread uses it

    # Asked by a page; every method returns at once

    def ask(self, job: Callable[[], None]) -> None:
        """Do something in the thread of the network, after what was asked before."""
        self._jobs.put(job)

    def play(self, on: bool, speed: float | None = None) -> None:
        """Run at `speed` steps per second, or stop."""
        if speed is not None and not SPEEDS[0] <= speed <= SPEEDS[1]:
            raise CircuitError(f"speed must be from {SPEEDS[0]} to {SPEEDS[1]} steps per second, got {speed}")

        def job() -> None:
            self.playing, self.speed = on, speed or self.speed
            self._next = time.monotonic()
            self._state()

        self.ask(job)

    def steps(self, count: int) -> None:
        """Run some steps and stop."""
        if not 1 <= count <= MOST_STEPS:
            raise CircuitError(f"a page can ask for 1 to {MOST_STEPS} steps, got {count}")
        self.ask(lambda: self._advance(count))

    def reset(self) -> None:
        """Start anew at step 0, with a state of zeros."""

        def job() -> None:
            self.step = 0
            self.probe.reset()
            self._advance(0)

        self.ask(job)

    def switch(self, on: bool) -> None:
        """Switch compiling and running off, or on again."""

        def job() -> None:
            self.on, self.playing = on, self.playing and on
            self._stale, self._due = True, 0.0
            self._state()

        self.ask(job)

    def set_signal(self, sensor: str, data: Any) -> None:
        """Give a sensory neuron a signal."""
        signal = read_signal(data)
        if signal["kind"] == "recording" and self._recording is None:
            raise CircuitError("there is no recording to play: pass recording= to gl.edit")
        if sensor not in map(str, _sensors(self._session.circuit)):
            raise CircuitError(f"there is no sensory neuron {sensor!r}")
        self.ask(lambda: self._set_signals({sensor: signal}))

    def set_protocol(self, protocol: Protocol | None) -> None:
        """Let a protocol be done from step 0 on, or none."""

        def job() -> None:
            self._course = None if protocol is None else Course(protocol)
            if not self._plays:
                self._advance(0)

        self.ask(job)

    def set_table(self, text: str) -> None:
        """Give every sensory neuron the column of its name in a CSV file."""
        found = read_table(text, [str(name) for name in _sensors(self._session.circuit)])
        self.ask(lambda: self._set_signals(found))

    def what_if(
        self,
        neurons: Sequence[str],
        synapses: Sequence[tuple[str, str]],
        steps: int,
        answer: Callable[[Message], None],
    ) -> None:
        """The outputs over some steps of the signals, with and without neurons and synapses."""

        def job() -> None:
            try:
                base, without = self.probe.without(self._inputs(range(steps)), neurons, synapses)
            except (CircuitError, ValueError, TypeError) as error:
                answer({"type": "refused", "why": str(error)})
                return
            outputs = list(self.probe.outputs)
            answer({"type": "what-if", "outputs": outputs, "base": rows(base.T), "without": rows(without.T)})

        self.ask(job)

    def rank(self, steps: int, answer: Callable[[Message], None]) -> None:
        """Every neuron by how much the outputs change without it."""

        def find() -> list[tuple[str, float]] | None:
            return self.probe.ranking(self._inputs(range(steps)), self._jobs.empty)

        self._by_neuron("ranking", "effects", find, answer)

    def saliency(self, steps: int, answer: Callable[[Message], None]) -> None:
        """Every neuron by how much the outputs after some steps depend on it now."""
        self._by_neuron("saliency", "values", lambda: self.probe.saliency(self._inputs(range(steps))), answer)

    def _by_neuron(
        self,
        what: str,
        key: str,
        find: Callable[[], list[tuple[str, float]] | None],
        answer: Callable[[Message], None],
    ) -> None:
        """Find a number for every neuron, which takes a while, and answer with it."""

        def job() -> None:
            if self.probe.network is None:
                answer({"type": "refused", "why": self.error or "live running is off"})
                return
            self._tell({"type": "busy", "busy": True, "why": what})
            try:
                found = find()
            finally:
                self._tell({"type": "busy", "busy": False, "why": what})
            if found is None:
                answer({"type": "refused", "why": f"the {what} was stopped by what came after it"})
            else:
                answer({"type": what, key: [[name, four(value)] for name, value in found]})

        self.ask(job)

    def close(self) -> None:
        """Stop the thread."""
        atexit.unregister(self.close)
        self._leave()
        self._jobs.put(None)
        if threading.current_thread() is not self._thread:
            wait_for_end(self._thread)

    def state(self) -> Message:
        """What runs, and how."""
        return {
            "type": "live",
            "on": self.on,
            "playing": self.playing,
            "speed": self.speed,
            "step": self.step,
            "error": self.error,
        }

    def signal_list(self) -> Message:
        """The signals of all sensory neurons that have one."""
        return {"type": "signals", "signals": [[name, signal] for name, signal in self.signals.items()]}

    # In the thread

    def _run(self) -> None:
        while True:
            times = [self._due] if self._due is not None else []
            times += [self._next] if self._plays else []
            wait = max(0.0, min(times) - time.monotonic()) if times else None
            try:
                job = self._jobs.get(timeout=wait)
            except queue.Empty:
                job = self._tick
            if job is None:
                return
            try:
                with TURN:
                    job()
                    self._tick()
            except Exception as error:  # the thread must not end; the page shows what went wrong
                self.playing, self.error = False, f"{type(error).__name__}: {error}"
                self._state()

    def _tick(self) -> None:
        """What is due by now."""
        now = time.monotonic()
        if self._due is not None and now >= self._due:
            self._refresh()
        if self._plays and now >= self._next:
            count = max(1, round(self.speed / FASTEST_FRAMES))
            self._next = max(self._next + count / self.speed, now)
            self._advance(count)

    @property
    def _plays(self) -> bool:
        return self.playing and self.on and self.probe.network is not None

    def _heard(self, entry: Entry) -> None:
        """An edit: note what it asks of the network. Called in the thread that edits."""

        def job() -> None:
            for change in entry.changes:
                self._note(change)
            self._tries = 0
            self._due = time.monotonic() + REST

        self.ask(job)

    def _note(self, change: Edit) -> None:
        if isinstance(change, Rename):
            names = {str(old): str(new) for old, new in dict(change.names).items()}
            self.signals = {names.get(name, name): signal for name, signal in self.signals.items()}
            self._renames = composed(self._renames, change)
        self._stale = self._stale or needs_compile(change)
        self._turned = self._turned or turns_signs(change)

    def show(self, plan: Any, parameters: Any) -> None:
        """Run with the weights of another network over the circuit, such as one that is being trained."""

        def job() -> None:
            if self.on and not self._stale and self.probe.adopt(plan, parameters):
                self._tell({"type": "network", "revision": self._session.revision, **self.probe.describe()})
                self._advance(0)

        self.ask(job)

    def _refresh(self) -> None:
        self._due = None
        with self._session.lock:
            circuit, revision = twin(self._session.circuit), self._session.revision
        if self.on and (self._stale or self._turned):
            self._follow(circuit, revision)
        self._tell(facts(circuit, revision, self.probe))

    def _follow(self, circuit: Any, revision: int) -> None:
        """Bring the network to the circuit: turn a few signs if nothing else changed, else compile."""
        before = self.error
        try:
            if self._stale or self.probe.network is None:
                self._tell({"type": "busy", "busy": True, "why": "compiling"})
                try:
                    self.probe.follow(circuit, self._renames)
                finally:
                    self._tell({"type": "busy", "busy": False, "why": "compiling"})
            else:
                self.probe.turn(circuit)
        except (CircuitError, ValueError, TypeError, RuntimeError) as error:
            self.error = str(error)
            if self._tries < TRIES:  # the network's weights may be changing under another thread's training
                self._tries += 1
                self._due = time.monotonic() + REST
        else:
            self.error, self._tries = None, 0
            self._renames, self._stale, self._turned = {}, False, False
            self._tell({"type": "network", "revision": revision, **self.probe.describe()})
            self._advance(0, revision)
        if self.error != before:
            self._state()

    def _advance(self, count: int, revision: int | None = None) -> None:
        """Run some steps and tell where the network is then."""
        if self.probe.network is None or not self.on:
            return
        inputs = self._inputs(range(self.step, self.step + max(count, 1)))
        course, steps = self._course, range(self.step, self.step + count)
        acting = None if course is None else [course.acting(k) for k in steps]
        every = None if course is None else course.every
        states, outputs = self.probe.advance(inputs[:count], acting, every)
        self.step += count
        self._tell(
            {
                "type": "frame",
                "revision": self._session.revision if revision is None else revision,
                "step": self.step,
                "time": self.step,
                "states": rows(states),
                "inputs": rows(inputs[max(count, 1) - 1]),
                "outputs": rows(outputs),
            }
        )

    def _inputs(self, steps: range) -> NDArray[np.float32]:
        """(T, I) what the signals are at some steps."""
        columns = [
            [value_at(self.signals.get(name, SILENT), k, self._recorded(name)) for k in steps]
            for name in self.probe.sensors
        ]
        found = np.array(columns, np.float32).reshape(len(columns), len(steps)).T
        return found if self._course is None else found + self._course.values(self.probe.sensors, steps)

    def _recorded(self, name: str) -> Callable[[int], float]:
        recording = self._recording
        if recording is None or name not in recording.sensors:
            return lambda step: 0.0
        column = (recording.sequence() if recording.batched else recording).inputs
        index = recording.sensors.index(name)
        return lambda step: float(column[step % len(column), index])

    def _set_signals(self, signals: dict[str, Signal]) -> None:
        self.signals |= signals
        self._tell(self.signal_list())
        if not self._plays:
            self._advance(0)

    def _state(self) -> None:
        self._tell(self.state())


def _sensors(circuit: Circuit | Any) -> list[Any]:
    return [name for name, data in circuit.nodes(data=True) if data.get("role") == "sensory"]
