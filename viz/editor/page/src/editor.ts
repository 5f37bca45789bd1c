// The editor: a session, what is seen of it, and what can be done. Controls, keys and pointer call its
// methods; it knows none of them.

import { type Circuit, ELECTRICAL, type Item, type Json, type Name, type Neuron, type Polarity, type Role, type Synapse, attributesOf } from "./model/circuit";
import type { Edit, NeuronEntry, SynapseEntry } from "./model/edits";
import { placeMissing, STEP } from "./model/place";
import type { News, Session } from "./link/session";
import { Live } from "./live/live";
import { Changes } from "./live/changes";
import { type Camera, type Point, boundsOf, fitted, toWorld, zoomed } from "./render/camera";
import { Renderer } from "./render/renderer";
import { type Look, PLAIN, type Scene } from "./render/scene";
import { DARK, LIGHT } from "./render/theme";

export type Tool = "select" | "connect" | "lasso" | "pan";
export type Panel = "inspect" | "live" | "matrix" | "table" | "changes" | "problems" | "projections";
export type Dialog = null | "help" | "palette" | "generate" | "connect" | "motifs" | "rename" | "export" | "notes";

export interface Message {
  text: string;
  kind: "info" | "error";
}

const RAIL = 52; // pixels at the left that the tools take

export class Editor {
  readonly renderer: Renderer;
  readonly live = new Live(this);
  readonly changes = new Changes(this);
  camera: Camera = { k: 1, tx: 0, ty: 0 };
  selection: ReadonlySet<Item> = new Set();
  hover: Item | null = null;
  cursor: Neuron | null = null;
  tool: Tool = "select";
  role: Role = "inter"; // of neurons drawn next
  polarity: Polarity = 1; // of synapses drawn next
  panel: Panel | null = null;
  dialog: Dialog = null;
  menu: { x: number; y: number } | null = null;
  look: Look = PLAIN;
  theme = LIGHT;
  lifted: ReadonlySet<Neuron> | null = null;
  draft: Scene["draft"] = null;
  band: Scene["band"] = null;
  lasso: Scene["lasso"] = null;
  /** The neuron from which a synapse is drawn by keys. */
  connecting: Neuron | null = null;
  message: Message | null = null;
  kernelBusy = false;
  linkState: { state: "open" | "lost" | "closed"; why: string } = { state: "open", why: "" };
  work = ""; // what Python is at
  welcome: (News & { type: "welcome" }) | null = null;
  saved: number | null = null;
  journal: { synced: boolean; pending: number; error: string | null } | null = null;
  private readonly copying = new Set<number>(); // ids of questions whose answer goes to the clipboard
  private fittedOnce = false;
  private pendingFit = true;
  private readonly watchers = new Set<() => void>();
  private readonly followers = new Set<() => void>();
  private followed: Camera | null = null;
  private pointed: Item | null = null;
  private fittedCamera: Camera | null = null;
  private told = false;
  private readonly stop: () => void;
  private messageTimer = 0;

  constructor(readonly session: Session, canvas: HTMLCanvasElement) {
    this.renderer = new Renderer(canvas);
    this.stop = session.listen((news) => this.hear(news));
    if (session.revision >= 0) this.arrive();
  }

  get circuit(): Circuit {
    return this.session.circuit;
  }

  /** The neuron that shows a handle from which a synapse is drawn. */
  get handle(): Neuron | null {
    if (this.readonly || this.lifted || this.draft || this.camera.k < 0.35) return null;
    if (this.hover?.kind === "neuron") return this.hover;
    return this.selection.size === 1 && this.neurons[0] ? this.neurons[0] : null;
  }

  get readonly(): boolean {
    return this.welcome?.readonly ?? false;
  }

  get neurons(): Neuron[] {
    return [...this.selection].filter((item): item is Neuron => item.kind === "neuron");
  }

  get synapses(): Synapse[] {
    return [...this.selection].filter((item): item is Synapse => item.kind === "synapse");
  }

  /** Change what is seen; controls and picture follow at the next frame. */
  set(changes: Partial<Pick<Editor, "camera" | "selection" | "hover" | "cursor" | "tool" | "role" | "polarity" | "panel" | "dialog" | "menu" | "look" | "theme" | "lifted" | "draft" | "band" | "lasso" | "connecting" | "message">>): void {
    Object.assign(this, changes);
    this.draw();
    // A camera, a pointer or a drag move the picture only.
    if (Object.keys(changes).some((key) => !["camera", "hover", "lifted", "draft", "band", "lasso"].includes(key))) this.tell();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Have the controls look again, once for all changes of this turn. */
  tell(): void {
    if (this.told) return;
    this.told = true;
    queueMicrotask(() => {
      this.told = false;
      for (const watcher of [...this.watchers]) watcher();
    });
  }

  draw(): void {
    this.renderer.draw(this.scene());
    if (this.camera === this.followed && this.hover === this.pointed) return;
    this.followed = this.camera;
    this.pointed = this.hover;
    for (const follower of this.followers) follower();
  }

  /** Be told when the camera moves or something else is under the pointer; many times a second. */
  onView(follower: () => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  scene(): Scene {
    const { circuit, camera, theme, look, lifted, selection, hover, cursor, draft, band, lasso, live } = this;
    const shown = this.changes.look(look);
    return {
      circuit, camera, theme, look: live.look(shown), lifted, selection, hover, cursor, draft, band, lasso,
      states: live.states, problems: live.problems, silenced: live.silenced, handle: this.handle,
    };
  }

  destroy(): void {
    this.stop();
    this.renderer.destroy();
    this.session.close();
    clearTimeout(this.messageTimer);
  }

  say(text: string, kind: Message["kind"] = "info"): void {
    clearTimeout(this.messageTimer);
    this.set({ message: { text, kind } });
    this.messageTimer = window.setTimeout(() => this.set({ message: null }), kind === "error" ? 9000 : 4000);
  }

  // What Python or the page's own session says

  private hear(news: News): void {
    if (news.type === "frame") {
      // Many a second: the picture and the charts follow, the other controls need not.
      this.live.hear(news);
      this.live.tick();
      this.draw();
      return;
    }
    switch (news.type) {
      case "snapshot":
        this.saved = news.saved;
        this.arrive();
        break;
      case "diff":
        this.follow(news.by);
        break;
      case "welcome":
        this.welcome = news;
        if (news.notice) this.say(news.notice, "error");
        else if (news.recovered) this.say(`${news.recovered} edits were recovered from the journal of a session that ended early`);
        break;
      case "refused":
        this.follow("refused");
        this.say(news.why, "error");
        break;
      case "busy": this.work = news.busy ? news.why : ""; break;
      case "kernel": this.kernelBusy = news.busy; break;
      case "link": this.linkState = news; break;
      case "closed": this.linkState = { state: "closed", why: news.why }; break;
      case "journal": this.journal = news; break;
      case "saved":
        if (news.file === this.welcome?.file) this.saved = news.revision; // else it is a copy
        this.say(`saved ${news.file}${news.synced ? "" : " (not yet flushed to the disk)"}${news.aside ? `; something else had written into it: that is kept as ${news.aside}` : ""}`, news.aside ? "error" : "info");
        break;
      case "file": this.take(news); break;
      default:
    }
    this.live.hear(news);
    this.changes.hear(news);
    this.draw();
    this.tell();
  }

  /** A file that was asked for: to be kept, or for the clipboard. */
  private take({ id, name, mime, text }: News & { type: "file" }): void {
    if (id === undefined || !this.copying.delete(id)) return download(name, mime, text);
    navigator.clipboard?.writeText(text).then(() => this.say("copied the Python that builds the circuit"), () => download(name, mime, text));
  }

  /** Have the Python that builds the circuit on the clipboard. */
  copyPython(): void {
    const id = this.session.ask({ type: "export", what: "python" });
    if (typeof id === "number") this.copying.add(id);
  }

  /** A whole circuit came. */
  private arrive(): void {
    placeMissing(this.circuit);
    this.prune();
    if (!this.fittedOnce && this.circuit.neurons.size) this.fit();
    else this.pendingFit = !this.fittedOnce;
    this.draw();
    this.tell();
  }

  private follow(by: string): void {
    placeMissing(this.circuit);
    this.prune();
    if (by !== "page" && this.pendingFit && this.circuit.neurons.size > 12) this.fit();
    this.tell();
    this.draw();
  }

  /** Forget what is no longer there; a circuit that came anew has the same neurons under the same names. */
  private prune(): void {
    const { circuit } = this;
    const now = <I extends Item | null>(item: I): I | null => {
      if (!item) return null;
      if (item.kind === "neuron") return (circuit.neurons.get(item.key) as I | undefined) ?? null;
      return (circuit.neurons.get(item.pre.key)?.out.get(item.post.key) as I | undefined) ?? null;
    };
    const kept = [...this.selection].map(now).filter((item): item is Item => item !== null);
    this.selection = new Set(kept);
    this.hover = now(this.hover);
    this.cursor = now(this.cursor);
    this.connecting = now(this.connecting);
    if (this.look.focus) this.look = { ...this.look, focus: new Set([...this.look.focus].map(now).filter((i): i is Item => i !== null)) };
  }

  // Seeing

  resize(width: number, height: number, ratio: number): void {
    this.renderer.resize(width, height, ratio);
    if (this.circuit.neurons.size && (!this.fittedOnce || this.camera === this.fittedCamera)) this.fit();
  }

  /** Show all neurons, or those given. */
  fit(neurons: Iterable<Neuron> = this.circuit.neurons.values()): void {
    const { width, height } = this.renderer;
    if (!width || !height) return;
    const all = [...neurons];
    const bounds = boundsOf(all);
    this.fittedOnce = bounds !== null;
    this.pendingFit = false;
    this.set({ camera: fitted(bounds ?? { x0: -200, y0: -150, x1: 200, y1: 150 }, width, height, 48, 1.6, this.readonly ? 0 : RAIL) });
    // As long as nobody moves the view, it goes on showing all when the window changes.
    this.fittedCamera = all.length === this.circuit.neurons.size ? this.camera : null;
  }

  zoom(factor: number, x = this.renderer.width / 2, y = this.renderer.height / 2): void {
    this.pendingFit = false;
    this.set({ camera: zoomed(this.camera, factor, x, y) });
  }

  /** Bring a neuron into the window, if it is not. */
  reveal(neuron: Neuron): void {
    const { camera, renderer: { width, height } } = this;
    const x = neuron.x * camera.k + camera.tx;
    const y = neuron.y * camera.k + camera.ty;
    const edge = 36;
    const dx = x < edge ? edge - x : x > width - edge ? width - edge - x : 0;
    const dy = y < edge ? edge - y : y > height - edge ? height - edge - y : 0;
    if (dx || dy) this.set({ camera: { k: camera.k, tx: camera.tx + dx, ty: camera.ty + dy } });
  }

  setTheme(dark: boolean): void {
    this.set({ theme: dark ? DARK : LIGHT });
  }

  select(items: Iterable<Item>): void {
    const selection = new Set(items);
    const neurons = [...selection].filter((item): item is Neuron => item.kind === "neuron");
    this.set({ selection, ...(neurons.length === 1 && { cursor: neurons[0]! }) });
  }

  toggle(item: Item): void {
    const selection = new Set(this.selection);
    if (!selection.delete(item)) selection.add(item);
    this.set({ selection });
  }

  // Editing: each is one edit

  edit(edit: Edit): boolean {
    if (this.readonly) {
      this.say("this circuit is open for looking only", "error");
      return false;
    }
    const why = this.session.apply(edit);
    if (why !== null) this.say(why, "error");
    else if (this.session.python) this.follow("page"); // the page has it already; Python's answer follows
    this.draw();
    return why === null;
  }

  /** A name that is free: role_0, role_1, ... */
  freeName(role: string, taken: ReadonlySet<string> = new Set()): string {
    for (let k = 0; ; k++) {
      const name = `${role}_${k}`;
      if (!this.circuit.neurons.has(name) && !taken.has(name)) return name;
    }
  }

  addNeuron(at: Point, role: Role = this.role): Neuron | null {
    const name = this.freeName(role);
    if (!this.edit({ kind: "add", neurons: [[name, { role, x: round(at.x), y: round(at.y) }]] })) return null;
    const neuron = this.circuit.find(name)!;
    this.select([neuron]);
    this.set({ cursor: neuron });
    return neuron;
  }

  /** Add a neuron beside the cursor, where there is room. */
  addBeside(role: Role = this.role): Neuron | null {
    const { width, height } = this.renderer;
    const start = this.cursor ? { x: this.cursor.x, y: this.cursor.y + STEP } : toWorld(this.camera, width / 2, height / 2);
    const neuron = this.addNeuron(this.room(start), role);
    if (neuron) this.reveal(neuron);
    return neuron;
  }

  /** The free place nearest below or beside a point. */
  room(start: Point): Point {
    const free = (x: number, y: number): boolean => {
      for (const n of this.circuit.neurons.values()) if (Math.abs(n.x - x) < STEP * 0.7 && Math.abs(n.y - y) < STEP * 0.7) return false;
      return true;
    };
    for (let ring = 0; ; ring++)
      for (const [dx, dy] of [[0, ring], [ring, 0], [ring, ring], [0, -ring], [ring, -ring], [-ring, 0]] as const) {
        const [x, y] = [start.x + dx * STEP, start.y + dy * STEP];
        if (free(x, y)) return { x, y };
      }
  }

  connect(pre: Neuron, post: Neuron, polarity: Polarity = this.polarity): boolean {
    const why = polarity === ELECTRICAL ? notElectrical(pre, post) : null;
    if (why !== null) {
      this.say(why, "error");
      return false;
    }
    const there = pre.out.get(post.key);
    // A pair has one synapse each way; an electrical one beside both is a number on the first.
    if (polarity === ELECTRICAL && there) {
      if (!post.out.has(pre.key)) [pre, post] = [post, pre];
      else if (!this.setSynapses([there], "gap", 1)) return false;
    }
    const made = pre.out.has(post.key) && polarity === ELECTRICAL
      || this.edit({ kind: "add", synapses: [[pre.name, post.name, attributesOf(polarity)]] });
    if (made) this.select([pre.out.get(post.key)!]);
    return made;
  }

  /** Make synapses excitatory, inhibitory or electrical. */
  setPolarity(synapses: readonly Synapse[], polarity: Polarity): boolean {
    const why = polarity === ELECTRICAL ? synapses.map((s) => notElectrical(s.pre, s.post, s)).find((one) => one !== null) : null;
    if (why) this.say(why, "error");
    if (why || !synapses.length) return false;
    return this.edit({
      kind: "set",
      synapses: synapses.flatMap(({ pre, post, attributes }): SynapseEntry[] => [
        [pre.name, post.name, "polarity", attributesOf(polarity).polarity!],
        ...(polarity === ELECTRICAL ? [[pre.name, post.name, "kind", "electrical"] as SynapseEntry]
          : attributes.kind === undefined ? [] : [[pre.name, post.name, "kind"] as SynapseEntry]),
      ]),
    });
  }

  /** Remove what is selected. */
  remove(items: Iterable<Item> = this.selection): void {
    const all = [...items];
    const neurons = all.filter((item): item is Neuron => item.kind === "neuron");
    const gone = new Set(neurons);
    const synapses = all.filter((item): item is Synapse => item.kind === "synapse" && !gone.has(item.pre) && !gone.has(item.post));
    if (!neurons.length && !synapses.length) return;
    this.edit({
      kind: "remove",
      ...(neurons.length && { neurons: neurons.map((n) => n.name) }),
      ...(synapses.length && { synapses: synapses.map((s): [Name, Name] => [s.pre.name, s.post.name]) }),
    });
  }

  setNeurons(neurons: readonly Neuron[], attribute: string, value: Json | undefined): boolean {
    if (!neurons.length) return false;
    return this.edit({ kind: "set", neurons: neurons.map((n): NeuronEntry => (value === undefined ? [n.name, attribute] : [n.name, attribute, value])) });
  }

  setSynapses(synapses: readonly Synapse[], attribute: string, value: Json | undefined | ((s: Synapse) => Json)): boolean {
    if (!synapses.length) return false;
    return this.edit({
      kind: "set",
      synapses: synapses.map((s): SynapseEntry => {
        const given = typeof value === "function" ? value(s) : value;
        return given === undefined ? [s.pre.name, s.post.name, attribute] : [s.pre.name, s.post.name, attribute, given];
      }),
    });
  }

  flip(synapses: readonly Synapse[] = this.synapses): void {
    const signed = synapses.filter((s) => s.polarity !== ELECTRICAL);
    if (synapses.length && !signed.length) return this.say("an electrical synapse has no sign to flip", "error");
    this.setSynapses(signed, "polarity", (s) => (s.polarity === -1 ? 1 : -1));
  }

  /** Write the places of neurons down: one edit, however long they were dragged. */
  move(places: Iterable<[Neuron, Point]>): boolean {
    const neurons = [...places].flatMap(([n, { x, y }]): NeuronEntry[] => [[n.name, "x", round(x)], [n.name, "y", round(y)]]);
    return neurons.length > 0 && this.edit({ kind: "set", neurons });
  }
}

/** Why there can be no electrical synapse between two neurons, or null; `but` is one that would become it. */
export function notElectrical(pre: Neuron, post: Neuron | null, but: Synapse | null = null): string | null {
  const sensory = [pre, post].find((n) => n?.role === "sensory");
  if (sensory) return `'${sensory.label}' is sensory and has no potential of its own, so it has no electrical synapses`;
  if (pre === post) return "an electrical synapse joins two neurons, not one to itself";
  const between = post ? [pre.out.get(post.key), post.out.get(pre.key)] : [];
  return between.some((s) => s && s !== but && (s.polarity === ELECTRICAL || s.gap))
    ? `there is an electrical synapse between '${pre.label}' and '${post!.label}' already` : null;
}

export const round = (value: number): number => Math.round(value * 10) / 10;

/** Give a text to the person as a file. */
export function download(name: string, mime: string, content: BlobPart): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: mime }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
