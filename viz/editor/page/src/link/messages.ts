// What the page and Python say to each other; the page's own session speaks the same words.

import type { Name, NodeLink } from "../model/circuit";
import type { Edit, Primitive } from "../model/edits";

export type Signal =
  | { kind: "constant"; value: number }
  | { kind: "step"; at: number; low: number; high: number }
  | { kind: "sine"; amplitude: number; period: number; phase: number; offset: number }
  | { kind: "noise"; mean: number; deviation: number; seed: number }
  | { kind: "table"; values: number[] }
  | { kind: "recording" };

export interface Problem {
  severity: "error" | "warning";
  kind: string;
  message: string;
  neuron: Name | null;
  synapse: [Name, Name] | null;
}

export interface Facts {
  neurons?: number | null;
  synapses?: number | null;
  density?: number | null;
  depth?: number | null;
  layout?: string | null;
  cost?: number | null;
  inhibitory?: number | null;
}

export interface Projection {
  name: string;
  pre: string | Name[];
  post: string | Name[];
  rule: string;
  synapses: number;
  changed: string | null;
}

export interface Diff {
  type: "diff";
  revision: number;
  base: number;
  changes: Primitive[];
  edit: string;
  label: string;
  by: string;
  id?: number;
  undo?: { [client: string]: string | null };
  redo?: { [client: string]: string | null };
}

export interface Frame {
  type: "frame";
  revision: number;
  step: number;
  time: number;
  states: (number | null)[];
  inputs: (number | null)[];
  outputs: (number | null)[];
}

export interface Network {
  type: "network";
  revision: number;
  neurons: Name[];
  sensors: Name[];
  outputs: Name[];
  synapses: [Name, Name, number][];
  time_constants: (number | null)[] | null;
  cell: string;
}

/** Everything the page may hear. `id` is of the message that is answered. */
export type Heard = { id?: number; to?: string } & (
  | {
      type: "welcome"; protocol: number; title: string; file: string | null; readonly: boolean; host: "standalone" | "notebook" | "file";
      limits?: { frame: number; neurons: number; synapses: number }; recording: boolean; training: boolean; recovered: number; notice?: string | null;
    }
  | { type: "snapshot"; revision: number; circuit: NodeLink; undo: string | null; redo: string | null; saved: number | null; opened?: number; log?: [number, string, string][] }
  | { type: "revision"; revision: number; circuit: NodeLink } // the circuit as it was then
  | Diff
  | { type: "refused"; why: string; revision: number }
  | { type: "preview"; changes: Primitive[]; why?: string } // the page adds why, if it was refused
  | { type: "busy"; busy: boolean; why: string }
  | { type: "pong" }
  | { type: "live"; on: boolean; playing: boolean; speed: number; step: number; error: string | null }
  | Network
  | Frame
  | { type: "signals"; signals: [Name, Signal][] }
  | { type: "facts"; revision: number; facts: Facts; order: Name[]; problems: Problem[]; projections: Projection[] }
  | { type: "what-if"; outputs: Name[]; base: (number | null)[][]; without: (number | null)[][] }
  | { type: "ranking"; effects: [Name, number][] }
  | { type: "saliency"; values: [Name, number | null][] }
  | { type: "saved"; file: string; revision: number; synced: boolean; aside?: string }
  | { type: "file"; name: string; mime: string; text: string }
  | { type: "training"; state: "running" | "paused" | "done" | "failed"; epoch: number; epochs: number; loss: number | null; history: number[]; why?: string | null }
  | { type: "journal"; synced: boolean; pending: number; error: string | null }
  | { type: "closed"; why: string }
);

export type Said = { id?: number } & (
  | { type: "hello"; protocol: 1 }
  | { type: "edit"; edit: Edit; base: number }
  | { type: "undo"; base: number }
  | { type: "redo"; base: number }
  | { type: "resync" }
  | { type: "preview"; edit: Edit }
  | { type: "play"; on: boolean; speed?: number }
  | { type: "step"; count?: number }
  | { type: "reset" }
  | { type: "signal"; sensor: Name; signal: Signal }
  | { type: "inputs"; name: string; text: string }
  | { type: "live"; on: boolean }
  | { type: "what-if"; neurons: Name[]; synapses: [Name, Name][]; steps?: number }
  | { type: "rank"; steps?: number }
  | { type: "saliency"; steps?: number }
  | { type: "revision"; revision: number }
  | { type: "save"; path?: string }
  | { type: "export"; what: string }
  | { type: "open"; name: string; text: string }
  | { type: "train"; action: "pause" | "continue" | "stop" }
  | { type: "ping" }
);

/** What `gl.viz.to_html` puts into a page. */
export interface Recording {
  neurons: Name[];
  sensors: Name[];
  outputs: Name[];
  times: number[];
  states: (number | null)[][];
  inputs: (number | null)[][];
  outputs_values: (number | null)[][];
}
