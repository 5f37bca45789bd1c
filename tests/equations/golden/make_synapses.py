"""Make ``tsodyks_markram.json``: what Brian 2 computes for synapses of Tsodyks and Markram.

    pip install brian2==2.9.0 "numpy<2.4"
    python tests/equations/golden/make_synapses.py            # writes the file beside this one
    python tests/equations/golden/make_synapses.py --check    # makes it again in memory and compares

The test reads the file and needs no Brian. Six synapses lead from three sources of spikes to two neurons:
facilitation and depression as in Tsodyks, Uziel and Markram (2000), a conductance and a membrane per neuron.
Times are in milliseconds. Brian lets a spike arrive one step of its clock, DT, behind its time; the times in
the file are those of arrival, at which it is asked for u, x, g and v. Nothing is rounded on the way: between
spikes all is linear, and Brian solves that exactly.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("tsodyks_markram.json")
DT = 0.1
EQUATIONS = """
    du/dt = -u / tau_f : 1 (clock-driven)
    dx/dt = (1 - x) / tau_d : 1 (clock-driven)
    w : 1
    use : 1
    tau_f : second
    tau_d : second
"""


def made() -> dict[str, object]:
    """All numbers of the file."""
    import brian2
    from brian2 import ms

    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = DT * ms
    rng = np.random.default_rng(7)
    pre, post = np.array([0, 1, 1, 2, 0, 2]), np.array([0, 0, 1, 1, 1, 0])
    ticks = np.sort(rng.choice(np.arange(5, 6000), 40, replace=False))
    source = rng.integers(0, 3, len(ticks))
    p = {
        "w": rng.uniform(0.2, 1.0, 6) * np.array([1, -1, 1, 1, -1, 1]),
        "use": rng.uniform(0.1, 0.6, 6),
        "tau_f": rng.uniform(20, 200, 6),
        "tau_d": rng.uniform(50, 300, 6),
        "tau_g": np.array([5.0, 9.0]),
        "tau_m": np.array([20.0, 14.0]),
    }
    spikes = brian2.SpikeGeneratorGroup(3, source, ticks * DT * ms)
    neurons = brian2.NeuronGroup(
        2,
        "dg/dt = -g / tau_g : 1\n dv/dt = (g - v) / tau_m : 1\n tau_g : second\n tau_m : second",
        method="exact",
    )
    synapses = brian2.Synapses(
        spikes,
        neurons,
        EQUATIONS,
        on_pre="u += use * (1 - u)\n g_post += w * u * x\n x -= u * x",
        method="exact",
    )
    synapses.connect(i=pre, j=post)
    synapses.x = 1
    for key in ("tau_g", "tau_m"):
        setattr(neurons, key, p[key] * ms)
    for key in ("tau_f", "tau_d"):
        setattr(synapses, key, p[key] * ms)
    synapses.w, synapses.use = p["w"], p["use"]
    of_neurons = brian2.StateMonitor(neurons, ["g", "v"], record=True)
    of_synapses = brian2.StateMonitor(synapses, ["u", "x"], record=True)
    network = brian2.Network(spikes, neurons, synapses, of_neurons, of_synapses)
    network.run(620 * ms)
    at = ticks + 1
    return {
        "pre": pre.tolist(),
        "post": post.tolist(),
        **{key: value.tolist() for key, value in p.items()},
        "times": (at * DT).tolist(),
        "source": source.tolist(),
        **{key: np.asarray(getattr(of_neurons, key)).T[at].tolist() for key in ("g", "v")},
        **{key: np.asarray(getattr(of_synapses, key)).T[at].tolist() for key in ("u", "x")},
    }


if __name__ == "__main__":
    found = made()
    if "--check" in sys.argv:
        kept = json.loads(FILE.read_text())
        assert found.keys() == kept.keys()
        for key, value in found.items():
            np.testing.assert_allclose(kept[key], value, rtol=1e-9, atol=1e-12, err_msg=key)
    else:
        FILE.write_text(json.dumps(found) + "\n")
