// Everything that can be done by name: the command palette, the keys, the menu and the help read this table.

import { type Editor, type Panel, round } from "../editor";
import { ELECTRICAL, type Item, type Neuron, type Polarity, ROLES, type Role, wordOf } from "../model/circuit";
import { copied, pasted } from "../model/clipboard";
import { neighbourhood, shortestPaths, towards } from "../model/paths";
import { STEP, layered } from "../model/place";
import type { Point } from "../render/camera";
import { toWorld } from "../render/camera";
import { groupOf } from "../render/blocks";

export interface Command {
  id: string;
  title: string;
  section: "File" | "Edit" | "Draw" | "Select" | "Arrange" | "View" | "Live";
  keys?: string[]; // "Mod" is Ctrl, or Cmd on a Mac
  /** Why it cannot be done now; what cannot be done is shown, with the reason. */
  cannot?: (e: Editor) => string | null;
  run: (e: Editor) => void;
}

const needNeurons = (count = 1) => (e: Editor): string | null =>
  e.neurons.length >= count ? null : count === 1 ? "select a neuron first" : `select ${count} neurons first`;
const needSynapses = (e: Editor): string | null => (e.synapses.length ? null : "select a synapse first");
const needSelection = (e: Editor): string | null => (e.selection.size ? null : "select something first");
const needPython = (e: Editor): string | null => (e.session.python ? null : "needs Python: open the circuit with gl.edit or `ganglion edit`");
const needLive = (e: Editor): string | null => (e.live.on ? null : e.session.python ? "live running is off" : "this page has no recording");

let clipboard = ""; // where the browser gives no access to its own

async function copy(e: Editor): Promise<void> {
  clipboard = copied(e.circuit, e.neurons);
  e.say(`copied ${e.neurons.length} neurons`);
  await navigator.clipboard?.writeText(clipboard).catch(() => undefined);
}

/** Paste a text of a circuit, or what was copied here; the pasted neurons are selected. */
export function paste(e: Editor, text = clipboard, at?: Point): void {
  const middle = toWorld(e.camera, e.renderer.width / 2, e.renderer.height / 2);
  const source = e.cursor ? e.room({ x: e.cursor.x + STEP * 1.5, y: e.cursor.y + STEP }) : middle;
  const edit = pasted(e.circuit, text, (at ?? source).x, (at ?? source).y);
  if (!edit) return e.say(text.trim() ? "the clipboard holds no circuit: copy neurons, or the text of a circuit file" : "there is nothing to paste: copy neurons first", "error");
  const names = edit.neurons!.map(([name]) => name);
  if (e.edit({ kind: "batch", edits: [edit], label: `paste ${names.length} neurons` })) e.select(names.flatMap((n) => e.circuit.find(n) ?? []));
}

/** Line neurons up, or spread them evenly, along an axis. */
export function align(e: Editor, axis: "x" | "y", how: "line" | "spread"): void {
  const neurons = [...e.neurons].sort((a, b) => a[axis] - b[axis]);
  const mean = neurons.reduce((sum, n) => sum + n[axis], 0) / neurons.length;
  const [first, last] = [neurons[0]![axis], neurons.at(-1)![axis]];
  e.move(neurons.map((n, k) => {
    const value = how === "line" ? mean : first + ((last - first) * k) / Math.max(neurons.length - 1, 1);
    return [n, axis === "x" ? { x: value, y: n.y } : { x: n.x, y: value }];
  }));
}

/** Put neurons, or all, into layers by role. */
function arrange(e: Editor): void {
  const chosen = e.neurons.length > 1 ? e.neurons : [...e.circuit.neurons.values()];
  const found = layered(chosen);
  const mean = (values: Iterable<Point>, axis: "x" | "y"): number => {
    const all = [...values];
    return all.reduce((sum, p) => sum + p[axis], 0) / all.length;
  };
  const [dx, dy] = [mean(chosen, "x") - mean(found.values(), "x"), mean(chosen, "y") - mean(found.values(), "y")];
  if (e.move([...found].map(([n, p]) => [n, { x: p.x + dx, y: p.y + dy }])) && chosen.length === e.circuit.neurons.size) e.fit();
}

/** Give neurons of a role one column: that of the mean. */
function alignToLayers(e: Editor): void {
  const chosen = e.neurons.length ? e.neurons : [...e.circuit.neurons.values()];
  const columns = new Map<string, Neuron[]>();
  for (const n of chosen) columns.set(n.role, [...(columns.get(n.role) ?? []), n]);
  e.move([...columns.values()].flatMap((list) => {
    const x = list.reduce((sum, n) => sum + n.x, 0) / list.length;
    return list.map((n): [Neuron, Point] => [n, { x: Math.round(x / STEP) * STEP, y: Math.round(n.y / (STEP / 2)) * (STEP / 2) }]);
  }));
}

export function setRole(e: Editor, role: Role): void {
  if (e.neurons.length) e.setNeurons(e.neurons, "role", role);
  e.set({ role });
}

/** Show what stands out; showing the same again shows more of it. */
let hops = 1;
function highlight(e: Editor, direction: "in" | "out" | "both"): void {
  const start = e.neurons.length ? e.neurons : e.cursor ? [e.cursor] : [];
  const once = neighbourhood(start, direction, hops);
  hops = e.look.focus && e.look.focus.size === once.size ? hops + 1 : 1;
  e.set({ look: { ...e.look, focus: neighbourhood(start, direction, hops) } });
  e.say(`${hops} synapse${hops > 1 ? "s" : ""} ${direction === "both" ? "around" : direction === "in" ? "before" : "after"}: press again for one more, Escape to end`);
}

function path(e: Editor): void {
  const [a, b] = e.neurons;
  const found = shortestPaths(a!, b!);
  if (!found) return e.say(`there is no path from '${a!.label}' to '${b!.label}'`, "error");
  e.set({ look: { ...e.look, focus: found } });
  const count = [...found].filter((i) => i.kind === "neuron").length;
  e.say(`shortest paths from '${a!.label}' to '${b!.label}': ${count} neurons; Escape to end`);
}

function group(e: Editor): void {
  const taken = new Set([...e.circuit.neurons.values()].map(groupOf));
  let k = 1;
  while (taken.has(`group ${k}`)) k++;
  e.setNeurons(e.neurons, "group", `group ${k}`);
  e.set({ panel: "inspect" });
}

export function fold(e: Editor, name: string, on = !e.look.folded.has(name)): void {
  const folded = new Set(e.look.folded);
  if (on) folded.add(name);
  else folded.delete(name);
  e.set({ look: { ...e.look, folded } });
}

function foldAll(e: Editor): void {
  const chosen = new Set(e.neurons.map(groupOf).filter((g): g is string => g !== null));
  const groups = chosen.size ? chosen : new Set([...e.circuit.neurons.values()].map(groupOf).filter((g): g is string => g !== null));
  if (!groups.size) return e.say("there are no groups: select neurons and press G", "error");
  const all = [...groups].every((g) => e.look.folded.has(g));
  const folded = new Set(e.look.folded);
  for (const g of groups) if (all) folded.delete(g); else folded.add(g);
  e.set({ look: { ...e.look, folded } });
}

/** End one thing after the other. */
function escape(e: Editor): void {
  if (e.dialog || e.menu) e.set({ dialog: null, menu: null });
  else if (e.connecting) e.set({ connecting: null, draft: null });
  else if (e.live.silenced.size) e.live.without([]);
  else if (e.look.focus) e.set({ look: { ...e.look, focus: null } });
  else if (e.tool !== "select") e.set({ tool: "select" });
  else e.set({ selection: new Set() });
}

/** Begin a synapse at the cursor; the arrows go to where it ends, Enter draws it. */
function startConnecting(e: Editor, polarity: Polarity): void {
  const from = e.cursor ?? e.neurons[0];
  if (!from) return e.say("go to a neuron first, with the arrow keys", "error");
  if (e.neurons.length === 2 && e.neurons.includes(from)) {
    const [a, b] = e.neurons;
    e.connect(a!, b!, polarity);
    return;
  }
  e.set({ connecting: from, polarity, cursor: from, draft: { from, to: from, polarity } });
  e.say(`${wordOf(polarity)} synapse from '${from.label}': go to a neuron with the arrow keys, Enter draws, Escape ends`);
}

export function walk(e: Editor, dx: number, dy: number): void {
  if (!e.cursor) {
    const first = e.neurons[0] ?? [...e.circuit.neurons.values()][0];
    if (first) goTo(e, first);
    return;
  }
  const next = towards(e.circuit, e.cursor, dx, dy);
  if (next) goTo(e, next);
}

export function goTo(e: Editor, neuron: Neuron): void {
  if (e.connecting) e.set({ cursor: neuron, draft: { from: e.connecting, to: neuron, polarity: e.polarity } });
  else {
    e.set({ cursor: neuron });
    e.select([neuron]);
  }
  e.reveal(neuron);
}

function enter(e: Editor): void {
  if (e.connecting && e.cursor) {
    const from = e.connecting;
    e.set({ connecting: null, draft: null });
    if (e.connect(from, e.cursor, e.polarity)) e.set({ cursor: from, selection: new Set([from]) }); // on with the next one
    return;
  }
  if (e.cursor && !e.selection.has(e.cursor)) e.select([e.cursor]);
  else e.set({ panel: "inspect" });
}

/** Move what is selected a step; steps in a row become one edit when the keys rest. */
const nudged = new WeakMap<Editor, { places: Map<Neuron, Point>; timer: number }>();
export function nudge(e: Editor, dx: number, dy: number): void {
  if (e.readonly || !e.neurons.length) return;
  const kept = nudged.get(e) ?? { places: new Map<Neuron, Point>(), timer: 0 };
  clearTimeout(kept.timer);
  for (const n of e.neurons) {
    [n.x, n.y] = [round(n.x + dx), round(n.y + dy)];
    kept.places.set(n, { x: n.x, y: n.y });
  }
  nudged.set(e, kept);
  e.set({ lifted: new Set(kept.places.keys()) });
  kept.timer = window.setTimeout(() => settleNudge(e), 400);
}

/** Write down what was nudged, now: before another edit, or when keys rest. */
export function settleNudge(e: Editor): void {
  const kept = nudged.get(e);
  if (!kept) return;
  nudged.delete(e);
  clearTimeout(kept.timer);
  e.set({ lifted: null });
  e.move(kept.places);
}

export const whatIfItems = (e: Editor): Item[] => (e.hover ? [e.hover] : e.selection.size ? [...e.selection] : e.cursor ? [e.cursor] : []);

/** The panels at the side, in the order of their buttons. */
export const PANELS: { panel: Panel; title: string; keys: string[] }[] = [
  { panel: "inspect", title: "Properties", keys: ["T"] }, { panel: "table", title: "Table of neurons", keys: [] }, { panel: "matrix", title: "Matrix", keys: ["X"] },
  { panel: "live", title: "Live", keys: ["O"] }, { panel: "projections", title: "Projections", keys: [] }, { panel: "changes", title: "Changes", keys: [] },
  { panel: "problems", title: "Problems and facts", keys: [] },
];

export const COMMANDS: Command[] = [
  { id: "save", title: "Save", section: "File", keys: ["Mod+S"], run: (e) => { if (!e.session.ask({ type: "save" })) e.set({ dialog: "export" }); } },
  { id: "export", title: "Export and download …", section: "File", keys: ["Mod+Shift+S"], run: (e) => e.set({ dialog: "export" }) },

  { id: "python", title: "Copy as Python", section: "File", cannot: needPython, run: (e) => e.copyPython() },

  { id: "undo", title: "Undo", section: "Edit", keys: ["Mod+Z"], cannot: (e) => (e.session.undoLabel ? null : "there is nothing to undo"), run: (e) => e.session.undo() },
  { id: "redo", title: "Redo", section: "Edit", keys: ["Mod+Shift+Z", "Mod+Y"], cannot: (e) => (e.session.redoLabel ? null : "there is nothing to do again"), run: (e) => e.session.redo() },
  { id: "copy", title: "Copy", section: "Edit", keys: ["Mod+C"], cannot: needNeurons(), run: (e) => void copy(e) },
  { id: "cut", title: "Cut", section: "Edit", keys: ["Mod+X"], cannot: needNeurons(), run: (e) => { void copy(e); e.remove(e.neurons); } },
  { id: "paste", title: "Paste", section: "Edit", keys: ["Mod+V"], run: (e) => paste(e) },
  { id: "duplicate", title: "Duplicate", section: "Edit", keys: ["Mod+D"], cannot: needNeurons(), run: (e) => {
    const text = copied(e.circuit, e.neurons);
    const xs = e.neurons.map((n) => n.x), ys = e.neurons.map((n) => n.y);
    paste(e, text, { x: (Math.min(...xs) + Math.max(...xs)) / 2 + STEP / 2, y: (Math.min(...ys) + Math.max(...ys)) / 2 + STEP / 2 });
  } },
  { id: "delete", title: "Delete", section: "Edit", keys: ["Delete", "Backspace"], cannot: needSelection, run: (e) => e.remove() },
  { id: "rename", title: "Rename …", section: "Edit", keys: ["F2"], cannot: needNeurons(), run: (e) => e.set({ dialog: "rename" }) },
  { id: "notes", title: "Notes …", section: "Edit", keys: ["Shift+N"], run: (e) => e.set({ dialog: "notes" }) },

  { id: "neuron", title: "Add a neuron", section: "Draw", keys: ["N"], run: (e) => void e.addBeside() },
  ...ROLES.map((role, k): Command => ({ id: `role-${role}`, title: `Role: ${role}`, section: "Draw", keys: [String(k + 1)], run: (e) => setRole(e, role) })),
  { id: "excite", title: "Excitatory synapse from here …", section: "Draw", keys: ["E"], run: (e) => startConnecting(e, 1) },
  { id: "inhibit", title: "Inhibitory synapse from here …", section: "Draw", keys: ["I"], run: (e) => startConnecting(e, -1) },
  { id: "couple", title: "Electrical synapse from here …", section: "Draw", keys: ["J"], run: (e) => startConnecting(e, ELECTRICAL) },
  { id: "flip", title: "Flip polarity", section: "Draw", keys: ["F"], cannot: needSynapses, run: (e) => e.flip() },
  { id: "confirm", title: "Select, or draw the synapse", section: "Draw", keys: ["Enter"], run: enter },
  { id: "connect-tool", title: "Tool: draw synapses by dragging", section: "Draw", keys: ["C"], run: (e) => e.set({ tool: "connect" }) },
  { id: "motifs", title: "Motifs …", section: "Draw", keys: ["M"], run: (e) => e.set({ dialog: "motifs" }) },
  { id: "connect-rule", title: "Connect groups by a rule …", section: "Draw", keys: ["R"], run: (e) => e.set({ dialog: "connect" }) },
  { id: "generate", title: "Generate a circuit …", section: "Draw", keys: ["Shift+G"], cannot: needPython, run: (e) => e.set({ dialog: "generate" }) },

  { id: "select-tool", title: "Tool: select by box", section: "Select", keys: ["V"], run: (e) => e.set({ tool: "select" }) },
  { id: "lasso-tool", title: "Tool: select by lasso", section: "Select", keys: ["L"], run: (e) => e.set({ tool: "lasso" }) },
  { id: "all", title: "Select all", section: "Select", keys: ["Mod+A"], run: (e) => e.select([...e.circuit.neurons.values(), ...e.circuit.synapses()]) },
  { id: "invert", title: "Invert the selection", section: "Select", run: (e) => e.select([...e.circuit.neurons.values()].filter((n) => !e.selection.has(n))) },
  ...ROLES.map((role): Command => ({ id: `select-${role}`, title: `Select all ${role} neurons`, section: "Select", run: (e) => e.select([...e.circuit.neurons.values()].filter((n) => n.role === role)) })),
  { id: "incoming", title: "Select incoming synapses", section: "Select", keys: ["6"], cannot: needNeurons(), run: (e) => e.select(e.neurons.flatMap((n) => [...n.in.values()])) },
  { id: "outgoing", title: "Select outgoing synapses", section: "Select", keys: ["7"], cannot: needNeurons(), run: (e) => e.select(e.neurons.flatMap((n) => [...n.out.values()])) },
  { id: "escape", title: "End, or select nothing", section: "Select", keys: ["Escape"], run: escape },

  { id: "arrange", title: "Arrange in layers", section: "Arrange", keys: ["Shift+L"], run: arrange },
  { id: "layers", title: "Align to layers", section: "Arrange", keys: ["A"], run: alignToLayers },
  { id: "column", title: "Align in a column", section: "Arrange", cannot: needNeurons(2), run: (e) => align(e, "x", "line") },
  { id: "row", title: "Align in a row", section: "Arrange", cannot: needNeurons(2), run: (e) => align(e, "y", "line") },
  { id: "spread-x", title: "Spread from left to right", section: "Arrange", cannot: needNeurons(3), run: (e) => align(e, "x", "spread") },
  { id: "spread-y", title: "Spread from top to bottom", section: "Arrange", cannot: needNeurons(3), run: (e) => align(e, "y", "spread") },
  { id: "group", title: "Group", section: "Arrange", keys: ["G"], cannot: needNeurons(), run: group },
  { id: "ungroup", title: "Ungroup", section: "Arrange", keys: ["U"], cannot: needNeurons(), run: (e) => e.setNeurons(e.neurons.filter((n) => groupOf(n) !== null), "group", undefined) },
  { id: "fold", title: "Fold or unfold groups", section: "Arrange", keys: ["B"], run: foldAll },

  { id: "palette", title: "Search and commands …", section: "View", keys: ["/", "Mod+K"], run: (e) => e.set({ dialog: "palette" }) },
  { id: "help", title: "Keys", section: "View", keys: ["?"], run: (e) => e.set({ dialog: "help" }) },
  { id: "fit", title: "Fit all", section: "View", keys: ["0"], run: (e) => e.fit() },
  { id: "fit-selection", title: "Fit the selection", section: "View", keys: ["Shift+0"], cannot: needSelection, run: (e) => e.fit(new Set([...e.neurons, ...e.synapses.flatMap((s) => [s.pre, s.post])])) },
  { id: "nearer", title: "Zoom in", section: "View", keys: ["+", "="], run: (e) => e.zoom(1.25) },
  { id: "farther", title: "Zoom out", section: "View", keys: ["-"], run: (e) => e.zoom(0.8) },
  { id: "before", title: "Show what leads here", section: "View", keys: ["["], cannot: needNeurons(), run: (e) => highlight(e, "in") },
  { id: "after", title: "Show what this leads to", section: "View", keys: ["]"], cannot: needNeurons(), run: (e) => highlight(e, "out") },
  { id: "around", title: "Show the neighbourhood", section: "View", keys: ["H"], cannot: needNeurons(), run: (e) => highlight(e, "both") },
  { id: "path", title: "Show the paths between two neurons", section: "View", keys: ["P"], cannot: needNeurons(2), run: path },
  { id: "labels", title: "Names on or off", section: "View", keys: ["Shift+T"], run: (e) => e.set({ look: { ...e.look, labels: !e.look.labels } }) },
  { id: "theme", title: "Dark or light", section: "View", keys: ["D"], run: (e) => e.setTheme(!e.theme.dark) },
  ...PANELS.map(({ panel, title, keys }): Command => ({ id: `${panel}-panel`, title: `Panel: ${title.toLowerCase()}`, section: "View", keys, run: (e) => e.set({ panel: e.panel === panel ? null : panel }) })),
  { id: "compare", title: "Show changes from now on", section: "View", run: (e) => (e.changes.revision === null ? e.changes.since(e.session.revision) : e.changes.stop()) },

  { id: "play", title: "Play or pause", section: "Live", keys: ["Space"], cannot: needLive, run: (e) => void e.session.ask({ type: "play", on: !e.live.playing, speed: e.live.speed }) },
  { id: "step", title: "One step", section: "Live", keys: ["."], cannot: needLive, run: (e) => void e.session.ask({ type: "step", count: 1 }) },
  { id: "reset", title: "Start again from rest", section: "Live", keys: [","], cannot: needLive, run: (e) => void e.session.ask({ type: "reset" }) },
  { id: "rank", title: "Rank neurons by their effect", section: "Live", cannot: needPython, run: (e) => { e.session.ask({ type: "rank" }); e.set({ panel: "live" }); } },
];

/** Commands by what they are called. */
export const commandOf = new Map(COMMANDS.map((command) => [command.id, command]));

/** Do a command, or say why it cannot be done. */
export function run(e: Editor, command: Command): void {
  settleNudge(e);
  if (e.message) e.set({ message: null });
  const why = command.cannot?.(e) ?? null;
  if (why !== null) e.say(why, "error");
  else command.run(e);
}

