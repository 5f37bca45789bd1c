"""
Hive
====

One axis per role, the busiest neurons outside: a layout that a reader can compare between circuits.
"""

from matplotlib import pyplot as plt

import ganglion as gl

circuit = gl.auto_ncp(48, 6, inputs=10, sparsity=0.8, seed=2)
_, ax = plt.subplots(figsize=(4.6, 4.6), layout="constrained")
gl.viz.plot_circuit(circuit, style="hive", ax=ax)
