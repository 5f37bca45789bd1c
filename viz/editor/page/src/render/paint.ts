// Strokes and fills of many synapses and neurons: in portions, because one path of 50,000 curves takes far
// more than its share, and sorted by colour and width, because a change of those ends a portion.

import { ELECTRICAL, type Item, type Neuron, type Synapse } from "../model/circuit";
import { addEnd, addLine, addNeuron, type Context } from "./shapes";
import { traceOf } from "./curves";
import type { Look } from "./scene";
import { type Theme, mix } from "./theme";

const PORTION = 48;
const LEVELS = 4; // of strength
const FAINT = 0.13;

export interface Pen {
  polarity: number;
  level: number;
  faint: boolean;
  color: string;
}

export function colorOf(theme: Theme, polarity: number): string {
  return polarity === ELECTRICAL ? theme.electrical : polarity > 0 ? theme.excitatory : polarity < 0 ? theme.inhibitory : theme.unknown;
}

const MARKS = ["", "added", "changed"] as const;

/** The pen of a synapse; one number for each pen, so that sorting is a table of lists. */
export function penOf(look: Look, synapse: Synapse, polarity = synapse.polarity): number {
  const level = look.strength ? Math.min(LEVELS - 1, Math.floor(look.strength(synapse) * LEVELS)) : 1;
  const faint = look.focus !== null && !look.focus.has(synapse);
  const mark = MARKS.indexOf(look.marks.get(synapse) ?? "");
  return ((mark * 4 + polarity + 1) * LEVELS + level) * 2 + (faint ? 0 : 1);
}

export function pen(theme: Theme, id: number): Pen {
  const [polarity, mark] = [((id >> 3) & 3) - 1, MARKS[id >> 5] ?? ""];
  return { polarity, level: (id >> 1) & 3, faint: (id & 1) === 0, color: mark ? theme[mark] : colorOf(theme, polarity) };
}

/** Synapses in a list for each pen; by their numbers, those out of focus come first inside each colour. */
export function byPen(synapses: Iterable<Synapse>, look: Look): Synapse[][] {
  const lists: Synapse[][] = [];
  for (const synapse of synapses) {
    (lists[penOf(look, synapse)] ??= []).push(synapse);
    if (synapse.gap) (lists[penOf(look, synapse, ELECTRICAL)] ??= []).push(synapse);
  }
  return lists;
}

/** How wide, in pixels, and how opaque synapses are where `count` of them are seen at scale `k`. */
export function crowding(count: number, k: number): { width: number; alpha: number } {
  const crowd = Math.max(0, Math.log10(Math.max(count, 1) / 60));
  return {
    width: Math.min(2.2, Math.max(0.7, 1.5 * Math.sqrt(k) - 0.12 * crowd)),
    alpha: Math.max(0.26, 0.92 - 0.27 * crowd),
  };
}

/** Stroke synapses with one pen, in portions. */
export function strokeSynapses(
  ctx: Context, theme: Theme, list: readonly Synapse[], id: number, from: number, to: number,
  k: number, crowd: { width: number; alpha: number },
): void {
  const { polarity, level, faint, color } = pen(theme, id);
  const straight = polarity === ELECTRICAL;
  const ends = k * 8 > 1.6 && !faint && !straight;
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.globalAlpha = faint ? FAINT * Math.min(1, crowd.alpha * 1.5) : crowd.alpha;
  ctx.lineWidth = (crowd.width * [0.5, 0.95, 1.6, 2.4][level]!) / k;
  const scale = endScale(crowd.width * [0.8, 1, 1.25, 1.6][level]!, k);
  for (let start = from; start < to; start += PORTION) {
    const stop = Math.min(to, start + PORTION);
    ctx.beginPath();
    for (let n = start; n < stop; n++) {
      const synapse = list[n]!;
      traceOf(synapse, straight);
      addLine(ctx, polarity);
    }
    ctx.stroke();
    if (!ends) continue;
    ctx.beginPath();
    for (let n = start; n < stop; n++) {
      const synapse = list[n]!;
      traceOf(synapse, straight);
      addEnd(ctx, polarity, scale);
    }
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

/** Ends grow with their line, and a little when seen from afar. */
export const endScale = (width: number, k: number): number => Math.min(1.5, Math.max(0.75, width / (1.5 * Math.sqrt(k))));

/** Fill and outline neurons of one role. */
export function fillNeurons(ctx: Context, theme: Theme, role: string, list: readonly Neuron[], k: number, alpha = 1): void {
  if (!list.length) return;
  ctx.globalAlpha = alpha;
  ctx.fillStyle = colorOfRole(theme, role);
  ctx.strokeStyle = theme.edge;
  ctx.lineWidth = Math.min(1.2, 1.1 / k);
  ctx.lineJoin = "round";
  const outline = k > 0.3;
  for (let start = 0; start < list.length; start += 200) {
    ctx.beginPath();
    for (const neuron of list.slice(start, start + 200)) addNeuron(ctx, role, neuron.x, neuron.y);
    ctx.fill();
    if (outline) ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

export const colorOfRole = (theme: Theme, role: string): string =>
  role in theme.roles ? theme.roles[role as keyof Theme["roles"]] : theme.unknown;

/** Names under neurons, with a rim of the ground so that lines behind them do not disturb. */
export function writeLabels(ctx: Context, theme: Theme, list: Iterable<Neuron>, k: number, faint: (item: Item) => boolean): void {
  const size = Math.min(13, Math.max(9, 11 * Math.sqrt(k))) / k;
  ctx.font = `500 ${size}px ui-sans-serif, system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 / k;
  ctx.strokeStyle = theme.ground;
  const ink = mix(theme.ink, theme.ground, 0.12);
  // A name that would lie on another is left out; names come and go as one zooms.
  const taken = new Set<number>();
  const free = (neuron: Neuron, length: number): boolean => {
    const half = (length * size * 0.56) / 2;
    const cells: number[] = [];
    const row = Math.round((neuron.y + 17) / size);
    for (let column = Math.floor((neuron.x - half) / size); column <= Math.floor((neuron.x + half) / size); column++) {
      const key = column * 1_000_003 + row;
      if (taken.has(key)) return false;
      cells.push(key);
    }
    for (const key of cells) taken.add(key);
    return true;
  };
  for (const neuron of list) {
    if (!free(neuron, Math.min(neuron.label.length, 18))) continue;
    ctx.globalAlpha = faint(neuron) ? 0.25 : 1;
    const text = shortened(neuron.label);
    ctx.strokeText(text, neuron.x, neuron.y + 17);
    ctx.fillStyle = ink;
    ctx.fillText(text, neuron.x, neuron.y + 17);
  }
  ctx.globalAlpha = 1;
}

export const shortened = (text: string, most = 18): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
