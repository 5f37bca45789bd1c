// The one module: a widget for anywidget, the page that `ganglion edit` serves, and a file that stands alone.

import { render as draw } from "preact";
import type { Editor } from "./editor";
import { LocalSession } from "./link/local";
import type { Recording } from "./link/messages";
import { type Model, RemoteSession, socket, widget } from "./link/remote";
import type { Session } from "./link/session";
import type { NodeLink } from "./model/circuit";
import { App, type Options } from "./ui/app";

/** Put an editor into an element; returns how to take it away. */
export function mount(el: HTMLElement, session: Session, options: Partial<Options> = {}): () => void {
  el.classList.add("ganglion");
  // Notebooks on Lumino listen before us; this keeps their shortcuts away from a focused editor.
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  draw(<App session={session} root={el} options={{ theme: "auto", embedded: false, ...options }} />, el);
  return () => draw(null, el);
}

/** Who this view is; undo is for each view. */
const freshClient = (): string => [...crypto.getRandomValues(new Uint8Array(9))].map((b) => b.toString(36)).join("");

function keptClient(): string {
  try {
    const kept = sessionStorage.getItem("ganglion-client") ?? freshClient();
    sessionStorage.setItem("ganglion-client", kept);
    return kept;
  } catch {
    return freshClient();
  }
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const place = document.createElement("div");
  place.className = "ganglion-widget";
  el.append(place);
  const stop = mount(place, new RemoteSession(widget(model), freshClient()), { embedded: true });
  return () => {
    stop();
    place.remove();
  };
}

export default { render };

interface FileData {
  circuit: NodeLink;
  recording?: Recording | null;
  options?: { theme?: Options["theme"]; readonly?: boolean };
  title?: string;
}

function start(): void {
  const el = document.getElementById("ganglion");
  const data = document.getElementById("ganglion-data");
  if (!el) return;
  if (data) {
    try {
      const { circuit, recording = null, options = {}, title = "circuit" } = JSON.parse(data.textContent ?? "") as FileData;
      document.title = title;
      mount(el, new LocalSession(circuit, { title, recording, readonly: options.readonly === true }), { theme: options.theme ?? "auto", ready: forTests });
    } catch (error) {
      el.textContent = `This file cannot be shown: ${(error as Error).message}`;
    }
  } else if (el.dataset.session !== undefined) {
    const address = new URL(el.dataset.session || "/session", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("token", token());
    const session = new RemoteSession(socket(address.href), keptClient());
    session.listen((news) => { if (news.type === "welcome") document.title = news.title; });
    mount(el, session, { ready: forTests });
  }
}

/** The token leaves the address, so that it is in no history and no picture of the screen. */
function token(): string {
  const here = new URL(location.href);
  const given = here.searchParams.get("token");
  if (given === null) return sessionStorage.getItem("ganglion-token") ?? "";
  sessionStorage.setItem("ganglion-token", given);
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
  return given;
}

/** Where things are, for tests with real events. */
function forTests(editor: Editor): void {
  Object.assign(window, {
    ganglion: {
      positions(): Record<string, [number, number]> {
        const box = editor.renderer.canvas.getBoundingClientRect();
        const { k, tx, ty } = editor.camera;
        return Object.fromEntries([...editor.circuit.neurons.values()].map((n) => [n.label, [box.left + n.x * k + tx, box.top + n.y * k + ty]]));
      },
      get revision() { return editor.session.revision; },
      get hover() { return editor.hover?.kind === "neuron" ? editor.hover.label : null; },
      /** The neurons that stand out, if the others are faint. */
      get focus() { return editor.look.focus && [...editor.look.focus].flatMap((item) => (item.kind === "neuron" ? [item.label] : [])); },
      /** What each neuron is coloured by, from -1 to 1. */
      get colours() { return Object.fromEntries([...(editor.live.states ?? [])].map(([n, value]) => [n.label, value])); },
      get theme() { return editor.theme.dark ? "dark" : "light"; },
      get counts() { return { ...editor.renderer.counts }; },
      get cursorRole() { return editor.cursor?.role ?? null; },
      /** Of which revision the network is that runs. */
      get ran() { return editor.live.ran; },
      get text() { return editor.circuit.text(); },
    },
  });
}

if (typeof document !== "undefined") start();
