"""
Colours and widths that mean something
======================================

Any node attribute colours the neurons, any edge attribute sets the width; the 40 strongest synapses are kept.
"""

import networkx as nx
import numpy as np

import ganglion as gl

circuit = gl.auto_ncp(32, 4, inputs=8, sparsity=0.7, seed=11)
rng = np.random.default_rng(0)
nx.set_edge_attributes(circuit, {edge: rng.gamma(1.5) for edge in circuit.edges}, "weight")
nx.set_node_attributes(circuit, nx.pagerank(circuit, weight="weight"), "pagerank")

gl.viz.plot_circuit(circuit, color_by="pagerank", width_by="weight", top=40, labels=False)
