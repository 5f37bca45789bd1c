import { describe, expect, it } from "vitest";
import { LocalSession } from "../src/link/local";
import type { News } from "../src/link/session";
import { Circuit, type NodeLink } from "../src/model/circuit";
import { changeOf, circuitOf, random } from "./support";

describe("the page's own session", () => {
  it("can show every revision again, those after undo and redo too", () => {
    for (let seed = 0; seed < 40; seed++) {
      const r = random(seed);
      const session = new LocalSession(circuitOf(r, 10, 20).json(), { title: "", recording: null, readonly: false });
      const heard: News[] = [];
      session.listen((news) => heard.push(news));
      const now = (): unknown => JSON.parse(session.circuit.text());
      const texts = [now()];
      for (let k = 0; k < 25; k++) {
        const before = session.revision;
        const what = r();
        if (what < 0.2) session.undo();
        else if (what < 0.4) session.redo();
        else session.apply(changeOf(r, session.circuit));
        if (session.revision > before) texts.push(now());
      }
      expect(texts.length).toBe(session.revision + 1);
      texts.forEach((text, revision) => {
        session.ask({ type: "revision", revision });
        const news = heard.at(-1) as { revision: number; circuit: NodeLink };
        expect(news.revision).toBe(revision);
        expect(JSON.parse(Circuit.from(news.circuit).text())).toEqual(text);
      });
      expect(now()).toEqual(texts.at(-1));
    }
  });
});
