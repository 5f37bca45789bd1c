// A session is where edits go and where a circuit lives: in Python, or in the page itself.

import type { Circuit } from "../model/circuit";
import { type Edit, type Primitive, apply } from "../model/edits";
import { refusal } from "../model/legal";
import type { Heard, Said } from "./messages";

/** What the page hears of, beside what Python says: whether it is there. */
export type News = Heard | { type: "link"; state: "open" | "lost" | "closed"; why: string } | { type: "kernel"; busy: boolean };

export interface Session {
  readonly circuit: Circuit;
  readonly revision: number;
  readonly undoLabel: string | null;
  readonly redoLabel: string | null;
  /** Whether Python is there: rules and generators draw, networks run. */
  readonly python: boolean;
  /** Why the edit is refused, or null; what is refused later arrives as news. */
  apply(edit: Edit): string | null;
  undo(): void;
  redo(): void;
  /** Ask for something else: the id that the answer will have, or false if nobody can answer. */
  ask(said: Said): number | false;
  listen(hear: (news: News) => void): () => void;
  close(): void;
}

/** Listeners of news; one that fails does not keep it from the others. */
export class Listeners {
  private readonly all = new Set<(news: News) => void>();

  add(hear: (news: News) => void): () => void {
    this.all.add(hear);
    return () => this.all.delete(hear);
  }

  tell(news: News): void {
    for (const hear of [...this.all]) {
      try {
        hear(news);
      } catch (error) {
        console.error(error);
      }
    }
  }
}

/** Apply changes whole or not at all: what undoes them, or why they are refused. */
export function attempt(circuit: Circuit, changes: Primitive[]): Primitive[] | string {
  const undone: Primitive[] = [];
  for (const change of changes) {
    const why = refusal(circuit, change);
    if (why !== null) {
      apply(circuit, undone);
      return why;
    }
    undone.unshift(...apply(circuit, [change]));
  }
  return undone;
}

/** What people call an edit. */
export function describe(edit: Edit): string {
  const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
  switch (edit.kind) {
    case "batch": return edit.label ?? (edit.edits[0] ? describe(edit.edits[0]) : "nothing");
    case "add": case "remove": {
      const [n, s] = [edit.neurons?.length ?? 0, edit.synapses?.length ?? 0];
      return `${edit.kind} ${n ? many(n, "neuron") : many(s, "synapse")}`;
    }
    case "rename": return `rename ${many(edit.names.length, "neuron")}`;
    case "set": {
      const [n, s] = [edit.neurons ?? [], edit.synapses ?? []];
      if (n.length && n.every((entry) => entry[1] === "x" || entry[1] === "y")) return `move ${many(new Set(n.map((e) => JSON.stringify(e[0]))).size, "neuron")}`;
      const names = new Set([...n.map((e) => e[1]), ...s.map((e) => e[2]), ...(edit.circuit ?? []).map((e) => e[0])]);
      return `set ${[...names].join(", ")}`;
    }
    case "connect": return `connect by ${edit.rule}`;
    case "projection": return `${edit.remove ? "remove" : "change"} projection ${edit.name}`;
    case "generate": return `generate ${edit.generator}`;
  }
}
