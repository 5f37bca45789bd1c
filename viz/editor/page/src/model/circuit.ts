// The circuit as the page holds it: neurons by name, each with its outgoing and incoming synapses, in the
// order of the networkx graph. It takes whatever Python has, unsound circuits too: what is wrong with one is
// said by `check` and must be seen to be mended. Whether an edit is legal is asked in `legal.ts`.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Attributes = { [key: string]: Json };

export const ROLES = ["sensory", "inter", "command", "motor"] as const;
export type Role = (typeof ROLES)[number];
export const isRole = (value: unknown): value is Role => ROLES.includes(value as Role);

/** A name as JSON has it: networkx allows numbers and tuples (lists, in JSON) beside texts. */
export type Name = string | number | Name[];

/** What maps are keyed by: a text is itself; 1 and "1" are two names. */
export const keyOf = (name: Name): string => (typeof name === "string" ? name : `\0${JSON.stringify(name)}`);

/** How people read a name. */
export function labelOf(name: Name): string {
  return Array.isArray(name) ? `(${name.map(labelOf).join(", ")})` : String(name);
}

export interface Neuron {
  readonly kind: "neuron";
  key: string;
  name: Name;
  label: string;
  attributes: Attributes;
  /** Attributes in the form that drawing wants; `Circuit.set` keeps them true. */
  role: string;
  x: number;
  y: number;
  placed: boolean; // whether the circuit holds its position; else the page has laid it out
  out: Map<string, Synapse>;
  in: Map<string, Synapse>;
}

export interface Synapse {
  readonly kind: "synapse";
  pre: Neuron;
  post: Neuron;
  polarity: number; // 1, -1, or ELECTRICAL; 0 if the circuit has none that is legal
  gap: boolean; // whether an electrical synapse lies beside a chemical one
  bow: number; // how far its line bows, in plain bows; see `render/ways.ts`
  attributes: Attributes;
}

export type Item = Neuron | Synapse;

/** Beside +1 and -1: what has neither sign nor direction. */
export const ELECTRICAL = 2;
export type Polarity = 1 | -1 | typeof ELECTRICAL;

/** How a synapse acts, in a word. */
export const wordOf = (polarity: number): string =>
  polarity === ELECTRICAL ? "electrical" : polarity > 0 ? "excitatory" : polarity < 0 ? "inhibitory" : "no polarity";

/** The attributes of a new synapse. The file gives an electrical one the polarity 1, which means nothing. */
export const attributesOf = (polarity: Polarity): Attributes => (polarity === ELECTRICAL ? { polarity: 1, kind: "electrical" } : { polarity });

/** Both neurons, with what stands between them. */
export const titleOf = ({ pre, post, polarity }: Synapse): string => `${pre.label} ${polarity === ELECTRICAL ? "↔" : "→"} ${post.label}`;

/** A circuit file: networkx's node-link JSON, the same that `gl.write(circuit, "c.json")` makes. */
export interface NodeLink {
  format: "ganglion-circuit";
  version: 1;
  directed: true;
  multigraph: false;
  graph: Attributes;
  nodes: ({ id: Name } & Attributes)[];
  edges: ({ source: Name; target: Name } & Attributes)[];
  /** Not of the file: where Python's pictures put the neurons of a circuit without places, in their order. */
  places?: [x: number, y: number][] | null;
}

export class Circuit {
  neurons = new Map<string, Neuron>();
  graph: Attributes = {};
  size = 0; // synapses
  suggested: NodeLink["places"] = null; // places, until neurons have some
  version = 0; // counts every change, so that pictures know when they are old
  /** What changed, and at which version: the renderer draws it on top until its picture of the whole has it. */
  readonly fresh = new Map<Item, number>();
  /** Everything that changed, in order; tables that were made earlier catch up from where they were. */
  readonly history: Item[] = [];

  find(name: Name): Neuron | undefined {
    return this.neurons.get(keyOf(name));
  }

  /** The synapse from one neuron to another; an electrical one is found from both of its ends. */
  between(pre: Neuron, post: Neuron): Synapse | undefined {
    const back = post.out.get(pre.key);
    return pre.out.get(post.key) ?? (back?.polarity === ELECTRICAL ? back : undefined);
  }

  synapse(pre: Name, post: Name): Synapse | undefined {
    return this.find(pre)?.out.get(keyOf(post));
  }

  *synapses(): Generator<Synapse> {
    for (const neuron of this.neurons.values()) yield* neuron.out.values();
  }

  /** Add a neuron, at `place` in the order of neurons if given. */
  addNeuron(name: Name, attributes: Attributes = {}, place?: number): Neuron {
    const neuron: Neuron = {
      kind: "neuron", key: keyOf(name), name, label: labelOf(name), attributes: { ...attributes },
      role: "", x: 0, y: 0, placed: false, out: new Map(), in: new Map(),
    };
    derive(neuron);
    this.neurons = inserted(this.neurons, neuron.key, neuron, place);
    this.touch(neuron);
    return neuron;
  }

  removeNeuron(neuron: Neuron): void {
    for (const synapse of [...neuron.out.values(), ...neuron.in.values()]) this.removeSynapse(synapse);
    this.neurons.delete(neuron.key);
    this.fresh.delete(neuron);
    this.version++;
  }

  /** Add a synapse, at `rank` among those of `pre` if given. */
  addSynapse(pre: Neuron, post: Neuron, attributes: Attributes, rank?: number): Synapse {
    const synapse: Synapse = { kind: "synapse", pre, post, polarity: 0, gap: false, bow: 1, attributes: { ...attributes } };
    derive(synapse);
    pre.out = inserted(pre.out, post.key, synapse, rank);
    post.in.set(pre.key, synapse);
    this.size++;
    this.touch(synapse);
    return synapse;
  }

  removeSynapse(synapse: Synapse): void {
    if (!synapse.pre.out.delete(synapse.post.key)) return; // a self-synapse is met twice
    synapse.post.in.delete(synapse.pre.key);
    this.fresh.delete(synapse);
    this.size--;
    this.version++;
  }

  /** Give an attribute a value, or take it away. */
  set(item: Item, attribute: string, value: Json | undefined): void {
    if (value === undefined) delete item.attributes[attribute];
    else item.attributes[attribute] = value;
    derive(item);
    this.touch(item);
  }

  setOwn(attribute: string, value: Json | undefined): void {
    if (value === undefined) delete this.graph[attribute];
    else this.graph[attribute] = value;
    this.version++;
  }

  /** Give neurons new names, in place: the order of the graph stays. Names may be exchanged. */
  rename(names: [old: Name, fresh: Name][]): void {
    const fresh = new Map(names.map(([old, name]) => [keyOf(old), name]));
    const neurons = [...this.neurons.values()];
    const renamed = neurons.filter((neuron) => fresh.has(neuron.key));
    for (const neuron of renamed) {
      neuron.name = fresh.get(neuron.key)!;
      neuron.key = keyOf(neuron.name);
      neuron.label = labelOf(neuron.name);
    }
    this.neurons = new Map(neurons.map((neuron) => [neuron.key, neuron]));
    const around = new Set(renamed.flatMap((n) => [n, ...pres(n), ...posts(n)]));
    for (const neuron of around) {
      neuron.out = new Map([...neuron.out.values()].map((s) => [s.post.key, s]));
      neuron.in = new Map([...neuron.in.values()].map((s) => [s.pre.key, s]));
    }
    this.touch(...renamed);
  }

  /** Say that something looks different now. */
  touch(...items: Item[]): void {
    this.version++;
    for (const item of items) {
      this.fresh.set(item, this.version);
      this.history.push(item);
    }
  }

  static from(file: NodeLink): Circuit {
    if (file?.format !== "ganglion-circuit" || !Array.isArray(file.nodes) || !Array.isArray(file.edges))
      throw new Error('not a circuit: a circuit file is an object with "format": "ganglion-circuit"');
    if (file.version !== 1) throw new Error(`this page reads version 1 of the format, got ${JSON.stringify(file.version)}`);
    const circuit = new Circuit();
    circuit.graph = { ...file.graph };
    for (const { id, ...attributes } of file.nodes) {
      if (circuit.find(id)) throw new Error(`the file names the neuron '${labelOf(id)}' twice`);
      circuit.addNeuron(id, attributes);
    }
    for (const { source, target, ...attributes } of file.edges) {
      const pre = circuit.find(source);
      const post = circuit.find(target);
      if (!pre || !post) throw new Error(`a synapse names '${labelOf(pre ? target : source)}', which is no neuron of the file`);
      if (pre.out.has(post.key)) throw new Error(`the file has the synapse '${pre.label}' -> '${post.label}' twice`);
      circuit.addSynapse(pre, post, attributes);
    }
    circuit.suggested = file.places;
    circuit.fresh.clear();
    circuit.history.length = 0;
    return circuit;
  }

  json(): NodeLink {
    return {
      format: "ganglion-circuit", version: 1, directed: true, multigraph: false, graph: this.graph,
      nodes: [...this.neurons.values()].map((n) => ({ id: n.name, ...n.attributes })),
      edges: [...this.synapses()].map((s) => ({ source: s.pre.name, target: s.post.name, ...s.attributes })),
    };
  }

  /** The file's text, one neuron or synapse a line. */
  text(): string {
    const { graph, nodes, edges } = this.json();
    const lines = (records: object[]): string => (records.length ? `\n${records.map((r) => JSON.stringify(r)).join(",\n")}\n` : "");
    return (
      '{"format": "ganglion-circuit", "version": 1, "directed": true, "multigraph": false,\n' +
      `"graph": ${JSON.stringify(graph)},\n"nodes": [${lines(nodes)}],\n"edges": [${lines(edges)}]}\n`
    );
  }
}

export const posts = (neuron: Neuron): Neuron[] => [...neuron.out.values()].map((s) => s.post);
export const pres = (neuron: Neuron): Neuron[] => [...neuron.in.values()].map((s) => s.pre);

function derive(item: Item): void {
  const { attributes } = item;
  if (item.kind === "synapse") {
    const electrical = attributes.kind === "electrical";
    item.polarity = electrical ? ELECTRICAL : attributes.polarity === 1 || attributes.polarity === -1 ? attributes.polarity : 0;
    item.gap = !electrical && attributes.gap !== undefined;
    return;
  }
  item.role = isRole(attributes.role) ? attributes.role : "";
  item.placed = Number.isFinite(attributes.x) && Number.isFinite(attributes.y);
  if (item.placed) [item.x, item.y] = [attributes.x as number, attributes.y as number];
}

/** The map with an entry at a place; the map itself, changed, if the place is its end. */
function inserted<V>(map: Map<string, V>, key: string, value: V, place?: number): Map<string, V> {
  if (place === undefined || place >= map.size) return map.set(key, value);
  const entries = [...map];
  entries.splice(place, 0, [key, value]);
  return new Map(entries);
}
