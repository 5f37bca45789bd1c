// The course of a synapse: a quadratic curve that bows to its left, so that A -> B and B -> A lie apart, or
// a loop above a neuron that feeds itself. Lengths are in the circuit's units.

import { ELECTRICAL, type Synapse } from "../model/circuit";

export const RADIUS = 12; // of a neuron
const GAP = 2; // between a synapse's end and the neuron it reaches
const BOW = 0.14; // share of the length by which a curve bows ...
const MOST = 46; // ... and at most this much
export const HANDLE = RADIUS * 2.05; // from a neuron's centre to the handle at its right
export const END = 8; // length of an arrow
const LOOP = 2.9; // reach of a self-synapse, in radii

/** Where the next synapse runs; one object, filled again and again: 50,000 synapses make no garbage. */
export const curve = {
  loop: false,
  ax: 0, ay: 0, // start, on the rim of the presynaptic neuron
  cx: 0, cy: 0, // control point
  dx: 0, dy: 0, // second control point of a loop
  bx: 0, by: 0, // end: where its arrow begins
  ux: 0, uy: 0, // direction at the end, of length 1
};

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Put the course of a synapse into `curve`. An electrical one is straight, between those that have a direction. */
export const traceOf = ({ pre, post, polarity, bow }: Synapse, straight = polarity === ELECTRICAL): void => trace(pre, post, straight, bow);

/** The same between two places; the places of one neuron are one object. */
export function trace(pre: Place, post: Place, straight = false, bows = 1): void {
  const c = curve;
  c.loop = pre === post;
  if (c.loop) {
    const { x, y } = post;
    const reach = RADIUS * LOOP;
    c.ax = x - RADIUS * 0.7;
    c.ay = y - RADIUS * 0.7;
    c.cx = x - reach * 0.8;
    c.cy = y - reach;
    c.dx = x + reach * 0.8;
    c.dy = y - reach;
    const ex = x + RADIUS * 0.7 - c.dx;
    const ey = y - RADIUS * 0.7 - c.dy;
    const length = Math.hypot(ex, ey);
    c.ux = ex / length;
    c.uy = ey / length;
    c.bx = x + RADIUS * 0.7 - c.ux * (GAP + END);
    c.by = y - RADIUS * 0.7 - c.uy * (GAP + END);
    return;
  }
  const dx = post.x - pre.x;
  const dy = post.y - pre.y;
  const length = Math.hypot(dx, dy) || 1;
  const bow = straight ? 0 : Math.min(length * BOW, MOST) * 2 * bows;
  c.cx = (pre.x + post.x) / 2 + (dy / length) * bow;
  c.cy = (pre.y + post.y) / 2 - (dx / length) * bow;
  let ux = post.x - c.cx;
  let uy = post.y - c.cy;
  const reach = Math.hypot(ux, uy) || 1;
  ux /= reach;
  uy /= reach;
  const back = straight ? Math.min(RADIUS, length / 2) : Math.min(RADIUS + GAP + END, reach * 0.8);
  c.ux = ux;
  c.uy = uy;
  c.bx = post.x - ux * back;
  c.by = post.y - uy * back;
  c.ax = pre.x;
  c.ay = pre.y;
}

/** A point of `curve`, t from 0 to 1. */
export function at(t: number): [number, number] {
  const c = curve;
  const s = 1 - t;
  if (c.loop) {
    const [w0, w1, w2, w3] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
    return [w0 * c.ax + w1 * c.cx + w2 * c.dx + w3 * c.bx, w0 * c.ay + w1 * c.cy + w2 * c.dy + w3 * c.by];
  }
  return [s * s * c.ax + 2 * s * t * c.cx + t * t * c.bx, s * s * c.ay + 2 * s * t * c.cy + t * t * c.by];
}

/** How far a point lies from `curve` and its end, from samples of it. */
export function distanceTo(x: number, y: number): number {
  const steps = curve.loop ? 16 : 14;
  let best = Infinity;
  let [px, py] = at(0);
  for (let k = 1; k <= steps + 1; k++) {
    const [qx, qy] = k <= steps ? at(k / steps) : [curve.bx + curve.ux * END, curve.by + curve.uy * END];
    const vx = qx - px;
    const vy = qy - py;
    const t = Math.min(1, Math.max(0, ((x - px) * vx + (y - py) * vy) / (vx * vx + vy * vy || 1)));
    best = Math.min(best, Math.hypot(x - px - t * vx, y - py - t * vy));
    [px, py] = [qx, qy];
  }
  return best;
}
