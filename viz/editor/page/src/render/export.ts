// Pictures to take away: PNG by the canvas, SVG with one element for each synapse and neuron.

import { type Circuit, ELECTRICAL, type Synapse } from "../model/circuit";
import { type Camera, boundsOf } from "./camera";
import { RADIUS, curve, traceOf } from "./curves";
import { colorOf, colorOfRole } from "./paint";
import { PLAIN, type Scene } from "./scene";
import { resistor } from "./shapes";
import { Still } from "./still";
import type { Theme } from "./theme";
import { findWays } from "./ways";

/** Draw a circuit on a canvas, whole and now. */
export function picture(ctx: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, circuit: Circuit, camera: Camera, theme: Theme, width: number, height: number, ratio: number, look = PLAIN): void {
  const still = new Still({ circuit, version: circuit.version, look, theme, lifted: null }, camera, width, height, ratio);
  still.advance(Infinity);
  ctx.drawImage(still.canvas, -still.margin * ratio, -still.margin * ratio);
}

/** What is seen, at twice its size. */
export async function png({ circuit, camera, theme, look }: Scene, width: number, height: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width * 2, height * 2);
  picture(canvas.getContext("2d")!, circuit, camera, theme, width, height, 2, look);
  return canvas.convertToBlob({ type: "image/png" });
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");
const n = (value: number): string => String(Math.round(value * 100) / 100);

/** The whole circuit as SVG. */
export function svg({ circuit, theme }: Scene): string {
  const box = boundsOf(circuit.neurons.values()) ?? { x0: 0, y0: 0, x1: 100, y1: 100 };
  const [x, y, w, h] = [box.x0 - 70, box.y0 - 70, box.x1 - box.x0 + 140, box.y1 - box.y0 + 140];
  const parts = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="${n(x)} ${n(y)} ${n(w)} ${n(h)}" width="${n(w)}" height="${n(h)}" font-family="system-ui, sans-serif" font-size="11">`,
    `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${theme.ground}"/>`];
  findWays(circuit);
  for (const synapse of circuit.synapses()) {
    parts.push(lineOf(synapse, theme));
    if (synapse.gap) parts.push(lineOf({ ...synapse, polarity: ELECTRICAL }, theme));
  }
  for (const neuron of circuit.neurons.values()) {
    parts.push(`<path d="${outline(neuron.role, neuron.x, neuron.y)}" fill="${colorOfRole(theme, neuron.role)}" stroke="${theme.ink}" stroke-opacity="0.5"><title>${escaped(neuron.label)}</title></path>`);
    parts.push(`<text x="${n(neuron.x)}" y="${n(neuron.y + 26)}" text-anchor="middle" fill="${theme.ink}" stroke="${theme.ground}" stroke-width="3" paint-order="stroke">${escaped(neuron.label)}</text>`);
  }
  return `${parts.join("\n")}\n</svg>\n`;
}

function lineOf(synapse: Synapse, theme: Theme): string {
  const { polarity } = synapse;
  traceOf(synapse);
  const { ax, ay, cx, cy, dx, dy, bx, by, ux, uy, loop } = curve;
  const color = colorOf(theme, polarity);
  if (polarity === ELECTRICAL && !loop)
    return `<path d="M${[...resistor()].map(([x, y]) => `${n(x)} ${n(y)}`).join("L")}" fill="none" stroke="${color}" stroke-width="1.2"/>`;
  const [tx, ty] = [bx + ux * 8, by + uy * 8];
  const line = `M${n(ax)} ${n(ay)}${loop ? `C${n(cx)} ${n(cy)} ${n(dx)} ${n(dy)}` : `Q${n(cx)} ${n(cy)}`} ${n(bx)} ${n(by)}`;
  const end = polarity > 0
    ? `M${n(tx)} ${n(ty)}L${n(bx - uy * 3.4)} ${n(by + ux * 3.4)}L${n(bx + uy * 3.4)} ${n(by - ux * 3.4)}z`
    : `M${n(tx - uy * 5)} ${n(ty + ux * 5)}L${n(tx + uy * 5)} ${n(ty - ux * 5)}`;
  return `<path d="${line}${polarity > 0 ? "" : `L${n(tx)} ${n(ty)}`}" fill="none" stroke="${color}" stroke-width="1.2"/><path d="${end}" fill="${color}" stroke="${color}" stroke-width="${polarity > 0 ? 0 : 2.4}"/>`;
}

function outline(role: string, x: number, y: number): string {
  const p = (...pairs: [number, number][]): string => `M${pairs.map(([dx, dy]) => `${n(x + dx * RADIUS)} ${n(y + dy * RADIUS)}`).join("L")}z`;
  if (role === "sensory") return p([1.28, 0], [-0.92, 1.18], [-0.92, -1.18]);
  if (role === "command") return p([1.24, 0], [0, 1.24], [-1.24, 0], [0, -1.24]);
  if (role === "motor") return p([0.88, 0.88], [-0.88, 0.88], [-0.88, -0.88], [0.88, -0.88]);
  return `M${n(x - RADIUS)} ${n(y)}a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0z`;
}
