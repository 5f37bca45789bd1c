import { createContext } from "preact";
import { useContext, useLayoutEffect, useReducer } from "preact/hooks";
import type { Editor } from "../editor";

export const EditorContext = createContext<Editor | null>(null);

/** The editor; the component is drawn again whenever it changed. */
export function useEditor(): Editor {
  const editor = useContext(EditorContext)!;
  const [, again] = useReducer((count: number) => count + 1, 0);
  // Not after the next picture: what happens until then would be missed.
  useLayoutEffect(() => editor.watch(() => again(undefined as never)), [editor]);
  return editor;
}

/** Draw again at every frame of the running network, too. */
export function useFrames(editor: Editor): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => editor.live.watch(() => again(undefined as never)), [editor]);
}
