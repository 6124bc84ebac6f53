/** Tells Monaco where its workers are: on our own origin, never in a `blob:` or on another host. */

import type { Environment } from "monaco-editor";

const byLabel: Readonly<Record<string, string>> = {
  json: WORKERS["worker-json"],
  graphql: WORKERS["worker-graphql"],
};

const environment: Environment = {
  getWorker: (_id, label) => new Worker(byLabel[label] ?? WORKERS["worker-editor"]),
};

Object.assign(globalThis, { MonacoEnvironment: environment });
