// From the circuit's units to the pixels of the page and back: screen = world * k + (tx, ty).

export interface Camera {
  readonly k: number;
  readonly tx: number;
  readonly ty: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Rect {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export const NEAREST = 8;
export const FARTHEST = 0.01;

export const toWorld = (c: Camera, x: number, y: number): Point => ({ x: (x - c.tx) / c.k, y: (y - c.ty) / c.k });
export const toScreen = (c: Camera, x: number, y: number): Point => ({ x: x * c.k + c.tx, y: y * c.k + c.ty });

/** What is seen of the world through a window of this size. */
export function seen(c: Camera, width: number, height: number, margin = 0): Rect {
  return {
    x0: (-margin - c.tx) / c.k, y0: (-margin - c.ty) / c.k,
    x1: (width + margin - c.tx) / c.k, y1: (height + margin - c.ty) / c.k,
  };
}

export const panned = (c: Camera, dx: number, dy: number): Camera => ({ k: c.k, tx: c.tx + dx, ty: c.ty + dy });

/** Zoom by a factor; the point under (x, y) stays there. */
export function zoomed(c: Camera, factor: number, x: number, y: number): Camera {
  const k = Math.min(NEAREST, Math.max(FARTHEST, c.k * factor));
  return { k, tx: x - ((x - c.tx) / c.k) * k, ty: y - ((y - c.ty) / c.k) * k };
}

/** The camera under which a piece of the world fills the window, less `margin` pixels on every side and `left` ones more there. */
export function fitted(rect: Rect, width: number, height: number, margin = 48, nearest = 1.6, left = 0): Camera {
  const w = Math.max(rect.x1 - rect.x0, 1);
  const h = Math.max(rect.y1 - rect.y0, 1);
  const room = (size: number): number => Math.max(size - 2 * margin, size / 2);
  const k = Math.min(nearest, Math.max(FARTHEST, Math.min(room(width - left) / w, room(height) / h)));
  return { k, tx: (width + left) / 2 - ((rect.x0 + rect.x1) / 2) * k, ty: height / 2 - ((rect.y0 + rect.y1) / 2) * k };
}

/** The box around points, or null if there are none. */
export function boundsOf(points: Iterable<Point>): Rect | null {
  let found: Rect | null = null;
  for (const { x, y } of points) {
    found ??= { x0: x, y0: y, x1: x, y1: y };
    found.x0 = Math.min(found.x0, x);
    found.x1 = Math.max(found.x1, x);
    found.y0 = Math.min(found.y0, y);
    found.y1 = Math.max(found.y1, y);
  }
  return found;
}
