// The circuit as a matrix, pre down and post across, in the order in which the layout runs it. A click adds a
// synapse or flips it, a right click or Delete removes it; what is under the pointer is shown in the graph.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Editor } from "../editor";
import { ELECTRICAL, type Neuron, ROLES, type Synapse, wordOf } from "../model/circuit";
import { colorOf } from "../render/paint";
import { useEditor } from "./hooks";

const EDGE = 14; // band of roles along two sides

interface Axes {
  pre: Neuron[];
  post: Neuron[];
}

/** Neurons in the order the layout runs them, sensory neurons before them; else by role. */
export function axesOf(editor: Editor): Axes {
  const { circuit, live } = editor;
  const place = new Map(live.order.flatMap((name, k) => { const n = circuit.find(name); return n ? [[n, k] as const] : []; }));
  const all = [...circuit.neurons.values()];
  const rank = (n: Neuron): number => (n.role === "sensory" ? -1 : place.get(n) ?? 1e6 + ROLES.indexOf(n.role as never));
  const pre = all.map((n, k) => [rank(n), k, n] as const).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , n]) => n);
  return { pre, post: pre.filter((n) => n.role !== "sensory") };
}

export function Matrix() {
  const editor = useEditor();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<[row: number, column: number] | null>(null);
  const [size, setSize] = useState(0);
  const { circuit, theme, live, selection } = editor;
  const axes = useMemo(() => axesOf(editor), [circuit, circuit.version, live.order]);
  const cell = size ? Math.max(1, Math.min(22, Math.floor((size - EDGE) / Math.max(axes.post.length, 1)) || 1, Math.max(3, Math.floor(900 / Math.max(axes.pre.length, 1))))) : 0;

  useEffect(() => {
    const parent = canvas.current!.parentElement!;
    const observer = new ResizeObserver(() => setSize(parent.clientWidth));
    observer.observe(parent);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const el = canvas.current!;
    if (!cell) return;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [EDGE + axes.post.length * cell + 1, EDGE + axes.pre.length * cell + 1];
    el.width = Math.round(w * ratio);
    el.height = Math.round(h * ratio);
    el.style.width = `${w}px`;
    el.style.height = `${h}px`;
    const ctx = el.getContext("2d", { alpha: false })!;
    ctx.scale(ratio, ratio);
    ctx.fillStyle = theme.ground;
    ctx.fillRect(0, 0, w, h);
    const column = new Map(axes.post.map((n, k) => [n, k]));
    const color = (n: Neuron): string => theme.roles[n.role as keyof typeof theme.roles] ?? theme.unknown;
    axes.post.forEach((n, k) => { ctx.fillStyle = color(n); ctx.fillRect(EDGE + k * cell, 0, cell, EDGE - 4); });
    axes.pre.forEach((n, k) => { ctx.fillStyle = color(n); ctx.fillRect(0, EDGE + k * cell, EDGE - 4, cell); });
    ctx.strokeStyle = theme.grid;
    ctx.lineWidth = 1;
    ctx.beginPath();
    const roleEnds = (list: Neuron[]): number[] => list.flatMap((n, k) => (k === 0 || list[k - 1]!.role !== n.role ? [k] : []));
    const lines = (list: Neuron[]): number[] => (cell >= 7 ? list.map((_, k) => k) : roleEnds(list));
    for (const k of [...lines(axes.post), axes.post.length]) { ctx.moveTo(EDGE + k * cell + 0.5, EDGE); ctx.lineTo(EDGE + k * cell + 0.5, h); }
    for (const k of [...lines(axes.pre), axes.pre.length]) { ctx.moveTo(EDGE, EDGE + k * cell + 0.5); ctx.lineTo(w, EDGE + k * cell + 0.5); }
    ctx.stroke();
    const gap = cell >= 7 ? 1.5 : cell >= 4 ? 0.5 : 0;
    const row = new Map(axes.pre.map((n, k) => [n, k]));
    const mark = (s: Synapse, pre: Neuron, post: Neuron, polarity: number): void => {
      const k = column.get(post);
      if (k === undefined) return;
      ctx.fillStyle = colorOf(theme, polarity);
      const [x, y, side] = [EDGE + k * cell + gap, EDGE + row.get(pre)! * cell + gap, cell - 2 * gap + (gap ? 0.5 : 0)];
      // Kinds differ by shape, too, where there is room: a full cell excites, a bar inhibits, an upright one is electrical.
      if (cell >= 7 && polarity === ELECTRICAL) ctx.fillRect(x + side * 0.36, y, side * 0.28, side);
      else if (cell >= 7 && polarity < 0) ctx.fillRect(x, y + side * 0.3, side, side * 0.4);
      else ctx.fillRect(x, y, side, side);
      if (selection.has(s)) { ctx.strokeStyle = theme.accent; ctx.lineWidth = 2; ctx.strokeRect(x, y, side, side); }
    };
    for (const s of circuit.synapses()) {
      mark(s, s.pre, s.post, s.polarity);
      if (s.polarity !== ELECTRICAL && !s.gap) continue;
      // What has no direction stands on both sides of the diagonal.
      if (s.gap) mark(s, s.pre, s.post, ELECTRICAL);
      mark(s, s.post, s.pre, ELECTRICAL);
    }
    if (at) {
      ctx.strokeStyle = theme.ink;
      ctx.lineWidth = 1.5;
      ctx.strokeRect(EDGE + at[1] * cell + 0.5, EDGE + at[0] * cell + 0.5, cell, cell);
    }
  }, [axes, cell, theme, at, selection, circuit.version]);

  const locate = (event: MouseEvent): [number, number] | null => {
    const box = canvas.current!.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - EDGE) / cell);
    const column = Math.floor((event.clientX - box.left - EDGE) / cell);
    return axes.pre[row] && axes.post[column] ? [row, column] : null;
  };
  const point = (place: [number, number] | null): void => {
    if (place?.join() === at?.join()) return;
    setAt(place);
    const pre = place && axes.pre[place[0]];
    const post = place && axes.post[place[1]];
    editor.set({ hover: pre && post ? (circuit.between(pre, post) ?? pre) : null });
  };
  const act = (place: [number, number] | null, what: "toggle" | "remove"): void => {
    const pre = place && axes.pre[place[0]];
    const post = place && axes.post[place[1]];
    if (!pre || !post) return;
    const synapse = circuit.between(pre, post);
    if (what === "remove") { if (synapse) editor.remove([synapse]); }
    else if (synapse) editor.flip([synapse]);
    else editor.connect(pre, post);
  };
  const pre = at && axes.pre[at[0]];
  const post = at && axes.post[at[1]];
  const sign = pre && post ? circuit.between(pre, post)?.polarity : undefined;
  return (
    <section class="gl-fill">
      <p class="gl-hint" aria-live="polite">
        {pre && post ? <><b>{pre.label}</b> → <b>{post.label}</b>: {sign === undefined ? "no synapse" : wordOf(sign)}</>
          : "pre down, post across. Click: add or flip; right click: remove."}
      </p>
      <div class="gl-scroll">
        <canvas
          ref={canvas} class="gl-matrix" tabIndex={0} role="application" data-testid="matrix"
          aria-label="Matrix of synapses: arrows move, Enter adds or flips, Delete removes"
          onPointerMove={(e) => point(locate(e))} onPointerLeave={() => point(null)}
          onClick={(e) => act(locate(e), "toggle")}
          onContextMenu={(e) => { e.preventDefault(); act(locate(e), "remove"); }}
          onKeyDown={(e) => {
            const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
            if (step) {
              const [row, column] = at ?? [0, -step[1]!];
              point([Math.max(0, Math.min(axes.pre.length - 1, row + step[0]!)), Math.max(0, Math.min(axes.post.length - 1, column + step[1]!))]);
              e.preventDefault();
            } else if (e.key === "Enter" || e.key === " ") { act(at, "toggle"); e.preventDefault(); }
            else if (e.key === "Delete" || e.key === "Backspace") { act(at, "remove"); e.preventDefault(); }
          }}
        />
      </div>
    </section>
  );
}
