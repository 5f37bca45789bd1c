// Copy and paste of neurons with the synapses between them, as the text of a circuit file, so that they go
// from one editor to another and into a file.

import { Circuit, type Name, type Neuron, type NodeLink, isRole, keyOf, labelOf } from "./circuit";
import type { Add } from "./edits";

export function copied(circuit: Circuit, neurons: readonly Neuron[]): string {
  const chosen = new Set(neurons);
  const part: NodeLink = {
    ...circuit.json(), graph: {},
    nodes: [...circuit.neurons.values()].filter((n) => chosen.has(n)).map((n) => ({ id: n.name, ...n.attributes, x: n.x, y: n.y })),
    edges: [...chosen].flatMap((n) => [...n.out.values()].filter((s) => chosen.has(s.post))).map((s) => ({ source: s.pre.name, target: s.post.name, ...s.attributes })),
  };
  return JSON.stringify(part);
}

/** The edit that pastes a copied text so that its middle is at a point; null if the text is none. */
export function pasted(circuit: Circuit, text: string, x: number, y: number): Add | null {
  let part: Circuit;
  try {
    part = Circuit.from(JSON.parse(text) as NodeLink);
  } catch {
    return null;
  }
  const all = [...part.neurons.values()];
  if (!all.length) return null;
  const middle = (axis: "x" | "y"): number => (Math.min(...all.map((n) => n[axis])) + Math.max(...all.map((n) => n[axis]))) / 2;
  const [mx, my] = [middle("x"), middle("y")];
  const labels = new Set([...circuit.neurons.values()].map((n) => n.label));
  const names = new Map<string, Name>();
  for (const { key, name } of all) {
    const fresh = labels.has(labelOf(name)) ? freshName(labelOf(name), labels) : name;
    labels.add(labelOf(fresh));
    names.set(key, fresh);
  }
  return {
    kind: "add",
    neurons: all.map((n) => [names.get(n.key)!, { ...n.attributes, role: isRole(n.role) ? n.role : "inter", x: Math.round(n.x - mx + x), y: Math.round(n.y - my + y) }]),
    synapses: [...part.synapses()].map((s) => {
      const { projection: _, ...attributes } = s.attributes; // a copy was not drawn by the rule
      return [names.get(keyOf(s.pre.name))!, names.get(keyOf(s.post.name))!, attributes];
    }),
  };
}

/** inter_3 becomes the first free inter_k; AVA becomes AVA_1. */
function freshName(label: string, taken: ReadonlySet<string>): string {
  const stem = label.replace(/_\d+$/, "");
  for (let k = stem === label ? 1 : 0; ; k++) if (!taken.has(`${stem}_${k}`)) return `${stem}_${k}`;
}
