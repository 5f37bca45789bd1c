// What is under the pointer, in words; written without a render of the controls.

import { useEffect, useRef } from "preact/hooks";
import type { Editor } from "../editor";
import { type Item, titleOf, wordOf } from "../model/circuit";
import { at, traceOf } from "../render/curves";
import { toScreen } from "../render/camera";
import { number } from "./controls";
import { useEditor } from "./hooks";

export function Tip() {
  const editor = useEditor();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let shown: Item | null = null;
    let { camera } = editor;
    let timer = 0;
    const follow = (): void => {
      const { hover } = editor;
      if (hover === shown && editor.camera === camera) return;
      [shown, camera] = [hover, editor.camera];
      const el = box.current!;
      el.textContent = "";
      clearTimeout(timer);
      // After a moment, so that it does not flicker along.
      if (hover) timer = window.setTimeout(() => show(editor, hover, el), 350);
    };
    const stop = editor.onView(follow);
    return () => { stop(); clearTimeout(timer); };
  }, [editor]);
  return <div class="gl-tip" ref={box} aria-hidden="true" />;
}

function show(editor: Editor, item: Item, el: HTMLElement): void {
  if (editor.lifted || editor.draft || editor.hover !== item) return;
  let [x, y] = [0, 0];
  if (item.kind === "neuron") ({ x, y } = item);
  else {
    traceOf(item);
    [x, y] = at(0.5);
  }
  const place = toScreen(editor.camera, x, y);
  el.textContent = words(editor, item);
  const { width } = editor.renderer;
  el.style.transform = `translate(${Math.round(Math.min(place.x + 22, width - el.offsetWidth - 8))}px, ${Math.round(Math.max(4, place.y - 34))}px)`;
}

function words(editor: Editor, item: Item): string {
  const lines: string[] = [];
  const problem = editor.live.problems.get(item);
  const note = item.attributes.note;
  if (item.kind === "neuron") {
    const state = editor.live.traces.get(item.key)?.last;
    lines.push(`${item.label} · ${item.role || "no role"} · ${item.in.size} in, ${item.out.size} out${editor.live.on && state !== undefined ? ` · ${number(state)}` : ""}`);
  } else {
    const weight = editor.live.strengthOf(item);
    lines.push(`${titleOf(item)} · ${wordOf(item.polarity)}${item.gap ? ` and electrical, ${number(item.attributes.gap as number)}` : ""}${weight !== null ? ` · ${number(weight)}` : ""}`);
  }
  if (typeof note === "string") lines.push(note.slice(0, 300));
  if (problem) lines.push(problem);
  return lines.join("\n");
}
