// The menu of the right mouse button.

import { useLayoutEffect, useRef } from "preact/hooks";
import { commandOf, run } from "../input/commands";
import { keyText } from "./controls";
import { useEditor } from "./hooks";

const ON_NEURONS = ["excite", "inhibit", "couple", "rename", "role-inter", "role-command", "role-motor", "role-sensory", "before", "after", "path", "group", "copy", "duplicate", "delete"];
const ON_SYNAPSES = ["flip", "copy", "delete"];
const ON_NOTHING = ["neuron", "paste", "motifs", "connect-rule", "generate", "all", "arrange", "fit"];

export function Menu() {
  const editor = useEditor();
  const list = useRef<HTMLUListElement>(null);
  const { menu } = editor;
  useLayoutEffect(() => list.current?.querySelector<HTMLElement>("button")?.focus(), [menu]);
  if (!menu) return null;
  const ids = editor.neurons.length ? ON_NEURONS : editor.synapses.length ? ON_SYNAPSES : ON_NOTHING;
  const commands = ids.map((id) => commandOf.get(id)!).filter((c) => !c.cannot?.(editor));
  const { width, height } = editor.renderer;
  const move = (event: KeyboardEvent): void => {
    const buttons = [...list.current!.querySelectorAll<HTMLElement>("button")];
    const k = buttons.indexOf(event.target as HTMLElement);
    const next = event.key === "ArrowDown" ? k + 1 : event.key === "ArrowUp" ? k - 1 : null;
    if (next === null) return;
    buttons[(next + buttons.length) % buttons.length]?.focus();
    event.preventDefault();
  };
  return (
    <ul class="gl-menu" role="menu" ref={list} onKeyDown={move} style={{ left: `${Math.max(4, Math.min(menu.x, width - 250))}px`, top: `${Math.max(4, Math.min(menu.y, height - commands.length * 29 - 14))}px` }}>
      {commands.map((command) => (
        <li key={command.id} role="none">
          <button type="button" role="menuitem" onClick={() => { editor.set({ menu: null }); editor.renderer.canvas.focus(); run(editor, command); }}>
            <span>{command.title}</span>{command.keys && <kbd>{keyText(command.keys[0]!)}</kbd>}
          </button>
        </li>
      ))}
    </ul>
  );
}
