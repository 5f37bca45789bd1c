import { describe, expect, it, vi } from "vitest";
import { Circuit } from "../src/model/circuit";
import { type Edit, type Primitive, primitives } from "../src/model/edits";
import type { Heard, Said } from "../src/link/messages";
import { RemoteSession, type Transport } from "../src/link/remote";
import { type News, attempt } from "../src/link/session";
import { changeOf, circuitOf, random } from "./support";

/** Python, as far as the page sees it: messages wait until they are delivered. */
class Server {
  circuit: Circuit;
  revision = 0;
  private lines = new Map<string, { out: (Said & { client: string })[]; in: Heard[]; hear: (heard: Heard) => void }>();

  constructor(circuit: Circuit) {
    this.circuit = circuit;
  }

  line(client: string): Transport {
    const line = { out: [] as (Said & { client: string })[], in: [] as Heard[], hear: (_: Heard): void => undefined };
    this.lines.set(client, line);
    return {
      send: (message) => void line.out.push(JSON.parse(JSON.stringify(message))),
      receive: (hear, state) => { line.hear = hear; state("open", ""); },
      close: () => undefined,
    };
  }

  /** Python reads one message of a client. */
  read(client: string): boolean {
    const said = this.lines.get(client)!.out.shift();
    if (!said) return false;
    const answer = (heard: object): void => void this.lines.get(client)!.in.push(JSON.parse(JSON.stringify({ ...heard, id: said.id })) as Heard);
    if (said.type === "hello" || said.type === "resync")
      answer({ type: "snapshot", revision: this.revision, circuit: this.circuit.json(), undo: null, redo: null, saved: null });
    if (said.type === "edit") {
      const changes = primitives(said.edit) ?? this.drawn(said.edit);
      const done = attempt(this.circuit, changes);
      if (typeof done === "string") answer({ type: "refused", why: done, revision: this.revision });
      else this.tell(changes, said.client, said.id);
    }
    return true;
  }

  tell(changes: Primitive[], by: string, id?: number): void {
    const diff = { type: "diff", revision: ++this.revision, base: this.revision - 1, changes, edit: "x", label: "x", by, ...(id !== undefined && { id }) };
    for (const line of this.lines.values()) line.in.push(JSON.parse(JSON.stringify(diff)) as Heard);
  }

  drop(client: string): void {
    this.lines.get(client)!.in.shift();
  }

  deliver(client: string): boolean {
    const line = this.lines.get(client)!;
    const heard = line.in.shift();
    if (heard) line.hear(heard);
    return heard !== undefined;
  }

  settle(): void {
    for (let busy = true; busy; ) busy = [...this.lines.keys()].map((c) => [this.read(c), this.deliver(c)]).flat().some(Boolean);
  }

  private drawn(_: Edit): Primitive[] {
    return [{ kind: "add", neurons: [[`drawn${this.revision}`, { role: "inter" }]] }];
  }
}

const same = (a: Circuit, b: Circuit): void => expect(JSON.parse(a.text())).toEqual(JSON.parse(b.text()));

describe("an edit that is on its way", () => {
  it("can be undone before Python has answered", () => {
    const server = new Server(circuitOf(random(1), 4, 4));
    const session = new RemoteSession(server.line("ann"), "ann");
    server.read("ann");
    server.deliver("ann");
    expect(session.undoLabel).toBeNull();
    const [neuron] = [...session.circuit.neurons.values()];
    expect(session.apply({ kind: "remove", neurons: [neuron!.name] })).toBeNull();
    expect(session.undoLabel).toBe("remove 1 neuron");
    session.close();
  });
});

describe("a session in Python", () => {
  it("shows an edit at once and is equal to Python's circuit in the end, whatever others do meanwhile", () => {
    for (let seed = 0; seed < 80; seed++) {
      const r = random(seed + 500);
      const server = new Server(circuitOf(r, 8, 14));
      const sessions = ["a", "b"].map((client) => new RemoteSession(server.line(client), client));
      server.settle();
      for (let k = 0; k < 40; k++) {
        const [client, session] = r() < 0.5 ? ["a", sessions[0]!] : ["b", sessions[1]!];
        const what = r();
        if (what < 0.45) session.apply(r() < 0.1 ? { kind: "connect", pre: "inter", post: "motor", rule: "all_to_all" } : changeOf(r, session.circuit));
        else if (what < 0.7) server.read(client!);
        else if (what < 0.95) server.deliver(client!);
        else {
          const change = changeOf(r, server.circuit);
          if (typeof attempt(server.circuit, [change]) !== "string") server.tell([change], "python");
        }
      }
      server.settle();
      for (const session of sessions) {
        // Order may differ where the page put its own edit before a foreign one that came first.
        const [mine, theirs] = [session.circuit.json(), server.circuit.json()].map((j) => ({
          nodes: [...j.nodes].map((n) => JSON.stringify(n, Object.keys(n).sort())).sort(), edges: [...j.edges].map((e) => JSON.stringify(e, Object.keys(e).sort())).sort(), graph: j.graph,
        }));
        expect(mine, `seed ${seed}`).toEqual(theirs);
        expect(session.revision).toBe(server.revision);
      }
    }
  });

  it("asks for all when a change was missed, and goes on", () => {
    const server = new Server(circuitOf(random(3), 4, 4));
    const session = new RemoteSession(server.line("a"), "a");
    server.settle();
    server.tell([{ kind: "add", neurons: [["lost", { role: "inter" }]] }], "python");
    attempt(server.circuit, [{ kind: "add", neurons: [["lost", { role: "inter" }]] }]);
    server.drop("a");
    attempt(server.circuit, [{ kind: "add", neurons: [["seen", { role: "inter" }]] }]);
    server.tell([{ kind: "add", neurons: [["seen", { role: "inter" }]] }], "python");
    server.settle();
    expect(session.circuit.find("lost")).toBeDefined();
    same(session.circuit, server.circuit);
  });

  it("takes back what Python refuses, and says why", () => {
    const server = new Server(circuitOf(random(4), 4, 4));
    const session = new RemoteSession(server.line("a"), "a");
    const news: News[] = [];
    session.listen((n) => news.push(n));
    server.settle();
    attempt(server.circuit, [{ kind: "add", neurons: [["x", { role: "motor" }]] }]); // Python has it, the page does not know yet
    session.apply({ kind: "add", neurons: [["x", { role: "inter" }]] });
    session.apply({ kind: "add", neurons: [["y", { role: "inter" }]] });
    expect(session.circuit.find("x")?.role).toBe("inter");
    server.settle();
    expect(session.circuit.find("x")).toBeUndefined();
    expect(session.circuit.find("y")).toBeDefined();
    expect(news.filter((n) => n.type === "refused")).toHaveLength(1);
  });

  it("says that the kernel is busy when nobody answers, and that it is not when somebody does", () => {
    vi.useFakeTimers();
    const server = new Server(circuitOf(random(5), 4, 4));
    const session = new RemoteSession(server.line("a"), "a");
    server.settle();
    const busy: boolean[] = [];
    session.listen((n) => n.type === "kernel" && busy.push(n.busy));
    session.apply({ kind: "add", neurons: [["x", { role: "inter" }]] });
    vi.advanceTimersByTime(900);
    expect(busy).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(busy).toEqual([true]);
    server.settle();
    expect(busy).toEqual([true, false]);
    vi.useRealTimers();
  });

  it("says hello until it is heard, and once more when a line comes back, with the edits that may be lost", () => {
    vi.useFakeTimers();
    const said: (Said & { id: number })[] = [];
    const line: { hear: (h: Heard) => void; tell: (s: "open" | "lost", why: string) => void } = { hear: () => undefined, tell: () => undefined };
    const session = new RemoteSession({ send: (m) => void said.push(m as Said & { id: number }), receive: (hear, tell) => { [line.hear, line.tell] = [hear, tell]; tell("open", ""); }, close: () => undefined }, "a");
    const snapshot = (id: number): void => line.hear({ type: "snapshot", revision: 0, circuit: circuitOf(random(1), 3, 2).json(), undo: null, redo: null, saved: null, id });
    vi.advanceTimersByTime(1100);
    expect(said.map((m) => m.type)).toEqual(["hello", "hello"]);
    snapshot(said[0]!.id);
    vi.advanceTimersByTime(60_000);
    expect(said).toHaveLength(2);
    session.apply({ kind: "add", neurons: [["x", { role: "inter" }]] });
    line.tell("lost", "");
    line.tell("open", "");
    vi.advanceTimersByTime(1100);
    snapshot(said.find((m, k) => k > 2 && m.type === "hello")!.id);
    expect(said.filter((m) => m.type === "edit")).toHaveLength(2);
    expect(session.circuit.find("x")).toBeDefined();
    snapshot(said.findLast((m) => m.type === "hello")!.id); // the second greeting is answered, too
    expect(said.filter((m) => m.type === "edit")).toHaveLength(2);
    expect(session.circuit.find("x")).toBeDefined();
    session.close();
    vi.useRealTimers();
  });

  it("ignores what is for another view", () => {
    const line: { hear: (h: Heard) => void } = { hear: () => undefined };
    const session = new RemoteSession({ send: () => undefined, receive: (hear) => { line.hear = hear; }, close: () => undefined }, "a");
    const news: News[] = [];
    session.listen((n) => news.push(n));
    line.hear({ type: "refused", why: "x", revision: 0, to: "b" });
    expect(news).toEqual([]);
  });
});
