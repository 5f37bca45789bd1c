// The session of a page without Python: a single HTML file. It edits, undoes and plays its recording.

import { Circuit, type NodeLink } from "../model/circuit";
import { type Edit, type Primitive, apply, primitives } from "../model/edits";
import { expanded } from "../model/rules";
import type { Frame, Recording, Said } from "./messages";
import { Listeners, type News, type Session, attempt, describe } from "./session";

interface Done {
  changes: Primitive[];
  inverse: Primitive[];
  label: string;
}

export class LocalSession implements Session {
  circuit: Circuit;
  revision = 0;
  readonly python = false;
  private done: Done[] = [];
  private undone: Done[] = [];
  private readonly back: Primitive[][] = []; // for each revision, what takes it back
  private readonly listeners = new Listeners();
  private timer = 0;
  private at = 0;
  private speed = 20;

  constructor(
    file: NodeLink,
    private readonly options: { title: string; recording: Recording | null; readonly: boolean },
  ) {
    this.circuit = Circuit.from(file);
  }

  get undoLabel(): string | null {
    return this.done.at(-1)?.label ?? null;
  }

  get redoLabel(): string | null {
    return this.undone.at(-1)?.label ?? null;
  }

  listen(hear: (news: News) => void): () => void {
    const stop = this.listeners.add(hear);
    const { title, recording, readonly } = this.options;
    queueMicrotask(() => {
      hear({ type: "welcome", protocol: 1, title, file: null, readonly, host: "file", recording: recording !== null, training: false, recovered: 0 });
      if (!recording) return;
      hear({ type: "network", revision: 0, cell: "", neurons: recording.neurons, sensors: recording.sensors, outputs: recording.outputs, synapses: [], time_constants: null });
      hear({ type: "live", on: true, playing: false, speed: this.speed, step: 0, error: null });
    });
    return stop;
  }

  apply(edit: Edit): string | null {
    if (this.options.readonly) return "this page is for looking only";
    const changes = primitives(edit) ?? expanded(this.circuit, edit);
    if (typeof changes === "string") return changes;
    const inverse = attempt(this.circuit, changes);
    if (typeof inverse === "string") return inverse;
    this.done.push({ changes, inverse, label: describe(edit) });
    this.undone = [];
    this.tell(changes, inverse, edit.kind, describe(edit));
    return null;
  }

  undo(): void {
    const last = this.done.pop();
    if (!last) return;
    apply(this.circuit, last.inverse);
    this.undone.push(last);
    this.tell(last.inverse, last.changes, "undo", `undo ${last.label}`);
  }

  redo(): void {
    const last = this.undone.pop();
    if (!last) return;
    apply(this.circuit, last.changes);
    this.done.push(last);
    this.tell(last.changes, last.inverse, "redo", `redo ${last.label}`);
  }

  ask(said: Said): number | false {
    const { recording } = this.options;
    if (said.type === "open") return this.open(said.text);
    if (said.type === "revision") return this.tellRevision(said.revision);
    if (!recording) return false;
    if (said.type === "play") this.play(said.on, said.speed ?? this.speed);
    else if (said.type === "step") this.show(this.at + (said.count ?? 1));
    else if (said.type === "reset") this.show(0);
    else return false;
    return 1;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private open(text: string): number {
    try {
      const file = JSON.parse(text) as NodeLink;
      const now = this.circuit.json();
      Circuit.from(file); // says what is wrong with it
      const why = this.apply({
        kind: "batch", label: "open a file",
        edits: [
          { kind: "remove", neurons: now.nodes.map((n) => n.id) },
          { kind: "set", circuit: [...Object.keys(now.graph).map((k): [string] => [k]), ...Object.entries(file.graph ?? {})] },
          {
            kind: "add",
            neurons: file.nodes.map(({ id, ...attributes }) => [id, attributes]),
            synapses: file.edges.map(({ source, target, ...attributes }) => [source, target, attributes]),
          },
        ],
      });
      if (why !== null) throw new Error(why);
    } catch (error) {
      this.listeners.tell({ type: "refused", why: `cannot open the file: ${(error as Error).message}`, revision: this.revision });
    }
    return 1;
  }

  private play(on: boolean, speed: number): void {
    clearInterval(this.timer);
    this.speed = speed;
    if (on) this.timer = window.setInterval(() => this.show(this.at + Math.max(1, Math.round(speed / 60))), 1000 / Math.min(speed, 60));
    this.listeners.tell({ type: "live", on: true, playing: on, speed, step: this.at, error: null });
  }

  /** Show a step of the recording; it starts again after its end. */
  private show(step: number): void {
    const { times, states, inputs, outputs_values } = this.options.recording!;
    this.at = times.length ? step % times.length : 0;
    const frame: Frame = {
      type: "frame", revision: 0, step: this.at, time: times[this.at] ?? 0,
      states: states[this.at] ?? [], inputs: inputs[this.at] ?? [], outputs: outputs_values[this.at] ?? [],
    };
    this.listeners.tell(frame);
  }

  private tellRevision(revision: number): number {
    const circuit = Circuit.from(this.circuit.json());
    for (const inverse of this.back.slice(revision).reverse()) apply(circuit, inverse);
    this.listeners.tell({ type: "revision", revision, circuit: circuit.json() });
    return 1;
  }

  private tell(changes: Primitive[], back: Primitive[], edit: string, label: string): void {
    this.revision++;
    this.back.push(back);
    this.listeners.tell({ type: "diff", revision: this.revision, base: this.revision - 1, changes, edit, label, by: "page" });
  }
}
