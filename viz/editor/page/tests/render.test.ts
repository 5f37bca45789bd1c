import { describe, expect, it } from "vitest";
import { fold } from "../src/render/blocks";
import { fitted, boundsOf, toScreen, toWorld, zoomed } from "../src/render/camera";
import { at, curve, distanceTo, trace, traceOf } from "../src/render/curves";
import { svg } from "../src/render/export";
import { Grid } from "../src/render/grid";
import { penOf, pen, shortened } from "../src/render/paint";
import { PLAIN, type Scene } from "../src/render/scene";
import { findWays } from "../src/render/ways";
import { DARK, LIGHT } from "../src/render/theme";
import { Circuit } from "../src/model/circuit";
import { isInside } from "../src/input/pointer";
import { circuitOf, random } from "./support";

describe("curves", () => {
  it("of A -> B and B -> A lie apart", () => {
    const [a, b] = [{ x: 0, y: 0 }, { x: 200, y: 0 }];
    trace(a, b);
    const there = at(0.5);
    trace(b, a);
    const back = at(0.5);
    expect(Math.hypot(there[0] - back[0], there[1] - back[1])).toBeGreaterThan(20);
  });

  it("of a self-synapse are loops that leave and reach the neuron", () => {
    const a = { x: 50, y: 50 };
    trace(a, a);
    expect(curve.loop).toBe(true);
    const tops = [0.3, 0.5, 0.7].map((t) => at(t)[1]);
    expect(Math.max(...tops)).toBeLessThan(50 - 12);
    expect(Math.hypot(curve.bx - 50, curve.by - 50)).toBeLessThan(30);
  });

  it("are near to their own points, and the distance is that of fine samples", () => {
    const r = random(7);
    for (let k = 0; k < 50; k++) {
      const [a, b, p] = [1, 2, 3].map(() => ({ x: r() * 400, y: r() * 400 })) as [Point, Point, Point];
      trace(a, b);
      let fine = Infinity;
      for (let t = 0; t <= 1; t += 0.0005) fine = Math.min(fine, Math.hypot(at(t)[0] - p.x, at(t)[1] - p.y));
      for (let t = 0; t <= 8; t += 0.1) fine = Math.min(fine, Math.hypot(p.x - curve.bx - curve.ux * t, p.y - curve.by - curve.uy * t));
      expect(Math.abs(distanceTo(p.x, p.y) - fine)).toBeLessThan(1);
    }
  });
});
interface Point { x: number; y: number }

describe("the hit test", () => {
  it("finds what a walk over all neurons and synapses finds", () => {
    const r = random(11);
    const circuit = circuitOf(r, 60, 200);
    const grid = new Grid(circuit);
    findWays(circuit);
    for (let k = 0; k < 400; k++) {
      const [x, y] = [r() * 800, r() * 500];
      let nearest: object | null = null;
      let least = 6;
      for (const s of circuit.synapses()) {
        traceOf(s);
        const d = distanceTo(x, y);
        if (d < least) [nearest, least] = [s, d];
      }
      const found = grid.synapseAt(x, y, 6, () => true);
      if (found) traceOf(found);
      // Pieces are straight, so that what is nearest may differ by a little.
      if (found) expect(distanceTo(x, y)).toBeLessThan(least + 1.2);
      else expect(nearest === null || least > 4.8).toBe(true);
    }
    // It knows what was moved, added and removed since.
    const moved = [...circuit.neurons.values()][5]!;
    circuit.set(moved, "x", 1500);
    const [gone] = [...circuit.synapses()].filter((s) => s.pre !== moved && s.post !== moved);
    traceOf(gone!);
    const [gx, gy] = at(0.5);
    circuit.removeSynapse(gone!);
    expect(grid.neuronAt(1500, moved.y, 2)).toBe(moved);
    expect(grid.synapseAt(gx, gy, 3, () => true)).not.toBe(gone);
    const [own] = [...moved.out.values(), ...moved.in.values()];
    traceOf(own!);
    const [ox, oy] = at(0.4);
    const seen = grid.synapseAt(ox, oy, 3, () => true)!;
    traceOf(seen);
    expect(distanceTo(ox, oy)).toBeLessThan(0.8);
    for (const n of circuit.neurons.values()) {
      const found = grid.neuronAt(n.x, n.y, 3)!;
      expect(Math.hypot(found.x - n.x, found.y - n.y)).toBe(0);
    }
  });
});

describe("the camera", () => {
  it("keeps the point under the pointer when it zooms", () => {
    const c = { k: 0.7, tx: 30, ty: -20 };
    const p = toWorld(c, 200, 150);
    const q = toScreen(zoomed(c, 1.7, 200, 150), p.x, p.y);
    expect(q.x).toBeCloseTo(200);
    expect(q.y).toBeCloseTo(150);
  });

  it("fits everything into the window", () => {
    const circuit = circuitOf(random(3), 40, 10);
    const c = fitted(boundsOf(circuit.neurons.values())!, 640, 400, 48, 1.6, 50);
    for (const n of circuit.neurons.values()) {
      const { x, y } = toScreen(c, n.x, n.y);
      expect(x).toBeGreaterThan(50);
      expect(x).toBeLessThan(640);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(400);
    }
  });
});

describe("blocks", () => {
  it("hold every neuron once and count every synapse between boxes once", () => {
    const circuit = circuitOf(random(5), 50, 300);
    const folding = fold(circuit, (n) => n.role, false);
    expect(folding.blocks.reduce((sum, b) => sum + b.members.length, 0)).toBe(50);
    expect(folding.pathways.reduce((sum, p) => sum + p.count, 0)).toBe(circuit.size);
  });

  it("of one folded group leave the synapses elsewhere alone", () => {
    const circuit = circuitOf(random(6), 20, 80);
    const folding = fold(circuit, (n) => (n.role === "inter" ? "inter" : null), true);
    const touching = [...circuit.synapses()].filter((s) => s.pre.role === "inter" || s.post.role === "inter").length;
    expect(folding.pathways.reduce((sum, p) => sum + p.count, 0)).toBe(touching);
  });
});

describe("pens", () => {
  it("tell polarity, strength, focus and marks apart", () => {
    const circuit = circuitOf(random(8), 10, 20);
    const [s] = circuit.synapses();
    const look = { ...PLAIN, strength: () => 0.99, focus: new Set([s!]) };
    expect(pen(LIGHT, penOf(look, s!))).toMatchObject({ level: 3, faint: false, color: s!.polarity > 0 ? LIGHT.excitatory : LIGHT.inhibitory });
    expect(pen(LIGHT, penOf({ ...PLAIN, focus: new Set() }, s!)).faint).toBe(true);
    expect(pen(DARK, penOf({ ...PLAIN, marks: new Map([[s!, "added" as const]]) }, s!)).color).toBe(DARK.added);
  });
});

describe("pictures", () => {
  it("as SVG hold names as text", () => {
    const circuit = new Circuit();
    circuit.addNeuron('<script>alert("x")</script>', { role: "inter", x: 0, y: 0 });
    circuit.addNeuron("b", { role: "motor", x: 100, y: 0 });
    circuit.addSynapse([...circuit.neurons.values()][0]!, circuit.find("b")!, { polarity: -1 });
    const text = svg({ circuit, theme: LIGHT } as Scene);
    expect(text).not.toContain("<script");
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    expect(parsed.querySelectorAll("text")).toHaveLength(2);
  });

  it("have themes in which texts have a contrast of 4.5 and lines of 3", () => {
    for (const theme of [LIGHT, DARK]) {
      for (const key of ["ink", "muted", "problem"] as const) expect(contrast(theme[key], theme.ground), key).toBeGreaterThanOrEqual(4.5);
      for (const key of ["excitatory", "inhibitory", "accent", "added", "changed"] as const) expect(contrast(theme[key], theme.ground), key).toBeGreaterThanOrEqual(3);
    }
  });

  it("shorten long names", () => expect(shortened("x".repeat(40))).toHaveLength(18));
});

describe("the lasso", () => {
  it("knows inside from outside", () => {
    const star = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 10, y: 10 }, { x: 5, y: 4 }, { x: 0, y: 10 }];
    expect(isInside(2, 2, star)).toBe(true);
    expect(isInside(5, 8, star)).toBe(false);
    expect(isInside(11, 5, star)).toBe(false);
  });
});

function contrast(a: string, b: string): number {
  const luminance = (hex: string): number => {
    const [r, g, bl] = [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  };
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}
