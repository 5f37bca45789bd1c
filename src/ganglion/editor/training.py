"""Training while one watches and edits: `fit` in a thread of its own, which follows the circuit's edits."""

from __future__ import annotations

import atexit
import copy
import os
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import mlx.core as mx
import networkx as nx
from mlx.utils import tree_map

from ..arguments import counted
from ..cells import carried
from ..training import Callback, Run, fit
from ..wiring.edits import Rename
from ..wiring.order import twin
from .live import TURN
from .numbers import four
from .renames import composed, concerns_network
from .session import EditSession, Entry
from .threads import wait_for_end

Message = dict[str, Any]
EDITED = "the circuit was edited"
YIELD = 0.001
"""Seconds after each step in which the running network may have its turn."""
PAUSE = 0.05
"""Seconds between looks at whether a pause is over."""
NEEDED = {"data", "loss", "optimizer", "epochs"}


def require_trainable(network: Any, options: Mapping[str, Any]) -> None:
    """Refuse, with a `TypeError`, what `Training` cannot begin with."""
    if network is None:
        raise TypeError("fit= trains a network: give gl.edit an LTC or a CfC, not a circuit")
    if missing := NEEDED - set(options):
        names = ", ".join(sorted(missing))
        raise TypeError(f"fit= takes the arguments of gl.fit by name: {names} is missing")


class Training(Callback):
    """A run of `fit` that can be paused, and goes on with the same weights after an edit of the circuit.

    After each epoch the weights are shown. If the circuit was edited by then, the network is carried over to
    it, and the epochs that are left are trained with an optimizer that starts anew, since what it remembered
    belongs to the old parameters. If the circuit cannot be compiled, or does not fit the data, training waits
    for an edit that mends it. Checkpoints after an edit go to a directory of their own.

    Args:
        session: what is edited.
        network: what is trained, in place until the first edit.
        options: arguments of `fit` by name: `data`, `loss`, `optimizer`, `epochs`, and others.
        tell: takes messages.
        show: takes the network's plan and parameters after each epoch.
    """

    def __init__(
        self,
        session: EditSession,
        network: Any,
        options: Mapping[str, Any],
        tell: Callable[[Message], None],
        show: Callable[[Any, Any], None],
    ) -> None:
        self.network, self.history, self.state = network, list[float](), "running"
        self._before: list[float] = []  # of the runs that edits have ended
        self._session, self._tell, self._show = session, tell, show
        self._options = dict(options)
        self._fresh = copy.deepcopy(options["optimizer"])
        self._epochs = int(options["epochs"])
        self._sizes = len(network.cell.sensors), network.cell.n_outputs
        self._edited, self._stopped, self._why = False, False, ""
        self._renames: list[Rename] = []  # since the network was carried over
        self._go = threading.Event()  # cleared by a pause
        self._go.set()
        self._mended = threading.Event()  # set by what may end a wait for an edit
        self._leave = session.observe(self._heard)
        self._thread = threading.Thread(target=self._train, name="ganglion training", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # MLX does not survive the end of Python while a thread uses it

    def pause(self) -> None:
        """Wait after the current step; only then can the network be read from elsewhere."""
        self._go.clear()

    def go_on(self) -> None:
        """Go on after a pause, or try again."""
        self._go.set()
        self._mended.set()

    def stop(self) -> None:
        """End after the current step, with the weights of then."""
        self._stopped = True
        self._go.set()
        self._mended.set()

    def close(self) -> None:
        """Stop, and wait for the end."""
        atexit.unregister(self.close)
        self.stop()
        wait_for_end(self._thread)

    def message(self) -> Message:
        """How it stands."""
        return {
            "type": "training",
            "state": self.state,
            "epoch": len(self.history),
            "epochs": self._epochs,
            "loss": self.history[-1] if self.history else None,
            "history": self.history[-1000:],
            "why": self._why or None,
        }

    # Called by `fit`

    def on_step(self, run: Run) -> None:
        mx.eval(self.network.parameters())  # other threads may read them now, but cannot compute them
        paused = False
        TURN.release()
        time.sleep(YIELD)
        while not self._go.wait(PAUSE):  # whenever it was told to pause, it says so
            if not paused:
                self._say("paused")
            paused = True
        TURN.acquire()
        if paused:
            self._say("running")
        if self._stopped:
            run.stop = "stopped in the editor"
        elif self._edited:
            run.stop = EDITED

    def on_epoch(self, run: Run) -> None:
        self.history = [*self._before, *(four(loss) or 0.0 for loss in run.history.loss)]
        self._shown()
        self._say("running")
        self.on_step(run)

    # Inside

    def _train(self) -> None:
        options = {key: value for key, value in self._options.items() if key not in ("data", "epochs")}
        given = {**options, "progress": False, "callbacks": [*options.get("callbacks", ()), self]}
        try:
            while not self._stopped and len(self.history) < self._epochs:
                with TURN:
                    fit(self.network, self._options["data"], epochs=self._epochs - len(self.history), **given)
                if not self._edited or not self._follow():
                    break
                self._before = self.history
                given |= self._anew()
        except Exception as error:  # whatever it is, the page shows it; the editor goes on
            self._why = " ".join(f"{type(error).__name__}: {error}".split())
            self._say("failed")
        else:
            self._shown()
            self._say("done")
        finally:
            self._leave()

    def _anew(self) -> dict[str, Any]:
        """What a run over an edited circuit begins with: nothing that belongs to the parameters before."""
        anew: dict[str, Any] = {"optimizer": copy.deepcopy(self._fresh)}
        if checkpoint := self._options.get("checkpoint"):
            free = (Path(f"{os.fspath(checkpoint)}-edited-{k}") for k in count(1))
            anew["checkpoint"] = next(path for path in free if not path.exists())
        return anew

    def _shown(self) -> None:
        parameters = tree_map(lambda array: array, self.network.parameters())  # which later steps replace
        mx.eval(parameters)
        self._show(self.network.cell.compiled.plan, parameters)

    def _follow(self) -> bool:
        """Carry the network over to the circuit, as soon as that is possible; false if told to stop."""
        while not self._stopped:
            self._mended.clear()
            with self._session.lock:
                circuit, changes = twin(self._session.circuit), len(self._renames)
                self._edited = False
            renames: dict[str, str] = {}
            for change in self._renames[:changes]:
                renames = composed(renames, change)
            known = {*self.network.cell.neurons, *self.network.cell.sensors}
            try:
                with TURN:
                    network = carried(
                        self.network,
                        circuit,
                        renames={old: new for old, new in renames.items() if old in known},
                    )
                self._require_fitting(network)
            except (ValueError, nx.NetworkXError) as error:
                self._why = f"waits for an edit that mends this: {' '.join(str(error).split())}"
                self._say("paused")
                self._mended.wait()
                continue
            del self._renames[:changes]
            self.network, self._why = network, ""
            return True
        return False

    def _require_fitting(self, network: Any) -> None:
        """The circuit has as many sensors and motor neurons as before; the data have columns for those."""
        for what, now, before in (
            ("sensory neuron", len(network.cell.sensors), self._sizes[0]),
            ("motor neuron", network.cell.n_outputs, self._sizes[1]),
        ):
            if now != before:
                raise ValueError(f"the data are for {counted(before, what)}, and the circuit has {now}")

    def _heard(self, entry: Entry) -> None:
        for change in entry.changes:
            if isinstance(change, Rename):
                self._renames.append(change)
            if concerns_network(change):
                self._edited = True
        if self._edited:
            self._mended.set()

    def _say(self, state: str) -> None:
        self.state = state
        self._tell(self.message())
