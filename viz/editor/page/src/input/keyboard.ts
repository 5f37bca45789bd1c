// Keys. Plain keys act only while the canvas has the focus, those with Ctrl or Cmd in the whole editor but
// where a text is typed. Nothing of it reaches the page around: a notebook would act on its cells.

import type { Editor } from "../editor";
import { STEP } from "../model/place";
import { COMMANDS, type Command, nudge, paste, run, settleNudge, walk, whatIfItems } from "./commands";

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const byChord = new Map<string, Command>(COMMANDS.flatMap((command) => (command.keys ?? []).map((key): [string, Command] => [key, command])));

/** A key press as the table of commands writes it, such as "Mod+Shift+Z". */
export function chord(event: Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey">): string {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  let { key } = event;
  if (key === " ") key = "Space";
  const digit = /^Digit(\d)$/.exec(event.code)?.[1];
  if (event.shiftKey && digit && !/^[?/+=-]$/.test(key)) return `${mod}Shift+${digit}`;
  if (/^[a-z]$/i.test(key)) return `${mod}${event.shiftKey ? "Shift+" : ""}${key.toUpperCase()}`;
  return mod + key;
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.matches("input:not([type=range]):not([type=checkbox]), textarea, select") || target.isContentEditable);

/** Listen to keys in the editor's element; returns how to stop. */
export function listenToKeys(editor: Editor, root: HTMLElement, canvas: HTMLElement): () => void {
  const down = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.isComposing || event.altKey) return;
    const target = event.composedPath()[0] ?? event.target;
    const onCanvas = target === canvas;
    const pressed = chord(event);
    if (pressed === "Escape" && !onCanvas) {
      // Out of a dialog or a field, back to the canvas.
      editor.set({ dialog: null, menu: null });
      canvas.focus();
      event.preventDefault();
      return;
    }
    if (pressed === "W" && !isText(target)) { // it only looks, so that it also acts from a slider or a button
      event.preventDefault();
      if (!event.repeat && !editor.live.silenced.size) {
        const items = whatIfItems(editor);
        if (!editor.session.python) editor.say("what-if needs Python: open the circuit with gl.edit or `ganglion edit`", "error");
        else if (items.length) editor.live.without(items);
        else editor.say("point at a neuron or synapse, or select some", "error");
      }
      return;
    }
    if (isText(target) || (!onCanvas && !pressed.startsWith("Mod+"))) {
      if (pressed === "Mod+K" || pressed === "Mod+S") byChord.get(pressed)!.run(editor);
      else return;
      event.preventDefault();
      return;
    }
    const arrow = ARROWS[event.key];
    if (arrow) {
      const [dx, dy] = arrow;
      if (event.shiftKey) nudge(editor, dx * (STEP / 6), dy * (STEP / 6));
      else {
        settleNudge(editor);
        walk(editor, dx, dy);
      }
      event.preventDefault();
      return;
    }
    const command = byChord.get(pressed);
    // The browser's own paste event brings the clipboard's text.
    if (!command || command.id === "paste") return;
    event.preventDefault();
    run(editor, command);
  };
  const up = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key.toLowerCase() === "w" && editor.live.silenced.size) editor.live.without([]);
  };
  const pasted = (event: ClipboardEvent): void => {
    event.stopPropagation();
    if (isText(event.composedPath()[0] ?? null)) return;
    event.preventDefault();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    settleNudge(editor);
    if (text.includes("ganglion-circuit")) paste(editor, text);
    else paste(editor);
  };
  const stop = (event: Event): void => event.stopPropagation();
  const others = ["keypress", "copy", "cut", "beforeinput", "input"];
  root.addEventListener("keydown", down);
  root.addEventListener("keyup", up);
  root.addEventListener("paste", pasted);
  for (const name of others) root.addEventListener(name, stop);
  return () => {
    root.removeEventListener("keydown", down);
    root.removeEventListener("keyup", up);
    root.removeEventListener("paste", pasted);
    for (const name of others) root.removeEventListener(name, stop);
  };
}
