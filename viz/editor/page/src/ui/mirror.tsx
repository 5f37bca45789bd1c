// What a screen reader has of the canvas: the neuron that keys act on and its neighbours as a list, and what
// was done, said aloud. It cannot be seen, and each neighbour can be gone to.

import { goTo } from "../input/commands";
import { type Neuron, type Synapse, wordOf } from "../model/circuit";
import { useEditor } from "./hooks";

const MOST = 40;

export function Mirror() {
  const editor = useEditor();
  const { cursor, circuit, message, connecting } = editor;
  const list = (title: string, synapses: Synapse[], other: (s: Synapse) => Neuron) => (
    <ul aria-label={title}>
      {synapses.slice(0, MOST).map((s) => (
        <li key={other(s).key}><button type="button" tabIndex={-1} onClick={() => { goTo(editor, other(s)); editor.renderer.canvas.focus(); }}>{other(s).label}, {wordOf(s.polarity)}</button></li>
      ))}
      {synapses.length > MOST && <li>{synapses.length - MOST} more</li>}
    </ul>
  );
  return (
    <div class="gl-mirror">
      <div role="status" aria-live="polite" data-testid="status">
        {message?.text ?? ""}
        {cursor ? ` ${connecting ? `to ${cursor.label}` : cursor.label}, ${cursor.role || "no role"}, ${cursor.in.size} in, ${cursor.out.size} out` : ""}
        {editor.selection.size > 1 ? `, ${editor.selection.size} selected` : ""}
      </div>
      <div role="group" aria-label="Neuron at the cursor">
        {cursor ? <>{list(`Synapses into ${cursor.label}`, [...cursor.in.values()], (s) => s.pre)}{list(`Synapses from ${cursor.label}`, [...cursor.out.values()], (s) => s.post)}</>
          : <p>{circuit.neurons.size} neurons, {circuit.size} synapses. Arrow keys on the canvas go from neuron to neuron.</p>}
      </div>
    </div>
  );
}
