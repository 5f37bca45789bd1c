// What is drawn, as a value: the renderer keeps nothing of the editor but pictures.

import type { Circuit, Item, Neuron, Synapse } from "../model/circuit";
import type { Camera, Point, Rect } from "./camera";
import type { Theme } from "./theme";

/** What the still picture depends on besides circuit, camera and theme. A new look is a new object. */
export interface Look {
  /** 0 to 1: how strong a synapse is; its width. Null: all are alike. */
  strength: ((synapse: Synapse) => number) | null;
  /** What stands out while the rest is faint (neighbourhood, path, search); null: nothing does. */
  focus: ReadonlySet<Item> | null;
  /** What is new or other than at a revision, and what was there then. */
  marks: ReadonlyMap<Item, "added" | "changed">;
  ghosts: readonly Ghost[];
  /** Groups shown as one box. */
  folded: ReadonlySet<string>;
  labels: boolean;
}

export interface Ghost {
  pre: Point;
  post: Point | null; // null: a neuron, at `pre`
  polarity: number;
  role: string;
}

export interface Scene {
  circuit: Circuit;
  camera: Camera;
  theme: Theme;
  look: Look;
  /** Neurons that are being moved: they leave the still picture. Their places are in the circuit already. */
  lifted: ReadonlySet<Neuron> | null;
  selection: ReadonlySet<Item>;
  hover: Item | null;
  cursor: Neuron | null; // the neuron that keys act on
  draft: { from: Neuron; to: Point | Neuron; polarity: number } | null;
  band: Rect | null; // box select, in the world
  lasso: readonly Point[] | null;
  /** Signals from -1 to 1, of neurons that have one. */
  states: ReadonlyMap<Neuron, number> | null;
  problems: ReadonlyMap<Item, string>;
  silenced: ReadonlySet<Item>;
  handle: Neuron | null; // shows a handle from which a synapse is drawn
}

export const PLAIN: Look = {
  strength: null, focus: null, marks: new Map(), ghosts: [], folded: new Set(), labels: true,
};
