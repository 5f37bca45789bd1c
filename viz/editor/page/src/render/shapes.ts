// What is stroked and filled: curves, ends and neurons, added to the path of a context.

import { ELECTRICAL } from "../model/circuit";
import { END, RADIUS, curve } from "./curves";

export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const RESISTOR = 26; // length of the zigzag in the middle of an electrical synapse
const TEETH = 4;

/** The corners of an electrical synapse: a straight line with a resistor in its middle. */
export function* resistor(): Generator<[number, number]> {
  const { ax, ay, bx, by, ux, uy } = curve;
  const [mx, my] = [(ax + bx + ux * RADIUS) / 2, (ay + by + uy * RADIUS) / 2];
  const reach = Math.min(RESISTOR, 0.6 * Math.max(0, Math.hypot(bx - ax, by - ay) - RADIUS));
  yield [ax, ay];
  for (let k = 0; k <= 2 * TEETH; k++) {
    const along = (k / (2 * TEETH) - 0.5) * reach;
    const aside = k % 2 ? (k % 4 === 1 ? 0.2 : -0.2) * reach : 0;
    yield [mx + ux * along - uy * aside, my + uy * along + ux * aside];
  }
  yield [bx, by];
}

/** The line of `curve`; an arrow's line ends inside it, a bar's line goes up to it. */
export function addLine(ctx: Context, polarity: number): void {
  const c = curve;
  if (polarity === ELECTRICAL && !c.loop) {
    let first = true;
    for (const [x, y] of resistor()) {
      if (first) ctx.moveTo(x, y);
      else ctx.lineTo(x, y);
      first = false;
    }
    return;
  }
  const more = polarity < 0 ? END : 1;
  ctx.moveTo(c.ax, c.ay);
  if (c.loop) ctx.bezierCurveTo(c.cx, c.cy, c.dx, c.dy, c.bx + c.ux * more, c.by + c.uy * more);
  else ctx.quadraticCurveTo(c.cx, c.cy, c.bx + c.ux * more, c.by + c.uy * more);
}

/** The end of `curve`, to be filled: an arrow if excitatory, a bar if inhibitory, nothing if electrical, a square if none of these. */
export function addEnd(ctx: Context, polarity: number, scale: number): void {
  if (polarity === ELECTRICAL) return;
  const { bx, by, ux, uy } = curve;
  const half = END * 0.42 * scale;
  const tipX = bx + ux * END;
  const tipY = by + uy * END;
  if (polarity > 0) {
    const x = tipX - ux * END * scale;
    const y = tipY - uy * END * scale;
    ctx.moveTo(tipX, tipY);
    ctx.lineTo(x - uy * half, y + ux * half);
    ctx.lineTo(x + uy * half, y - ux * half);
    ctx.closePath();
    return;
  }
  const thick = (polarity < 0 ? 2.4 : END) * scale;
  const wide = (polarity < 0 ? END * 0.62 : half) * scale;
  const x = tipX - ux * thick;
  const y = tipY - uy * thick;
  ctx.moveTo(tipX - uy * wide, tipY + ux * wide);
  ctx.lineTo(tipX + uy * wide, tipY - ux * wide);
  ctx.lineTo(x + uy * wide, y - ux * wide);
  ctx.lineTo(x - uy * wide, y + ux * wide);
  ctx.closePath();
}

const TRIANGLE = RADIUS * 1.28;
const SQUARE = RADIUS * 0.88;
const DIAMOND = RADIUS * 1.24;

/** The shape of a role tells it without colour; all have about the same area. */
export function addNeuron(ctx: Context, role: string, x: number, y: number, scale = 1): void {
  if (role === "sensory") {
    const r = TRIANGLE * scale;
    ctx.moveTo(x + r, y);
    ctx.lineTo(x - r * 0.72, y + r * 0.92);
    ctx.lineTo(x - r * 0.72, y - r * 0.92);
    ctx.closePath();
  } else if (role === "command") {
    const r = DIAMOND * scale;
    ctx.moveTo(x + r, y);
    ctx.lineTo(x, y + r);
    ctx.lineTo(x - r, y);
    ctx.lineTo(x, y - r);
    ctx.closePath();
  } else if (role === "motor") {
    const r = SQUARE * scale;
    ctx.rect(x - r, y - r, 2 * r, 2 * r);
  } else {
    const r = RADIUS * scale;
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
  }
}
