// The editor's controls around its canvas.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Editor, type Tool } from "../editor";
import { listenToKeys } from "../input/keyboard";
import { listenToPointer } from "../input/pointer";
import { PANELS, setRole } from "../input/commands";
import { ELECTRICAL, type Polarity, ROLES, wordOf } from "../model/circuit";
import type { Session } from "../link/session";
import { CommandButton, keyText, number } from "./controls";
import { Export, Help, Notes, Palette, Rename } from "./dialogs";
import { Connect, Generate, Motifs } from "./drawing";
import { EditorContext, useEditor } from "./hooks";
import { Icon, PolarityShape, RoleShape } from "./icons";
import { Inspect } from "./inspect";
import { LivePanel } from "./live";
import { Matrix } from "./matrix";
import { Menu } from "./menu";
import { Minimap } from "./minimap";
import { Mirror } from "./mirror";
import { ChangesPanel, Problems, Projections } from "./panels";
import { Table } from "./table";
import { Tip } from "./tip";

export interface Options {
  theme: "auto" | "light" | "dark";
  /** In a page that scrolls, the wheel is ours only while we have the focus. */
  embedded: boolean;
  ready?: (editor: Editor) => void;
}

export function App({ session, options, root }: { session: Session; options: Options; root: HTMLElement }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<Editor | null>(null);
  // At once, not after the next frame: Python's first messages must find somebody who listens.
  useLayoutEffect(() => {
    const el = canvas.current!;
    const made = new Editor(session, el);
    const stops = [listenToKeys(made, root, el), listenToPointer(made, root, el, () => options.embedded), followTheme(made, root, options.theme), listenToFiles(made, root)];
    const observer = new ResizeObserver(() => made.resize(stage.current!.clientWidth, stage.current!.clientHeight, devicePixelRatio || 1));
    observer.observe(stage.current!);
    setEditor(made);
    options.ready?.(made);
    return () => {
      observer.disconnect();
      for (const stop of stops) stop();
      made.destroy();
    };
  }, []);
  return (
    <EditorContext.Provider value={editor}>
      <div class="gl-app">
        {editor && <Bar />}
        <div class="gl-main">
          <div class="gl-stage" ref={stage}>
            <canvas ref={canvas} class="gl-canvas" data-testid="canvas" tabIndex={0} role="application" aria-roledescription="circuit editor"
              aria-label="Circuit: arrow keys go from neuron to neuron, N adds one, E, I and J draw synapses, question mark shows all keys" />
            {editor && <Floating />}
          </div>
          {editor && <Side />}
        </div>
        {editor && <Over />}
      </div>
    </EditorContext.Provider>
  );
}

/** Dark or light as told, as the notebook, or as the system has it. */
function followTheme(editor: Editor, root: HTMLElement, theme: Options["theme"]): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const around = (): boolean => {
    const { body, documentElement: html } = document;
    if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
    if (body.classList.contains("vscode-dark") || body.classList.contains("vscode-high-contrast")) return true;
    if (body.classList.contains("vscode-light")) return false;
    const marked = [body, html].find((el) => el.classList.contains("dark") || el.classList.contains("light") || el.dataset.theme);
    if (marked) return marked.classList.contains("dark") || marked.dataset.theme === "dark";
    return system.matches;
  };
  const follow = (): void => editor.setTheme(theme === "auto" ? around() : theme === "dark");
  follow();
  const paint = (): void => { root.dataset.theme = editor.theme.dark ? "dark" : "light"; };
  paint();
  const stop = editor.watch(paint);
  if (theme !== "auto") return stop;
  const observer = new MutationObserver(follow);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  system.addEventListener("change", follow);
  return () => {
    stop();
    observer.disconnect();
    system.removeEventListener("change", follow);
  };
}

/** Files that are dropped are opened: circuits of every format, tables as inputs. */
function listenToFiles(editor: Editor, root: HTMLElement): () => void {
  const over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const drop = (event: DragEvent): void => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    const limit = editor.welcome?.limits?.frame ?? 64 * 2 ** 20;
    if (file.size > limit) return editor.say(`'${file.name}' has ${number(file.size)} bytes; at most ${number(limit)} can be opened here`, "error");
    void file.text().then((text) => {
      // A table whose header names sensory neurons is their input; any other is a circuit.
      const header = text.slice(0, text.indexOf("\n")).split(",").map((cell) => cell.trim().replace(/^"|"$/g, ""));
      const inputs = file.name.endsWith(".csv") && header.some((name) => editor.circuit.neurons.get(name)?.role === "sensory");
      if (!editor.session.ask(inputs ? { type: "inputs", name: file.name, text } : { type: "open", name: file.name, text }))
        editor.say(`'${file.name}' needs Python to be opened`, "error");
    });
  };
  root.addEventListener("dragover", over);
  root.addEventListener("drop", drop);
  return () => {
    root.removeEventListener("dragover", over);
    root.removeEventListener("drop", drop);
  };
}

function Bar() {
  const editor = useEditor();
  const { welcome, live, session } = editor;
  const dirty = session.python && editor.saved !== null && editor.saved !== session.revision;
  const errors = live.problemList.filter((p) => p.severity === "error").length;
  return (
    <header class="gl-bar-top">
      <span class="gl-title" title={welcome?.file ?? ""}>{welcome?.title || "circuit"}{dirty && <span title="not saved yet"> •</span>}</span>
      <div class="gl-group" role="toolbar" aria-label="Edit">
        <CommandButton id="undo" icon="undo" label={session.undoLabel ? `Undo ${session.undoLabel}` : "Undo"} />
        <CommandButton id="redo" icon="redo" label={session.redoLabel ? `Redo ${session.redoLabel}` : "Redo"} />
        {session.python && <CommandButton id="save" icon="save" />}
        <CommandButton id="export" icon="export" label="Export and download" />
      </div>
      <button type="button" class="gl-search" aria-label={`Search or command ${keyText("Mod+K")}`} onClick={() => editor.set({ dialog: "palette" })}>
        <Icon name="search" /><span>Search or command</span><kbd>{keyText("Mod+K")}</kbd>
      </button>
      {live.on && (
        <div class="gl-group" role="toolbar" aria-label="Run">
          <CommandButton id="play" icon={live.playing ? "pause" : "play"} label={live.playing ? "Pause" : "Play"} />
          <CommandButton id="step" icon="step" />
        </div>
      )}
      <div class="gl-group gl-panels" role="toolbar" aria-label="Panels">
        {PANELS.map(({ panel, title }) => (
          <button key={panel} type="button" class="gl-button" aria-label={title} title={title} aria-pressed={editor.panel === panel} onClick={() => editor.set({ panel: editor.panel === panel ? null : panel })}>
            <Icon name={panel} />{panel === "problems" && errors > 0 && <span class="gl-badge" aria-label={`${errors} errors`}>{errors}</span>}
          </button>
        ))}
      </div>
      <div class="gl-group">
        <CommandButton id="theme" icon={editor.theme.dark ? "sun" : "moon"} label={editor.theme.dark ? "Light" : "Dark"} />
        <CommandButton id="help" icon="help" />
      </div>
    </header>
  );
}

const TOOLS: [Tool, string, string, string][] = [
  ["select", "Select", "select", "V"], ["lasso", "Lasso", "lasso", "L"], ["connect", "Draw synapses", "connect", "C"], ["pan", "Move the view", "pan", ""],
];

/** What the button of the kind of new synapses goes on to. */
const AFTER: Record<Polarity, Polarity> = { 1: -1, [-1]: ELECTRICAL, [ELECTRICAL]: 1 };

function Floating() {
  const editor = useEditor();
  const { message, circuit, selection, linkState, kernelBusy, work, journal } = editor;
  return (
    <>
      {!editor.readonly && (
        <div class="gl-rail" role="toolbar" aria-label="Tools" aria-orientation="vertical">
          {TOOLS.map(([tool, title, icon, key]) => (
            <button key={tool} type="button" class="gl-button" aria-label={title} aria-pressed={editor.tool === tool} title={key ? `${title} (${key})` : title} onClick={() => editor.set({ tool })}><Icon name={icon} /></button>
          ))}
          <hr />
          {ROLES.map((role, k) => (
            <button key={role} type="button" class="gl-button" aria-label={`Draw ${role} neurons`} aria-pressed={editor.role === role} title={`${role}: of new neurons, and of those selected (${k + 1})`} onClick={() => setRole(editor, role)}><RoleShape role={role} size={18} /></button>
          ))}
          <hr />
          <button type="button" class="gl-button" aria-label={`New synapses are ${wordOf(editor.polarity)}`} title="kind of new synapses: click to change" onClick={() => editor.set({ polarity: AFTER[editor.polarity] })}><PolarityShape polarity={editor.polarity} /></button>
          <hr />
          <CommandButton id="neuron" icon="plus" />
          <CommandButton id="motifs" icon="motifs" />
          <CommandButton id="connect-rule" icon="rule" />
          {editor.session.python && <CommandButton id="generate" icon="generate" />}
          <CommandButton id="notes" icon="notes" />
        </div>
      )}
      <Tip />
      <Menu />
      <div class="gl-corner">
        <Minimap />
        <div class="gl-zoom" role="toolbar" aria-label="View">
          <CommandButton id="farther" icon="minus" /><CommandButton id="fit" icon="fit" /><CommandButton id="nearer" icon="plus" />
        </div>
      </div>
      <div class="gl-status">
        {number(circuit.neurons.size)} neurons · {number(circuit.size)} synapses{selection.size ? ` · ${number(selection.size)} selected` : ""}
        {journal && !journal.error && <span title="a killed process loses nothing that was answered; a loss of power, what is not flushed yet"> · {journal.synced ? "all flushed to disk" : `${number(journal.pending)} edits not flushed to disk yet`}</span>}
        {work && <span class="gl-work"> · {work} …</span>}
      </div>
      {editor.session.revision < 0 ? <div class="gl-empty">Waiting for Python …</div> : !circuit.neurons.size && (
        <div class="gl-empty">
          <b>An empty circuit</b>
          <span>Double-click to add a neuron, or press <kbd>N</kbd>. Drag from a neuron’s handle to draw a synapse.</span>
          <span><kbd>M</kbd> motifs{editor.session.python && <> · <kbd>Shift+G</kbd> generate</>} · <kbd>?</kbd> all keys</span>
        </div>
      )}
      {linkState.state !== "open" && <div class="gl-alert" role="alert">{linkState.state === "lost" ? `The connection is lost (${linkState.why}); edits wait.` : `The session is closed: ${linkState.why}`}</div>}
      {linkState.state === "open" && kernelBusy && <div class="gl-alert" role="alert">The kernel is busy; edits wait until it answers.</div>}
      {journal?.error && <div class="gl-alert" role="alert">Nothing is kept on disk: {journal.error}</div>}
      {message && <div class={`gl-toast gl-${message.kind}`}>{message.text}</div>}
    </>
  );
}

function Side() {
  const editor = useEditor();
  const { panel } = editor;
  if (!panel) return null;
  const { title } = PANELS.find((one) => one.panel === panel)!;
  return (
    <aside class={`gl-side gl-side-${panel}`} aria-label={title}>
      <header><h2>{title}</h2><button type="button" class="gl-button" aria-label="Close the panel" onClick={() => { editor.set({ panel: null }); editor.renderer.canvas.focus(); }}><Icon name="close" /></button></header>
      <div class="gl-panel">
        {panel === "inspect" ? <Inspect /> : panel === "table" ? <Table /> : panel === "matrix" ? <Matrix /> : panel === "live" ? <LivePanel />
          : panel === "changes" ? <ChangesPanel /> : panel === "problems" ? <Problems /> : <Projections />}
      </div>
    </aside>
  );
}

function Over() {
  const { dialog } = useEditor();
  return (
    <>
      <Mirror />
      {dialog === "palette" ? <Palette /> : dialog === "help" ? <Help /> : dialog === "rename" ? <Rename /> : dialog === "notes" ? <Notes /> : dialog === "export" ? <Export />
        : dialog === "motifs" ? <Motifs /> : dialog === "connect" ? <Connect /> : dialog === "generate" ? <Generate /> : null}
    </>
  );
}
