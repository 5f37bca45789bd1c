// The circuit of the page in sigma, with curved edges and arrows; it has no ends for inhibitory synapses.
import Graph from "graphology";
import Sigma, { DEFAULT_STYLES } from "sigma";
import { extremityArrow, layerFill, layerPlain, pathCurved, sdfCircle } from "sigma/rendering";

const { nodes, edges } = JSON.parse(document.getElementById("circuit").textContent);
const COLOURS = { sensory: "#3ba58f", inter: "#e3d9b8", command: "#a8418f", motor: "#2a2a52" };
const graph = new Graph({ type: "directed" });
for (const { id, role, x, y } of nodes) graph.addNode(id, { x, y: -y, size: 6, label: id, color: COLOURS[role] });
for (const { source, target, polarity } of edges)
  graph.addEdge(source, target, { size: 1, color: polarity > 0 ? "#1f66ad" : "#d9731f", curvature: 0.2, path: "curved", head: "arrow" });
const sigma = new Sigma(graph, document.getElementById("box"), {
  primitives: {
    nodes: { shapes: [sdfCircle()], layers: [layerFill()] },
    edges: { variables: { curvature: { type: "number", default: 0.2 } }, paths: [pathCurved()], extremities: [extremityArrow()], layers: [layerPlain()] },
  },
  styles: {
    nodes: DEFAULT_STYLES.nodes,
    edges: [DEFAULT_STYLES.edges, { path: "curved", head: "arrow", curvature: 0.2, color: { attribute: "color" }, size: { attribute: "size" } }].flat(),
  },
});
// It leaves dragging to the application: what its own example does.
let dragged = null;
sigma.on("downNode", ({ node }) => { dragged = node; });
sigma.on("moveBody", ({ event }) => {
  if (!dragged) return;
  const { x, y } = sigma.viewportToGraph(event);
  graph.mergeNodeAttributes(dragged, { x, y });
  event.preventSigmaDefault();
});
sigma.on("upNode", () => { dragged = null; });
window.bench = { at: (id) => { const { x, y } = sigma.graphToViewport(graph.getNodeAttributes(id)); return [x, y]; } };
requestAnimationFrame(() => requestAnimationFrame(() => { window.first = performance.now(); }));
