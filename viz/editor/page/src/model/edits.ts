// Edits as values: the vocabulary that the page shares with Python. Four kinds are primitive and are applied
// here; the others (connect, projection, generate) are drawn by Python and come back as primitives.

import { type Attributes, type Circuit, type Json, type Name, type Neuron, type Synapse, keyOf } from "./circuit";

export type NeuronEntry = [Name, string, Json] | [Name, string];
export type SynapseEntry = [Name, Name, string, Json] | [Name, Name, string];
export type CircuitEntry = [string, Json] | [string];

export interface Add {
  kind: "add";
  neurons?: [Name, Attributes][];
  synapses?: [Name, Name, Attributes][];
  places?: number[];
  ranks?: [number, number][];
}
export interface Remove {
  kind: "remove";
  neurons?: Name[];
  synapses?: [Name, Name][];
}
export interface Assign {
  kind: "set";
  neurons?: NeuronEntry[];
  synapses?: SynapseEntry[];
  circuit?: CircuitEntry[];
}
export interface Rename {
  kind: "rename";
  names: [Name, Name][];
}
export type Primitive = Add | Remove | Assign | Rename;

export type Population = string | Name[];
export interface Rule {
  pre: Population;
  post: Population;
  rule: string;
  indegree?: number;
  outdegree?: number;
  p?: number;
  total?: number;
  self_synapses?: boolean;
  inhibitory?: number;
  skip_existing?: boolean;
  seed?: number;
}
export type Drawn =
  | ({ kind: "connect"; projection?: string } & Rule)
  | ({ kind: "projection"; name: string; remove?: boolean } & Partial<Rule>)
  | { kind: "generate"; generator: string; arguments: Attributes; prefix?: string; replace?: boolean; x?: number; y?: number };
export interface Batch {
  kind: "batch";
  edits: Edit[];
  label?: string;
}
export type Edit = Primitive | Drawn | Batch;

/** The primitives of an edit, or null if Python must draw some of it. */
export function primitives(edit: Edit): Primitive[] | null {
  if (edit.kind === "batch") {
    const parts = edit.edits.map(primitives);
    return parts.some((part) => part === null) ? null : (parts as Primitive[][]).flat();
  }
  return edit.kind === "connect" || edit.kind === "projection" || edit.kind === "generate" ? null : [edit];
}

/** Apply primitives in order; returns those that undo them, in the order to apply. */
export function apply(circuit: Circuit, changes: Primitive[]): Primitive[] {
  return changes.map((change) => applyOne(circuit, change)).reverse();
}

function applyOne(circuit: Circuit, change: Primitive): Primitive {
  switch (change.kind) {
    case "add": return add(circuit, change);
    case "remove": return remove(circuit, change);
    case "set": return assign(circuit, change);
    case "rename":
      circuit.rename(change.names);
      return { kind: "rename", names: change.names.map(([old, name]) => [name, old]) };
  }
}

function add(circuit: Circuit, { neurons = [], synapses = [], places, ranks }: Add): Remove {
  for (const k of inOrder(neurons.length, places))
    circuit.addNeuron(...neurons[k]!, places?.[k]);
  for (const k of inOrder(synapses.length, ranks?.map(([rank]) => rank))) {
    const [pre, post, attributes] = synapses[k]!;
    circuit.addSynapse(neuronOf(circuit, pre), neuronOf(circuit, post), attributes, ranks?.[k]?.[0]);
  }
  const fresh = new Set(neurons.map(([name]) => keyOf(name)));
  const between = synapses.filter(([pre, post]) => !fresh.has(keyOf(pre)) && !fresh.has(keyOf(post)));
  return {
    kind: "remove",
    ...(neurons.length && { neurons: neurons.map(([name]) => name) }),
    ...(between.length && { synapses: between.map(([pre, post]): [Name, Name] => [pre, post]) }),
  };
}

function remove(circuit: Circuit, { neurons = [], synapses = [] }: Remove): Add {
  const gone = neurons.map((name) => neuronOf(circuit, name));
  const cut = new Set(synapses.map(([pre, post]) => synapseOf(circuit, pre, post)));
  for (const neuron of gone) for (const s of [...neuron.out.values(), ...neuron.in.values()]) cut.add(s);
  const placeOf = new Map([...circuit.neurons.keys()].map((key, k) => [key, k]));
  const ordered = [...cut].sort((a, b) => placeOf.get(a.pre.key)! - placeOf.get(b.pre.key)!);
  const inverse: Add = {
    kind: "add",
    ...(gone.length && {
      neurons: gone.map((n): [Name, Attributes] => [n.name, { ...n.attributes }]),
      places: gone.map((n) => placeOf.get(n.key)!),
    }),
    ...(ordered.length && {
      synapses: ordered.map((s): [Name, Name, Attributes] => [s.pre.name, s.post.name, { ...s.attributes }]),
      ranks: ordered.map((s): [number, number] => [rankOf(s.pre.out, s), rankOf(s.post.in, s)]),
    }),
  };
  for (const synapse of cut) circuit.removeSynapse(synapse);
  for (const neuron of gone) circuit.removeNeuron(neuron);
  return inverse;
}

function assign(circuit: Circuit, { neurons = [], synapses = [], circuit: own = [] }: Assign): Assign {
  const before: Required<Assign> = { kind: "set", neurons: [], synapses: [], circuit: [] };
  for (const [name, attribute, value] of neurons) {
    const neuron = neuronOf(circuit, name);
    const old = neuron.attributes[attribute];
    before.neurons.unshift(old === undefined ? [name, attribute] : [name, attribute, old]);
    circuit.set(neuron, attribute, value);
  }
  for (const [pre, post, attribute, value] of synapses) {
    const synapse = synapseOf(circuit, pre, post);
    const old = synapse.attributes[attribute];
    before.synapses.unshift(old === undefined ? [pre, post, attribute] : [pre, post, attribute, old]);
    circuit.set(synapse, attribute, value);
  }
  for (const [attribute, value] of own) {
    const old = circuit.graph[attribute];
    before.circuit.unshift(old === undefined ? [attribute] : [attribute, old]);
    circuit.setOwn(attribute, value);
  }
  return before;
}

export function neuronOf(circuit: Circuit, name: Name): Neuron {
  const found = circuit.find(name);
  if (!found) throw new Error(`there is no neuron ${JSON.stringify(name)}`);
  return found;
}

export function synapseOf(circuit: Circuit, pre: Name, post: Name): Synapse {
  const found = circuit.synapse(pre, post);
  if (!found) throw new Error(`there is no synapse ${JSON.stringify(pre)} -> ${JSON.stringify(post)}`);
  return found;
}

/** 0 .. count - 1, or the order in which insertions end at their places: the smallest place first. */
function inOrder(count: number, places?: number[]): number[] {
  const order = Array.from({ length: count }, (_, k) => k);
  return places ? order.sort((a, b) => places[a]! - places[b]!) : order;
}

function rankOf(map: Map<string, Synapse>, synapse: Synapse): number {
  let rank = 0;
  for (const other of map.values()) {
    if (other === synapse) return rank;
    rank++;
  }
  return rank;
}
