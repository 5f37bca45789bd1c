import { describe, expect, it } from "vitest";
import { Circuit, type NodeLink, keyOf, labelOf } from "../src/model/circuit";
import { type Primitive, apply, primitives } from "../src/model/edits";
import { refusal } from "../src/model/legal";
import { attempt } from "../src/link/session";
import { changeOf, circuitOf, random } from "./support";

describe("edits", () => {
  it("undo to the identical circuit, order included, and apply again to the same", () => {
    for (let seed = 0; seed < 60; seed++) {
      const r = random(seed);
      const circuit = circuitOf(r, 12, 30);
      // Attributes are a set: their order in a text is not part of the circuit. That of neurons and synapses is.
      const now = (): unknown => JSON.parse(circuit.text());
      const texts = [now()];
      const done: { changes: Primitive[]; inverse: Primitive[] }[] = [];
      for (let k = 0; k < 25; k++) {
        const changes = [changeOf(r, circuit)];
        const inverse = attempt(circuit, changes);
        if (typeof inverse === "string") {
          expect(now()).toEqual(texts.at(-1)); // refused whole
          continue;
        }
        done.push({ changes, inverse });
        texts.push(now());
      }
      expect(done.length).toBeGreaterThan(3);
      const end = now();
      for (const { inverse } of [...done].reverse()) {
        texts.pop();
        apply(circuit, inverse);
        expect(now()).toEqual(texts.at(-1));
      }
      for (const { changes } of done) apply(circuit, changes);
      expect(now()).toEqual(end);
      sound(circuit);
    }
  });

  it("are refused by the rules of the circuit, in a sentence that names what is wrong", () => {
    const c = new Circuit();
    apply(c, [{ kind: "add", neurons: [["eye", { role: "sensory" }], ["a", { role: "inter" }], ["b", { role: "motor" }]], synapses: [["eye", "a", { polarity: 1 }]] }]);
    const cases: [Primitive, RegExp][] = [
      [{ kind: "add", neurons: [["a", { role: "inter" }]] }, /'a' is taken/],
      [{ kind: "add", neurons: [["", { role: "inter" }]] }, /not empty/],
      [{ kind: "add", neurons: [["z", { role: "king" }]] }, /unknown role "king"/],
      [{ kind: "add", synapses: [["a", "eye", { polarity: 1 }]] }, /'eye' is sensory/],
      [{ kind: "add", synapses: [["eye", "a", { polarity: 1 }]] }, /exists already/],
      [{ kind: "add", synapses: [["a", "b", { polarity: 0.5 }]] }, /polarity 1 or -1, got 0.5/],
      [{ kind: "add", synapses: [["a", "nobody", { polarity: 1 }]] }, /no neuron 'nobody'/],
      [{ kind: "remove", neurons: ["nobody"] }, /no neuron 'nobody'/],
      [{ kind: "remove", synapses: [["a", "b"]] }, /no synapse 'a' → 'b'/],
      [{ kind: "set", neurons: [["a", "role", "sensory"]] }, /receives 1 synapses/],
      [{ kind: "set", synapses: [["eye", "a", "polarity", 2]] }, /must be 1 or -1, got 2/],
      [{ kind: "rename", names: [["a", "b"]] }, /'b' is taken/],
    ];
    for (const [change, why] of cases) expect(refusal(c, change)).toMatch(why);
    expect(refusal(c, { kind: "rename", names: [["a", "b"], ["b", "a"]] })).toBeNull();
  });

  it("of a batch are applied whole or not at all", () => {
    const c = circuitOf(random(1), 5, 5);
    const before = c.text();
    const why = attempt(c, [{ kind: "add", neurons: [["fresh", { role: "inter" }]] }, { kind: "remove", neurons: ["nobody"] }]);
    expect(why).toMatch(/nobody/);
    expect(c.text()).toBe(before);
  });

  it("that draw are left to Python", () => {
    expect(primitives({ kind: "batch", edits: [{ kind: "connect", pre: "inter", post: "motor", rule: "all_to_all" }] })).toBeNull();
  });
});

describe("names", () => {
  it("1 and '1' are two, and lists read as tuples", () => {
    expect(keyOf(1)).not.toBe(keyOf("1"));
    expect(labelOf(["a", 1])).toBe("(a, 1)");
    const file: NodeLink = { format: "ganglion-circuit", version: 1, directed: true, multigraph: false, graph: {}, nodes: [{ id: 1, role: "inter" }, { id: ["a", 2], role: "motor" }], edges: [{ source: 1, target: ["a", 2], polarity: -1 }] };
    const circuit = Circuit.from(file);
    expect(circuit.synapse(1, ["a", 2])?.polarity).toBe(-1);
    expect(JSON.parse(circuit.text())).toEqual(file);
  });

  it("that are hostile stay text", () => {
    const c = new Circuit();
    c.addNeuron("__proto__", { role: "inter" });
    c.addNeuron("<img src=x onerror=alert(1)>", { role: "inter" });
    expect(c.neurons.size).toBe(2);
    expect(Circuit.from(JSON.parse(c.text()) as NodeLink).text()).toBe(c.text());
  });

  it("of a broken file are named", () => {
    const file = circuitOf(random(2), 3, 2).json();
    expect(() => Circuit.from({ ...file, nodes: [...file.nodes, file.nodes[0]!] })).toThrow(/twice/);
    expect(() => Circuit.from({ ...file, edges: [{ source: "ghost", target: "ghost", polarity: 1 }] })).toThrow(/ghost/);
    expect(() => Circuit.from({} as NodeLink)).toThrow(/ganglion-circuit/);
  });
});

/** Both sides of every synapse and the count agree. */
function sound(circuit: Circuit): void {
  let count = 0;
  for (const n of circuit.neurons.values()) {
    expect(circuit.neurons.get(n.key)).toBe(n);
    for (const [key, s] of n.out) {
      expect(s.pre).toBe(n);
      expect(s.post.key).toBe(key);
      expect(s.post.in.get(n.key)).toBe(s);
      count++;
    }
  }
  expect(count).toBe(circuit.size);
}
