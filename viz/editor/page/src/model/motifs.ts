// Small circuits that are drawn often, as edits: neurons around a point, and their synapses.

import type { Attributes, Name, Role } from "./circuit";
import type { Add } from "./edits";
import tapJson from "./tap.json";

export interface Motif {
  id: string;
  title: string;
  what: string;
  neurons: [name: string, role: Role, x: number, y: number][]; // in steps between neighbours
  synapses: [pre: number, post: number, polarity: 1 | -1, attributes?: Attributes][];
}

const ringOf = (count: number, role: Role): Motif["neurons"] =>
  Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count - Math.PI / 2;
    return [role, role, Math.cos(angle) * 1.3, Math.sin(angle) * 1.3];
  });

const tap = tapJson as unknown as { neurons: [string, { role: string }][]; synapses: [string, string, Attributes & { polarity: number }][] };
const TAP_PLACES: Record<string, [x: number, y: number]> = {
  PLM: [-2.7, -1.5], AVM: [-2.7, -0.5], ALM: [-2.7, 0.5], PVD: [-2.7, 1.5], PVC: [-0.9, -1.1], DVA: [-0.9, 0.1], AVD: [-0.9, 1.2],
  AVB: [1, -0.8], AVA: [1, 0.9], FWD: [2.6, -0.8], REV: [2.6, 0.9],
};

export const MOTIFS: Motif[] = [
  {
    id: "reciprocal", title: "Reciprocal inhibition", what: "two neurons that silence each other",
    neurons: [["inter", "inter", -0.9, 0], ["inter", "inter", 0.9, 0]],
    synapses: [[0, 1, -1], [1, 0, -1]],
  },
  {
    id: "half-centre", title: "Half-centre oscillator", what: "reciprocal inhibition with self-excitation and a common drive",
    neurons: [["command", "command", 0, -1.2], ["inter", "inter", -0.9, 0.3], ["inter", "inter", 0.9, 0.3]],
    synapses: [[0, 1, 1], [0, 2, 1], [1, 2, -1], [2, 1, -1], [1, 1, 1], [2, 2, 1]],
  },
  {
    id: "winner-take-all", title: "Winner-take-all", what: "three neurons and one that inhibits them all",
    neurons: [["inter", "inter", -1.3, 0], ["inter", "inter", 0, 0], ["inter", "inter", 1.3, 0], ["inter", "inter", 0, 1.4]],
    synapses: [[0, 3, 1], [1, 3, 1], [2, 3, 1], [3, 0, -1], [3, 1, -1], [3, 2, -1], [0, 0, 1], [1, 1, 1], [2, 2, 1]],
  },
  {
    id: "ring", title: "Ring", what: "six neurons, each exciting the next",
    neurons: ringOf(6, "inter"),
    synapses: Array.from({ length: 6 }, (_, k): [number, number, 1] => [k, (k + 1) % 6, 1]),
  },
  {
    id: "feed-forward", title: "Feed-forward inhibition", what: "an input excites a neuron and, through another, inhibits it",
    neurons: [["inter", "inter", -1.2, 0], ["inter", "inter", 0, -1], ["inter", "inter", 1.2, 0]],
    synapses: [[0, 2, 1], [0, 1, 1], [1, 2, -1]],
  },
  {
    // The same as `gl.connectomes.tap_withdrawal()`, which a test of Python compares.
    id: "tap", title: "Tap withdrawal", what: "C. elegans: touch neurons, command neurons, forward and backward",
    neurons: tap.neurons.map(([name, { role }]) => [name, role as Role, ...TAP_PLACES[name]!]),
    synapses: tap.synapses.map(([pre, post, attributes]) => [
      tap.neurons.findIndex(([name]) => name === pre), tap.neurons.findIndex(([name]) => name === post), attributes.polarity > 0 ? 1 : -1, attributes,
    ]),
  },
];

/** The edit that draws a motif around a point. */
export function motifEdit(motif: Motif, x: number, y: number, step: number, free: (role: string, taken: ReadonlySet<string>) => string, isFree: (name: string) => boolean): Add {
  const taken = new Set<string>();
  const names = motif.neurons.map(([name, role]) => {
    const chosen = name !== role && isFree(name) && !taken.has(name) ? name : free(name, taken);
    taken.add(chosen);
    return chosen;
  });
  return {
    kind: "add",
    neurons: motif.neurons.map(([, role, dx, dy], k): [Name, Attributes] => [names[k]!, { role, x: Math.round(x + dx * step), y: Math.round(y + dy * step) }]),
    synapses: motif.synapses.map(([pre, post, polarity, attributes]): [Name, Name, Attributes] => [names[pre]!, names[post]!, { ...attributes, polarity }]),
  };
}
