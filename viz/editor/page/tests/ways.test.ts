import { describe, expect, it } from "vitest";
import { Circuit, type Neuron } from "../src/model/circuit";
import { placeMissing } from "../src/model/place";
import { at, traceOf } from "../src/render/curves";
import { Grid } from "../src/render/grid";
import { cellsOf, entered, findWays } from "../src/render/ways";
import { random } from "./support";

/** Neurons in layers, with synapses that skip some. */
function handmade(seed: number): Circuit {
  const r = random(seed);
  const circuit = new Circuit();
  const layers = (["sensory", "inter", "command", "motor"] as const).map((role) =>
    Array.from({ length: 1 + Math.floor(r() * 5) }, (_, k) => circuit.addNeuron(`${role}_${k}`, { role })));
  const all = layers.flat();
  const pick = (list: Neuron[]): Neuron => list[Math.floor(r() * list.length)]!;
  for (let k = 0; k < 22; k++) {
    const [pre, post] = [pick(all), pick(all)];
    if (post.role !== "sensory" && pre !== post && !pre.out.has(post.key)) circuit.addSynapse(pre, post, { polarity: r() < 0.5 ? 1 : -1 });
  }
  placeMissing(circuit);
  return circuit;
}

describe("ways", () => {
  it("bow so that none runs behind a foreign neuron", () => {
    let [before, after, synapses] = [0, 0, 0];
    for (let seed = 0; seed < 200; seed++) {
      const circuit = handmade(seed);
      const near = cellsOf(circuit);
      for (const s of circuit.synapses()) before += Math.min(1, entered(s, 1, near).size);
      findWays(circuit);
      for (const s of circuit.synapses()) after += Math.min(1, entered(s, s.bow, near).size);
      synapses += circuit.size;
    }
    expect(synapses).toBeGreaterThan(2000);
    expect(before).toBeGreaterThan(200);
    expect(after).toBe(0);
  });

  it("are found as they are drawn, and anew when a neuron comes into one", () => {
    const circuit = new Circuit();
    const [a, b, c] = [["a", 0, 0], ["b", 400, 0], ["c", 200, 300]].map(([name, x, y]) => circuit.addNeuron(String(name), { role: "inter", x: x!, y: y! }));
    const synapse = circuit.addSynapse(a!, b!, { polarity: 1 });
    const grid = new Grid(circuit);
    expect(grid.synapseAt(200, -46, 5, () => true)).toBe(synapse);
    expect(synapse.bow).toBe(1);
    circuit.set(c!, "y", -46);
    expect(grid.synapseAt(200, -46, 5, () => true)).toBe(null);
    expect(synapse.bow).not.toBe(1);
    traceOf(synapse);
    const [x, y] = at(0.5);
    expect(grid.synapseAt(x, y, 5, () => true)).toBe(synapse);
    expect(Math.hypot(x - c!.x, y - c!.y)).toBeGreaterThan(15);
  });
});
