// Dialogs: search and commands, keys, names, notes, export.

import { useMemo, useState } from "preact/hooks";
import { download } from "../editor";
import { COMMANDS, type Command, goTo, run } from "../input/commands";
import type { Item, Name } from "../model/circuit";
import { Area, Dialog, Field, keyText } from "./controls";
import { useEditor } from "./hooks";
import { RoleShape } from "./icons";
import { png, svg } from "../render/export";

type Found = { kind: "command"; command: Command } | { kind: "item"; item: Item; what: string };

export function Palette() {
  const editor = useEditor();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => find(text), [text, editor.circuit.version]);

  function find(query: string): Found[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (what: string): boolean => words.every((word) => what.toLowerCase().includes(word));
    const commands = COMMANDS.filter((c) => fits(`${c.title} ${c.section}`)).map((command): Found => ({ kind: "command", command }));
    if (!words.length) return commands;
    const items: Found[] = [];
    for (const item of editor.circuit.neurons.values()) {
      const note = typeof item.attributes.note === "string" ? item.attributes.note : "";
      const group = typeof item.attributes.group === "string" ? item.attributes.group : "";
      if (fits(`${item.label} ${item.role} ${group} ${note}`)) items.push({ kind: "item", item, what: group ? `${item.role}, ${group}` : item.role });
      if (items.length >= 40) break;
    }
    return [...items, ...commands].slice(0, 60);
  }

  const act = (one: Found | undefined): void => {
    if (!one) return;
    editor.set({ dialog: null });
    editor.renderer.canvas.focus();
    if (one.kind === "command") return run(editor, one.command);
    if (one.item.kind === "neuron") goTo(editor, one.item);
  };
  return (
    <Dialog title="Search and commands">
      <input
        class="gl-input gl-big" role="combobox" aria-expanded="true" aria-controls="gl-found" aria-activedescendant={found[at] ? `gl-found-${at}` : undefined}
        aria-label="Search neurons and commands" placeholder="a neuron, a group, a note or a command" value={text}
        onInput={(e) => { setText(e.currentTarget.value); setAt(0); }}
        onKeyDown={(e) => {
          if (e.key === "ArrowDown") setAt(Math.min(found.length - 1, at + 1));
          else if (e.key === "ArrowUp") setAt(Math.max(0, at - 1));
          else if (e.key === "Enter") act(found[at]);
          else return;
          e.preventDefault();
        }}
      />
      <ul id="gl-found" class="gl-found" role="listbox" aria-label="Found">
        {found.map((one, k) => {
          const why = one.kind === "command" ? one.command.cannot?.(editor) ?? null : null;
          return (
            <li key={one.kind === "command" ? one.command.id : `i${k}`} id={`gl-found-${k}`} role="option" aria-selected={k === at} aria-disabled={why !== null}
              ref={(el) => { if (k === at) el?.scrollIntoView({ block: "nearest" }); }} onClick={() => act(one)} onPointerMove={() => at !== k && setAt(k)}>
              {one.kind === "command"
                ? <><span>{one.command.title}{why && <small> {why}</small>}</span><span class="gl-keys">{(one.command.keys ?? []).slice(0, 1).map((key) => <kbd key={key}>{keyText(key)}</kbd>)}</span></>
                : one.item.kind === "neuron" && <><span><RoleShape role={one.item.role} /> {one.item.label}</span><small>{one.what}</small></>}
            </li>
          );
        })}
      </ul>
      <p class="gl-count" aria-live="polite">{found.length} found</p>
    </Dialog>
  );
}

const GESTURES: [string, string][] = [
  ["Arrow keys", "go to the next neuron"],
  ["Shift + arrow keys", "move what is selected"],
  ["E or I, arrows, Enter", "draw a synapse by keys"],
  ["W, held", "outputs without what is under the pointer"],
  ["Double-click", "add a neuron, rename it, flip a synapse, unfold a group"],
  ["Drag the handle, or with the right button", "draw a synapse; Shift gives it the other sign"],
  ["Drag", "move neurons, or select by a box; Shift adds"],
  ["Drag with the middle or right button", "pan; the wheel zooms"],
];

export function Help() {
  const sections = [...new Set(COMMANDS.map((c) => c.section))];
  return (
    <Dialog title="Keys" wide>
      <div class="gl-columns">
        <section>
          <h3>Gestures</h3>
          <dl class="gl-help">{GESTURES.map(([what, does]) => <div key={what}><dt>{what}</dt><dd>{does}</dd></div>)}</dl>
        </section>
        {sections.map((section) => (
          <section key={section}>
            <h3>{section}</h3>
            <dl class="gl-help">
              {COMMANDS.filter((c) => c.section === section && c.keys).map((c) => (
                <div key={c.id}><dt>{c.keys!.map((key) => <kbd key={key}>{keyText(key)}</kbd>)}</dt><dd>{c.title.replace(" …", "")}</dd></div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/** A new name; of many neurons at once, one stem and a number each. */
export function Rename() {
  const editor = useEditor();
  const [neurons] = useState(editor.neurons);
  const one = neurons.length === 1;
  const [text, setText] = useState(one ? neurons[0]?.label ?? "" : "");
  const names = neurons.map((n, k): [Name, Name] => [n.name, one ? text : `${text}_${k}`]);
  return (
    <Dialog title={one ? "Rename" : `Rename ${neurons.length} neurons`}>
      <form onSubmit={(e) => { e.preventDefault(); if (text && editor.edit({ kind: "rename", names })) editor.set({ dialog: null }); }}>
        <input class="gl-input gl-big" aria-label={one ? "New name" : "Stem of the new names"} value={text} onFocus={(e) => e.currentTarget.select()} onInput={(e) => setText(e.currentTarget.value)} />
        {!one && text && <p class="gl-hint">{names.slice(0, 3).map(([, name]) => String(name)).join(", ")} …</p>}
        <div class="gl-row gl-end"><button class="gl-button gl-text gl-primary" disabled={!text}>Rename</button></div>
      </form>
    </Dialog>
  );
}

export function Notes() {
  const editor = useEditor();
  const { circuit, neurons } = editor;
  const noted = [...circuit.neurons.values()].filter((n) => typeof n.attributes.note === "string");
  return (
    <Dialog title="Notes">
      <Field label="On the circuit"><Area label="Note on the circuit" value={String(circuit.graph.note ?? "")} onCommit={(text) => editor.edit({ kind: "set", circuit: [text ? ["note", text] : ["note"]] })} /></Field>
      {neurons.length > 0 && (
        <Field label={neurons.length === 1 ? `On ${neurons[0]!.label}` : `On ${neurons.length} neurons`}>
          <Area label="Note on the selection" value={String(neurons[0]!.attributes.note ?? "")} onCommit={(text) => editor.setNeurons(neurons, "note", text || undefined)} />
        </Field>
      )}
      <ul class="gl-list">{noted.slice(0, 100).map((n) => <li key={n.key}><button type="button" class="gl-link" onClick={() => { editor.set({ dialog: null }); goTo(editor, n); }}>{n.label}</button>: {String(n.attributes.note)}</li>)}</ul>
    </Dialog>
  );
}

export function Export() {
  const editor = useEditor();
  const { session, welcome } = editor;
  const stem = (welcome?.file ?? welcome?.title ?? "circuit").replace(/^.*[\\/]/, "").replace(/\.\w+$/, "") || "circuit";
  const own: [string, string, () => void][] = [
    ["Circuit (JSON)", "keeps everything", () => download(`${stem}.json`, "application/json", editor.circuit.text())],
    ["Picture (SVG)", "to print and edit", () => download(`${stem}.svg`, "image/svg+xml", svg(editor.scene()))],
    ["Picture (PNG)", "twice the size of the screen", () => void png(editor.scene(), editor.renderer.width, editor.renderer.height).then((blob) => download(`${stem}.png`, "image/png", blob))],
  ];
  const asked: [string, string, string][] = [
    ["Python", "code that builds the circuit", "python"], ["GraphML", "for other graph tools", "graphml"], ["GEXF", "for Gephi", "gexf"],
    ["GML", "for other graph tools", "gml"], ["DOT", "for Graphviz", "dot"], ["Pajek", "a network for Pajek", "net"], ["CSV", "a table of synapses", "csv"],
    ["C", "the trained network", "c"], ["HTML", "a page that needs no Python", "html"],
  ];
  const copy = async (): Promise<void> => {
    await navigator.clipboard?.writeText(editor.circuit.text()).then(() => editor.say("copied the circuit as JSON"), () => editor.say("the browser gives no access to the clipboard", "error"));
  };
  return (
    <Dialog title="Export and download">
      <div class="gl-tiles">
        {own.map(([title, what, act]) => <button key={title} type="button" class="gl-tile" onClick={act}><b>{title}</b><span>{what}</span></button>)}
        <button type="button" class="gl-tile" onClick={() => void copy()}><b>Copy as JSON</b><span>to the clipboard</span></button>
        {session.python && asked.map(([title, what, key]) => <button key={key} type="button" class="gl-tile" onClick={() => session.ask({ type: "export", what: key })}><b>{title}</b><span>{what}</span></button>)}
      </div>
      {!session.python && <p class="gl-hint">The other formats are written by Python: <code>ganglion edit {stem}.json</code></p>}
    </Dialog>
  );
}
