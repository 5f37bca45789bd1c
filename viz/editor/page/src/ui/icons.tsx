// Icons of the controls, 16 by 16, as strokes.

import { ELECTRICAL } from "../model/circuit";

const PATHS: Record<string, string> = {
  select: "M3 2l4.2 11 1.7-4.4L13.3 7z",
  lasso: "M8 3c3.3 0 6 1.6 6 3.8S11.3 10.6 8 10.6 2 9 2 6.8 4.7 3 8 3zM5 10.2c-.8.6-1 1.6-.2 2.2s1.8 0 1.6-1c-.1 1.5-.9 2.3-2 2.6",
  connect: "M3.5 12.5a1.5 1.5 0 1 0 0-.01M5 11.5C8 10.5 10 8 11 5M8.5 5.5L11.6 3.5l1.2 3.5",
  pan: "M8 2v12M2 8h12M8 2L6 4M8 2l2 2M8 14l-2-2M8 14l2-2M2 8l2-2M2 8l2 2M14 8l-2-2M14 8l-2 2",
  undo: "M3 6h6.5a3.5 3.5 0 0 1 0 7H6M3 6l3-3M3 6l3 3",
  redo: "M13 6H6.5a3.5 3.5 0 0 0 0 7H10M13 6l-3-3M13 6l-3 3",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6L14 14",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  play: "M4.5 2.5v11l9-5.5z",
  pause: "M5 3v10M11 3v10",
  step: "M4 3v10l7-5zM12.5 3v10",
  reset: "M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.5z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.2 6.3C6.3 5.2 7 4.7 8 4.7c1.1 0 1.9.7 1.9 1.6 0 1.3-1.9 1.5-1.9 2.9M8 11.2v.1",
  close: "M4 4l8 8M12 4l-8 8",
  inspect: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 6a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM6 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z",
  table: "M2.5 3h11v10h-11zM2.5 6.5h11M2.5 9.8h11M6.5 3v10",
  matrix: "M2.5 2.5h11v11h-11zM2.5 6.2h11M2.5 9.8h11M6.2 2.5v11M9.8 2.5v11",
  live: "M1.5 8.5h2.5l1.8-5 3 9 2-6 1 2h2.7",
  changes: "M5 2.5v11M2.5 5.5L5 2.5l2.5 3M11 13.5v-11M8.5 10.5l2.5 3 2.5-3",
  problems: "M8 2.5l6 10.7H2zM8 6.5v3M8 11.3v.1",
  projections: "M2 3h4v4H2zM10 9h4v4h-4zM6 5h3a3 3 0 0 1 3 3M10.5 6.5L12 8.2l1.5-1.7",
  motifs: "M4 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6 4h4M11 5.8L9.2 10M5 5.8L6.8 10",
  rule: "M3.5 2.5v11M12.5 2.5v11M3.5 4.5h9M3.5 4.5l9 7M3.5 11.5h9",
  generate: "M8 2l1.4 3.8L13 7 9.4 8.4 8 12 6.6 8.4 3 7l3.6-1.2zM12.5 11v3M11 12.5h3",
  save: "M3 2.5h8l2.5 2.5v8.5H2.5v-11zM5 2.5v4h5v-4M5 13.5v-4h6v4",
  export: "M8 2v8M5 5l3-3 3 3M3 9v4.5h10V9",
  notes: "M3 2.5h10v7.5L9.5 13.5H3zM9.5 13.5V10H13M5.5 5.5h5M5.5 8h3",
  chart: "M2.5 2.5v11h11M4.5 10l2.5-4 2.5 2.5L13 4",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class="gl-icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name] ?? ""} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}

/** The shape of a role, as on the canvas. */
export function RoleShape({ role, size = 16 }: { role: string; size?: number }) {
  const shape =
    role === "sensory" ? <path d="M14 8L3.5 14V2z" />
    : role === "command" ? <path d="M8 1.2L14.8 8 8 14.8 1.2 8z" />
    : role === "motor" ? <rect x="3" y="3" width="10" height="10" />
    : <circle cx="8" cy="8" r="5.8" />;
  return <svg class={`gl-role gl-role-${role || "none"}`} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" focusable="false">{shape}</svg>;
}

/** An arrow, a bar or a resistor: how a synapse acts. */
export function PolarityShape({ polarity }: { polarity: number }) {
  const electrical = polarity === ELECTRICAL;
  return (
    <svg class={electrical ? "gl-elec" : polarity > 0 ? "gl-exc" : polarity < 0 ? "gl-inh" : "gl-unsigned"} viewBox="0 0 22 16" width="22" height="16" aria-hidden="true" focusable="false">
      <path d={electrical ? "M1 8h4l1.5-4 3 8 3-8 3 8L17 8h4" : "M2 8h13"} fill="none" stroke="currentColor" stroke-width={electrical ? 1.5 : 1.8} />
      {electrical ? null : polarity > 0 ? <path d="M20 8l-7 4V4z" fill="currentColor" /> : <path d="M16.5 2.5v11" stroke="currentColor" stroke-width="2.6" />}
    </svg>
  );
}
