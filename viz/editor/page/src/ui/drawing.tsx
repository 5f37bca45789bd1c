// Dialogs that draw much at once: motifs, rules between groups, generators with a preview.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Editor } from "../editor";
import { type Attributes, Circuit, type Json, ROLES } from "../model/circuit";
import { type Drawn, type Edit, type Primitive, apply } from "../model/edits";
import { MOTIFS, type Motif, motifEdit } from "../model/motifs";
import { STEP, placeMissing } from "../model/place";
import { RULES, members } from "../model/rules";
import { boundsOf, fitted, toWorld } from "../render/camera";
import { groupOf } from "../render/blocks";
import { picture } from "../render/export";
import { Choice, Dialog, Field } from "./controls";
import { useEditor } from "./hooks";

/** A small picture of a circuit. */
function Preview({ circuit, width, height, editor }: { circuit: Circuit; width: number; height: number; editor: Editor }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const el = canvas.current!;
    const ratio = devicePixelRatio || 1;
    el.width = width * ratio;
    el.height = height * ratio;
    const camera = fitted(boundsOf(circuit.neurons.values()) ?? { x0: 0, y0: 0, x1: 1, y1: 1 }, width, height, 26, 0.9);
    picture(el.getContext("2d")!, circuit, camera, editor.theme, width, height, ratio);
  });
  return <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} aria-hidden="true" />;
}

function drawMotif(editor: Editor, motif: Motif): void {
  const middle = toWorld(editor.camera, editor.renderer.width / 2, editor.renderer.height / 2);
  const edit = motifEdit(motif, middle.x, middle.y, STEP, (role, taken) => editor.freeName(role, taken), (name) => !editor.circuit.neurons.has(name));
  editor.set({ dialog: null });
  if (editor.edit({ kind: "batch", edits: [edit], label: `draw the motif ${motif.title.toLowerCase()}` })) editor.select(edit.neurons!.flatMap(([name]) => editor.circuit.find(name) ?? []));
  editor.renderer.canvas.focus();
}

export function Motifs() {
  const editor = useEditor();
  return (
    <Dialog title="Motifs" wide>
      <div class="gl-tiles gl-motifs">
        {MOTIFS.map((motif) => {
          const circuit = new Circuit();
          apply(circuit, [motifEdit(motif, 0, 0, STEP, (role, taken) => `${role}_${taken.size}`, () => true)]);
          return (
            <button key={motif.id} type="button" class="gl-tile" onClick={() => drawMotif(editor, motif)}>
              <Preview circuit={circuit} width={190} height={120} editor={editor} />
              <b>{motif.title}</b><span>{motif.what}</span>
            </button>
          );
        })}
      </div>
    </Dialog>
  );
}

/** What Python would draw, asked while the numbers are changed. */
function usePreview(editor: Editor, edit: Edit | null): { circuit: Circuit | null; why: string } {
  const [state, setState] = useState<{ circuit: Circuit | null; why: string }>({ circuit: null, why: "" });
  const key = JSON.stringify(edit);
  useEffect(() => {
    if (!edit || !editor.session.python) return;
    let waiting = true;
    const stop = editor.session.listen((news) => {
      if (!waiting || news.type !== "preview") return;
      setState(news.why === undefined ? { circuit: previewed(editor, edit, news.changes), why: "" } : { circuit: null, why: news.why });
      waiting = false;
    });
    const timer = setTimeout(() => editor.session.ask({ type: "preview", edit }), 200);
    return () => { clearTimeout(timer); stop(); };
  }, [key]);
  return state;
}

function previewed(editor: Editor, edit: Edit, changes: Primitive[]): Circuit {
  const circuit = edit.kind === "generate" && edit.replace ? new Circuit() : Circuit.from(editor.circuit.json());
  const steps = edit.kind === "generate" && edit.replace ? changes.filter((c) => c.kind === "add") : changes;
  apply(circuit, steps);
  placeMissing(circuit);
  return circuit;
}

const seedNow = (): number => Math.floor(Math.random() * 1e6);

export function Connect() {
  const editor = useEditor();
  const chosen = editor.neurons;
  const groups = [...new Set([...editor.circuit.neurons.values()].map(groupOf).filter((g): g is string => g !== null))];
  const populations = [...(chosen.length ? [["\0", chosen.length === 1 ? `neuron ${chosen[0]!.label}` : `the ${chosen.length} selected neurons`] as const] : []), ...ROLES.map((r) => [r, `role ${r}`] as const), ...groups.map((g) => [g, `group ${g}`] as const)];
  const [pre, setPre] = useState<string>(chosen.length ? "\0" : "sensory");
  const [post, setPost] = useState<string>(groups[0] ?? "inter");
  const [rule, setRule] = useState(editor.session.python ? "fixed_indegree" : "all_to_all");
  const [value, setValue] = useState(4);
  const [inhibitory, setInhibitory] = useState(editor.session.python ? 0.2 : 0);
  const [selfs, setSelfs] = useState(false);
  const [seed, setSeed] = useState(seedNow);
  const [keep, setKeep] = useState("");
  const [names] = useState(chosen.map((n) => n.name));
  const { argument } = RULES[rule]!;
  const population = (text: string) => (text === "\0" ? names : text);
  const edit: Drawn = {
    kind: "connect", pre: population(pre), post: population(post), rule, self_synapses: selfs, inhibitory, skip_existing: true,
    ...(argument && { [argument]: value }), ...((argument || (inhibitory > 0 && inhibitory < 1)) && { seed }), ...(keep && { projection: keep }),
  };
  const { circuit, why } = usePreview(editor, edit);
  const count = circuit ? circuit.size - editor.circuit.size : null;
  return (
    <Dialog title="Connect groups by a rule" wide>
      <form class="gl-split" onSubmit={(e) => { e.preventDefault(); if (editor.edit(edit)) editor.set({ dialog: null }); }}>
        <div>
          <Field label="From"><Choice label="From" value={pre} options={populations} onChange={setPre} /></Field>
          <Field label="To"><Choice label="To" value={post} options={populations} onChange={setPost} /></Field>
          <Field label="Rule"><Choice label="Rule" value={rule} options={Object.entries(RULES).map(([id, r]) => [id, r.title] as const)} onChange={(r) => { setRule(r); setValue(r === "pairwise_bernoulli" ? 0.2 : r === "fixed_total_number" ? 20 : 4); }} /></Field>
          {argument && <Field label={argument}><input class="gl-input" type="number" aria-label={argument} step={argument === "p" ? 0.01 : 1} min={0} value={value} onInput={(e) => setValue(e.currentTarget.valueAsNumber)} /></Field>}
          <Field label="Share inhibitory"><input type="range" aria-label="Share of inhibitory synapses" min="0" max="1" step="0.05" value={inhibitory} onInput={(e) => setInhibitory(Number(e.currentTarget.value))} /><output>{inhibitory}</output></Field>
          <Field label="Seed"><input class="gl-input" type="number" aria-label="Seed" min={0} value={seed} onInput={(e) => setSeed(e.currentTarget.valueAsNumber || 0)} /></Field>
          <label class="gl-check"><input type="checkbox" checked={selfs} onChange={(e) => setSelfs(e.currentTarget.checked)} /> self-synapses</label>
          <Field label="Keep as projection"><input class="gl-input" aria-label="Name of the projection" placeholder="no" value={keep} onInput={(e) => setKeep(e.currentTarget.value)} /></Field>
        </div>
        <div>
          {circuit && <Preview circuit={circuit} width={320} height={220} editor={editor} />}
          <p class={why ? "gl-problem" : "gl-hint"} aria-live="polite">{why || (count !== null ? `${count} new synapses` : `${members(editor.circuit, edit.pre!).length} → ${members(editor.circuit, edit.post!).length} neurons`)}</p>
          <div class="gl-row gl-end"><button class="gl-button gl-text gl-primary">Connect</button></div>
        </div>
      </form>
    </Dialog>
  );
}

/** Arguments of the generators, with what they start from; the words are Python's. */
const GENERATORS: Record<string, Record<string, number | boolean>> = {
  auto_ncp: { units: 32, outputs: 4, inputs: 8, sparsity: 0.5, seed: 22222 },
  ncp: { inter: 12, command: 8, motor: 4, inputs: 6, sensory_fanout: 4, inter_fanout: 4, recurrent_command_synapses: 6, motor_fanin: 4, seed: 22222 },
  fully_connected: { units: 12, inputs: 4, outputs: 3, self_connections: true, seed: 1111 },
  random: { units: 32, inputs: 6, outputs: 4, sparsity: 0.8, seed: 1111 },
};

export function Generate() {
  const editor = useEditor();
  const [generator, setGenerator] = useState("auto_ncp");
  const [values, setValues] = useState(GENERATORS.auto_ncp!);
  const [given, setPrefix] = useState<string | null>(null);
  const [replace, setReplace] = useState(editor.circuit.neurons.size === 0);
  // Beside what is there the names must be others.
  const prefix = given ?? (editor.circuit.neurons.size && !replace ? "new_" : "");
  const edit: Drawn = { kind: "generate", generator, arguments: values as Attributes & Record<string, Json>, prefix, replace };
  const { circuit, why } = usePreview(editor, edit);
  return (
    <Dialog title="Generate a circuit" wide>
      <form class="gl-split" onSubmit={(e) => { e.preventDefault(); if (editor.edit(edit)) editor.set({ dialog: null }); }}>
        <div>
          <Field label="Generator"><Choice label="Generator" value={generator} options={Object.keys(GENERATORS).map((g) => [g, g] as const)} onChange={(g) => { setGenerator(g); setValues(GENERATORS[g]!); }} /></Field>
          {Object.entries(values).map(([name, value]) => (
            <Field key={name} label={name}>
              {typeof value === "boolean" ? <input type="checkbox" aria-label={name} checked={value} onChange={(e) => setValues({ ...values, [name]: e.currentTarget.checked })} />
                : <input class="gl-input" type="number" aria-label={name} step={name === "sparsity" ? 0.05 : 1} value={value} onInput={(e) => Number.isFinite(e.currentTarget.valueAsNumber) && setValues({ ...values, [name]: e.currentTarget.valueAsNumber })} />}
            </Field>
          ))}
          <Field label="Before every name"><input class="gl-input" aria-label="Prefix of names" value={prefix} placeholder="nothing" onInput={(e) => setPrefix(e.currentTarget.value)} /></Field>
          <label class="gl-check"><input type="checkbox" checked={replace} onChange={(e) => setReplace(e.currentTarget.checked)} /> instead of the circuit that is here</label>
        </div>
        <div>
          {circuit && <Preview circuit={circuit} width={360} height={260} editor={editor} />}
          <p class={why ? "gl-problem" : "gl-hint"} aria-live="polite">{why || (circuit ? `${circuit.neurons.size} neurons, ${circuit.size} synapses` : "…")}</p>
          <div class="gl-row gl-end"><button class="gl-button gl-text gl-primary" disabled={!circuit}>Generate</button></div>
        </div>
      </form>
    </Dialog>
  );
}
