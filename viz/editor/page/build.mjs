// Bundle the page: one ES module and one style sheet in dist/, committed, so that Ganglion needs no Node.

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile, mkdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const MOST = 120_000; // bytes, compressed

const licence = (await readFile("node_modules/preact/LICENSE", "utf8")).trim();

// What was built says of which sources, so that a test without Node sees that it is old.
const digest = createHash("sha256");
const names = (await readdir("src", { recursive: true })).filter((name) => /\.(tsx?|css|json)$/.test(name)).map((name) => `src/${name}`);
for (const name of [...names, "build.mjs", "package-lock.json"].sort()) digest.update(`${name}\n`).update(await readFile(name));

const { outputFiles } = await build({
  entryPoints: { editor: "src/main.tsx", "editor-style": "src/ui/editor.css" },
  outdir: "dist", bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8",
  jsx: "automatic", jsxImportSource: "preact", legalComments: "none", write: false,
  banner: { js: `/* Ganglion's circuit editor (Apache-2.0), built from viz/editor/page/src.\nsources ${digest.digest("hex")}\nIt contains Preact:\n\n${licence}\n*/` },
});

const files = outputFiles.map(({ path, contents }) => ({ path: path.replace("editor-style.css", "editor.css"), contents }));
const [module] = files.filter(({ path }) => path.endsWith(".js"));
const size = gzipSync(module.contents, { level: 9 }).length;
if (size > MOST) throw new Error(`editor.js has ${size} bytes compressed; at most ${MOST} are allowed`);

await mkdir("dist", { recursive: true });
for (const { path, contents } of files) await writeFile(path, contents);
console.log(`editor.js: ${module.contents.length} bytes, ${size} compressed`);
