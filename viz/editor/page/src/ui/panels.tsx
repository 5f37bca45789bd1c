// Panels that tell: problems and facts, changes since a revision, projections.

import type { Editor } from "../editor";
import { goTo } from "../input/commands";
import { type Attributes, type Item, type Neuron, titleOf } from "../model/circuit";
import { members } from "../model/rules";
import { Entry, Field, number } from "./controls";
import { useEditor } from "./hooks";

function show(editor: Editor, item: Item | undefined): void {
  if (!item) return;
  if (item.kind === "neuron") return goTo(editor, item);
  editor.select([item]);
  editor.reveal(item.pre);
  editor.reveal(item.post);
}

export function Problems() {
  const editor = useEditor();
  const { facts, problemList } = editor.live;
  const { circuit } = editor;
  const rows: [string, string][] = [
    ["neurons", number(facts.neurons ?? circuit.neurons.size)],
    ["synapses", number(facts.synapses ?? circuit.size)],
    ["inhibitory", typeof facts.inhibitory === "number" ? (facts.inhibitory <= 1 ? `${number(facts.inhibitory * 100, 2)} %` : number(facts.inhibitory)) : "–"],
    ["density", typeof facts.density === "number" ? `${number(facts.density * 100, 2)} %` : "–"],
    ["depth", number(facts.depth)],
    ["layout", facts.layout ?? "–"],
    ["cost per step", typeof facts.cost === "number" ? `${number(facts.cost)} µs` : "–"],
  ];
  return (
    <>
      <section>
        <h3>Facts</h3>
        <dl class="gl-facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      </section>
      <section>
        <h3>Problems{problemList.length ? ` (${problemList.length})` : ""}</h3>
        {!problemList.length && <p class="gl-hint">{editor.session.python ? "The circuit is sound." : "Python’s check is not here; the page refuses what is illegal."}</p>}
        <ul class="gl-list">
          {problemList.slice(0, 100).map((p, k) => (
            <li key={k} class={p.severity === "error" ? "gl-error" : ""}>
              <button type="button" class="gl-link" onClick={() => show(editor, p.neuron !== null ? circuit.find(p.neuron) : p.synapse ? circuit.synapse(...p.synapse) : undefined)}>{p.message}</button>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

export function ChangesPanel() {
  const editor = useEditor();
  const { changes } = editor;
  const difference = changes.difference();
  const what = (item: Item): string => (item.kind === "neuron" ? item.label : titleOf(item));
  const list = (title: string, kind: string, items: Item[]) => items.length > 0 && (
    <>
      <h4 class={kind}>{items.length} {title}</h4>
      <ul class="gl-list">{items.slice(0, 60).map((item, k) => <li key={k}><button type="button" class="gl-link" onClick={() => show(editor, item)}>{what(item)}</button></li>)}</ul>
    </>
  );
  return (
    <>
      <section>
        <h3>Changes {difference ? `since revision ${changes.revision}` : ""}</h3>
        <div class="gl-row">
          <button type="button" class="gl-button gl-text" onClick={() => changes.since(changes.opened)}>Since opened</button>
          {editor.saved !== null && <button type="button" class="gl-button gl-text" onClick={() => changes.since(editor.saved!)}>Since saved</button>}
          <button type="button" class="gl-button gl-text" onClick={() => changes.since(editor.session.revision)}>From now on</button>
          {difference && <button type="button" class="gl-button gl-text" onClick={() => changes.stop()}>End</button>}
        </div>
        {difference && list("added", "gl-added", difference.added)}
        {difference && list("changed", "gl-changed", difference.changed)}
        {difference && difference.removed.length > 0 && (
          <>
            <h4 class="gl-removed">{difference.removed.length} removed</h4>
            <ul class="gl-list">{difference.removed.slice(0, 60).map(({ what }) => <li key={what}>{what}</li>)}</ul>
          </>
        )}
      </section>
      <section>
        <h3>Edits</h3>
        <ol class="gl-list" reversed>
          {[...changes.log].reverse().slice(0, 60).map(({ revision, label, by }) => (
            <li key={revision}>
              <button type="button" class="gl-link" aria-pressed={changes.revision === revision - 1} title="Compare with the circuit before this edit"
                onClick={() => changes.since(revision - 1)}>{label}</button>{by === "python" ? " (Python)" : ""}
            </li>
          ))}
        </ol>
        {!changes.log.length && <p class="gl-hint">Nothing was changed yet.</p>}
      </section>
    </>
  );
}

const populationText = (population: string | unknown[]): string => (typeof population === "string" ? population : `${population.length} neurons`);

export function Projections() {
  const editor = useEditor();
  const { projections } = editor.live;
  const kept = (editor.circuit.graph.projections ?? {}) as Record<string, { pre: string; post: string; rule: string } & Attributes>;
  const rows = projections.length || editor.session.python ? projections
    : Object.entries(kept).map(([name, p]) => ({ name, ...p, synapses: [...editor.circuit.synapses()].filter((s) => s.attributes.projection === name).length, changed: null }));
  const drawn = (name: string): Item[] => [...editor.circuit.synapses()].filter((s) => s.attributes.projection === name);
  const ends = (p: { pre: string | unknown[]; post: string | unknown[] }): Neuron[] => [...members(editor.circuit, p.pre as string), ...members(editor.circuit, p.post as string)];
  return (
    <section>
      <h3>Projections</h3>
      <button type="button" class="gl-button gl-text" onClick={() => editor.set({ dialog: "connect" })}>Connect by a rule …</button>
      <ul class="gl-cards">
        {rows.map((p) => (
          <li key={p.name}>
            <b>{p.name}</b>
            <span>{populationText(p.pre)} → {populationText(p.post)}: {p.rule}, {number(p.synapses)} synapses</span>
            {editor.session.python && Object.entries(kept[p.name] ?? {}).filter(([, value]) => typeof value === "number").map(([key, value]) => (
              <Field key={key} label={key}><Entry type="number" label={`${key} of ${p.name}`} value={String(value)}
                onCommit={(text) => { if (text) editor.edit({ kind: "projection", name: p.name, [key]: Number(text) }); }} /></Field>
            ))}
            {p.changed && <span class="gl-changed">{p.changed}</span>}
            <div class="gl-row">
              <button type="button" class="gl-button gl-text" onClick={() => { editor.select(drawn(p.name)); editor.fit(new Set(ends(p))); }}>Select</button>
              <button type="button" class="gl-button gl-text" disabled={!editor.session.python} onClick={() => editor.edit({ kind: "projection", name: p.name })}>Draw again</button>
              <button type="button" class="gl-button gl-text" disabled={!editor.session.python} onClick={() => editor.edit({ kind: "projection", name: p.name, seed: Math.floor(Math.random() * 2 ** 31) })}>New seed</button>
              <button type="button" class="gl-button gl-text" disabled={!editor.session.python} onClick={() => editor.edit({ kind: "projection", name: p.name, remove: true })}>Remove</button>
            </div>
          </li>
        ))}
      </ul>
      {!rows.length && <p class="gl-hint">A projection is a rule between two groups that is kept: its synapses can be drawn again with other numbers.</p>}
    </section>
  );
}

