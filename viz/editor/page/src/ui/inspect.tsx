// Properties of what is selected, of many at once: a field that differs between them is empty, and what is
// written there goes to all.

import type { Editor } from "../editor";
import { type Attributes, ELECTRICAL, type Item, type Json, type Neuron, ROLES, type Synapse, wordOf } from "../model/circuit";
import { Area, Choice, Entry, Field, number } from "./controls";
import { useEditor } from "./hooks";
import { PolarityShape, RoleShape } from "./icons";

const KNOWN = new Set(["role", "x", "y", "group", "note", "polarity", "kind", "projection"]);

/** What all have in common, or nothing. */
function common<T>(items: readonly T[], of: (item: T) => unknown): unknown {
  const first = items.length ? of(items[0]!) : undefined;
  return items.every((item) => JSON.stringify(of(item)) === JSON.stringify(first)) ? first : undefined;
}

/** What a person wrote, as JSON has it: numbers and true are not texts. */
export function parsed(text: string): Json | undefined {
  if (text === "") return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "number" && !Number.isFinite(value) ? text : value;
  } catch {
    return text;
  }
}
const written = (value: unknown): string => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

export function Inspect() {
  const editor = useEditor();
  const { neurons, synapses } = editor;
  if (!neurons.length && !synapses.length) return <OfCircuit editor={editor} />;
  return (
    <>
      {neurons.length > 0 && <OfNeurons editor={editor} neurons={neurons} />}
      {synapses.length > 0 && <OfSynapses editor={editor} synapses={synapses} />}
    </>
  );
}

function OfCircuit({ editor }: { editor: Editor }) {
  const { circuit } = editor;
  const counts = ROLES.map((role) => [role, [...circuit.neurons.values()].filter((n) => n.role === role).length] as const);
  return (
    <section>
      <h3>Circuit</h3>
      <dl class="gl-facts">
        {counts.map(([role, count]) => (
          <div key={role}><dt><RoleShape role={role} /> {role}</dt><dd>{count}</dd></div>
        ))}
        <div><dt>synapses</dt><dd>{number(circuit.size)}</dd></div>
      </dl>
      <Field label="Note"><Area label="Note of the circuit" value={written(circuit.graph.note)} onCommit={(text) => editor.edit({ kind: "set", circuit: [text ? ["note", text] : ["note"]] })} /></Field>
      <p class="gl-hint">Select neurons and synapses to see and change what they are. Double-click the canvas to add a neuron; drag from the handle of one to draw a synapse.</p>
    </section>
  );
}

function OfNeurons({ editor, neurons }: { editor: Editor; neurons: Neuron[] }) {
  const one = neurons.length === 1 ? neurons[0]! : null;
  const role = common(neurons, (n) => n.role);
  const ins = neurons.reduce((sum, n) => sum + n.in.size, 0);
  const outs = neurons.reduce((sum, n) => sum + n.out.size, 0);
  const charted = neurons.every((n) => editor.live.charted.has(n.key));
  const problem = one && editor.live.problems.get(one);
  const place = editor.live.network && one ? editor.live.network.neurons.findIndex((name) => JSON.stringify(name) === JSON.stringify(one.name)) : -1;
  const tau = place >= 0 ? editor.live.network!.time_constants?.[place] : undefined;
  return (
    <section>
      <h3>{one ? "Neuron" : `${neurons.length} neurons`}</h3>
      {problem && <p class="gl-problem">{problem}</p>}
      {one && <Field label="Name"><Entry label="Name" value={one.label} onCommit={(name) => editor.edit({ kind: "rename", names: [[one.name, name]] })} /></Field>}
      <Field label="Role">
        <Choice label="Role" value={(role as (typeof ROLES)[number] | undefined) ?? ""} options={ROLES.map((r) => [r, r] as const)} onChange={(r) => editor.setNeurons(neurons, "role", r)} />
      </Field>
      <Field label="Group"><Entry label="Group" value={written(common(neurons, (n) => n.attributes.group))} placeholder={one ? "none" : "several, or none"} onCommit={(g) => editor.setNeurons(neurons, "group", g || undefined)} /></Field>
      <Field label="Note"><Area label="Note" value={written(common(neurons, (n) => n.attributes.note))} onCommit={(t) => editor.setNeurons(neurons, "note", t || undefined)} /></Field>
      <Others items={neurons} set={(attribute, value) => editor.setNeurons(neurons, attribute, value)} />
      <dl class="gl-facts">
        <div><dt>synapses in, out</dt><dd>{ins}, {outs}</dd></div>
        {tau !== undefined && tau !== null && <div><dt>time constant</dt><dd>{number(tau)}</dd></div>}
      </dl>
      {editor.live.on && (
        <label class="gl-check"><input type="checkbox" checked={charted} onChange={(e) => neurons.forEach((n) => editor.live.chart(n, e.currentTarget.checked))} /> show over time</label>
      )}
    </section>
  );
}

function OfSynapses({ editor, synapses }: { editor: Editor; synapses: Synapse[] }) {
  const one = synapses.length === 1 ? synapses[0]! : null;
  const polarity = common(synapses, (s) => s.polarity);
  const problem = one && editor.live.problems.get(one);
  return (
    <section>
      <h3>{one ? "Synapse" : `${number(synapses.length)} synapses`}</h3>
      {one && <p class="gl-pair"><span>{one.pre.label}</span><PolarityShape polarity={one.polarity} /><span>{one.post.label}</span></p>}
      {problem && <p class="gl-problem">{problem}</p>}
      <div class="gl-segments" role="radiogroup" aria-label="Kind">
        {([1, -1, ELECTRICAL] as const).map((kind) => (
          <button key={kind} type="button" role="radio" aria-checked={polarity === kind} class="gl-segment" onClick={() => editor.setPolarity(synapses, kind)}>
            <PolarityShape polarity={kind} /> {wordOf(kind)}
          </button>
        ))}
      </div>
      <Field label="Note"><Area label="Note of the synapse" value={written(common(synapses, (s) => s.attributes.note))} onCommit={(t) => editor.setSynapses(synapses, "note", t || undefined)} /></Field>
      <Others items={synapses} set={(attribute, value) => editor.setSynapses(synapses, attribute, value)} />
      {one && typeof one.attributes.projection === "string" && <p class="gl-hint">drawn by the projection “{one.attributes.projection}”</p>}
    </section>
  );
}

/** Attributes that the editor knows nothing of. */
function Others({ items, set }: { items: readonly Item[]; set: (attribute: string, value: Json | undefined) => void }) {
  const names = new Set<string>();
  for (const item of items.slice(0, 500)) for (const name of Object.keys(item.attributes as Attributes)) if (!KNOWN.has(name)) names.add(name);
  return (
    <details class="gl-others" open={names.size > 0}>
      <summary>Attributes</summary>
      {[...names].map((name) => (
        <Field key={name} label={name}><Entry label={`Attribute ${name}`} value={written(common(items, (i) => i.attributes[name]))} placeholder="several, or none" onCommit={(text) => set(name, parsed(text))} /></Field>
      ))}
      <form class="gl-row" onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget as HTMLFormElement;
        const [name, value] = ["name", "value"].map((key) => (form.elements.namedItem(key) as HTMLInputElement).value);
        if (!name || value === undefined) return;
        set(name, parsed(value) ?? "");
        form.reset();
      }}>
        <input class="gl-input" name="name" aria-label="Name of a new attribute" placeholder="attribute" />
        <input class="gl-input" name="value" aria-label="Value of the new attribute" placeholder="value" />
        <button class="gl-button gl-text">Set</button>
      </form>
    </details>
  );
}
