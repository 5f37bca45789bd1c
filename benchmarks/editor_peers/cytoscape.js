// The circuit of the page in Cytoscape.js, with curved edges and ends that tell the signs apart.
import cytoscape from "cytoscape";

const { nodes, edges } = JSON.parse(document.getElementById("circuit").textContent);
const COLOURS = { sensory: "#3ba58f", inter: "#e3d9b8", command: "#a8418f", motor: "#2a2a52" };
const cy = cytoscape({
  container: document.getElementById("box"),
  elements: [
    ...nodes.map(({ id, role, x, y }) => ({ data: { id, role }, position: { x, y } })),
    ...edges.map(({ source, target, polarity }) => ({ data: { id: `${source}>${target}`, source, target, polarity } })),
  ],
  style: [
    { selector: "node", style: { width: 24, height: 24, label: "data(id)", "font-size": 11, "min-zoomed-font-size": 6, "background-color": (node) => COLOURS[node.data("role")] } },
    { selector: "edge", style: { width: 1, "curve-style": "unbundled-bezier", "control-point-distances": 30, "control-point-weights": 0.5, "line-color": "#1f66ad", "target-arrow-color": "#1f66ad", "target-arrow-shape": "triangle" } },
    { selector: "edge[polarity < 0]", style: { "line-color": "#d9731f", "target-arrow-color": "#d9731f", "target-arrow-shape": "tee" } },
  ],
  layout: { name: "preset", fit: true, padding: 40 },
});
window.bench = { at: (id) => { const { x, y } = cy.getElementById(id).renderedPosition(); return [x, y]; } };
cy.ready(() => requestAnimationFrame(() => requestAnimationFrame(() => { window.first = performance.now(); })));
