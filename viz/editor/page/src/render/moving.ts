// The moving picture, drawn anew at every frame on top of the still one: what is dragged, fresh, selected,
// under the pointer or being drawn, and the neurons' states.

import { ELECTRICAL, type Item, type Neuron, ROLES, type Synapse } from "../model/circuit";
import { type Rect, seen } from "./camera";
import { HANDLE, RADIUS, curve, trace, traceOf } from "./curves";
import { byPen, colorOf, crowding, fillNeurons, strokeSynapses, writeLabels } from "./paint";
import { type Look, PLAIN, type Scene } from "./scene";
import { addEnd, addLine, addNeuron, type Context } from "./shapes";
import type { Still } from "./still";
import { diverging } from "./theme";

const MOST = 1500; // synapses drawn here at a frame; more wait for the still picture

export function drawMoving(ctx: Context, scene: Scene, still: Still, width: number, height: number): void {
  const { camera: { k }, theme } = scene;
  const window = seen(scene.camera, width, height);
  const folded = (n: Neuron): boolean => still.folding?.of.has(n) === true && !still.far;
  if (!still.far) above(ctx, scene, still, window, folded);
  if (scene.states) states(ctx, scene, window, folded);
  halos(ctx, scene, still, window, folded);
  handle(ctx, scene);
  draft(ctx, scene);
  problems(ctx, scene, folded);
  ctx.lineWidth = 1.2 / k;
  ctx.strokeStyle = theme.accent;
  ctx.fillStyle = theme.dark ? "rgba(255,111,163,0.10)" : "rgba(194,24,91,0.07)";
  if (scene.band) {
    const { x0, y0, x1, y1 } = scene.band;
    ctx.beginPath();
    ctx.rect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    ctx.fill();
    ctx.stroke();
  }
  if (scene.lasso && scene.lasso.length > 1) {
    ctx.beginPath();
    scene.lasso.forEach(({ x, y }, n) => (n ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    ctx.fill();
    ctx.setLineDash([5 / k, 4 / k]);
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

/** Whether nothing is to be drawn here. */
export function isEmpty(scene: Scene, still: Still): boolean {
  const { lifted, selection, hover, cursor, draft, band, lasso, states, problems, silenced, handle, circuit } = scene;
  return !(lifted ?? still.subject.lifted ?? hover ?? cursor ?? draft ?? band ?? lasso ?? states ?? handle)
    && !selection.size && !problems.size && !silenced.size && !circuit.fresh.size;
}

/** What the still picture does not have yet, or no longer: lifted neurons and fresh changes. */
function above(ctx: Context, scene: Scene, still: Still, window: Rect, folded: (n: Neuron) => boolean): void {
  const { circuit, camera: { k }, look, theme } = scene;
  const neurons = new Set<Neuron>();
  const synapses = new Set<Synapse>();
  const raise = (neuron: Neuron): void => {
    if (circuit.neurons.get(neuron.key) !== neuron || folded(neuron)) return;
    neurons.add(neuron);
    for (const s of neuron.out.values()) if (synapses.size < MOST && !folded(s.post)) synapses.add(s);
    for (const s of neuron.in.values()) if (synapses.size < MOST && !folded(s.pre)) synapses.add(s);
  };
  for (const set of [scene.lifted, still.subject.lifted]) if (set) for (const neuron of set) raise(neuron);
  for (const [item, version] of circuit.fresh) {
    if (version <= still.subject.version) continue;
    if (item.kind === "neuron") raise(item);
    else if (synapses.size < MOST && !folded(item.pre) && !folded(item.post)) synapses.add(item);
  }
  if (!neurons.size && !synapses.size) return;
  strokeAll(ctx, theme, synapses, look, k, crowding(Math.min(circuit.size, 400), k));
  // Neurons at the ends of these lines stay above them.
  const ends = new Set(neurons);
  for (const s of synapses) ends.add(s.pre).add(s.post);
  const here = [...ends].filter((n) => n.x > window.x0 - 40 && n.x < window.x1 + 40 && n.y > window.y0 - 40 && n.y < window.y1 + 40);
  for (const role of [...ROLES, ""]) fillNeurons(ctx, theme, role, here.filter((n) => n.role === role), k);
  if (look.labels && k >= 0.55) writeLabels(ctx, theme, [...neurons].slice(0, 60), k, () => false);
}

function states(ctx: Context, scene: Scene, window: Rect, folded: (n: Neuron) => boolean): void {
  const { camera: { k }, theme } = scene;
  const colors = diverging();
  const lists: Neuron[][] = [];
  for (const [neuron, value] of scene.states!) {
    if (neuron.x < window.x0 - 20 || neuron.x > window.x1 + 20 || neuron.y < window.y0 - 20 || neuron.y > window.y1 + 20) continue;
    if (folded(neuron) || (scene.look.focus && !scene.look.focus.has(neuron))) continue;
    (lists[Math.round((Math.max(-1, Math.min(1, value)) + 1) * 16)] ??= []).push(neuron);
  }
  ctx.strokeStyle = theme.edge;
  ctx.lineWidth = Math.min(1.4, 1.2 / k);
  // Inside a rim of the role's colour; from afar the state alone.
  const scale = k < 0.25 ? 1.5 : 0.72;
  for (const [step, list] of lists.entries()) {
    if (!list) continue;
    ctx.fillStyle = colors[step]!;
    ctx.beginPath();
    for (const n of list) addNeuron(ctx, n.role, n.x, n.y, scale);
    ctx.fill();
    if (k > 0.4) ctx.stroke();
  }
}

function halos(ctx: Context, scene: Scene, still: Still, window: Rect, folded: (n: Neuron) => boolean): void {
  const { camera: { k }, theme, selection, hover, cursor, silenced } = scene;
  const shown = (item: Item): boolean =>
    item.kind === "neuron" ? !folded(item) && item.x > window.x0 - 40 && item.x < window.x1 + 40 && item.y > window.y0 - 40 && item.y < window.y1 + 40
      : !folded(item.pre) && !folded(item.post);
  const chosen: Synapse[] = [];
  for (const item of selection) if (item.kind === "synapse" && chosen.length < MOST / 2 && shown(item)) chosen.push(item);
  underline(ctx, chosen, theme.accent, 6 / k);
  strokeAll(ctx, theme, chosen, PLAIN, k, { width: 2, alpha: 1 });
  if (hover?.kind === "synapse" && shown(hover)) line(ctx, hover, colorOf(theme, hover.polarity), 3.5 / k, 0.9);
  // A neuron under the pointer shows its own synapses.
  if (hover?.kind === "neuron" && !still.far && !scene.lifted && shown(hover)) {
    const own = [...hover.out.values(), ...hover.in.values()].filter((s) => shown(s)).slice(0, 400);
    strokeAll(ctx, theme, own, PLAIN, k, { width: 1.7, alpha: 1 });
    const ends = new Set([hover, ...own.flatMap((s) => [s.pre, s.post])]);
    for (const role of [...ROLES, ""]) fillNeurons(ctx, theme, role, [...ends].filter((n) => n.role === role), k);
    if (scene.states) states(ctx, { ...scene, states: new Map([...ends].filter((n) => scene.states!.has(n)).map((n) => [n, scene.states!.get(n)!])) }, window, folded);
  }
  ctx.globalAlpha = 1;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2.4 / k;
  ctx.beginPath();
  for (const item of selection) if (item.kind === "neuron" && shown(item)) addNeuron(ctx, item.role, item.x, item.y, ring(k));
  ctx.stroke();
  ctx.strokeStyle = theme.ink;
  if (hover?.kind === "neuron" && shown(hover)) outline(ctx, hover, 1.6 / k, ring(k) - 0.08);
  if (cursor && shown(cursor)) {
    ctx.setLineDash([3 / k, 2.5 / k]);
    outline(ctx, cursor, 1.8 / k, ring(k) + 0.3);
    ctx.setLineDash([]);
  }
  if (!silenced.size) return;
  ctx.strokeStyle = theme.problem;
  ctx.lineWidth = 2.6 / k;
  ctx.beginPath();
  for (const item of silenced) {
    if (item.kind === "synapse") traceOf(item);
    const { x, y } = item.kind === "neuron" ? item : { x: (curve.ax + 2 * curve.cx + curve.bx) / 4, y: (curve.ay + 2 * curve.cy + curve.by) / 4 };
    const r = RADIUS * 0.9;
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x + r, y - r);
    ctx.lineTo(x - r, y + r);
  }
  ctx.stroke();
}

function strokeAll(ctx: Context, theme: Scene["theme"], synapses: Iterable<Synapse>, look: Look, k: number, crowd: { width: number; alpha: number }): void {
  for (const [id, list] of byPen(synapses, look).entries()) if (list) strokeSynapses(ctx, theme, list, id, 0, list.length, k, crowd);
}

/** A broad, faint line under synapses, some at a time. */
function underline(ctx: Context, list: readonly Synapse[], color: string, width: number): void {
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.35;
  ctx.lineWidth = width;
  for (let start = 0; start < list.length; start += 48) {
    ctx.beginPath();
    for (const synapse of list.slice(start, start + 48)) {
      traceOf(synapse);
      addLine(ctx, synapse.polarity);
    }
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** A ring around a neuron keeps some pixels of distance, also from afar. */
const ring = (k: number): number => 1.32 + Math.max(0, 0.25 / k - 0.3);

function outline(ctx: Context, n: Neuron, width: number, scale: number): void {
  ctx.lineWidth = width;
  ctx.beginPath();
  addNeuron(ctx, n.role, n.x, n.y, scale);
  ctx.stroke();
}

function line(ctx: Context, synapse: Synapse, color: string, width: number, alpha: number): void {
  traceOf(synapse);
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.globalAlpha = alpha;
  ctx.lineWidth = width;
  ctx.beginPath();
  addLine(ctx, synapse.polarity);
  ctx.stroke();
  ctx.beginPath();
  addEnd(ctx, synapse.polarity, 1.35);
  ctx.fill();
  ctx.globalAlpha = 1;
}

function handle(ctx: Context, { handle, theme, camera: { k } }: Scene): void {
  if (!handle) return;
  const r = 5.5;
  const x = handle.x + HANDLE;
  const { y } = handle;
  ctx.fillStyle = theme.ground;
  ctx.strokeStyle = theme.ink;
  ctx.lineWidth = 1.3 / Math.max(k, 1);
  ctx.beginPath();
  ctx.arc(x, y, r, 0, 7);
  ctx.fill();
  ctx.moveTo(x - r * 0.5, y);
  ctx.lineTo(x + r * 0.5, y);
  ctx.moveTo(x + r * 0.1, y - r * 0.42);
  ctx.lineTo(x + r * 0.5, y);
  ctx.lineTo(x + r * 0.1, y + r * 0.42);
  ctx.stroke();
}

function draft(ctx: Context, { draft, camera: { k }, theme }: Scene): void {
  if (!draft) return;
  const { from, to, polarity } = draft;
  const straight = polarity === ELECTRICAL;
  if ("kind" in to) trace(from, to, straight);
  else {
    // A free end is at the pointer itself.
    trace(from, { x: to.x, y: to.y }, straight);
    curve.bx = to.x - curve.ux * 8;
    curve.by = to.y - curve.uy * 8;
  }
  ctx.strokeStyle = ctx.fillStyle = colorOf(theme, polarity);
  ctx.lineWidth = 2.2 / k;
  if (!("kind" in to)) ctx.setLineDash([6 / k, 4 / k]);
  ctx.beginPath();
  addLine(ctx, polarity);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  addEnd(ctx, polarity, 1.3);
  ctx.fill();
  if ("kind" in to) {
    ctx.strokeStyle = colorOf(theme, polarity);
    outline(ctx, to, 2.4 / k, 1.4);
  }
}

/** A badge beside what `check` finds fault with. */
function problems(ctx: Context, scene: Scene, folded: (n: Neuron) => boolean): void {
  const { camera: { k }, theme } = scene;
  let drawn = 0;
  for (const item of scene.problems.keys()) {
    if (k < 0.25 || drawn++ > 200) return;
    let x = 0;
    let y = 0;
    if (item.kind === "neuron") {
      if (folded(item)) continue;
      [x, y] = [item.x + RADIUS * 1.1, item.y - RADIUS * 1.1];
    } else {
      traceOf(item);
      [x, y] = [(curve.ax + 2 * curve.cx + curve.bx) / 4, (curve.ay + 2 * curve.cy + curve.by) / 4];
    }
    ctx.fillStyle = theme.problem;
    ctx.strokeStyle = theme.ground;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.arc(x, y, 6.5, 0, 7);
    ctx.fill();
    ctx.stroke();
    ctx.fillStyle = theme.dark ? "#1a1d24" : "#ffffff";
    ctx.font = "700 10px ui-sans-serif, system-ui, sans-serif";
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText("!", x, y + 0.5);
  }
}
