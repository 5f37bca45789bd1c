// The live panel: the network's run, the signals that feed it, strip charts, what-if, ranking and training.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Editor } from "../editor";
import { type Name, keyOf, labelOf } from "../model/circuit";
import { goTo } from "../input/commands";
import type { Signal } from "../link/messages";
import type { Live, Shown } from "../live/live";
import { Choice, CommandButton, Field, number } from "./controls";
import { useEditor, useFrames } from "./hooks";

export function LivePanel() {
  const editor = useEditor();
  const { live } = editor;
  return (
    <>
      <section>
        <div class="gl-row">
          <CommandButton id="play" icon={live.playing ? "pause" : "play"} label={live.playing ? "Pause" : "Play"} />
          <CommandButton id="step" icon="step" />
          <CommandButton id="reset" icon="reset" />
          <Clock editor={editor} />
        </div>
        <label class="gl-field"><span>Speed</span>
          <input type="range" aria-label="Speed in steps a second" min="0" max="100" value={Math.round((Math.log10(live.speed) + 1) * 29.6)}
            onInput={(e) => editor.session.ask({ type: "play", on: live.playing, speed: Math.min(240, Number((10 ** (Number(e.currentTarget.value) / 29.6 - 1)).toPrecision(2))) })} />
          <output>{number(live.speed)} / s</output>
        </label>
        {live.editable && <label class="gl-check"><input type="checkbox" checked={live.on} onChange={(e) => editor.session.ask({ type: "live", on: e.currentTarget.checked })} /> run the network while editing</label>}
        <Field label="Colours"><Choice label="What neurons are coloured by" value={live.shown} options={shownFor(live)} onChange={(shown) => live.show(shown)} /></Field>
        <label class="gl-check"><input type="checkbox" checked={live.weights} onChange={(e) => live.setWeights(e.currentTarget.checked)} /> strengths as widths</label>
        {live.error && <p class="gl-problem">{live.error}</p>}
      </section>
      {live.training && <Training editor={editor} />}
      <Charts editor={editor} />
      {live.whatIf && <WhatIf editor={editor} />}
      {live.network && live.editable && <Signals editor={editor} names={live.network.sensors} />}
      {live.editable && <Ranking editor={editor} />}
    </>
  );
}

function shownFor(live: Live): [Shown, string][] {
  const kinds: [Shown, string][] = [["states", "states"], ["roles", "roles"]];
  if (live.network?.time_constants) kinds.push(["time constants", "time constants"]);
  if (live.editable) kinds.push(["saliency", "saliency: effect on the outputs"]);
  return kinds;
}

function Clock({ editor }: { editor: Editor }) {
  useFrames(editor);
  return <output class="gl-clock">step {editor.live.step}</output>;
}

function Charts({ editor }: { editor: Editor }) {
  useFrames(editor);
  const { live, circuit } = editor;
  const shown = [...live.charted].flatMap((key) => circuit.neurons.get(key) ?? []);
  if (!live.network) return null;
  return (
    <section>
      <h3>Over time</h3>
      {shown.map((n) => {
        const trace = live.traces.get(n.key);
        return (
          <figure class="gl-strip" key={n.key}>
            <figcaption><button type="button" class="gl-link" onClick={() => goTo(editor, n)}>{n.label}</button><output>{number(trace?.last ?? null)}</output>
              <button type="button" class="gl-link" aria-label={`Do not show ${n.label}`} onClick={() => live.chart(n, false)}>×</button></figcaption>
            <Strip color={editor.theme.excitatory} zero={editor.theme.grid} lines={trace ? [Array.from({ length: trace.count }, (_, k) => trace.at(k))] : []} stamp={live.step} />
          </figure>
        );
      })}
      {!shown.length && <p class="gl-hint">Select neurons and tick “show over time” in their properties.</p>}
    </section>
  );
}

/** Lines over time on a small canvas. */
function Strip({ lines, color, zero, faint, stamp }: { lines: number[][]; color: string; zero: string; faint?: string; stamp: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const el = canvas.current!;
    const [w, h, ratio] = [el.clientWidth, el.clientHeight, devicePixelRatio || 1];
    if (!w) return;
    if (el.width !== Math.round(w * ratio)) { el.width = Math.round(w * ratio); el.height = Math.round(h * ratio); }
    const ctx = el.getContext("2d")!;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, w, h);
    let [low, high] = [-0.1, 0.1];
    for (const line of lines) for (const v of line) if (Number.isFinite(v)) { low = Math.min(low, v); high = Math.max(high, v); }
    const y = (v: number): number => 2 + ((high - v) / (high - low)) * (h - 4);
    ctx.strokeStyle = zero;
    ctx.beginPath();
    ctx.moveTo(0, y(0));
    ctx.lineTo(w, y(0));
    ctx.stroke();
    lines.forEach((line, n) => {
      ctx.strokeStyle = n === lines.length - 1 || !faint ? color : faint;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      const span = Math.max(line.length - 1, 60);
      let pen = false;
      line.forEach((v, k) => {
        if (!Number.isFinite(v)) { pen = false; return; }
        const x = ((k + (lines.length === 1 ? Math.max(0, span - line.length + 1) : 0)) / span) * w;
        if (pen) ctx.lineTo(x, y(v));
        else ctx.moveTo(x, y(v));
        pen = true;
      });
      ctx.stroke();
    });
  }, [stamp, lines, color, zero]);
  return <canvas ref={canvas} class="gl-line" aria-hidden="true" />;
}

function WhatIf({ editor }: { editor: Editor }) {
  const found = editor.live.whatIf!;
  const clean = (values: (number | null)[]): number[] => values.map((v) => v ?? NaN);
  return (
    <section>
      <h3>Without it</h3>
      {found.outputs.slice(0, 8).map((name, k) => (
        <figure class="gl-strip" key={keyOf(name)}>
          <figcaption><span>{labelOf(name)}</span></figcaption>
          <Strip color={editor.theme.accent} zero={editor.theme.grid} faint={editor.theme.muted} lines={[clean(found.base[k] ?? []), clean(found.without[k] ?? [])]} stamp={0} />
        </figure>
      ))}
      <p class="gl-hint">grey: as it is; coloured: without</p>
    </section>
  );
}

const KINDS = [["constant", "constant"], ["step", "step"], ["sine", "sine"], ["noise", "noise"], ["table", "row of a table"], ["recording", "recording"]] as const;
const FRESH: Record<(typeof KINDS)[number][0], Signal> = {
  constant: { kind: "constant", value: 0 }, step: { kind: "step", at: 10, low: 0, high: 1 },
  sine: { kind: "sine", amplitude: 1, period: 40, phase: 0, offset: 0 }, noise: { kind: "noise", mean: 0, deviation: 1, seed: 0 },
  table: { kind: "table", values: [0, 1] }, recording: { kind: "recording" },
};

function Signals({ editor, names }: { editor: Editor; names: Name[] }) {
  const [count, setCount] = useState(12);
  return (
    <section>
      <h3>Inputs</h3>
      {names.slice(0, count).map((name) => <SignalRow key={keyOf(name)} editor={editor} name={name} />)}
      {names.length > count && <button type="button" class="gl-link" onClick={() => setCount(count + 50)}>{names.length - count} more</button>}
      <p class="gl-hint">Drop a CSV with the names of sensory neurons in its header to play its columns.</p>
    </section>
  );
}

function SignalRow({ editor, name }: { editor: Editor; name: Name }) {
  const signal = editor.live.signals.get(keyOf(name)) ?? FRESH.constant;
  const label = labelOf(name);
  const say = (next: Signal): void => void editor.session.ask({ type: "signal", sensor: name, signal: next });
  const kinds = editor.welcome?.recording ? KINDS : KINDS.filter(([kind]) => kind !== "recording");
  return (
    <div class="gl-signal">
      <span class="gl-name">{label}</span>
      <Choice label={`Signal of ${label}`} value={signal.kind} options={kinds} onChange={(kind) => say(FRESH[kind])} />
      {signal.kind === "constant" && (
        <input type="range" aria-label={`Value of ${label}`} min="-2" max="2" step="0.05" value={signal.value} onInput={(e) => say({ kind: "constant", value: Number(e.currentTarget.value) })} />
      )}
      {signal.kind !== "constant" && signal.kind !== "recording" && signal.kind !== "table" && Object.entries(signal).filter(([key]) => key !== "kind").map(([key, value]) => (
        <label key={key} class="gl-tiny">{key}<input class="gl-input" type="number" step="any" aria-label={`${key} of ${label}`} value={value as number}
          onChange={(e) => Number.isFinite(e.currentTarget.valueAsNumber) && say({ ...signal, [key]: e.currentTarget.valueAsNumber })} /></label>
      ))}
      {signal.kind === "table" && (
        <input class="gl-input" aria-label={`Values of ${label}`} value={signal.values.slice(0, 200).join(" ")}
          onChange={(e) => { const values = e.currentTarget.value.split(/[\s,;]+/).filter(Boolean).map(Number); if (values.length && values.every(Number.isFinite)) say({ kind: "table", values }); }} />
      )}
    </div>
  );
}

function Ranking({ editor }: { editor: Editor }) {
  const { ranking } = editor.live;
  const most = ranking[0]?.[1] || 1;
  return (
    <section>
      <h3>Effect on the outputs</h3>
      <CommandButton id="rank" icon="chart" text="Rank all neurons" />
      <ol class="gl-bars">
        {ranking.slice(0, 15).map(([name, effect]) => {
          const neuron = editor.circuit.find(name);
          return (
            <li key={keyOf(name)}>
              <button type="button" class="gl-link" disabled={!neuron} onClick={() => neuron && goTo(editor, neuron)}>{labelOf(name)}</button>
              <span class="gl-bar"><span style={{ width: `${(100 * effect) / most}%` }} /></span><output>{number(effect)}</output>
            </li>
          );
        })}
      </ol>
      <p class="gl-hint">Hold W over a neuron or synapse to see the outputs without it.</p>
    </section>
  );
}

function Training({ editor }: { editor: Editor }) {
  const t = editor.live.training!;
  const say = (action: "pause" | "continue" | "stop") => void editor.session.ask({ type: "train", action });
  return (
    <section>
      <h3>Training: {t.state}</h3>
      <progress aria-label="Epochs" value={t.epoch} max={Math.max(t.epochs, 1)} />
      <p class="gl-hint">epoch {t.epoch} of {t.epochs}, loss {number(t.loss)}{t.why ? `: ${t.why}` : ""}</p>
      <figure class="gl-strip"><Strip color={editor.theme.accent} zero={editor.theme.grid} lines={[t.history]} stamp={t.epoch} /></figure>
      {(t.state === "running" || t.state === "paused") && (
        <div class="gl-row">
          <button type="button" class="gl-button gl-text" onClick={() => say(t.state === "running" ? "pause" : "continue")}>{t.state === "running" ? "Pause" : "Continue"}</button>
          <button type="button" class="gl-button gl-text" onClick={() => say("stop")}>Stop</button>
        </div>
      )}
    </section>
  );
}
