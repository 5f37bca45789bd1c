// Connection rules that need no chance, drawn by the page where there is no Python. Those that do are drawn
// by NumPy's generator alone: another one would make other synapses from the same seed.

import { type Circuit, type Name, type Neuron, isRole } from "./circuit";
import type { Edit, Population, Primitive } from "./edits";

export const RULES: Record<string, { argument: string | null; title: string }> = {
  all_to_all: { argument: null, title: "All to all" },
  one_to_one: { argument: null, title: "One to one" },
  fixed_indegree: { argument: "indegree", title: "Fixed in-degree" },
  fixed_outdegree: { argument: "outdegree", title: "Fixed out-degree" },
  pairwise_bernoulli: { argument: "p", title: "Pairwise Bernoulli" },
  fixed_total_number: { argument: "total", title: "Fixed total number" },
};

/** The neurons of a population: a role, a group, or names. */
export function members(circuit: Circuit, population: Population): Neuron[] {
  const all = [...circuit.neurons.values()];
  if (Array.isArray(population)) return population.flatMap((name) => circuit.find(name) ?? []);
  return all.filter((n) => (isRole(population) ? n.role === population : n.attributes.group === population));
}

/** The primitives of an edit that draws, or why the page cannot draw it. */
export function expanded(circuit: Circuit, edit: Edit): Primitive[] | string {
  if (edit.kind !== "connect") return "this is drawn in Python: open the circuit with gl.edit or `ganglion edit`";
  const { pre, post, rule, inhibitory = 0, self_synapses = true, skip_existing = false } = edit;
  if (RULES[rule]?.argument !== null || (inhibitory !== 0 && inhibitory !== 1))
    return "what is drawn at random is drawn in Python: open the circuit with gl.edit or `ganglion edit`";
  const [from, to] = [members(circuit, pre), members(circuit, post)];
  if (!from.length || !to.length) return "a group without neurons cannot be connected";
  if (rule === "one_to_one" && from.length !== to.length)
    return `rule 'one_to_one' needs groups of one size, got ${from.length} pre and ${to.length} post`;
  const pairs = rule === "one_to_one" ? from.map((a, k) => [a, to[k]!] as const) : from.flatMap((a) => to.map((b) => [a, b] as const));
  const polarity = inhibitory === 1 ? -1 : 1;
  const synapses = pairs
    .filter(([a, b]) => (self_synapses || a !== b) && !(skip_existing && a.out.has(b.key)))
    .map(([a, b]): [Name, Name, { polarity: number }] => [a.name, b.name, { polarity }]);
  return synapses.length ? [{ kind: "add", synapses }] : "every one of these synapses exists already";
}
