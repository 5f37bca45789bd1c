"""
A circuit made of circuits
==========================

Three small NCPs, each with sensors of its own, drive a fourth one. A circuit is a networkx graph, so it is
put together by networkx: rename, compose, and join motor neurons of one part to inter neurons of the next.
"""

import matplotlib.pyplot as plt
import mlx.core as mx
import networkx as nx

import ganglion as gl


def part(name, inputs, outputs):
    """An NCP whose neurons are called after it."""
    circuit = gl.auto_ncp(10, outputs, inputs=inputs, sparsity=0.3, seed=1)
    return nx.relabel_nodes(circuit, {node: f"{name}.{node}" for node in circuit})


limbs = {name: part(name, 2, 1) for name in ("left", "right", "tail")}
body = part("body", 1, 2)
body.remove_node("body.sensory_0")
whole = gl.Circuit(nx.compose_all([*limbs.values(), body]))
for name in limbs:
    whole.nodes[f"{name}.motor_0"]["role"] = "inter"  # inside the whole it is no output any more
    for k, target in enumerate(n for n in body if body.nodes[n]["role"] == "inter"):
        whole.add_synapse(f"{name}.motor_0", target, polarity=1 if k % 2 else -1)
for node in whole:
    whole.nodes[node]["part"] = node.split(".")[0]
print(whole.summary())
print("problems:", [str(problem) for problem in gl.check(whole)])

# %%
# Neurons in the colours of the parts, and the network that this is:

gl.viz.plot_circuit(whole, color_by="part", labels=False)
rnn = gl.LTC(whole)
outputs, state = rnn(mx.random.normal((4, 20, 6)))
print(outputs.shape, state.shape)

# %%
# Or leave the circuits apart, and stack networks: each layer reads the outputs of the one before.

deep = gl.Stack([gl.CfC(gl.auto_ncp(24, 4, inputs=6, seed=1)), gl.LTC(gl.auto_ncp(12, 2, inputs=4, seed=1))])
outputs, states = deep(mx.random.normal((4, 20, 6)))
print(outputs.shape, [state.shape for state in states])
plt.show()
