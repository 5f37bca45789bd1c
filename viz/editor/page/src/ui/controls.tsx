// Small pieces that the panels share. Texts that people gave are always text.

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { commandOf, run } from "../input/commands";
import { Icon } from "./icons";
import { useEditor } from "./hooks";

const MAC = typeof navigator !== "undefined" && /Mac|iP/.test(navigator.platform);

/** A key as the person's keyboard has it. */
export const keyText = (key: string): string => (MAC ? key.replace("Mod+", "⌘").replace("Shift+", "⇧") : key.replace("Mod", "Ctrl"));

/** A button that does a command; its key stands in the tip. */
export function CommandButton({ id, icon, label, pressed, text }: { id: string; icon: string; label?: string; pressed?: boolean; text?: string }) {
  const editor = useEditor();
  const command = commandOf.get(id)!;
  const why = command.cannot?.(editor) ?? null;
  const title = label ?? command.title.replace(" …", "");
  const key = command.keys?.[0];
  return (
    <button
      type="button" class="gl-button" aria-label={title} aria-pressed={pressed} aria-disabled={why !== null}
      title={`${title}${key ? ` (${keyText(key)})` : ""}${why ? `: ${why}` : ""}`} onClick={() => run(editor, command)}
    >
      <Icon name={icon} />
      {text && <span class="gl-wide">{text}</span>}
    </button>
  );
}

export function Field({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <label class="gl-field">
      <span>{label}</span>
      {children}
    </label>
  );
}

/** A text that is an edit when Enter is pressed or the field is left, not at every letter. */
export function Entry({ value, label, onCommit, placeholder, type = "text", list }: {
  value: string; label: string; onCommit: (value: string) => void; placeholder?: string | undefined; type?: "text" | "number"; list?: string;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = (): void => { if (text !== value) onCommit(text); };
  return (
    <input
      class="gl-input" type={type} aria-label={label} value={text} placeholder={placeholder} list={list} step="any"
      onInput={(e) => setText(e.currentTarget.value)} onBlur={commit}
      onKeyDown={(e) => {
        if (e.key === "Enter") commit();
        if (e.key === "Escape") setText(value);
      }}
    />
  );
}

export function Area({ value, label, onCommit, placeholder }: { value: string; label: string; onCommit: (value: string) => void; placeholder?: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  return (
    <textarea
      class="gl-input" rows={3} aria-label={label} placeholder={placeholder} value={text}
      onInput={(e) => setText(e.currentTarget.value)} onBlur={() => text !== value && onCommit(text)}
    />
  );
}

export function Choice<V extends string>({ value, label, options, onChange, disabled }: {
  value: V | ""; label: string; options: readonly (readonly [V, string])[]; onChange: (value: V) => void; disabled?: boolean;
}) {
  return (
    <select class="gl-input" aria-label={label} value={value} disabled={disabled} onChange={(e) => onChange(e.currentTarget.value as V)}>
      {value === "" && <option value="">(several)</option>}
      {options.map(([v, text]) => <option key={v} value={v}>{text}</option>)}
    </select>
  );
}

/** A dialog over the editor: it takes the focus, keeps it, and gives it back. */
export function Dialog({ title, children, wide }: { title: string; children: ComponentChildren; wide?: boolean }) {
  const editor = useEditor();
  const box = useRef<HTMLDivElement>(null);
  // Before the next key, which is meant for the dialog already.
  useLayoutEffect(() => {
    const { current } = box;
    const canvas = editor.renderer.canvas;
    (current?.querySelector<HTMLElement>(".gl-body :is(input, select, textarea, button)") ?? current?.querySelector<HTMLElement>(".gl-body"))?.focus();
    return () => { if (!current?.isConnected || current.contains((current.getRootNode() as Document).activeElement)) canvas.focus(); };
  }, []);
  const keep = (event: KeyboardEvent): void => {
    if (event.key !== "Tab") return;
    const stops = [...box.current!.querySelectorAll<HTMLElement>("button, input, select, textarea, [tabindex='0']")].filter((el) => !(el as HTMLButtonElement).disabled);
    const active = (box.current!.getRootNode() as Document).activeElement;
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (active !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
  };
  return (
    <div class="gl-veil" onPointerDown={(e) => e.target === e.currentTarget && editor.set({ dialog: null })}>
      <div class={`gl-dialog${wide ? " gl-dialog-wide" : ""}`} role="dialog" aria-modal="true" aria-label={title} tabIndex={-1} ref={box} onKeyDown={keep}>
        <header>
          <h2>{title}</h2>
          <button type="button" class="gl-button" aria-label="Close" onClick={() => editor.set({ dialog: null })}><Icon name="close" /></button>
        </header>
        <div class="gl-body" tabIndex={0} role="group" aria-label={title}>{children}</div>
      </div>
    </div>
  );
}

/** A number as people read it. */
export function number(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(digits)));
}
