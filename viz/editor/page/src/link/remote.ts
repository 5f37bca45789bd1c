// The session in Python, over a WebSocket or a widget's messages. Edits show at once: the page applies them,
// and puts them below what others did when Python's answer comes.

import { Circuit } from "../model/circuit";
import { type Edit, type Primitive, apply, primitives } from "../model/edits";
import type { Diff, Heard, Said } from "./messages";
import { Listeners, type News, type Session, attempt, describe } from "./session";

export interface Transport {
  send(message: object): void;
  /** Told of every message, and of the state of the line. */
  receive(message: (heard: Heard) => void, state: (state: "open" | "lost" | "closed", why: string) => void): void;
  close(): void;
}

interface Pending {
  id: number;
  edit: Edit;
  changes: Primitive[] | null; // null: Python draws it
  inverse: Primitive[];
}

const PATIENCE = 300; // ms until an unanswered edit asks whether Python is there
const BUSY = 700; // ms more until it is said to be busy

export class RemoteSession implements Session {
  circuit = new Circuit();
  revision = -1;
  private undoes: string | null = null; // what Python's answer said that undo would do
  redoLabel: string | null = null;
  readonly python = true;
  private pending: Pending[] = [];
  private last = 0; // id of the last message
  private readonly greetings = new Set<number>(); // ids of the messages that said hello
  private greeting = 0; // the timer of the next
  private readonly previews = new Set<number>();
  private busy = false;
  private asking = 0;
  private readonly listeners = new Listeners();

  constructor(private readonly transport: Transport, readonly client: string) {
    transport.receive((heard) => this.hear(heard), (state, why) => {
      clearTimeout(this.greeting);
      if (state === "open") this.greet();
      this.listeners.tell({ type: "link", state, why });
    });
  }

  /** Say hello, again and again until somebody answers: a host may not be ready for the first. */
  private greet(pause = 1000): void {
    this.greetings.add(this.say({ type: "hello", protocol: 1 }));
    clearTimeout(this.greeting);
    this.greeting = window.setTimeout(() => this.greet(Math.min(pause * 1.5, 10_000)), pause);
  }

  /** An edit that Python has not answered yet can be undone as well: what is said arrives in its order. */
  get undoLabel(): string | null {
    const last = this.pending.at(-1);
    return last ? describe(last.edit) : this.undoes;
  }

  listen(hear: (news: News) => void): () => void {
    return this.listeners.add(hear);
  }

  apply(edit: Edit): string | null {
    const changes = primitives(edit);
    const inverse = changes ? attempt(this.circuit, changes) : [];
    if (typeof inverse === "string") return inverse;
    const id = this.say({ type: "edit", edit, base: this.revision });
    this.pending.push({ id, edit, changes, inverse });
    this.wait();
    return null;
  }

  undo(): void {
    this.say({ type: "undo", base: this.revision });
  }

  redo(): void {
    this.say({ type: "redo", base: this.revision });
  }

  ask(said: Said): number {
    const id = this.say(said);
    if (said.type === "preview") this.previews.add(id);
    return id;
  }

  close(): void {
    clearTimeout(this.asking);
    clearTimeout(this.greeting);
    this.transport.close();
  }

  private say(said: Said): number {
    const id = ++this.last;
    this.transport.send({ ...said, client: this.client, id });
    return id;
  }

  private hear(heard: Heard): void {
    if (heard.to !== undefined && heard.to !== this.client) return;
    this.answered();
    if (heard.type === "snapshot") this.restart(heard);
    else if (heard.type === "diff") {
      if (!this.merge(heard)) return;
    } else if (heard.type === "refused") {
      if (heard.id !== undefined && this.previews.delete(heard.id)) return this.listeners.tell({ type: "preview", changes: [], why: heard.why });
      this.refuse(heard.id);
    } else if (heard.type === "preview" && heard.id !== undefined) this.previews.delete(heard.id);
    this.listeners.tell(heard);
  }

  private restart({ circuit, revision, undo, redo, id }: Heard & { type: "snapshot" }): void {
    this.circuit = Circuit.from(circuit);
    this.revision = revision;
    [this.undoes, this.redoLabel] = [undo, redo];
    const before = this.pending.filter((p) => id !== undefined && p.id < id);
    this.pending = this.pending.filter((p) => id === undefined || p.id > id);
    this.again();
    // What was said before a line broke may never have arrived: it is said again, if it still fits. What was
    // said before a resync is in the snapshot.
    clearTimeout(this.greeting);
    if (id !== undefined && this.greetings.has(id)) for (const { edit } of before) this.apply(edit);
  }

  /** Take a change in; false if one before it was missed and all must be asked for anew. */
  private merge(diff: Diff): boolean {
    if (diff.revision <= this.revision) return false; // known from a snapshot
    if (diff.base !== this.revision) {
      this.say({ type: "resync" });
      return false;
    }
    const first = this.pending[0];
    const own = diff.by === this.client && diff.id !== undefined && first?.id === diff.id;
    if (own && first.changes && JSON.stringify(first.changes) === JSON.stringify(diff.changes)) this.pending.shift();
    else {
      const later = own ? this.pending.slice(1) : this.pending;
      for (const { inverse } of [...this.pending].reverse()) apply(this.circuit, inverse);
      apply(this.circuit, diff.changes);
      this.pending = later;
      this.again();
    }
    this.revision = diff.revision;
    this.undoes = diff.undo?.[this.client] ?? null;
    this.redoLabel = diff.redo?.[this.client] ?? null;
    return true;
  }

  private refuse(id?: number): void {
    const refused = this.pending.find((p) => p.id === id);
    if (!refused) return;
    for (const { inverse } of [...this.pending].reverse()) apply(this.circuit, inverse);
    this.pending = this.pending.filter((p) => p !== refused);
    this.again();
  }

  /** Put the edits that wait on top again; Python will refuse those that no longer fit. */
  private again(): void {
    for (const p of this.pending) {
      const inverse = p.changes ? attempt(this.circuit, p.changes) : [];
      p.inverse = typeof inverse === "string" ? [] : inverse;
    }
  }

  private wait(): void {
    clearTimeout(this.asking);
    this.asking = window.setTimeout(() => {
      this.say({ type: "ping" });
      this.asking = window.setTimeout(() => this.tellBusy(true), BUSY);
    }, PATIENCE);
  }

  private answered(): void {
    clearTimeout(this.asking);
    this.tellBusy(false);
  }

  private tellBusy(busy: boolean): void {
    if (busy === this.busy) return;
    this.busy = busy;
    this.listeners.tell({ type: "kernel", busy });
  }
}

/** A WebSocket that comes back by itself, unless it is told to stay away. */
export function socket(address: string): Transport {
  let line: WebSocket | null = null;
  let closed = false;
  let waiting: string[] = [];
  let delay = 250;
  let hear: (heard: Heard) => void = () => undefined;
  let tell: (state: "open" | "lost" | "closed", why: string) => void = () => undefined;
  const FINAL: Record<number, string> = {
    4401: "the token is wrong: open the address that Ganglion printed", 4403: "this page's origin is refused",
    4400: "a message was malformed", 1009: "a message was too large", 4408: "too many messages",
  };
  const open = (): void => {
    line = new WebSocket(address);
    line.onopen = () => {
      delay = 250;
      tell("open", "");
      for (const text of waiting.splice(0)) line!.send(text);
    };
    line.onmessage = ({ data }) => hear(JSON.parse(data as string) as Heard);
    line.onclose = ({ code }) => {
      if (closed) return;
      const why = FINAL[code];
      if (why && code !== 4408) return tell("closed", why);
      tell("lost", why ?? "Python does not answer");
      waiting = []; // the snapshot after the next hello says what is so; edits on the way are kept by the session
      setTimeout(() => !closed && open(), delay);
      delay = Math.min(delay * 2, 5000);
    };
  };
  return {
    send(message) {
      const text = JSON.stringify(message);
      if (line?.readyState === WebSocket.OPEN) line.send(text);
      else waiting.push(text);
    },
    receive(message, state) {
      [hear, tell] = [message, state];
      open();
    },
    close() {
      closed = true;
      line?.close();
    },
  };
}

/** The part of an anywidget model that carries messages. */
export interface Model {
  send(content: unknown): void;
  on(event: string, callback: (content: unknown) => void): void;
  off(event: string, callback: (content: unknown) => void): void;
}

export function widget(model: Model): Transport {
  let callback: ((content: unknown) => void) | null = null;
  return {
    send: (message) => model.send(message),
    receive(message, state) {
      callback = (content) => message(content as Heard);
      model.on("msg:custom", callback);
      state("open", "");
    },
    close() {
      if (callback) model.off("msg:custom", callback);
    },
  };
}
