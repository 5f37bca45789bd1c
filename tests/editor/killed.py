"""Kill a process that edits, many times over, and open what it left; run as a script, which loads no MLX.

Each child makes edits that anyone can make again, and tells the number of each when its session has answered.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from ganglion.editor.document import Document
from ganglion.wiring import Circuit, edits


def edit_number(k: int) -> edits.Edit:
    """The k-th edit: one that depends on all before it."""
    role = ("sensory", "inter", "motor")[k % 3]
    neuron = (f"n{k}", {"role": role, "note": "x" * (k * 37 % 500)})
    ends = [(f"n{k - j}", f"n{k}", {"polarity": 1}) for j in range(1, 3) if k >= j and role != "sensory"]
    return edits.Add([neuron], ends)


def child(path: Path, told: int) -> None:
    document = Document(path)
    for k in range(document.session.revision, 10**6):
        document.session.apply(edit_number(k))
        os.write(told, b"%d\n" % (k + 1))
        if k % 17 == 16:
            document.save()


def expected(count: int) -> Circuit:
    circuit = Circuit()
    for k in range(count):
        edit_number(k).apply(circuit)
    return circuit


def main(folder: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(rounds):
        path = folder / f"c{number}.json"
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            child(path, write_end)
            os._exit(0)
        os.close(write_end)
        if number % 10:  # now and then before the first edit is answered
            select.select([read_end], [], [])
        time.sleep(chance.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with os.fdopen(read_end) as told:
            answered = [int(line) for line in told.read().splitlines()]
        last = answered[-1] if answered else 0
        document = Document(path)
        count = len(document.session.circuit)
        assert document.notice is None, document.notice
        assert last <= count <= last + 1, (last, count)
        ours, theirs = document.session.circuit, expected(count)
        assert list(ours.nodes.data()) == list(theirs.nodes.data())
        assert list(ours.edges.data()) == list(theirs.edges.data())
        for _ in range(document.recovered):
            document.session.undo()
        document.close()
        print(last, count, document.recovered, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
