// What lies under a point: neurons and samples of synapses in square cells, never a walk over all synapses.

import type { Circuit, Item, Neuron, Synapse } from "../model/circuit";
import { RADIUS, at, curve, distanceTo, trace } from "./curves";

const CELL = 48;
const MOST = 60_000; // synapses that are looked up; a circuit that large is seen as blocks

const cell = (x: number, y: number): number => (Math.floor(x / CELL) + 32768) * 65536 + Math.floor(y / CELL) + 32768;

/** A table of cells over one version of a circuit. */
export class Grid {
  private neurons = new Map<number, Neuron[]>();
  private synapses: Map<number, Synapse[]> | null = null;

  constructor(private readonly circuit: Circuit) {
    for (const neuron of circuit.neurons.values()) push(this.neurons, cell(neuron.x, neuron.y), neuron);
  }

  /** The neuron within `slack` of the rim, the nearest first. */
  neuronAt(x: number, y: number, slack: number): Neuron | null {
    let best: Neuron | null = null;
    let least = RADIUS * 1.15 + slack;
    this.around(x, y, least, (key) => {
      for (const neuron of this.neurons.get(key) ?? []) {
        const distance = Math.hypot(neuron.x - x, neuron.y - y);
        if (distance < least) [best, least] = [neuron, distance];
      }
    });
    return best;
  }

  /** The synapse within `slack` of the point, the nearest first. */
  synapseAt(x: number, y: number, slack: number, visible: (synapse: Synapse) => boolean): Synapse | null {
    this.synapses ??= this.sampled();
    let best: Synapse | null = null;
    let least = slack;
    const tried = new Set<Synapse>();
    this.around(x, y, slack, (key) => {
      for (const synapse of this.synapses!.get(key) ?? []) {
        if (tried.has(synapse) || !visible(synapse)) continue;
        tried.add(synapse);
        trace(synapse.pre, synapse.post);
        const distance = distanceTo(x, y);
        if (distance < least) [best, least] = [synapse, distance];
      }
    });
    return best;
  }

  itemAt(x: number, y: number, slack: number, visible: (item: Item) => boolean): Item | null {
    const neuron = this.neuronAt(x, y, slack / 2);
    if (neuron && visible(neuron)) return neuron;
    return this.synapseAt(x, y, slack, visible);
  }

  private around(x: number, y: number, reach: number, visit: (key: number) => void): void {
    for (let cx = Math.floor((x - reach) / CELL); cx <= Math.floor((x + reach) / CELL); cx++)
      for (let cy = Math.floor((y - reach) / CELL); cy <= Math.floor((y + reach) / CELL); cy++)
        visit((cx + 32768) * 65536 + cy + 32768);
  }

  private sampled(): Map<number, Synapse[]> {
    const cells = new Map<number, Synapse[]>();
    if (this.circuit.size > MOST) return cells;
    for (const synapse of this.circuit.synapses()) {
      trace(synapse.pre, synapse.post);
      const length = curve.loop ? RADIUS * 8 : Math.hypot(curve.bx - curve.ax, curve.by - curve.ay);
      const steps = Math.max(2, Math.ceil((length * 1.1) / (CELL * 0.7)));
      let last = NaN;
      for (let k = 0; k <= steps; k++) {
        const [x, y] = at(k / steps);
        const key = cell(x, y);
        if (key !== last) push(cells, key, synapse);
        last = key;
      }
    }
    return cells;
  }
}

function push<V>(map: Map<number, V[]>, key: number, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
