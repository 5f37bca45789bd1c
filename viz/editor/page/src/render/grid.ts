// What lies under a point: neurons and pieces of synapses in square cells, never a walk over all synapses.

import type { Circuit, Item, Neuron, Synapse } from "../model/circuit";
import { boundsOf } from "./camera";
import { findWays } from "./ways";
import { END, RADIUS, curve, distanceTo, traceOf } from "./curves";

const CELL = 56;
const MOST = 60_000; // synapses that are looked up; a circuit that large is seen as blocks
const CELLS = 400_000;

const STALE = 600; // synapses that changed, above which the table is made anew

/** Tables of cells over a circuit. They catch up with changes: those of synapses take long to make. */
export class Grid {
  private neurons!: Cells;
  private names: Neuron[] = [];
  private version = -1;
  private synapses: Pieces | null = null;
  private read = 0; // how much of the circuit's history the table of synapses knows of
  private readonly stale = new Set<Synapse>(); // changed since then: looked at one by one

  constructor(private readonly circuit: Circuit) {}

  private catchUp(): void {
    const { circuit, stale } = this;
    findWays(circuit);
    if (this.version === circuit.version) return;
    this.version = circuit.version;
    this.names = [...circuit.neurons.values()];
    this.neurons = new Cells(circuit, this.names.length);
    this.names.forEach((n, k) => this.neurons.add(k, n.x, n.y, n.x, n.y));
    this.neurons.sort();
    for (; this.read < circuit.history.length && stale.size <= STALE; this.read++) {
      const item = circuit.history[this.read]!;
      if (item.kind === "synapse") stale.add(item);
      else for (const s of [...item.out.values(), ...item.in.values()]) stale.add(s);
    }
    if (stale.size > STALE) this.synapses = null;
  }

  private table(): Pieces {
    if (!this.synapses) {
      this.synapses = new Pieces(this.circuit);
      this.read = this.circuit.history.length;
      this.stale.clear();
    }
    return this.synapses;
  }

  /** The neuron within `slack` of the rim, the nearest first. */
  neuronAt(x: number, y: number, slack: number): Neuron | null {
    this.catchUp();
    let best: Neuron | null = null;
    let least = RADIUS * 1.15 + slack;
    this.neurons.around(x, y, least, (k) => {
      const neuron = this.names[k]!;
      const distance = Math.hypot(neuron.x - x, neuron.y - y);
      if (distance < least) [best, least] = [neuron, distance];
    });
    return best;
  }

  /** The synapse within `slack` of the point, the nearest first. */
  synapseAt(x: number, y: number, slack: number, visible: (synapse: Synapse) => boolean): Synapse | null {
    this.catchUp();
    const { stale } = this;
    let best = this.table().nearest(x, y, slack, (s) => s.pre.out.get(s.post.key) === s && !stale.has(s) && visible(s));
    let least = slack;
    if (best) {
      traceOf(best);
      least = distanceTo(x, y);
    }
    for (const s of stale) {
      if (s.pre.out.get(s.post.key) !== s || !visible(s)) continue;
      traceOf(s);
      const distance = distanceTo(x, y);
      if (distance < least) [best, least] = [s, distance];
    }
    return best;
  }

  itemAt(x: number, y: number, slack: number, visible: (item: Item) => boolean): Item | null {
    const neuron = this.neuronAt(x, y, slack / 2);
    if (neuron && visible(neuron)) return neuron;
    return this.synapseAt(x, y, slack, visible);
  }
}

/** Synapses cut into straight pieces shorter than a cell. */
class Pieces {
  private readonly owners: Synapse[] = [];
  private readonly ends: Float32Array; // x0 y0 x1 y1 of each piece
  private readonly owner: Uint32Array; // the synapse of each piece
  private readonly cells: Cells;

  constructor(circuit: Circuit) {
    if (circuit.size <= MOST) this.owners.push(...circuit.synapses());
    const counts = new Uint16Array(this.owners.length);
    this.cells = new Cells(circuit, 0);
    let total = 0;
    this.owners.forEach((synapse, k) => {
      traceOf(synapse);
      const length = curve.loop ? RADIUS * 8 : Math.hypot(curve.bx - curve.ax, curve.by - curve.ay) * 1.1;
      counts[k] = Math.min(400, Math.max(4, Math.ceil(length / (this.cells.size * 0.6))));
      total += counts[k]! + 1;
    });
    this.ends = new Float32Array(4 * total);
    this.owner = new Uint32Array(total);
    let piece = 0;
    const put = (k: number, x0: number, y0: number, x1: number, y1: number): void => {
      this.ends.set([x0, y0, x1, y1], 4 * piece);
      this.owner[piece] = k;
      this.cells.add(piece++, x0, y0, x1, y1);
    };
    this.owners.forEach((synapse, k) => {
      traceOf(synapse);
      const { loop, ax, ay, cx, cy, dx, dy, bx, by, ux, uy } = curve;
      let [px, py] = [ax, ay];
      for (let n = 1; n <= counts[k]!; n++) {
        const t = n / counts[k]!;
        const s = 1 - t;
        const [w0, w1, w2, w3] = loop ? [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t] : [s * s, 2 * s * t, 0, t * t];
        const x = w0 * ax + w1 * cx + w2 * dx + w3 * bx;
        const y = w0 * ay + w1 * cy + w2 * dy + w3 * by;
        put(k, px, py, x, y);
        [px, py] = [x, y];
      }
      put(k, px, py, px + ux * END, py + uy * END);
    });
    this.cells.sort();
  }

  nearest(x: number, y: number, slack: number, visible: (synapse: Synapse) => boolean): Synapse | null {
    const { ends, owner, owners } = this;
    let best: Synapse | null = null;
    let least = slack * slack;
    this.cells.around(x, y, slack, (k) => {
      const at = 4 * k;
      const ax = ends[at]!;
      const ay = ends[at + 1]!;
      const vx = ends[at + 2]! - ax;
      const vy = ends[at + 3]! - ay;
      const along = ((x - ax) * vx + (y - ay) * vy) / (vx * vx + vy * vy || 1);
      const t = along < 0 ? 0 : along > 1 ? 1 : along;
      const dx = x - ax - t * vx;
      const dy = y - ay - t * vy;
      const distance = dx * dx + dy * dy;
      if (distance < least && visible(owners[owner[k]!]!)) {
        best = owners[owner[k]!]!;
        least = distance;
      }
    });
    return best;
  }
}

/** Which numbers lie in which cells: noted first, then sorted by cell into one array. */
class Cells {
  readonly size: number;
  private readonly x0: number;
  private readonly y0: number;
  private readonly columns: number;
  private readonly rows: number;
  private cell: Uint32Array<ArrayBuffer>;
  private what: Uint32Array<ArrayBuffer>;
  private count = 0;
  private starts = new Uint32Array(1);
  private sorted = new Uint32Array(0);

  constructor(circuit: Circuit, expected: number) {
    const box = boundsOf(circuit.neurons.values()) ?? { x0: 0, y0: 0, x1: 1, y1: 1 };
    const margin = 80; // bows and loops reach over the neurons
    const [w, h] = [box.x1 - box.x0 + 2 * margin, box.y1 - box.y0 + 2 * margin];
    this.size = Math.max(CELL, Math.sqrt((w * h) / CELLS), w / 20_000, h / 20_000);
    [this.x0, this.y0] = [box.x0 - margin, box.y0 - margin];
    [this.columns, this.rows] = [Math.ceil(w / this.size), Math.ceil(h / this.size)];
    this.cell = new Uint32Array(Math.max(expected, 1024));
    this.what = new Uint32Array(this.cell.length);
  }

  /** Note a number in every cell of a box. */
  add(k: number, xa: number, ya: number, xb: number, yb: number): void {
    const [left, right] = xa < xb ? [xa, xb] : [xb, xa];
    const [top, bottom] = ya < yb ? [ya, yb] : [yb, ya];
    for (let row = this.row(top); row <= this.row(bottom); row++)
      for (let column = this.column(left); column <= this.column(right); column++) {
        if (this.count === this.cell.length) [this.cell, this.what] = [doubled(this.cell), doubled(this.what)];
        this.cell[this.count] = row * this.columns + column;
        this.what[this.count++] = k;
      }
  }

  sort(): void {
    const starts = new Uint32Array(this.columns * this.rows + 1);
    for (let n = 0; n < this.count; n++) starts[this.cell[n]! + 1]!++;
    for (let n = 1; n < starts.length; n++) starts[n]! += starts[n - 1]!;
    this.sorted = new Uint32Array(this.count);
    const next = starts.slice();
    for (let n = 0; n < this.count; n++) this.sorted[next[this.cell[n]!]!++] = this.what[n]!;
    this.starts = starts;
    this.cell = this.what = new Uint32Array(0);
  }

  around(x: number, y: number, reach: number, visit: (k: number) => void): void {
    for (let row = this.row(y - reach); row <= this.row(y + reach); row++)
      for (let column = this.column(x - reach); column <= this.column(x + reach); column++) {
        const cell = row * this.columns + column;
        for (let n = this.starts[cell]!; n < this.starts[cell + 1]!; n++) visit(this.sorted[n]!);
      }
  }

  // What lies beyond the table is in the cells of its edge.
  private column(x: number): number {
    return Math.max(0, Math.min(this.columns - 1, Math.floor((x - this.x0) / this.size)));
  }

  private row(y: number): number {
    return Math.max(0, Math.min(this.rows - 1, Math.floor((y - this.y0) / this.size)));
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
