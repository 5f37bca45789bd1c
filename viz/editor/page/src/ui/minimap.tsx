// The whole circuit in a corner, with what the window shows of it; a click or a drag goes there.

import { useEffect, useRef } from "preact/hooks";
import { type Rect, boundsOf, fitted, toWorld } from "../render/camera";
import { colorOfRole } from "../render/paint";
import { useEditor } from "./hooks";

const [WIDTH, HEIGHT] = [148, 96];

export function Minimap() {
  const editor = useEditor();
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const kept = useRef({ k: 1, tx: 0, ty: 0 });
  const around = useRef<Rect | null>(null);
  const { circuit, theme } = editor;

  useEffect(() => {
    const bounds = boundsOf(circuit.neurons.values());
    const ratio = devicePixelRatio || 1;
    const el = canvas.current!;
    el.width = WIDTH * ratio;
    el.height = HEIGHT * ratio;
    const ctx = el.getContext("2d")!;
    ctx.clearRect(0, 0, el.width, el.height);
    around.current = bounds;
    if (!bounds) return;
    const camera = (kept.current = fitted(bounds, WIDTH, HEIGHT, 8, 0.3));
    const size = Math.max(1.5, Math.min(5, camera.k * 26)) * ratio;
    for (const n of circuit.neurons.values()) {
      ctx.fillStyle = colorOfRole(theme, n.role);
      ctx.fillRect((n.x * camera.k + camera.tx) * ratio - size / 2, (n.y * camera.k + camera.ty) * ratio - size / 2, size, size);
    }
  }, [circuit, circuit.version, theme]);

  // The frame follows the camera without a render of the controls.
  useEffect(() => {
    const follow = (): void => {
      const { width, height } = editor.renderer;
      const c = kept.current;
      const [a, b] = [toWorld(editor.camera, 0, 0), toWorld(editor.camera, width, height)];
      const clamp = (v: number, most: number): number => Math.max(0, Math.min(most, v));
      const [x0, y0] = [clamp(a.x * c.k + c.tx, WIDTH), clamp(a.y * c.k + c.ty, HEIGHT)];
      const [x1, y1] = [clamp(b.x * c.k + c.tx, WIDTH), clamp(b.y * c.k + c.ty, HEIGHT)];
      // Where all is seen, a map is in the way.
      const box = around.current;
      const whole = box === null || (a.x <= box.x0 && a.y <= box.y0 && b.x >= box.x1 && b.y >= box.y1);
      frame.current!.parentElement!.classList.toggle("gl-away", whole);
      frame.current!.style.transform = `translate(${x0}px, ${y0}px)`;
      frame.current!.style.width = `${Math.max(0, x1 - x0 - 2)}px`;
      frame.current!.style.height = `${Math.max(0, y1 - y0 - 2)}px`;
    };
    follow();
    return editor.onView(follow);
  }, [editor]);

  const go = (event: PointerEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    const p = toWorld(kept.current, event.clientX - box.left, event.clientY - box.top);
    const { k } = editor.camera;
    editor.set({ camera: { k, tx: editor.renderer.width / 2 - p.x * k, ty: editor.renderer.height / 2 - p.y * k } });
  };
  return (
    <div class="gl-minimap" aria-hidden="true"
      onPointerDown={(e) => { e.currentTarget.setPointerCapture(e.pointerId); go(e); }} onPointerMove={(e) => e.buttons && go(e)}>
      <canvas ref={canvas} style={{ width: `${WIDTH}px`, height: `${HEIGHT}px` }} />
      <div class="gl-frame" ref={frame} />
    </div>
  );
}
