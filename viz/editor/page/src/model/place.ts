// Places for neurons that the circuit gives none: layers by role from left to right, each sorted so that
// neurons stand near what they are connected to. Nothing here is written into the circuit.

import { type Circuit, type Neuron, ROLES } from "./circuit";

export const STEP = 60; // between neighbours
const COLUMN = 18; // neurons above each other before a layer takes another column
const SWEEPS = 6;

/** Where neurons of a list should stand, layer after layer. */
export function layered(neurons: readonly Neuron[]): Map<Neuron, { x: number; y: number }> {
  const layers = [...ROLES, ""].map((role) => neurons.filter((n) => n.role === role)).filter((layer) => layer.length);
  const rank = new Map<Neuron, number>();
  const number = (layer: Neuron[]): void => layer.forEach((n, k) => rank.set(n, (k + 0.5) / layer.length));
  layers.forEach(number);
  // Barycentre sweeps (Sugiyama, Tagawa and Toda, 1981).
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wish = new Map(layer.map((n) => [n, barycentre(n, rank)]));
      layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
      number(layer);
    }
  }
  const found = new Map<Neuron, { x: number; y: number }>();
  let x = 0;
  const tallest = Math.max(...layers.map((layer) => height(layer.length)), 1);
  for (const layer of layers) {
    const rows = height(layer.length);
    const columns = Math.ceil(layer.length / rows);
    const step = rows > 1 ? Math.min((tallest - 1) / (rows - 1), 1.5) * STEP : STEP;
    layer.forEach((neuron, k) => {
      const column = Math.floor(k / rows);
      const inColumn = column === columns - 1 ? layer.length - column * rows : rows;
      found.set(neuron, { x: x + column * STEP * 1.15, y: ((k % rows) - (inColumn - 1) / 2) * step + (column % 2) * step * 0.25 });
    });
    x += columns * STEP * 1.15 + STEP * (1.6 + Math.min(4, tallest / 8));
  }
  return found;
}

/** A layer of many neurons becomes a block, twice as high as wide. */
const height = (count: number): number => (count <= COLUMN ? count : Math.max(COLUMN, Math.ceil(Math.sqrt(count * 2.2))));

function barycentre(neuron: Neuron, rank: ReadonlyMap<Neuron, number>): number {
  let sum = 0;
  let count = 0;
  for (const { pre } of neuron.in.values()) if (pre.role !== neuron.role && rank.has(pre)) { sum += rank.get(pre)!; count++; }
  for (const { post } of neuron.out.values()) if (post.role !== neuron.role && rank.has(post)) { sum += rank.get(post)!; count++; }
  return count ? sum / count : rank.get(neuron)!;
}

/** Lay out what has no place: all, as Python's pictures do if it says how; else beside what is there. */
export function placeMissing(circuit: Circuit): void {
  const { suggested } = circuit;
  circuit.suggested = null;
  if (suggested?.length === circuit.neurons.size && [...circuit.neurons.values()].every((n) => !n.placed)) {
    [...circuit.neurons.values()].forEach((n, k) => {
      [n.x, n.y] = suggested[k]!;
      given.add(n);
    });
    return;
  }
  const missing = [...circuit.neurons.values()].filter((n) => !n.placed && !given.has(n));
  if (!missing.length) return;
  const others = circuit.neurons.size - missing.length;
  const found = layered(missing);
  let dx = 0;
  let dy = 0;
  if (others) {
    let right = -Infinity;
    let top = Infinity;
    for (const n of circuit.neurons.values()) if (!found.has(n)) [right, top] = [Math.max(right, n.x), Math.min(top, n.y)];
    dx = right + 2 * STEP;
    dy = top - Math.min(...[...found.values()].map((p) => p.y));
  }
  for (const [neuron, { x, y }] of found) {
    neuron.x = x + dx;
    neuron.y = y + dy;
    given.add(neuron);
  }
}

/** Neurons that stand where the page has put them. */
const given = new WeakSet<Neuron>();
