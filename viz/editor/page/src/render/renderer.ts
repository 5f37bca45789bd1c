// The picture of a circuit on a canvas: `draw(scene)` and `pick(x, y)`. Nothing is drawn unless asked for.

import type { Circuit, Item, Neuron } from "../model/circuit";
import type { Block } from "./blocks";
import { type Camera, toWorld } from "./camera";
import { Grid } from "./grid";
import { drawMoving, isEmpty } from "./moving";
import type { Scene } from "./scene";
import { Still, sameSubject, subjectOf } from "./still";

const SLICE = 4; // ms of a frame for the next still picture while something moves
const REST = 14; // ... and while nothing does
const SETTLED = 90; // ms after the last zoom when a sharp picture is made

export interface Picked {
  item: Item | null;
  block: Block | null;
}

export class Renderer {
  private readonly ctx: CanvasRenderingContext2D;
  /** The still picture's canvas, below: it is touched only when the view moves. */
  private readonly base: HTMLCanvasElement;
  private readonly below: CanvasRenderingContext2D;
  private shown: { still: Still; camera: Camera } | null = null;
  private clean = true; // nothing is drawn on the upper canvas
  private still: Still | null = null;
  private next: Still | null = null;
  private scene: Scene | null = null;
  private grid: { grid: Grid; circuit: Circuit } | null = null;
  private frame = 0;
  private timer = 0;
  private zoomedAt = -Infinity;
  private lastK = 0;
  width = 0;
  height = 0;
  private ratio = 1;
  /** How many frames were drawn, and how many still pictures were made; for tests and measurements. */
  readonly counts = { frames: 0, stills: 0 };

  constructor(readonly canvas: HTMLCanvasElement) {
    // Desynchronized: a frame goes to the screen by itself, not through a layout and a commit of the page, which
    // without a GPU take longer than the drawing. Both are, so that they stay together.
    this.ctx = canvas.getContext("2d", { desynchronized: true })!;
    this.base = document.createElement("canvas");
    this.base.className = canvas.className;
    this.base.setAttribute("aria-hidden", "true");
    canvas.before(this.base);
    this.below = this.base.getContext("2d", { alpha: false, desynchronized: true })!;
  }

  /** The canvas is this large, in CSS pixels. */
  resize(width: number, height: number, ratio: number): void {
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    for (const canvas of [this.base, this.canvas]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    this.still = this.next = this.shown = null;
    this.clean = true;
    if (this.scene) this.paint(); // now, not at the next frame: a canvas of a new size is blank
  }

  /** Draw this scene at the next frame. */
  draw(scene: Scene): void {
    this.scene = scene;
    this.ask();
  }

  /** What lies under a point of the canvas, in CSS pixels. */
  pick(x: number, y: number, slack = 6): Picked {
    const { scene, still } = this;
    if (!scene) return { item: null, block: null };
    const point = toWorld(scene.camera, x, y);
    const folding = still?.folding;
    if (folding && !still.far) {
      const block = folding.blocks.find(({ rect: r }) => point.x > r.x0 && point.x < r.x1 && point.y > r.y0 && point.y < r.y1);
      if (block) return { item: null, block };
    }
    const hidden = (n: Neuron): boolean => !still?.far && folding?.of.has(n) === true;
    const grid = this.cells(scene);
    const reach = slack / scene.camera.k;
    if (still?.far) return { item: grid.neuronAt(point.x, point.y, reach), block: null };
    const item = grid.itemAt(point.x, point.y, reach, (i) => (i.kind === "neuron" ? !hidden(i) : !hidden(i.pre) && !hidden(i.post)));
    return { item, block: null };
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.still = this.next = this.scene = null;
    this.base.remove();
  }

  private cells({ circuit }: Scene): Grid {
    if (this.grid?.circuit !== circuit) this.grid = { grid: new Grid(circuit), circuit };
    return this.grid.grid;
  }

  private ask(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paint(); });
  }

  private paint(): void {
    const { scene, ctx, width, height, ratio } = this;
    if (!scene || !width || !height) return;
    this.counts.frames++;
    const { camera } = scene;
    const moved = this.prepare(scene);
    const still = this.still!;
    if (this.shown?.still !== still || this.shown.camera !== camera) this.show(still, camera, scene.theme.ground);
    const empty = isEmpty(scene, still);
    if (!this.clean) {
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }
    this.clean = empty;
    if (!empty) {
      ctx.setTransform(camera.k * ratio, 0, 0, camera.k * ratio, camera.tx * ratio, camera.ty * ratio);
      drawMoving(ctx, scene, still, width, height);
    }
    if (this.next && !moved) this.ask();
  }

  /** The still picture at its place: one image, shifted by whole pixels unless it is also scaled. */
  private show(still: Still, camera: Camera, ground: string): void {
    const { below, base, ratio } = this;
    this.shown = { still, camera };
    const scale = camera.k / still.camera.k;
    const x = camera.tx - (still.camera.tx + still.margin) * scale;
    const y = camera.ty - (still.camera.ty + still.margin) * scale;
    if (scale !== 1 || still.slack(camera) < 0) {
      below.fillStyle = ground;
      below.fillRect(0, 0, base.width, base.height);
    }
    if (scale === 1) below.drawImage(still.canvas, Math.round(x * ratio), Math.round(y * ratio));
    else {
      below.imageSmoothingQuality = "low";
      below.drawImage(still.canvas, x * ratio, y * ratio, still.canvas.width * scale, still.canvas.height * scale);
    }
  }

  /** Have a still picture, begin the next if this one is old, go on with it; true: it waits for a zoom's end. */
  private prepare(scene: Scene): boolean {
    const { camera } = scene;
    const now = performance.now();
    const subject = subjectOf(scene);
    if (this.lastK && camera.k !== this.lastK) this.zoomedAt = now;
    this.lastK = camera.k;
    const fits = (still: Still | null, slack: number): boolean =>
      still !== null && sameSubject(still.subject, subject) && still.camera.k === camera.k && still.slack(camera) >= slack;
    if (!this.still) {
      this.still = this.begin(scene, camera);
      this.still.advance(Infinity);
      this.settle();
      return false;
    }
    if (fits(this.still, this.still.margin * 0.4)) {
      this.next = null;
      return false;
    }
    const sharp = this.still.camera.k === camera.k || now - this.zoomedAt >= SETTLED;
    if (!sharp) {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.ask(), SETTLED);
      this.next = null;
      return true;
    }
    if (!this.next || !fits(this.next, this.next.margin * 0.2)) this.next = this.begin(scene, camera);
    const resting = this.still.camera.tx === camera.tx && !scene.lifted && !scene.states;
    if (this.next.advance(resting ? REST : SLICE)) {
      this.still = this.next;
      this.next = null;
      this.settle();
    }
    return false;
  }

  private begin(scene: Scene, camera: Camera): Still {
    this.counts.stills++;
    return new Still(subjectOf(scene), camera, this.width, this.height, this.ratio);
  }

  /** The new still picture has what was fresh. */
  private settle(): void {
    const { circuit, version } = this.still!.subject;
    for (const [item, at] of circuit.fresh) if (at <= version) circuit.fresh.delete(item);
  }
}
