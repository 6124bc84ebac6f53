import "./workers";
import "./graphiql.css";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";
import { createFetcher, startHeaders } from "./fetcher";
import { starters } from "./starters";
import { storage } from "./storage";

const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];
const headers = startHeaders();

function Page() {
  return (
    <GraphiQL
      fetcher={createFetcher()}
      plugins={plugins}
      storage={storage}
      defaultTabs={starters.map((starter) => ({ ...starter, headers }))}
      defaultHeaders={headers}
      defaultEditorToolsVisibility="headers"
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <nav className="pages" aria-label="ClassifAIly">
          <a href="/">Dashboard</a>
          <a href="/docs">API reference</a>
        </nav>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.getElementById("page");
if (root) createRoot(root).render(<Page />);
