/** How GraphiQL reaches the server: HTTP for queries, `graphql-transport-ws` for subscriptions. */

import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { getOperationAST, parse } from "graphql";
import { storedKey } from "../shared/session";

const PLACEHOLDER = "cai_live_...";

const authorization = (key: string): string =>
  JSON.stringify({ Authorization: `Bearer ${key}` }, null, 2);

/** The headers a new tab starts with: the dashboard's key when there is one, else a hint. */
export const startHeaders = (): string => authorization(storedKey() ?? PLACEHOLDER);

/** The schema must load before a key is pasted; the hint is no key, so it is not sent as one. */
const fetchWithoutHint: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  if (headers.get("Authorization")?.endsWith(PLACEHOLDER)) headers.delete("Authorization");
  return fetch(input, { ...init, headers });
};

/**
 * What a text holds and which of its operations runs. GraphiQL's own answer follows the editor with a
 * delay: a subscription that is run right after it was written would be taken for a query.
 */
function chosen(query: string, name: string | null) {
  try {
    const documentAST = parse(query);
    return { documentAST, name: getOperationAST(documentAST, name)?.name?.value ?? name };
  } catch {
    return { name };
  }
}

export function createFetcher(): Fetcher {
  const { origin, pathname } = window.location;
  const url = origin + pathname;
  const fetcher = createGraphiQLFetcher({
    url,
    subscriptionUrl: url.replace(/^http/, "ws"),
    fetch: fetchWithoutHint,
  });
  return (params, options) => {
    const { name, ...document } = chosen(params.query, params.operationName ?? null);
    return fetcher({ ...params, operationName: name }, { ...options, ...document });
  };
}
