// Random circuits and edits from a seed, for tests of properties.

import { Circuit, type Attributes, type Name, ROLES } from "../src/model/circuit";
import type { Primitive } from "../src/model/edits";

export type Random = () => number;

export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pick = <T>(r: Random, list: readonly T[]): T => list[Math.floor(r() * list.length)]!;

export function circuitOf(r: Random, neurons: number, synapses: number): Circuit {
  const circuit = new Circuit();
  for (let k = 0; k < neurons; k++) {
    const name: Name = r() < 0.1 ? k : r() < 0.1 ? ["pair", k] : `n${k}`;
    circuit.addNeuron(name, { role: pick(r, ROLES), x: Math.round(r() * 800), y: Math.round(r() * 500), ...(r() < 0.3 && { note: `note ${k}` }) });
  }
  const all = [...circuit.neurons.values()];
  for (let tries = 0; tries < synapses * 20 && circuit.size < synapses; tries++) {
    const [pre, post] = [pick(r, all), pick(r, all)];
    if (post.role !== "sensory" && !pre.out.has(post.key)) circuit.addSynapse(pre, post, { polarity: r() < 0.6 ? 1 : -1 });
  }
  circuit.fresh.clear();
  return circuit;
}

let made = 0;

/** Some change of a circuit, mostly legal. */
export function changeOf(r: Random, circuit: Circuit): Primitive {
  const all = [...circuit.neurons.values()];
  const synapses = [...circuit.synapses()];
  const name = (): Name => (all.length ? pick(r, all).name : "nobody");
  switch (Math.floor(r() * 7)) {
    case 0: return { kind: "add", neurons: [[`new${made++}`, { role: pick(r, ROLES), x: 1, y: 2 }]] };
    case 1: return { kind: "add", synapses: [[name(), name(), { polarity: r() < 0.5 ? 1 : -1, weight: r() }]] };
    case 2: return { kind: "remove", neurons: [...new Set([name(), name()].map((n) => JSON.stringify(n)))].slice(0, 2).map((n) => JSON.parse(n) as Name) };
    case 3: return { kind: "remove", synapses: synapses.length ? [pick(r, synapses)].map((s): [Name, Name] => [s.pre.name, s.post.name]) : [] };
    case 4: return { kind: "rename", names: [[name(), r() < 0.5 ? `renamed${made++}` : name()]] };
    case 5: return { kind: "set", neurons: [[name(), pick(r, ["x", "role", "note", "group"]), pick<Attributes[string]>(r, [3, "inter", "motor", "sensory", "text"])], [name(), "note"]] };
    default: {
      const s = synapses.length ? pick(r, synapses) : null;
      return { kind: "set", circuit: [["note", r()]], ...(s && { synapses: [[s.pre.name, s.post.name, "polarity", -s.polarity]] }) };
    }
  }
}
