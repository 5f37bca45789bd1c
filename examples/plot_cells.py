"""
Cells and their neurons
=======================

One neuron of every cell, behind one sensor and with a synapse onto itself: what a pulse does to it, how its
state changes at three inputs, and its time constant where it is drawn back.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import numpy as np

import ganglion as gl

circuit = gl.Circuit()
circuit.add_neurons(["input"], role="sensory")
circuit.add_neurons(["neuron"], role="motor")
circuit.add_synapse("input", "neuron", polarity=1)
circuit.add_synapse("neuron", "neuron", polarity=1)

cells = {
    "LTC": gl.LTCCell(circuit),
    "CfC": gl.CfCCell(circuit, key=mx.random.key(6)),
    "STC": gl.STC(circuit),
    "LRC": gl.LRC(circuit),
    "LRCU": gl.LRCU(circuit),
    "CTRNN": gl.CTRNNCell(circuit),
    "LeakyRate": gl.LeakyRate(circuit),
    "MinGRU": gl.MinGRU(circuit),
    "LIF": gl.LIF(circuit),
}
once = ("CfC", "MinGRU", "LIF")  # which are updated once per sample, and have no derivative
time = np.arange(200) * 0.1
pulse = np.where((time > 3) & (time < 10), 1.0, 0.0).astype(np.float32)
inputs, states = np.float32([0.0, 0.5, 1.0]), np.linspace(-1.0, 1.0, 81, dtype=np.float32)


def speed(cell: gl.NCPRNNCell, given: float, span: float) -> np.ndarray:
    """How fast each state changes where the sensor shows a value."""
    x = mx.full((len(states), 1), given)
    new = cell(x, mx.array(states)[:, None], span)[1]
    return (np.array(new)[:, 0] - states) / span


figure, axes = plt.subplots(3, len(cells), figsize=(2.2 * len(cells), 6), layout="constrained")
for column, (name, cell) in zip(axes.T, cells.items(), strict=True):
    for key in ("w", "sensory_w", "h", "sensory_h", "rate_w", "sensory_rate_w", "new_w", "sensory_new_w"):
        if key in cell.parameters():
            cell[key] = mx.full(cell[key].shape, 0.8)
    if "vleak" in cell.parameters():
        cell.vleak = mx.array([0.0 if name == "LTC" else 1.0])
    span = 1.0 if name in once else 0.1
    _, _, recording = gl.RNN(cell)(mx.array(pulse)[None, :, None], timespans=0.1, record=True)
    column[0].set_title(name)
    column[0].fill_between(time, pulse, color="0.9")
    column[0].plot(time, recording.states[0, :, 0])
    for given in inputs:
        rate = speed(cell, given, span)
        column[1].plot(states, rate, label=f"input {given:g}")
        slope = np.gradient(rate, states)
        if name not in once:
            column[2].plot(states, -1.0 / np.where(slope < -0.05, slope, np.nan))
    column[1].axhline(0.0, color="0.7", linewidth=0.8)
    column[2].set_xlabel("state")
    if name in once:
        column[2].set_axis_off()
for axis, label in zip(axes[:, 0], ("state over time", "change", "time constant"), strict=True):
    axis.set_ylabel(label)
axes[1, 0].legend(frameon=False, fontsize="x-small")
