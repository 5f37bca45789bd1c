// Bows of synapses, so that none runs behind a neuron that is not its own and reads as two that do not exist.
// Python's pictures lead such lines through the gaps between neurons; here places change at every moment, and
// another bow is found at once.

import { type Circuit, ELECTRICAL, type Neuron, type Synapse } from "../model/circuit";
import { RADIUS, at, curve, trace } from "./curves";

const FEW = 800; // synapses; among more of them no line can be followed anyway
const CLEAR = RADIUS * 1.36; // from a neuron's centre, corners and all
const STEP = RADIUS * 0.6; // between the points of a curve that are looked at
const CELL = 64;
/** Tried in turn, in bows of a plain curve. The other side comes late: the way back may be there. */
const BOWS = [1, 0.35, 1.8, 2.7, -1.4, -2.3, 3.7, -3.3, 5, -4.6];

const known = new WeakMap<Circuit, { version: number; read: number; neurons: number }>();

/** Bring the bows of a circuit up to date; those that change are in its history. */
export function findWays(circuit: Circuit): void {
  const last = known.get(circuit);
  if (last?.version === circuit.version) return;
  const news = last ? circuit.history.slice(last.read) : [];
  const moved = !last || last.neurons !== circuit.neurons.size || news.some((item) => item.kind === "neuron");
  if (circuit.size <= FEW) {
    const near = cellsOf(circuit);
    const all = moved ? circuit.synapses() : news.filter((item): item is Synapse => item.kind === "synapse");
    for (const synapse of all) {
      const bow = synapse.polarity === ELECTRICAL || synapse.pre === synapse.post ? 1 : bowOf(synapse, near);
      if (bow === synapse.bow) continue;
      synapse.bow = bow;
      circuit.history.push(synapse);
    }
  }
  known.set(circuit, { version: circuit.version, read: circuit.history.length, neurons: circuit.neurons.size });
}

/** The first bow that is free, or the one that enters the fewest neurons. */
function bowOf(synapse: Synapse, near: Map<number, Neuron[]>): number {
  let best = 1;
  let least = Infinity;
  for (const bow of BOWS) {
    const hit = entered(synapse, bow, near).size;
    if (hit < least) [best, least] = [bow, hit];
    if (!hit) break;
  }
  return best;
}

/** The neurons, but for its own, that a synapse with some bow enters. */
export function entered({ pre, post }: Synapse, bow: number, near: Map<number, Neuron[]>): Set<Neuron> {
  const found = new Set<Neuron>();
  trace(pre, post, false, bow);
  const length = Math.hypot(curve.cx - curve.ax, curve.cy - curve.ay) + Math.hypot(curve.bx - curve.cx, curve.by - curve.cy);
  const steps = Math.max(4, Math.ceil(length / STEP));
  for (let k = 0; k <= steps; k++) {
    const [x, y] = at(k / steps);
    for (const neuron of near.get(cell(x, y)) ?? [])
      if (neuron !== pre && neuron !== post && Math.hypot(neuron.x - x, neuron.y - y) < CLEAR) found.add(neuron);
  }
  return found;
}

const cell = (x: number, y: number): number => Math.floor(x / CELL) * 1_000_003 + Math.floor(y / CELL);

/** For each cell, the neurons that reach into it. */
export function cellsOf(circuit: Circuit): Map<number, Neuron[]> {
  const cells = new Map<number, Neuron[]>();
  for (const neuron of circuit.neurons.values()) {
    const keys = new Set([-CLEAR, CLEAR].flatMap((dx) => [-CLEAR, CLEAR].map((dy) => cell(neuron.x + dx, neuron.y + dy))));
    for (const key of keys) cells.set(key, [...(cells.get(key) ?? []), neuron]);
  }
  return cells;
}
