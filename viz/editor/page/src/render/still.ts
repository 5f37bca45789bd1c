// The still picture: all that does not move, drawn once on a canvas larger than the window and shown as an
// image while one pans. A new one is made in slices between frames, and takes over when it is whole.

import { type Circuit, ELECTRICAL, type Item, type Neuron, ROLES, type Synapse } from "../model/circuit";
import { type Block, type Folding, type Pathway, fold, groupOf, isPlain } from "./blocks";
import { type Camera, type Point, type Rect, seen } from "./camera";
import { END, RADIUS, curve, trace } from "./curves";
import { byPen, colorOf, colorOfRole, crowding, fillNeurons, strokeSynapses, writeLabels } from "./paint";
import type { Ghost, Look, Scene } from "./scene";
import { addEnd, addLine, addNeuron, type Context } from "./shapes";
import type { Theme } from "./theme";
import { findWays } from "./ways";

export const FAR = 20_000; // synapses in sight, above which neurons are seen as blocks
const MANY = 12_000_000; // pixels a still picture may have
const LABELS = 0.55; // scale from which names are written

/** What a still picture is of. Two that are equal in all look the same. */
export interface Subject {
  circuit: Circuit;
  version: number;
  look: Look;
  theme: Theme;
  lifted: ReadonlySet<Neuron> | null;
}

export const subjectOf = (s: Scene): Subject => ({ circuit: s.circuit, version: s.circuit.version, look: s.look, theme: s.theme, lifted: s.lifted });
export const sameSubject = (a: Subject, b: Subject): boolean =>
  a.circuit === b.circuit && a.version === b.version && a.look === b.look && a.theme === b.theme && a.lifted === b.lifted;

export class Still {
  readonly canvas: OffscreenCanvas;
  readonly margin: number;
  folding: Folding | null = null;
  far = false;
  done = false;
  private readonly ctx: Context;
  private readonly steps: Generator<void>;

  /** Begin a picture for a window of `width` by `height` CSS pixels. */
  constructor(
    readonly subject: Subject, readonly camera: Camera,
    readonly width: number, readonly height: number, readonly ratio: number,
  ) {
    const room = Math.sqrt(MANY / (width * height * ratio * ratio));
    this.margin = Math.round(Math.min(width, height) * Math.min(0.5, Math.max(0, (room - 1) / 2)));
    this.canvas = new OffscreenCanvas(
      Math.max(1, Math.round((width + 2 * this.margin) * ratio)),
      Math.max(1, Math.round((height + 2 * this.margin) * ratio)),
    );
    this.ctx = this.canvas.getContext("2d", { alpha: false, willReadFrequently: true })!;
    this.steps = this.draw();
  }

  /** Go on drawing for some milliseconds; says whether the picture is whole. */
  advance(budget: number): boolean {
    const end = performance.now() + budget;
    while (!this.done && performance.now() < end) {
      this.done = this.steps.next().done === true;
      this.ctx.getImageData(0, 0, 1, 1); // strokes are only noted until pixels are asked for
    }
    return this.done;
  }

  /** How far the window may still move before it sees past the edge; less than 0 when it does. */
  slack(camera: Camera): number {
    return this.margin - Math.max(Math.abs(camera.tx - this.camera.tx), Math.abs(camera.ty - this.camera.ty));
  }

  private *draw(): Generator<void> {
    const { ctx, camera, ratio, margin, subject } = this;
    const { circuit, look, theme, lifted } = subject;
    const { k } = camera;
    findWays(circuit);
    ctx.fillStyle = theme.ground;
    ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.dots();
    ctx.setTransform(k * ratio, 0, 0, k * ratio, (camera.tx + margin) * ratio, (camera.ty + margin) * ratio);
    const window = seen(camera, this.width, this.height, margin);

    this.far = circuit.size > FAR && k < 0.6 && inSight(circuit, seen(camera, this.width, this.height)) > FAR;
    if (this.far) this.folding = fold(circuit, (n) => groupOf(n) ?? (n.role || "no role"), false);
    else if (look.folded.size) {
      this.folding = fold(circuit, (n) => { const g = groupOf(n); return g !== null && look.folded.has(g) ? g : null; }, true);
    }
    const { folding } = this;
    if (!this.far) this.groups(circuit, folding);
    yield;

    if (!this.far) {
      const sorted = byPen(this.near(window), look);
      const count = sorted.reduce((sum, list) => sum + (list?.length ?? 0), 0);
      const crowd = crowding(count, k);
      // A step takes about 2 ms, so that `advance` can keep its budget.
      for (const [id, list] of sorted.entries())
        for (let from = 0; list && from < list.length; from += 240) {
          strokeSynapses(ctx, theme, list, id, from, Math.min(list.length, from + 240), k, crowd);
          yield;
        }
    }
    for (const ghost of look.ghosts) this.ghost(ghost);
    if (this.far) {
      this.cloud(circuit, window);
      yield;
    }
    if (folding) {
      yield* this.pathways(folding.pathways);
      for (const block of folding.blocks) this.block(block);
      yield;
    }
    if (this.far) return;

    const faint = (item: Item): boolean => look.focus !== null && !look.focus.has(item);
    const here = [...circuit.neurons.values()].filter((n) => inside(n, window) && !lifted?.has(n) && !folding?.of.has(n));
    for (const role of [...ROLES, ""]) {
      const list = here.filter((n) => n.role === role);
      fillNeurons(ctx, theme, role, list.filter((n) => !faint(n)), k);
      fillNeurons(ctx, theme, role, list.filter(faint), k, 0.22);
      yield;
    }
    this.marks(here);
    if (look.labels && k >= LABELS) writeLabels(ctx, theme, here, k, faint);
  }

  /** The synapses in sight. */
  private *near(window: Rect): Generator<Synapse> {
    const { circuit, lifted } = this.subject;
    for (const pre of circuit.neurons.values()) {
      if (lifted?.has(pre)) continue;
      for (const synapse of pre.out.values()) {
        const { post } = synapse;
        if (touches(pre, post, window) && !lifted?.has(post) && isPlain(this.folding, synapse)) yield synapse;
      }
    }
  }

  private dots(): void {
    const { ctx, camera, ratio, margin, subject } = this;
    let step = 60 * camera.k;
    while (step < 22) step *= 2;
    while (step > 60) step /= 2;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = subject.theme.grid;
    const start = (offset: number): number => (((offset + margin) % step) + step) % step;
    ctx.beginPath();
    for (let x = start(camera.tx); x < this.width + 2 * margin; x += step)
      for (let y = start(camera.ty); y < this.height + 2 * margin; y += step) ctx.rect(x - 0.7, y - 0.7, 1.4, 1.4);
    ctx.fill();
  }

  private groups(circuit: Circuit, folding: Folding | null): void {
    const { ctx, subject: { theme, lifted }, camera: { k } } = this;
    const around = fold(circuit, (n) => (folding?.of.has(n) || lifted?.has(n) ? null : groupOf(n)), false);
    ctx.lineWidth = 1 / k;
    for (const { rect, title } of around.blocks) {
      ctx.fillStyle = theme.block;
      ctx.strokeStyle = theme.grid;
      rounded(ctx, rect, 14);
      ctx.fill();
      ctx.stroke();
      caption(ctx, theme, title, rect.x0 + 8, rect.y0 - 5, Math.max(12, 11 / k), "left");
    }
  }

  private cloud(circuit: Circuit, window: Rect): void {
    const { ctx, subject: { theme }, camera: { k } } = this;
    const size = Math.max(1.5 / k, RADIUS * 1.1);
    for (const role of [...ROLES, ""]) {
      ctx.fillStyle = colorOfRole(theme, role);
      ctx.globalAlpha = 0.55;
      for (const n of circuit.neurons.values())
        if (n.role === role && inside(n, window)) ctx.fillRect(n.x - size / 2, n.y - size / 2, size, size);
    }
    ctx.globalAlpha = 1;
  }

  private block({ rect, title, members, role }: Block): void {
    const { ctx, subject: { theme }, camera: { k } } = this;
    rounded(ctx, rect, this.far ? 10 / k : 14);
    ctx.globalAlpha = this.far ? 0.16 : 1;
    ctx.fillStyle = this.far ? colorOfRole(theme, role) : theme.dark ? "#20242e" : "#ffffff";
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colorOfRole(theme, role);
    ctx.lineWidth = 2 / k;
    ctx.stroke();
    const x = (rect.x0 + rect.x1) / 2;
    if (this.far) caption(ctx, theme, `${title} · ${members.length}`, x, rect.y0 - 8 / k, 13 / k, "center");
    else {
      caption(ctx, theme, title, x, (rect.y0 + rect.y1) / 2 - 1, 12, "center");
      caption(ctx, theme, `${members.length} neurons`, x, (rect.y0 + rect.y1) / 2 + 13, 9, "center");
    }
  }

  private *pathways(pathways: readonly Pathway[]): Generator<void> {
    const { ctx, subject: { theme }, camera: { k } } = this;
    let drawn = 0;
    for (const { pre, post, polarity, count } of pathways) {
      const width = (this.far ? 1.2 : 1) * (1 + 1.5 * Math.log10(count));
      ctx.strokeStyle = ctx.fillStyle = colorOf(theme, polarity);
      ctx.globalAlpha = 0.75;
      ctx.lineWidth = width / k;
      // The kinds of one pathway run side by side.
      const apart = (polarity === ELECTRICAL ? 2 : polarity < 0 ? 1 : 0) * (this.far ? 16 / k : 10);
      const shift = (p: { x: number; y: number }) => ({ x: p.x, y: p.y + apart });
      const from = shift(pre);
      trace(from, pre === post ? from : shift(post), polarity === ELECTRICAL && !this.far);
      if (this.far) fromFar(pre === post, 1 / k);
      if (this.far && pre !== post) arc(from, shift(post));
      ctx.beginPath();
      addLine(ctx, polarity);
      ctx.stroke();
      ctx.beginPath();
      addEnd(ctx, polarity, this.far ? Math.min(2.4 / k, 3 + width / k / 3) : 1 + width / 6);
      ctx.fill();
      if (++drawn % 100 === 0) yield;
    }
    ctx.globalAlpha = 1;
  }

  private ghost({ pre, post, polarity, role }: Ghost): void {
    const { ctx, subject: { theme }, camera: { k } } = this;
    ctx.strokeStyle = ctx.fillStyle = theme.removed;
    ctx.lineWidth = 1.4 / k;
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    if (post) {
      trace(pre, post, polarity === ELECTRICAL);
      addLine(ctx, polarity);
    } else addNeuron(ctx, role, pre.x, pre.y);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  private marks(here: readonly Neuron[]): void {
    const { ctx, subject: { look, theme }, camera: { k } } = this;
    if (!look.marks.size) return;
    for (const neuron of here) {
      const mark = look.marks.get(neuron);
      if (!mark) continue;
      ctx.strokeStyle = theme[mark];
      ctx.lineWidth = 2.5 / k;
      ctx.beginPath();
      addNeuron(ctx, neuron.role, neuron.x, neuron.y, 1.3);
      ctx.stroke();
    }
  }
}

/** From far away a loop and an arrow are as large as they must be to be seen, whatever a neuron's size. */
function fromFar(loop: boolean, pixel: number): void {
  if (!loop) return;
  const reach = 46 * pixel;
  const { x, y } = { x: (curve.ax + curve.bx) / 2, y: curve.ay };
  curve.ax = x - 12 * pixel;
  curve.ay = y;
  curve.cx = x - reach;
  curve.cy = y - reach * 1.3;
  curve.dx = x + reach;
  curve.dy = y - reach * 1.3;
  curve.bx = x + 12 * pixel;
  curve.by = y - 8 * pixel;
  curve.ux = -0.3;
  curve.uy = 0.95;
}

/** From far away pathways lie on one line: a longer one bows higher, and goes from box to box. */
function arc(pre: Point, post: Point): void {
  const [dx, dy] = [post.x - pre.x, post.y - pre.y];
  const length = Math.hypot(dx, dy) || 1;
  const bow = length * 0.5;
  curve.cx = (pre.x + post.x) / 2 + (dy / length) * bow;
  curve.cy = (pre.y + post.y) / 2 - (dx / length) * bow;
  const [ex, ey] = [post.x - curve.cx, post.y - curve.cy];
  const reach = Math.hypot(ex, ey) || 1;
  [curve.ux, curve.uy] = [ex / reach, ey / reach];
  [curve.bx, curve.by] = [post.x - curve.ux * END, post.y - curve.uy * END];
}

const inside = (n: Neuron, r: Rect): boolean => n.x > r.x0 - 40 && n.x < r.x1 + 40 && n.y > r.y0 - 40 && n.y < r.y1 + 40;

/** Whether a synapse can be seen: its box, with room for its bow, against the window. */
export function touches(a: Neuron, b: Neuron, r: Rect): boolean {
  return (
    Math.max(a.x, b.x) + 50 > r.x0 && Math.min(a.x, b.x) - 50 < r.x1 &&
    Math.max(a.y, b.y) + 50 > r.y0 && Math.min(a.y, b.y) - 50 < r.y1
  );
}

function inSight(circuit: Circuit, window: Rect): number {
  let count = 0;
  for (const s of circuit.synapses()) if (touches(s.pre, s.post, window)) count++;
  return count;
}

function rounded(ctx: Context, { x0, y0, x1, y1 }: Rect, radius: number): void {
  ctx.beginPath();
  ctx.roundRect(x0, y0, x1 - x0, y1 - y0, radius);
}

function caption(ctx: Context, theme: Theme, text: string, x: number, y: number, size: number, align: CanvasTextAlign): void {
  ctx.font = `600 ${size}px ui-sans-serif, system-ui, sans-serif`;
  ctx.textAlign = align;
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = size / 4;
  ctx.strokeStyle = theme.ground;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = theme.muted;
  ctx.fillText(text, x, y);
}
