// Many neurons as one box: the groups that are folded and, from far away, every group and role. Synapses
// between boxes become pathways, one for each kind, as wide as the logarithm of their number.

import { type Circuit, ELECTRICAL, type Neuron, type Synapse } from "../model/circuit";
import type { Point, Rect } from "./camera";
import { RADIUS } from "./curves";

export interface Block {
  title: string;
  role: string; // of its neurons, if they have one in common
  members: Neuron[];
  rect: Rect;
  x: number; // centre
  y: number;
}

export interface Pathway {
  pre: Point;
  post: Point;
  polarity: number;
  count: number;
}

export interface Folding {
  blocks: Block[];
  of: Map<Neuron, Block>;
  pathways: Pathway[];
}

export const groupOf = (neuron: Neuron): string | null =>
  typeof neuron.attributes.group === "string" && neuron.attributes.group ? neuron.attributes.group : null;

/** Fold the neurons to which `title` gives the name of a box. */
export function fold(circuit: Circuit, title: (neuron: Neuron) => string | null, compact: boolean): Folding {
  const byTitle = new Map<string, Block>();
  const of = new Map<Neuron, Block>();
  for (const neuron of circuit.neurons.values()) {
    const name = title(neuron);
    if (name === null) continue;
    let block = byTitle.get(name);
    if (!block) {
      block = { title: name, role: neuron.role, members: [], rect: { x0: neuron.x, y0: neuron.y, x1: neuron.x, y1: neuron.y }, x: 0, y: 0 };
      byTitle.set(name, block);
    }
    block.members.push(neuron);
    if (block.role !== neuron.role) block.role = "";
    const { rect } = block;
    rect.x0 = Math.min(rect.x0, neuron.x);
    rect.y0 = Math.min(rect.y0, neuron.y);
    rect.x1 = Math.max(rect.x1, neuron.x);
    rect.y1 = Math.max(rect.y1, neuron.y);
    of.set(neuron, block);
  }
  for (const block of byTitle.values()) place(block, compact);
  return { blocks: [...byTitle.values()], of, pathways: pathways(circuit, of) };
}

function place(block: Block, compact: boolean): void {
  const { rect } = block;
  block.x = (rect.x0 + rect.x1) / 2;
  block.y = (rect.y0 + rect.y1) / 2;
  if (compact) {
    // A folded group is a box of its own size in the middle of where its neurons stand.
    const half = RADIUS * (2 + Math.sqrt(block.members.length) * 0.35);
    block.rect = { x0: block.x - half * 1.4, x1: block.x + half * 1.4, y0: block.y - half, y1: block.y + half };
    return;
  }
  const pad = RADIUS * 2;
  block.rect = { x0: rect.x0 - pad, y0: rect.y0 - pad, x1: rect.x1 + pad, y1: rect.y1 + pad };
}

function pathways(circuit: Circuit, of: Map<Neuron, Block>): Pathway[] {
  const found = new Map<Point, Map<Point, Map<number, Pathway>>>();
  const all: Pathway[] = [];
  const count = (pre: Point, post: Point, polarity: number): void => {
    const row = found.get(pre) ?? new Map<Point, Map<number, Pathway>>();
    const kinds = row.get(post) ?? new Map<number, Pathway>();
    found.set(pre, row.set(post, kinds));
    const pathway = kinds.get(polarity) ?? { pre, post, polarity, count: 0 };
    if (pathway.count++ === 0) all.push(pathway);
    kinds.set(polarity, pathway);
  };
  for (const synapse of circuit.synapses()) {
    const pre: Point = of.get(synapse.pre) ?? synapse.pre;
    const post: Point = of.get(synapse.post) ?? synapse.post;
    if (pre === synapse.pre && post === synapse.post) continue;
    if (synapse.polarity !== ELECTRICAL) count(pre, post, synapse.polarity < 0 ? -1 : 1);
    if (synapse.polarity !== ELECTRICAL && !synapse.gap) continue;
    if (found.get(post)?.has(pre)) count(post, pre, ELECTRICAL); // which has no direction
    else count(pre, post, ELECTRICAL);
  }
  return all.sort((a, b) => a.count - b.count);
}

/** Whether a synapse is drawn by itself. */
export const isPlain = (folding: Folding | null, synapse: Synapse): boolean =>
  !folding || !(folding.of.has(synapse.pre) || folding.of.has(synapse.post));
