"""Policies for classic control: learnt from an expert and from rewards, then closed in a loop by their C.

    pip install -e ".[cpu,control]"
    python examples/control/run.py --task cartpole --how imitation --nets cfc ltc lstm mlp --seeds 3

Nobody sees velocities: who does not remember cannot know them. Each line is one policy: the mean return over
100 seeded episodes with its standard error, the same of its exported C, with floats and in fixed point, and
the seconds of training.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from exported import in_c
from imitation import episodes, imitate
from policies import NETS, greedy, make
from ppo import train
from tasks import TASKS, Task, returns

import ganglion as gl

TESTED = range(10_000, 10_100)


def told(found: np.ndarray) -> str:
    return f"{found.mean():.1f} +- {found.std() / np.sqrt(len(found)):.1f}"


def samples(task: Task) -> np.ndarray:
    """(T, I) what is seen in some episodes of the expert."""
    return np.concatenate([seen for seen, _ in episodes(task, None, range(20_000, 20_004))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", choices=TASKS, default="cartpole")
    parser.add_argument("--how", choices=("imitation", "ppo"), default="imitation")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=NETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--effort", type=int, help="rounds of imitation (8), or iterations of PPO (160)")
    parser.add_argument("--episodes", type=int, default=len(TESTED))
    chosen = parser.parse_args()
    task, tested = TASKS[chosen.task], TESTED[: chosen.episodes]
    learn = imitate if chosen.how == "imitation" else train
    effort = [] if chosen.effort is None else [chosen.effort]
    for net in chosen.nets:
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            start = time.process_time()
            # Parameters of an LTC are of the size of 1 to 8, ten times those of the others.
            faster = {"rate": 5e-3} if net == "ltc" else {}
            policy = learn(task, make(net, len(task.seen), task.actions, seed), seed, *effort, **faster)
            seconds = time.process_time() - start
            found = told(returns(task, greedy(policy), tested))
            line = f"| {chosen.task} | {chosen.how} | {net} | {seed} | {found} |"
            in_loop = ["", ""]
            if isinstance(policy, gl.NCPLayer):
                for k, fixed in enumerate((None, samples(task))):
                    with tempfile.TemporaryDirectory() as folder:
                        in_loop[k] = told(returns(task, in_c(policy, Path(folder), fixed), tested))
            print(f"{line} {' | '.join(in_loop)} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
