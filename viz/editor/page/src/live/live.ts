// The network that runs while one edits: its states, inputs and outputs over time, what is wrong, what it
// costs, and what would be without a neuron.

import type { Editor } from "../editor";
import { type Circuit, type Item, type Name, type Neuron, type Synapse, keyOf } from "../model/circuit";
import type { Facts, Heard, Network, Problem, Projection, Signal } from "../link/messages";
import type { News } from "../link/session";
import type { Look } from "../render/scene";

const KEPT = 400; // steps that a strip chart shows

/** The last values of one thing, a ring. */
export class Trace {
  readonly values = new Float32Array(KEPT).fill(NaN);
  private next = 0;
  count = 0;

  push(value: number | null | undefined): void {
    this.values[this.next] = value ?? NaN;
    this.next = (this.next + 1) % KEPT;
    this.count = Math.min(KEPT, this.count + 1);
  }

  /** The k-th oldest that is kept. */
  at(k: number): number {
    return this.values[(this.next - this.count + k + 2 * KEPT) % KEPT]!;
  }

  get last(): number {
    return this.at(this.count - 1);
  }
}

export type Shown = "roles" | "states" | "time constants" | "saliency";

export class Live {
  on = false;
  playing = false;
  speed = 20;
  step = 0;
  ran = -1; // revision of the circuit that the last frame is of
  error: string | null = null;
  network: Network | null = null;
  facts: Facts = {};
  order: Name[] = [];
  problemList: Problem[] = [];
  projections: Projection[] = [];
  signals = new Map<string, Signal>();
  ranking: [Name, number][] = [];
  training: (Heard & { type: "training" }) | null = null;
  whatIf: (Heard & { type: "what-if" }) | null = null;
  silenced: ReadonlySet<Item> = new Set();
  states: ReadonlyMap<Neuron, number> | null = null;
  problems: ReadonlyMap<Item, string> = new Map();
  /** What is drawn over time, by neuron. */
  readonly traces = new Map<string, Trace>();
  charted = new Set<string>();
  shown: Shown = "states"; // what neurons are coloured by
  private saliency: [Name, number | null][] = [];
  private asking = false; // for saliency; training makes new networks faster than that is found
  weights = true; // strengths shown on synapses
  private readonly weightOf = new Map<string, number>();
  private strength: ((s: Synapse) => number) | null = null;
  private own: { circuit: Circuit; version: number; most: number; strength: ((s: Synapse) => number) | null } | null = null;
  private looks: [base: Look, made: Look] | null = null;

  private readonly watchers = new Set<() => void>();

  constructor(private readonly editor: Editor) {}

  /** Be told of every frame. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  tick(): void {
    for (const watcher of [...this.watchers]) watcher();
  }

  hear(news: News): void {
    switch (news.type) {
      case "live":
        [this.on, this.playing, this.speed, this.error] = [news.on, news.playing, news.speed, news.error];
        if (!news.on) this.states = null;
        break;
      case "network": this.compile(news); break;
      case "frame": this.take(news); break;
      case "signals": this.signals = new Map(news.signals.map(([name, signal]) => [keyOf(name), signal])); break;
      case "facts":
        [this.facts, this.order, this.problemList, this.projections] = [news.facts, news.order, news.problems, news.projections];
        this.place();
        break;
      case "what-if": if (this.silenced.size) this.whatIf = news; break;
      case "ranking": this.ranking = news.effects; break;
      case "saliency":
        this.saliency = news.values;
        this.asking = false;
        this.colour();
        break;
      case "training": this.training = news; break;
      case "snapshot": case "diff": this.place(); break;
      default:
    }
  }

  /** The look with trained strengths as widths. */
  look(base: Look): Look {
    const strength = this.strength ?? this.ofCircuit();
    if (!this.weights || !strength || base.strength) return base;
    if (this.looks?.[0] !== base || this.looks[1].strength !== strength) this.looks = [base, { ...base, strength }];
    return this.looks[1];
  }

  /** Without a network: the attribute `weight`, as `gl.circuit_of(rnn)` and connectomes have it. */
  private ofCircuit(): ((s: Synapse) => number) | null {
    const { circuit } = this.editor;
    if (this.own?.version !== circuit.version || this.own.circuit !== circuit) {
      let most = 0;
      for (const { attributes: { weight } } of circuit.synapses()) if (typeof weight === "number") most = Math.max(most, Math.abs(weight));
      const strength = most ? (s: Synapse): number => Math.abs(typeof s.attributes.weight === "number" ? s.attributes.weight : 0) / most : null;
      // The same strengths are the same look: an edit elsewhere draws nothing anew.
      this.own = { circuit, version: circuit.version, most, strength: this.own?.most === most && this.own.circuit === circuit ? this.own.strength : strength };
    }
    return this.own.strength;
  }

  get editable(): boolean {
    return this.editor.session.python;
  }

  setWeights(on: boolean): void {
    this.weights = on;
    this.editor.set({});
    this.editor.tell();
  }

  /** Colour neurons by something else. */
  show(shown: Shown): void {
    this.shown = shown;
    this.asking = false;
    this.follow();
    this.colour();
    this.editor.draw();
    this.editor.tell();
  }

  chart(neuron: Neuron, on: boolean): void {
    if (on) this.charted.add(neuron.key);
    else this.charted.delete(neuron.key);
    this.editor.tell();
  }

  /** Ask for the outputs without what is given; nothing: as it is. */
  without(items: Iterable<Item>): void {
    this.silenced = new Set(items);
    this.whatIf = null;
    if (this.silenced.size) {
      const all = [...this.silenced];
      this.editor.session.ask({
        type: "what-if",
        neurons: all.flatMap((i) => (i.kind === "neuron" ? [i.name] : [])),
        synapses: all.flatMap((i): [Name, Name][] => (i.kind === "synapse" ? [[i.pre.name, i.post.name]] : [])),
      });
    }
    this.editor.draw();
    this.editor.tell();
  }

  /** The signed strength that a synapse has in the network, if it has one. */
  strengthOf(s: Synapse): number | null {
    return this.weightOf.get(`${s.pre.key}\n${s.post.key}`) ?? null;
  }

  private compile(network: Network): void {
    this.network = network;
    let most = 0;
    this.weightOf.clear();
    for (const [pre, post, weight] of network.synapses) {
      this.weightOf.set(`${keyOf(pre)}\n${keyOf(post)}`, weight);
      most = Math.max(most, Math.abs(weight));
    }
    this.strength = most ? (s) => Math.abs(this.strengthOf(s) ?? 0) / most : null;
    this.follow();
    this.colour();
    for (const name of network.outputs.slice(0, 4)) if (this.charted.size < 4) this.charted.add(keyOf(name));
  }

  private take(frame: Heard & { type: "frame" }): void {
    this.step = frame.step;
    this.ran = frame.revision;
    if (!this.network) return;
    const push = (name: Name, value: number | null | undefined): void => {
      const key = keyOf(name);
      let trace = this.traces.get(key);
      if (!trace) this.traces.set(key, (trace = new Trace()));
      trace.push(value);
    };
    this.network.sensors.forEach((name, k) => push(name, frame.inputs[k]));
    this.network.neurons.forEach((name, k) => push(name, frame.states[k]));
    if (this.shown === "states") this.colour();
  }

  /** What is shown on neurons may be of a network that is no more. */
  private follow(): void {
    if (this.shown !== "saliency" || this.asking) return;
    this.asking = true;
    this.editor.session.ask({ type: "saliency" });
  }

  /** From -1 to 1 what each neuron is coloured by; nothing where nothing is to be seen. */
  private colour(): void {
    const { network, editor: { circuit } } = this;
    const values = new Map<Neuron, number>();
    const put = (name: Name, value: number | null | undefined): void => {
      const neuron = circuit.find(name);
      if (neuron && value !== null && value !== undefined && Number.isFinite(value)) values.set(neuron, value);
    };
    if (!network || this.shown === "roles") this.states = null;
    else {
      if (this.shown === "states") for (const name of [...network.sensors, ...network.neurons]) put(name, this.traces.get(keyOf(name))?.last);
      else if (this.shown === "time constants") network.neurons.forEach((name, k) => put(name, network.time_constants?.[k]));
      else {
        // Sensors and states have units of their own.
        const sensors = new Set(network.sensors.map(keyOf));
        for (const part of [true, false]) {
          const some = this.saliency.filter(([name]) => sensors.has(keyOf(name)) === part);
          const most = Math.max(...some.map(([, value]) => value ?? 0)) || 1;
          for (const [name, value] of some) put(name, value === null ? null : value / most);
        }
      }
      if (this.shown === "time constants") spread(values);
      this.states = [...values.values()].some((v) => v !== 0) ? values : null;
    }
  }

  /** Problems at the neurons and synapses that are at fault. */
  private place(): void {
    const { circuit } = this.editor;
    const found = new Map<Item, string>();
    for (const { neuron, synapse, message, severity } of this.problemList) {
      if (severity !== "error" && this.problemList.length > 300) continue;
      const item = neuron !== null ? circuit.find(neuron) : synapse ? circuit.synapse(...synapse) : undefined;
      if (item) found.set(item, found.has(item) ? `${found.get(item)}\n${message}` : message);
    }
    this.problems = found;
  }
}

/** Bring values above zero, which may lie some orders of magnitude apart, between 0 and 1. */
function spread(values: Map<Neuron, number>): void {
  const logs = [...values.values()].map(Math.log);
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  for (const [neuron, value] of values) values.set(neuron, high > low ? (Math.log(value) - low) / (high - low) : 1);
}
