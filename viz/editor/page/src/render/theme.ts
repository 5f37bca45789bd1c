// Colours of the picture, those of `viz/style.py`: told apart under colour blindness and in greyscale. The
// colours of the controls around it are in `ui/editor.css`.

import type { Role } from "../model/circuit";

export interface Theme {
  dark: boolean;
  ground: string;
  grid: string;
  ink: string;
  muted: string;
  accent: string;
  problem: string;
  excitatory: string;
  inhibitory: string;
  electrical: string;
  unknown: string;
  roles: Record<Role, string>;
  edge: string; // outline of neurons
  block: string;
  added: string;
  removed: string;
  changed: string;
}

export const LIGHT: Theme = {
  dark: false,
  ground: "#fbfbfc",
  grid: "#e4e7ec",
  ink: "#1a1d24",
  muted: "#6b7280",
  accent: "#c2185b",
  problem: "#b3261e",
  excitatory: "#1f66ad",
  inhibitory: "#d9731f",
  electrical: "#5f6672",
  unknown: "#8a8f98",
  roles: { sensory: "#3ba58f", inter: "#e3d9b8", command: "#a8418f", motor: "#2a2a52" },
  edge: "rgba(20,24,36,0.55)",
  block: "rgba(20,24,36,0.05)",
  added: "#1a7f37",
  removed: "#b3261e",
  changed: "#8250df",
};

export const DARK: Theme = {
  dark: true,
  ground: "#12141a",
  grid: "#232732",
  ink: "#eceef3",
  muted: "#98a0ad",
  accent: "#ff6fa3",
  problem: "#ff8a80",
  excitatory: "#7cbbf0",
  inhibitory: "#d9702a",
  electrical: "#b4bac4",
  unknown: "#8a8f98",
  roles: { sensory: "#2f8f7b", inter: "#f2e9cc", command: "#e29fd2", motor: "#4e56b8" },
  edge: "rgba(255,255,255,0.5)",
  block: "rgba(255,255,255,0.05)",
  added: "#56d364",
  removed: "#ff8a80",
  changed: "#d2a8ff",
};

const rgb = (hex: string): [number, number, number] => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)) as [number, number, number];

export function mix(from: string, to: string, share: number): string {
  const [a, b] = [rgb(from), rgb(to)];
  return `#${a.map((v, k) => Math.round(v + (b[k]! - v) * share).toString(16).padStart(2, "0")).join("")}`;
}

/** From the most negative over zero to the most positive state: as in every picture, ever lighter (palette.py). */
const VALUES = ["#45091b", "#8a4a52", "#a09c98", "#cdd07e", "#f6fca8"];

/** A colour for a state from -1 to 1, in 33 steps. */
export function diverging(): string[] {
  return Array.from({ length: 33 }, (_, k) => {
    const at = Math.min(Math.floor(k / 8), VALUES.length - 2);
    return mix(VALUES[at]!, VALUES[at + 1]!, k / 8 - at);
  });
}
