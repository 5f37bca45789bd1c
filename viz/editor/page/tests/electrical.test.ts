import { describe, expect, it } from "vitest";
import { LocalSession } from "../src/link/local";
import { type Attributes, Circuit, ELECTRICAL, attributesOf, titleOf, wordOf } from "../src/model/circuit";
import { notElectrical } from "../src/editor";
import { fold } from "../src/render/blocks";
import { at, distanceTo, traceOf } from "../src/render/curves";
import { svg } from "../src/render/export";
import { Grid } from "../src/render/grid";
import { byPen, pen } from "../src/render/paint";
import { PLAIN, type Scene } from "../src/render/scene";
import { resistor } from "../src/render/shapes";
import { LIGHT } from "../src/render/theme";

/** s, and a -> b with some attributes, 200 apart. */
function pair(attributes: Attributes): Circuit {
  const circuit = new Circuit();
  circuit.addNeuron("s", { role: "sensory", x: 0, y: 200, group: "g" });
  const [a, b] = [["a", 0], ["b", 200]].map(([name, x]) => circuit.addNeuron(name!, { role: "inter", x: x!, y: 0, group: name! }));
  circuit.addSynapse(a!, b!, { polarity: 1, ...attributes });
  return circuit;
}
const only = (circuit: Circuit) => [...circuit.synapses()][0]!;

describe("an electrical synapse", () => {
  it("is told by its kind, and one beside a chemical one by its gap", () => {
    expect(only(pair({ kind: "electrical" })).polarity).toBe(ELECTRICAL);
    expect(only(pair({ kind: "chemical" }))).toMatchObject({ polarity: 1, gap: false });
    expect(only(pair({ gap: 2 }))).toMatchObject({ polarity: 1, gap: true });
    expect([1, -1, ELECTRICAL, 0].map(wordOf)).toEqual(["excitatory", "inhibitory", "electrical", "no polarity"]);
    const circuit = pair({ kind: "electrical" });
    expect(titleOf(only(circuit))).toBe("a ↔ b");
    circuit.set(only(circuit), "kind", undefined);
    expect(only(circuit).polarity).toBe(1);
    expect(titleOf(only(circuit))).toBe("a → b");
  });

  it("is a straight line with a resistor in its middle, alike from both ends", () => {
    traceOf(only(pair({ kind: "electrical" })));
    const corners = [...resistor()];
    expect(corners[0]).toEqual([0, 0]);
    expect(corners.at(-1)![0]).toBeCloseTo(188);
    const middle = corners.slice(1, -1);
    expect((middle[0]![0] + middle.at(-1)![0]) / 2).toBeCloseTo(100);
    expect(middle.map(([, y]) => Math.sign(Math.round(y)))).toEqual([0, 1, 0, -1, 0, 1, 0, -1, 0]);
    for (const t of [0.1, 0.5, 0.9]) expect(at(t)[1]).toBeCloseTo(0);
    expect(distanceTo(100, 0)).toBeLessThan(1e-9);
  });

  it("is found where it is drawn, between the two chemical ones of a pair", () => {
    const circuit = pair({});
    const [, a, b] = [...circuit.neurons.values()];
    const back = circuit.addSynapse(b!, a!, attributesOf(ELECTRICAL));
    const grid = new Grid(circuit);
    expect(grid.synapseAt(100, 0, 4, () => true)).toBe(back);
    expect(circuit.between(a!, b!)).toBe(only(circuit));
    circuit.removeSynapse(only(circuit));
    expect(circuit.between(a!, b!)).toBe(back);
    expect(circuit.between(b!, a!)).toBe(back);
  });

  it("has a pen of its own, also beside a chemical one", () => {
    const drawn = (attributes: Attributes, marks: "changed" | null = null) => {
      const circuit = pair(attributes);
      const look = marks ? { ...PLAIN, marks: new Map([[only(circuit), marks]]) } : PLAIN;
      return [...byPen(circuit.synapses(), look).entries()].filter(([, list]) => list).map(([id]) => pen(LIGHT, id));
    };
    expect(drawn({}).map((p) => [p.polarity, p.color])).toEqual([[1, LIGHT.excitatory]]);
    expect(drawn({ polarity: -1, gap: 1 }).map((p) => p.polarity)).toEqual([-1, ELECTRICAL]);
    expect(drawn({ kind: "electrical" }).map((p) => [p.polarity, p.color])).toEqual([[ELECTRICAL, LIGHT.electrical]]);
    expect(drawn({ kind: "electrical" }, "changed").map((p) => [p.polarity, p.color])).toEqual([[ELECTRICAL, LIGHT.changed]]);
  });

  it("is one pathway between boxes, whichever way its edges point", () => {
    const circuit = pair({ kind: "electrical" });
    const [, a, b] = [...circuit.neurons.values()];
    circuit.addSynapse(b!, a!, { polarity: -1, gap: 1 });
    const { pathways } = fold(circuit, (n) => String(n.attributes.group), true);
    expect(pathways.map((p) => [p.polarity, p.count])).toEqual([[-1, 1], [ELECTRICAL, 2]]);
  });

  it("is a resistor without a head in exported pictures", () => {
    const shapes = (attributes: Attributes) => svg({ circuit: pair(attributes), theme: LIGHT } as Scene).match(/<path d="[^"]*" fill="none"/g)!.length;
    expect(shapes({})).toBe(1);
    expect(shapes({ gap: 1 })).toBe(2);
    const text = svg({ circuit: pair({ kind: "electrical" }), theme: LIGHT } as Scene);
    expect(text).toContain(LIGHT.electrical);
    expect(text).not.toContain(LIGHT.excitatory);
  });

  it("joins two different neurons with state, once", () => {
    const circuit = pair({ gap: 1 });
    const [s, a, b] = [...circuit.neurons.values()];
    expect(notElectrical(s!, a!)).toContain("'s' is sensory");
    expect(notElectrical(a!, s!)).toContain("'s' is sensory");
    expect(notElectrical(a!, a!)).toContain("not one to itself");
    expect(notElectrical(b!, a!)).toContain("already");
    circuit.set(only(circuit), "gap", undefined);
    expect(notElectrical(b!, a!)).toBeNull();
  });

  it("undoes to what was there", () => {
    const session = new LocalSession(pair({}).json(), { title: "", recording: null, readonly: false });
    const before = session.circuit.text();
    expect(session.apply({ kind: "set", synapses: [["a", "b", "polarity", 1], ["a", "b", "kind", "electrical"]] })).toBeNull();
    expect(only(session.circuit).polarity).toBe(ELECTRICAL);
    session.undo();
    expect(session.circuit.text()).toBe(before);
  });
});
