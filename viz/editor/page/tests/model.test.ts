import { describe, expect, it } from "vitest";
import { copied, pasted } from "../src/model/clipboard";
import { Circuit, type Item } from "../src/model/circuit";
import { apply } from "../src/model/edits";
import { MOTIFS, motifEdit } from "../src/model/motifs";
import { neighbourhood, shortestPaths, towards } from "../src/model/paths";
import { layered, placeMissing } from "../src/model/place";
import { expanded } from "../src/model/rules";
import { refusal } from "../src/model/legal";
import { COMMANDS } from "../src/input/commands";
import { chord } from "../src/input/keyboard";
import { parsed } from "../src/ui/inspect";
import { LocalSession } from "../src/link/local";
import { circuitOf, random } from "./support";

function chain(count: number): Circuit {
  const c = new Circuit();
  for (let k = 0; k < count; k++) c.addNeuron(`n${k}`, { role: "inter", x: 100 * k, y: 0 });
  for (let k = 0; k + 1 < count; k++) c.addSynapse(c.find(`n${k}`)!, c.find(`n${k + 1}`)!, { polarity: 1 });
  return c;
}
const keys = (items: Iterable<Item>): string[] => [...items].flatMap((i) => (i.kind === "neuron" ? [i.key] : [])).sort();

describe("walks", () => {
  it("reach as far as they may", () => {
    const c = chain(6);
    const from = [c.find("n2")!];
    expect(keys(neighbourhood(from, "out", 2))).toEqual(["n2", "n3", "n4"]);
    expect(keys(neighbourhood(from, "in", 1))).toEqual(["n1", "n2"]);
    expect(keys(neighbourhood(from, "both", 1))).toEqual(["n1", "n2", "n3"]);
  });

  it("are the shortest, all of them", () => {
    const c = chain(4);
    c.addNeuron("side", { role: "inter" });
    c.addSynapse(c.find("n0")!, c.find("side")!, { polarity: 1 });
    c.addSynapse(c.find("side")!, c.find("n2")!, { polarity: 1 });
    expect(keys(shortestPaths(c.find("n0")!, c.find("n3")!)!)).toEqual(["n0", "n1", "n2", "n3", "side"]);
    expect(shortestPaths(c.find("n3")!, c.find("n0")!)).toBeNull();
  });

  it("by arrow keys go to the neighbour in that direction", () => {
    const c = chain(3);
    expect(towards(c, c.find("n1")!, 1, 0)?.key).toBe("n2");
    expect(towards(c, c.find("n1")!, -1, 0)?.key).toBe("n0");
    expect(towards(c, c.find("n1")!, 0, 1)).toBeNull();
  });
});

describe("places", () => {
  it("are given to what has none, apart from each other, and stay", () => {
    const c = new Circuit();
    for (const [k, role] of ["sensory", "inter", "inter", "command", "motor"].entries()) c.addNeuron(`n${k}`, { role });
    placeMissing(c);
    const first = [...c.neurons.values()].map((n) => `${n.x},${n.y}`);
    expect(new Set(first).size).toBe(5);
    c.addNeuron("late", { role: "motor" });
    placeMissing(c);
    expect([...c.neurons.values()].slice(0, 5).map((n) => `${n.x},${n.y}`)).toEqual(first);
    expect(c.text()).not.toContain('"x"'); // nothing is written into the circuit
  });

  it("of layers do not overlap", () => {
    const c = circuitOf(random(9), 200, 900);
    const all = [...layered([...c.neurons.values()]).values()];
    for (let i = 0; i < all.length; i++) for (let j = 0; j < i; j++) expect(Math.hypot(all[i]!.x - all[j]!.x, all[i]!.y - all[j]!.y)).toBeGreaterThan(24);
  });
});

describe("copy and paste", () => {
  it("brings neurons with the synapses between them, under free names", () => {
    const c = circuitOf(random(12), 10, 30);
    const chosen = [...c.neurons.values()].slice(0, 5);
    const between = [...c.synapses()].filter((s) => chosen.includes(s.pre) && chosen.includes(s.post)).length;
    const edit = pasted(c, copied(c, chosen), 500, 500)!;
    expect(edit.neurons).toHaveLength(5);
    expect(edit.synapses).toHaveLength(between);
    expect(refusal(c, edit)).toBeNull();
    expect(pasted(c, "no circuit", 0, 0)).toBeNull();
  });
});

describe("motifs", () => {
  it("are legal circuits, twice in a row, too", () => {
    for (const motif of MOTIFS) {
      const c = new Circuit();
      for (let k = 0; k < 2; k++) {
        const free = (role: string, taken: ReadonlySet<string>): string => { for (let i = 0; ; i++) if (!c.neurons.has(`${role}_${i}`) && !taken.has(`${role}_${i}`)) return `${role}_${i}`; };
        const edit = motifEdit(motif, 0, 0, 60, free, (name) => !c.neurons.has(name));
        expect(refusal(c, edit), motif.id).toBeNull();
        apply(c, [edit]);
      }
      expect(c.neurons.size).toBe(2 * motif.neurons.length);
      expect(c.size).toBe(2 * motif.synapses.length);
    }
  });
});

describe("rules without chance", () => {
  it("connect as the rules of Python do, and leave chance to Python", () => {
    const c = new Circuit();
    for (const n of ["a", "b", "c"]) c.addNeuron(n, { role: "inter" });
    const all = expanded(c, { kind: "connect", pre: "inter", post: "inter", rule: "all_to_all", self_synapses: false });
    expect(all).toMatchObject([{ kind: "add", synapses: { length: 6 } }]);
    const one = expanded(c, { kind: "connect", pre: ["a"], post: ["b"], rule: "one_to_one", inhibitory: 1 });
    expect(one).toEqual([{ kind: "add", synapses: [["a", "b", { polarity: -1 }]] }]);
    expect(expanded(c, { kind: "connect", pre: "inter", post: "inter", rule: "pairwise_bernoulli", p: 0.5, seed: 1 })).toMatch(/Python/);
    expect(expanded(c, { kind: "connect", pre: "inter", post: ["a"], rule: "one_to_one" })).toMatch(/3 pre and 1 post/);
  });
});

describe("keys", () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => chord({ key, code: "", ctrlKey: false, metaKey: false, shiftKey: false, ...more } as KeyboardEvent);
  it("are written as the table of commands has them", () => {
    expect(press("z", { ctrlKey: true })).toBe("Mod+Z");
    expect(press("Z", { metaKey: true, shiftKey: true })).toBe("Mod+Shift+Z");
    expect(press("?", { shiftKey: true })).toBe("?");
    expect(press(")", { shiftKey: true, code: "Digit0" })).toBe("Shift+0");
    expect(press(" ")).toBe("Space");
    expect(press("Delete")).toBe("Delete");
  });
  it("belong to one command each", () => {
    const all = COMMANDS.flatMap((c) => c.keys ?? []);
    expect(new Set(all).size).toBe(all.length);
    expect(new Set(COMMANDS.map((c) => c.id)).size).toBe(COMMANDS.length);
  });
});

describe("values", () => {
  it("are what a person means", () => {
    expect(parsed("0.5")).toBe(0.5);
    expect(parsed("true")).toBe(true);
    expect(parsed("AVA")).toBe("AVA");
    expect(parsed("")).toBeUndefined();
    expect(parsed("1e999")).toBe("1e999");
  });
});

describe("a page without Python", () => {
  it("edits, undoes and opens files, and refuses what is wrong whole", () => {
    const session = new LocalSession(circuitOf(random(20), 6, 8).json(), { title: "t", recording: null, readonly: false });
    const before = session.circuit.text();
    expect(session.apply({ kind: "add", neurons: [["x", { role: "inter" }]] })).toBeNull();
    expect(session.undoLabel).toBe("add 1 neuron");
    session.undo();
    expect(session.circuit.text()).toBe(before);
    session.redo();
    expect(session.circuit.find("x")).toBeDefined();
    expect(session.apply({ kind: "generate", generator: "ncp", arguments: {} })).toMatch(/Python/);
    const news: string[] = [];
    session.listen((n) => news.push(n.type));
    expect(session.ask({ type: "save" })).toBe(false);
    expect(session.ask({ type: "open", name: "bad.json", text: "{" })).toBeTruthy();
    expect(news).toContain("refused");
    const other = circuitOf(random(21), 3, 2);
    session.ask({ type: "open", name: "c.json", text: other.text() });
    expect(session.circuit.text()).toBe(other.text());
    session.undo();
    expect(session.circuit.find("x")).toBeDefined();
  });

  it("for looking only changes nothing", () => {
    const session = new LocalSession(circuitOf(random(22), 3, 2).json(), { title: "t", recording: null, readonly: true });
    expect(session.apply({ kind: "add", neurons: [["x", { role: "inter" }]] })).toMatch(/looking only/);
  });
});

describe("places that Python says", () => {
  const file = (places: [number, number][] | null, at: object = {}) => Circuit.from({
    format: "ganglion-circuit", version: 1, directed: true, multigraph: false, graph: {}, places,
    nodes: [{ id: "a", role: "inter", ...at }, { id: "b", role: "motor" }], edges: [],
  });
  it("are those of neurons that have none, and no part of the circuit", () => {
    const circuit = file([[1, 2], [30, 40]]);
    placeMissing(circuit);
    expect([...circuit.neurons.values()].map((n) => [n.x, n.y, n.placed])).toEqual([[1, 2, false], [30, 40, false]]);
    expect(circuit.text()).not.toContain("places");
    circuit.addNeuron("c", { role: "inter" });
    placeMissing(circuit);
    expect(circuit.find("a")!.x).toBe(1);
  });
  it("are left alone where the circuit has its own, or of another number", () => {
    for (const circuit of [file([[1, 2], [30, 40]], { x: 500, y: 5 }), file([[1, 2]])]) {
      placeMissing(circuit);
      expect(circuit.find("b")!.x).not.toBe(30);
    }
  });
});
