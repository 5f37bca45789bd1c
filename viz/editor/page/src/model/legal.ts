// Which edits are legal, by the rules of `gl.Circuit`; said in one sentence. Python asks the same again: the
// page asks first so that a gesture is answered at once, and alone where there is no Python.

import { type Circuit, ROLES, isRole, keyOf, labelOf } from "./circuit";
import { type Add, type Assign, type Primitive, type Remove, type Rename } from "./edits";

/** Why the circuit refuses a change, or null if it is legal. */
export function refusal(circuit: Circuit, change: Primitive): string | null {
  switch (change.kind) {
    case "add": return ofAdd(circuit, change);
    case "remove": return ofRemove(circuit, change);
    case "set": return ofAssign(circuit, change);
    case "rename": return ofRename(circuit, change);
  }
}

function ofAdd(circuit: Circuit, { neurons = [], synapses = [] }: Add): string | null {
  const labels = new Set([...circuit.neurons.values()].map((n) => n.label));
  const roles = new Map<string, unknown>();
  for (const [name, attributes] of neurons) {
    if (labelOf(name) === "") return "a neuron needs a name that is not empty";
    if (labels.has(labelOf(name))) return `the name '${labelOf(name)}' is taken; every neuron needs its own`;
    if (!isRole(attributes.role)) return `unknown role ${JSON.stringify(attributes.role)}; expected one of ${ROLES.join(", ")}`;
    labels.add(labelOf(name));
    roles.set(keyOf(name), attributes.role);
  }
  const seen = new Set<string>();
  for (const [pre, post, { polarity }] of synapses) {
    const [from, to] = [keyOf(pre), keyOf(post)];
    for (const [key, name] of [[from, pre], [to, post]] as const)
      if (!roles.has(key) && !circuit.neurons.has(key)) return `there is no neuron '${labelOf(name)}'`;
    const title = `the synapse '${labelOf(pre)}' → '${labelOf(post)}'`;
    if ((roles.get(to) ?? circuit.neurons.get(to)?.role) === "sensory")
      return `'${labelOf(post)}' is sensory and receives no synapses; sensory neurons are inputs`;
    const pair = JSON.stringify([from, to]);
    if (circuit.synapse(pre, post) || seen.has(pair)) return `${title} exists already`;
    if (polarity !== 1 && polarity !== -1) return `${title} needs polarity 1 or -1, got ${JSON.stringify(polarity)}`;
    seen.add(pair);
  }
  return null;
}

function ofRemove(circuit: Circuit, { neurons = [], synapses = [] }: Remove): string | null {
  for (const name of neurons) if (!circuit.find(name)) return `there is no neuron '${labelOf(name)}'`;
  for (const [pre, post] of synapses)
    if (!circuit.synapse(pre, post)) return `there is no synapse '${labelOf(pre)}' → '${labelOf(post)}'`;
  return null;
}

function ofAssign(circuit: Circuit, { neurons = [], synapses = [] }: Assign): string | null {
  for (const [name, attribute, value] of neurons) {
    const neuron = circuit.find(name);
    if (!neuron) return `there is no neuron '${labelOf(name)}'`;
    if (attribute !== "role") continue;
    if (!isRole(value)) return `unknown role ${JSON.stringify(value)}; expected one of ${ROLES.join(", ")}`;
    if (value === "sensory" && neuron.in.size)
      return `'${neuron.label}' receives ${neuron.in.size} synapses, so it cannot become sensory; sensory neurons are inputs`;
  }
  for (const [pre, post, attribute, value] of synapses) {
    if (!circuit.synapse(pre, post)) return `there is no synapse '${labelOf(pre)}' → '${labelOf(post)}'`;
    if (attribute === "polarity" && value !== 1 && value !== -1)
      return `the polarity of '${labelOf(pre)}' → '${labelOf(post)}' must be 1 or -1, got ${JSON.stringify(value)}`;
  }
  return null;
}

function ofRename(circuit: Circuit, { names }: Rename): string | null {
  const fresh = new Map(names.map(([old, name]) => [keyOf(old), name]));
  for (const [old, name] of names) {
    if (!circuit.find(old)) return `there is no neuron '${labelOf(old)}'`;
    if (labelOf(name) === "") return "a neuron needs a name that is not empty";
  }
  const labels = new Set<string>();
  for (const neuron of circuit.neurons.values()) {
    const label = labelOf(fresh.get(neuron.key) ?? neuron.name);
    if (labels.has(label)) return `cannot rename: the name '${label}' is taken or given twice`;
    labels.add(label);
  }
  return null;
}
