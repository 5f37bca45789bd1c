// Mouse, pen and fingers on the canvas. A drag is local until the button goes up; then it is one edit.

import { type Editor, notElectrical } from "../editor";
import { ELECTRICAL, type Item, type Neuron, type Polarity, attributesOf } from "../model/circuit";
import { type Camera, type Point, panned, toWorld, zoomed } from "../render/camera";
import { HANDLE, at, traceOf } from "../render/curves";
import { fold, settleNudge } from "./commands";

const THRESHOLD = 4; // pixels from a click to a drag

type Gesture =
  | { kind: "press"; item: Item | null; x: number; y: number; add: boolean; then: "move" | "band" | "lasso" | "pan" | "draw" }
  | { kind: "move"; start: Point; origins: Map<Neuron, Point> }
  | { kind: "draw"; from: Neuron; polarity: Polarity }
  | { kind: "band"; start: Point; before: ReadonlySet<Item> }
  | { kind: "lasso"; points: Point[]; before: ReadonlySet<Item> }
  | { kind: "pan"; x: number; y: number; camera: Camera }
  | { kind: "pinch"; distance: number; middle: Point; camera: Camera };

export function listenToPointer(editor: Editor, root: HTMLElement, canvas: HTMLCanvasElement, wheelNeedsFocus: () => boolean): () => void {
  let gesture: Gesture | null = null;
  const down = new Map<number, Point>(); // fingers and buttons that are pressed

  const place = (event: MouseEvent): Point => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const world = (p: Point): Point => toWorld(editor.camera, p.x, p.y);
  /** The neuron on whose handle a point lies. */
  const handleAt = (p: Point): Neuron | null => {
    const { handle } = editor;
    if (!handle) return null;
    const q = world(p);
    return Math.hypot(q.x - handle.x - HANDLE, q.y - handle.y) < Math.max(8, 9 / editor.camera.k) ? handle : null;
  };
  const cursorOf = (item: Item | null): string => (editor.tool === "pan" ? "grab" : editor.tool === "connect" && item?.kind === "neuron" ? "crosshair" : item ? "pointer" : "default");

  const press = (event: PointerEvent): void => {
    if (event.pointerType === "mouse" || down.size === 0) canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    settleNudge(editor);
    const p = place(event);
    down.set(event.pointerId, p);
    if (editor.menu) editor.set({ menu: null });
    if (down.size === 2) return pinch();
    if (down.size > 2) return;
    const grip = event.button === 0 ? handleAt(p) : null;
    const { item, block } = grip ? { item: grip, block: null } : editor.renderer.pick(p.x, p.y);
    const right = event.button === 2 || (event.button === 0 && event.ctrlKey && navigator.platform.startsWith("Mac"));
    const add = event.shiftKey || event.ctrlKey || event.metaKey;
    let then: (Gesture & { kind: "press" })["then"];
    if (event.button === 1 || (editor.tool === "pan" && !item)) then = "pan";
    else if (item?.kind === "neuron" && (grip || right || editor.tool === "connect" || event.altKey)) then = "draw";
    else if (right) then = "pan";
    else if (item) then = "move";
    else then = editor.tool === "lasso" ? "lasso" : editor.tool === "pan" ? "pan" : "band";
    if (event.pointerType === "touch" && !item && then === "band") then = "pan";
    gesture = { kind: "press", item, x: p.x, y: p.y, add, then };
    if (block && !right) editor.select(block.members);
  };

  /** A press that moved far enough becomes what it was meant to be. */
  const begin = ({ item, x, y, add, then }: Gesture & { kind: "press" }): Gesture | null => {
    if (then === "pan") return { kind: "pan", x, y, camera: editor.camera };
    if (then === "band") return { kind: "band", start: world({ x, y }), before: add ? editor.selection : new Set() };
    if (then === "lasso") return { kind: "lasso", points: [world({ x, y })], before: add ? editor.selection : new Set() };
    if (editor.readonly) return { kind: "pan", x, y, camera: editor.camera };
    if (then === "draw" && item?.kind === "neuron") return { kind: "draw", from: item, polarity: editor.polarity };
    if (item?.kind === "synapse") {
      if (!editor.selection.has(item)) editor.select([item]);
      return null;
    }
    if (item && !editor.selection.has(item)) editor.select(add ? [...editor.selection, item] : [item]);
    const moved = editor.neurons;
    if (!moved.length) return null;
    editor.set({ lifted: new Set(moved), hover: null });
    return { kind: "move", start: world({ x, y }), origins: new Map(moved.map((n) => [n, { x: n.x, y: n.y }])) };
  };

  const move = (event: PointerEvent): void => {
    const p = place(event);
    if (down.has(event.pointerId)) down.set(event.pointerId, p);
    if (!gesture) {
      const grip = handleAt(p);
      const item = grip ?? editor.renderer.pick(p.x, p.y).item;
      if (item !== editor.hover) editor.set({ hover: item });
      const cursor = grip ? "crosshair" : cursorOf(item);
      if (canvas.style.cursor !== cursor) canvas.style.cursor = cursor;
      return;
    }
    if (gesture.kind === "press") {
      if (Math.hypot(p.x - gesture.x, p.y - gesture.y) < THRESHOLD) return;
      gesture = begin(gesture);
      if (!gesture) return;
    }
    follow(gesture, p, event);
  };

  const follow = (g: Gesture, p: Point, event: PointerEvent): void => {
    switch (g.kind) {
      case "move": {
        const q = world(p);
        let [dx, dy] = [q.x - g.start.x, q.y - g.start.y];
        if (event.shiftKey) [dx, dy] = Math.abs(dx) > Math.abs(dy) ? [dx, 0] : [0, dy]; // along one axis
        for (const [neuron, origin] of g.origins) [neuron.x, neuron.y] = [origin.x + dx, origin.y + dy];
        editor.draw();
        return;
      }
      case "draw": {
        const { item } = editor.renderer.pick(p.x, p.y, 10);
        const polarity = event.shiftKey && g.polarity !== ELECTRICAL ? -g.polarity : g.polarity;
        editor.set({ draft: { from: g.from, to: item?.kind === "neuron" ? item : world(p), polarity } });
        return;
      }
      case "band": {
        const q = world(p);
        const band = { x0: g.start.x, y0: g.start.y, x1: q.x, y1: q.y };
        editor.set({ band });
        return;
      }
      case "lasso":
        g.points.push(world(p));
        editor.set({ lasso: g.points });
        return;
      case "pan":
        canvas.style.cursor = "grabbing";
        editor.set({ camera: panned(g.camera, p.x - g.x, p.y - g.y) });
        return;
      case "pinch": {
        const [a, b] = [...down.values()];
        if (!a || !b) return;
        const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
        const near = zoomed(g.camera, Math.hypot(a.x - b.x, a.y - b.y) / g.distance, g.middle.x, g.middle.y);
        editor.set({ camera: panned(near, middle.x - g.middle.x, middle.y - g.middle.y) });
        return;
      }
      default:
    }
  };

  const pinch = (): void => {
    cancel();
    const [a, b] = [...down.values()];
    gesture = { kind: "pinch", distance: Math.max(1, Math.hypot(a!.x - b!.x, a!.y - b!.y)), middle: { x: (a!.x + b!.x) / 2, y: (a!.y + b!.y) / 2 }, camera: editor.camera };
  };

  const release = (event: PointerEvent): void => {
    down.delete(event.pointerId);
    const g = gesture;
    if (!g || (g.kind === "pinch" && down.size)) return;
    gesture = null;
    const p = place(event);
    canvas.style.cursor = cursorOf(null);
    switch (g.kind) {
      case "press": return click(g, event);
      case "move":
        editor.lifted = null;
        if (!editor.move([...g.origins.keys()].map((n) => [n, { x: n.x, y: n.y }])))
          for (const [n, origin] of g.origins) [n.x, n.y] = [origin.x, origin.y];
        editor.set({ lifted: null });
        return;
      case "draw": return drop(g, p);
      case "band": {
        const b = editor.band;
        editor.set({ band: null });
        if (b) pickInside(g.before, (x, y) => x > Math.min(b.x0, b.x1) && x < Math.max(b.x0, b.x1) && y > Math.min(b.y0, b.y1) && y < Math.max(b.y0, b.y1));
        return;
      }
      case "lasso":
        editor.set({ lasso: null });
        pickInside(g.before, (x, y) => isInside(x, y, g.points));
        return;
      default:
    }
  };

  const click = ({ item, add, x, y, then }: Gesture & { kind: "press" }, event: PointerEvent): void => {
    if (event.button === 2 || (then === "pan" && event.ctrlKey)) {
      if (item && !editor.selection.has(item)) editor.select([item]);
      editor.set({ menu: { x, y }, ...(item?.kind === "neuron" && { cursor: item }) });
      return;
    }
    if (item) {
      if (add) editor.toggle(item);
      else editor.select([item]);
      if (item.kind === "neuron") editor.set({ cursor: item });
    } else if (!add && then !== "pan" && !editor.renderer.pick(x, y).block) editor.select([]);
  };

  /** A synapse was drawn to a neuron, or to where a new one is wanted. */
  const drop = ({ from }: Gesture & { kind: "draw" }, p: Point): void => {
    const { draft } = editor;
    editor.set({ draft: null });
    if (!draft) return;
    const polarity = draft.polarity as Polarity;
    if ("kind" in draft.to) {
      editor.connect(from, draft.to, polarity);
      return;
    }
    if (polarity === ELECTRICAL && from.role === "sensory") return editor.say(notElectrical(from, null)!, "error");
    const role = editor.role === "sensory" ? "inter" : editor.role;
    const name = editor.freeName(role);
    const q = world(p);
    const made = editor.edit({
      kind: "batch", label: "add a neuron and its synapse",
      edits: [
        { kind: "add", neurons: [[name, { role, x: Math.round(q.x), y: Math.round(q.y) }]] },
        { kind: "add", synapses: [[from.name, name, attributesOf(polarity)]] },
      ],
    });
    const neuron = made ? editor.circuit.find(name) : undefined;
    if (neuron) editor.select([neuron]);
  };

  /** Select neurons inside, and synapses between them or, if there are none, those that pass. */
  const pickInside = (before: ReadonlySet<Item>, inside: (x: number, y: number) => boolean): void => {
    const found = new Set(before);
    let some = false;
    for (const n of editor.circuit.neurons.values()) if (inside(n.x, n.y)) { found.add(n); some = true; }
    for (const s of editor.circuit.synapses()) {
      if (some) { if (inside(s.pre.x, s.pre.y) && inside(s.post.x, s.post.y)) found.add(s); continue; }
      traceOf(s);
      if (inside(...at(0.35)) || inside(...at(0.5)) || inside(...at(0.65))) found.add(s);
    }
    editor.select(found);
  };

  const cancel = (): void => {
    if (gesture?.kind === "move") {
      for (const [n, origin] of gesture.origins) [n.x, n.y] = [origin.x, origin.y];
      editor.set({ lifted: null });
    }
    gesture = null;
    editor.set({ draft: null, band: null, lasso: null });
  };

  const lost = (event: PointerEvent): void => {
    down.delete(event.pointerId);
    cancel();
  };
  const leave = (): void => {
    if (!gesture && editor.hover) editor.set({ hover: null });
  };
  const twice = (event: MouseEvent): void => {
    const p = place(event);
    const { item, block } = editor.renderer.pick(p.x, p.y);
    if (block) fold(editor, block.title, false);
    else if (item?.kind === "neuron") {
      editor.select([item]);
      editor.set({ dialog: "rename" });
    } else if (item) editor.flip([item]);
    else editor.addNeuron(world(p));
  };
  const wheel = (event: WheelEvent): void => {
    const zooming = event.ctrlKey || event.metaKey;
    // A page around that scrolls goes on doing so until the editor has the focus.
    if (!zooming && wheelNeedsFocus() && !root.matches(":focus-within")) return;
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const p = place(event);
    // A wheel's notches are large and upright: it zooms; two fingers on a pad pan.
    const notches = event.deltaX === 0 && Math.abs(event.deltaY * unit) >= 80 && Number.isInteger(event.deltaY);
    if (zooming || (notches && !event.shiftKey)) editor.zoom(Math.exp(-Math.max(-160, Math.min(160, event.deltaY * unit)) * (zooming && !notches ? 0.01 : 0.0016)), p.x, p.y);
    else editor.set({ camera: panned(editor.camera, -(event.shiftKey ? event.deltaY : event.deltaX) * unit, event.shiftKey ? 0 : -event.deltaY * unit) });
  };
  const menu = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  /** On Linux a middle click pastes, where here it moves the view. */
  const middle = (event: MouseEvent): void => {
    if (event.button === 1) event.preventDefault();
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && gesture && event.type === "keydown") {
      cancel();
      event.stopImmediatePropagation();
      event.preventDefault();
    }
  };

  const handlers: [string, EventListener, AddEventListenerOptions?][] = [
    ["pointerdown", press as EventListener], ["pointermove", move as EventListener], ["pointerup", release as EventListener],
    ["pointercancel", lost as EventListener], ["pointerleave", leave], ["dblclick", twice as EventListener], ["mouseup", middle as EventListener],
    ["wheel", wheel as EventListener, { passive: false }], ["keydown", key as EventListener, { capture: true }],
  ];
  for (const [name, handler, options] of handlers) canvas.addEventListener(name, handler, options);
  root.addEventListener("contextmenu", menu);
  return () => {
    for (const [name, handler, options] of handlers) canvas.removeEventListener(name, handler, options);
    root.removeEventListener("contextmenu", menu);
  };
}

/** Whether a point lies inside a closed line, by counting crossings. */
export function isInside(x: number, y: number, points: readonly Point[]): boolean {
  let inside = false;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    const [a, b] = [points[i]!, points[j]!];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}
