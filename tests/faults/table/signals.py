"""Signals, and what they leave."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

from ganglion import demo

from .fault import Fault
from .running import TRAIN


def asleep(before: Callable[[], object], number: int) -> Callable[[], None]:
    """The command sleeps, and gets a signal."""

    def run(**_: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(60)

    def within() -> None:
        before()
        demo.run = run  # type: ignore[assignment]

    return within


def ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def usual() -> None:
    """As in a terminal: who runs tests with nohup or behind & has some ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def blocked() -> None:
    usual()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def ended(run: str, number: int) -> Callable[[], None]:
    """A signal after the first epoch that was written down in the directory of a run."""

    def wait() -> None:
        while not os.path.exists(run) or not any(name.startswith("step-") for name in os.listdir(run)):
            time.sleep(0.005)
        os.kill(os.getpid(), number)

    def within() -> None:
        usual()
        threading.Thread(target=wait, daemon=True).start()

    return within


LONG = TRAIN.replace("--epochs 1", "--epochs 100000")
RUN = ("new", "new/…")
ROWS = [
    Fault("Ctrl-C", "demo", "ganglion demo: interrupted", within=asleep(usual, signal.SIGINT), code=130),
    Fault(
        "Ctrl-C where it was ignored",
        "demo",
        "ganglion demo: interrupted",
        within=asleep(ignored, signal.SIGINT),
        code=130,
    ),
    Fault(
        "Ctrl-C while others are blocked",
        "demo",
        "ganglion demo: interrupted",
        within=asleep(blocked, signal.SIGINT),
        code=130,
    ),
    Fault("a terminal that closes", "demo", "", within=asleep(usual, signal.SIGHUP), code=-signal.SIGHUP),
    Fault("a system that shuts down", "demo", "", within=asleep(usual, signal.SIGTERM), code=-signal.SIGTERM),
    Fault("SIGQUIT", "demo", "", within=asleep(usual, signal.SIGQUIT), code=-signal.SIGQUIT),
    Fault("a kill", "demo", "", within=asleep(usual, signal.SIGKILL), code=-signal.SIGKILL),
    Fault(
        "training: Ctrl-C",
        LONG,
        "…ganglion train: interrupted",
        within=ended("new", signal.SIGINT),
        code=130,
        left=RUN,
    ),
    Fault(
        "training: a terminal that closes",
        LONG,
        "…",
        within=ended("new", signal.SIGHUP),
        code=-signal.SIGHUP,
        left=RUN,
    ),
    Fault(
        "training: a system that shuts down",
        LONG,
        "…",
        within=ended("new", signal.SIGTERM),
        code=-signal.SIGTERM,
        left=RUN,
    ),
    Fault("training: a kill", LONG, "…", within=ended("new", signal.SIGKILL), code=-signal.SIGKILL, left=RUN),
]
