// Builds the pages into app/web/static: hashed, compressed assets, one HTML file a page, and the
// stamp that `make` compares with the sources.
//
// The workers come first: the pages carry their hashed addresses, so that Monaco starts each from a
// file of our own origin and the pages' Content-Security-Policy needs no `blob:`.

import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "esbuild";

const WEB = dirname(fileURLToPath(import.meta.url));
const TARGET = join(WEB, "..", "app", "web", "static");
const DRAFT = `${TARGET}.new`;
const ASSETS = join(DRAFT, "assets");
const ADDRESS = "/assets/";

const common = {
  absWorkingDir: WEB,
  outdir: ASSETS,
  bundle: true,
  minify: true,
  metafile: true,
  legalComments: "linked",
  logLevel: "warning",
  target: ["es2022"],
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  publicPath: ADDRESS,
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".graphql": "text", ".ttf": "file", ".woff2": "file", ".svg": "copy" },
};

const workers = await build({
  ...common,
  format: "iife",
  entryPoints: {
    "worker-editor": "monaco-editor/esm/vs/editor/editor.worker.js",
    "worker-json": "monaco-editor/esm/vs/language/json/json.worker.js",
    "worker-graphql": "monaco-graphql/esm/graphql.worker.js",
  },
});

const pages = await build({
  ...common,
  format: "esm",
  splitting: true,
  define: { ...common.define, WORKERS: JSON.stringify(addresses(workers.metafile)) },
  entryPoints: {
    graphiql: "src/graphiql/main.tsx",
    reference: "src/reference/main.ts",
    dashboard: "src/dashboard/main.tsx",
    icon: "src/shared/icon.svg",
  },
});

const entries = addresses(pages.metafile);
for (const page of ["graphiql", "reference", "dashboard"]) {
  await writePage(page);
}
await compressAll();
await writeFile(join(DRAFT, ".built"), "");
// A server that is running keeps the old files until the new ones are complete.
await rm(TARGET, { recursive: true, force: true });
await rename(DRAFT, TARGET);

/** The address of each entry point, by its name without the hash: `graphiql`, `graphiql.css`. */
function addresses(metafile) {
  const found = {};
  for (const [path, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint === undefined) continue;
    const name = basename(path).replace(/-[A-Z0-9]{8}\.\w+$/, "");
    found[name] = ADDRESS + basename(path);
    if (output.cssBundle) found[`${name}.css`] = ADDRESS + basename(output.cssBundle);
  }
  return found;
}

/** Fills in what the page loads. */
async function writePage(name) {
  const source = await readFile(join(WEB, "src", name, "index.html"), "utf8");
  const html = source
    .replaceAll("%ICON%", entries.icon)
    .replace("%SCRIPT%", entries[name])
    .replace("%STYLE%", entries[`${name}.css`]);
  await mkdir(DRAFT, { recursive: true });
  await writeFile(join(DRAFT, `${name}.html`), html);
}

/** Compresses once what would else be compressed again for each visitor. */
async function compressAll() {
  const names = (await readdir(ASSETS)).filter((name) => /\.(js|css|svg|ttf|txt)$/.test(name));
  await Promise.all(
    names.map(async (name) => {
      const path = join(ASSETS, name);
      const bytes = await readFile(path);
      await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
    }),
  );
}
