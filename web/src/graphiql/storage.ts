/**
 * Where GraphiQL keeps tabs, settings and history: the browser's local storage, without API keys.
 *
 * GraphiQL leaves headers out of the stored tabs unless the reader wants them kept, but its history
 * holds the headers of each operation. They are replaced by the current ones when it is read.
 */

import { startHeaders } from "./fetcher";

type Entry = Record<string, unknown>;

const PREFIX = "graphiql:";
const HISTORY = ["queries", "favorites"].map((name) => PREFIX + name);

const ownNames = (): string[] =>
  Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));

function mapEntries(text: string, change: (entry: Entry) => Entry): string {
  const lists = JSON.parse(text) as Record<string, Entry[]>;
  return JSON.stringify(
    Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.map(change)])),
  );
}

export const storage = {
  getItem(name: string): string | null {
    const text = localStorage.getItem(name);
    if (text === null || !HISTORY.includes(name)) return text;
    return mapEntries(text, (entry) => ({ ...entry, headers: startHeaders() }));
  },
  setItem(name: string, text: string): void {
    const kept = HISTORY.includes(name)
      ? mapEntries(text, ({ headers: _, ...entry }) => entry)
      : text;
    localStorage.setItem(name, kept);
  },
  removeItem: (name: string): void => localStorage.removeItem(name),
  clear: (): void => ownNames().forEach((name) => localStorage.removeItem(name)),
  get length(): number {
    return ownNames().length;
  },
};
