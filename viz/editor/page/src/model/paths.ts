// Walks along synapses: what lies within n synapses of neurons, and the shortest ways from one to another.

import type { Circuit, Item, Neuron } from "./circuit";

/** Neurons within `hops` synapses of the start, and the synapses on the way. */
export function neighbourhood(start: Iterable<Neuron>, direction: "in" | "out" | "both", hops: number): Set<Item> {
  let edge = new Set(start);
  const found = new Set<Item>(edge);
  for (let k = 0; k < hops; k++) {
    const next = new Set<Neuron>();
    for (const neuron of edge) {
      if (direction !== "in") for (const s of neuron.out.values()) { found.add(s); if (!found.has(s.post)) next.add(s.post); }
      if (direction !== "out") for (const s of neuron.in.values()) { found.add(s); if (!found.has(s.pre)) next.add(s.pre); }
    }
    for (const neuron of next) found.add(neuron);
    edge = next;
  }
  return found;
}

/** All shortest paths from a to b, neurons and synapses; null if there is none. */
export function shortestPaths(a: Neuron, b: Neuron): Set<Item> | null {
  const depth = new Map<Neuron, number>([[a, 0]]);
  let edge = [a];
  for (let k = 1; edge.length && !depth.has(b); k++) {
    const next: Neuron[] = [];
    for (const neuron of edge) for (const { post } of neuron.out.values()) if (!depth.has(post)) { depth.set(post, k); next.push(post); }
    edge = next;
  }
  if (!depth.has(b)) return null;
  const found = new Set<Item>([b]);
  const back = [b];
  for (let neuron = back.pop(); neuron; neuron = back.pop())
    for (const s of neuron.in.values())
      if (depth.get(s.pre) === depth.get(neuron)! - 1) {
        found.add(s);
        if (!found.has(s.pre)) { found.add(s.pre); back.push(s.pre); }
      }
  return found;
}

/** The neuron that a key press to the right, left, down or up goes to: near, and in that direction. */
export function towards(circuit: Circuit, from: Neuron, dx: number, dy: number): Neuron | null {
  let best: Neuron | null = null;
  let least = Infinity;
  for (const n of circuit.neurons.values()) {
    if (n === from) continue;
    const along = (n.x - from.x) * dx + (n.y - from.y) * dy;
    const aside = Math.abs((n.x - from.x) * dy) + Math.abs((n.y - from.y) * dx);
    if (along <= 0.5 || aside > along * 2.2) continue;
    const cost = along + aside * 1.8;
    if (cost < least) [best, least] = [n, cost];
  }
  return best;
}
