// What changed since a revision, shown over the circuit: new and other neurons and synapses marked, those
// that are gone as ghosts.

import type { Editor } from "../editor";
import { Circuit, type Item } from "../model/circuit";
import { placeMissing } from "../model/place";
import type { News } from "../link/session";
import type { Ghost, Look } from "../render/scene";

interface Kept {
  neurons: Map<string, { attributes: string; x: number; y: number; role: string }>;
  synapses: Map<string, { attributes: string; pre: string; post: string; polarity: number }>;
}

export interface Difference {
  added: Item[];
  changed: Item[];
  removed: { what: string; ghost: Ghost }[];
}

export class Changes {
  revision: number | null = null; // that is compared with
  opened = 0; // revision of the circuit as the session began
  private kept: Kept | null = null;
  private found: { version: number; difference: Difference } | null = null;
  private looks: { base: Look; version: number; made: Look } | null = null;
  readonly log: { revision: number; label: string; by: string }[] = [];

  constructor(private readonly editor: Editor) {}

  hear(news: News): void {
    if (news.type === "diff") this.note(news.revision, news.label, news.by);
    else if (news.type === "snapshot") {
      this.opened = news.opened ?? news.revision;
      this.log.length = 0;
      for (const [revision, label, by] of news.log ?? []) this.note(revision, label, by);
    } else if (news.type === "revision") {
      const before = Circuit.from(news.circuit);
      placeMissing(before);
      this.compare(keep(before), news.revision);
    }
  }

  /** Compare with the circuit as it was at a revision. */
  since(revision: number): void {
    this.editor.session.ask({ type: "revision", revision });
  }

  stop(): void {
    this.compare(null, null);
  }

  private note(revision: number, label: string, by: string): void {
    this.log.push({ revision, label, by });
    if (this.log.length > 500) this.log.shift();
  }

  private compare(kept: Kept | null, revision: number | null): void {
    [this.kept, this.revision] = [kept, revision];
    this.found = this.looks = null;
    this.editor.draw();
    this.editor.tell();
  }

  difference(): Difference | null {
    const { circuit } = this.editor;
    if (!this.kept) return null;
    if (this.found?.version !== circuit.version) this.found = { version: circuit.version, difference: compare(this.kept, circuit) };
    return this.found.difference;
  }

  look(base: Look): Look {
    const difference = this.difference();
    if (!difference) return base;
    const { version } = this.editor.circuit;
    if (this.looks?.base !== base || this.looks.version !== version) {
      const marks = new Map<Item, "added" | "changed">();
      for (const item of difference.changed) marks.set(item, "changed");
      for (const item of difference.added) marks.set(item, "added");
      this.looks = { base, version, made: { ...base, marks, ghosts: difference.removed.map((r) => r.ghost) } };
    }
    return this.looks.made;
  }
}

const pairKey = (pre: string, post: string): string => `${pre}\n${post}`;

function keep(circuit: Circuit): Kept {
  return {
    neurons: new Map([...circuit.neurons.values()].map((n) => [n.key, { attributes: JSON.stringify(n.attributes), x: n.x, y: n.y, role: n.role }])),
    synapses: new Map([...circuit.synapses()].map((s) => [pairKey(s.pre.key, s.post.key), { attributes: JSON.stringify(s.attributes), pre: s.pre.key, post: s.post.key, polarity: s.polarity }])),
  };
}

function compare(kept: Kept, circuit: Circuit): Difference {
  const found: Difference = { added: [], changed: [], removed: [] };
  for (const n of circuit.neurons.values()) {
    const old = kept.neurons.get(n.key);
    if (!old) found.added.push(n);
    else if (old.attributes !== JSON.stringify(n.attributes)) found.changed.push(n);
  }
  for (const s of circuit.synapses()) {
    const old = kept.synapses.get(pairKey(s.pre.key, s.post.key));
    if (!old) found.added.push(s);
    else if (old.attributes !== JSON.stringify(s.attributes)) found.changed.push(s);
  }
  for (const [key, { x, y, role }] of kept.neurons)
    if (!circuit.neurons.has(key)) found.removed.push({ what: key, ghost: { pre: { x, y }, post: null, polarity: 0, role } });
  const placeOf = (key: string): { x: number; y: number } | undefined => circuit.neurons.get(key) ?? kept.neurons.get(key);
  for (const { pre, post, polarity } of kept.synapses.values()) {
    if (circuit.neurons.get(pre)?.out.has(post)) continue;
    const [from, to] = [placeOf(pre), placeOf(post)];
    if (from && to) found.removed.push({ what: `${pre} → ${post}`, ghost: { pre: from, post: to, polarity, role: "" } });
  }
  return found;
}
