/** @jsxImportSource preact */
/** Which key is in use, and which view is open (the fragment of the address: `#jobs`). */

import { useEffect, useState } from "preact/hooks";
import { storeKey, storedKey } from "../shared/session";
import { Api, Unauthorized } from "./api";
import { Classify } from "./classify";
import { Jobs } from "./jobs";
import { Keys } from "./keys";
import { Overview } from "./overview";
import { SignIn } from "./sign-in";
import type { Account } from "./types";

const VIEWS = [
  { name: "overview", title: "Overview", View: Overview },
  { name: "classify", title: "Classify", View: Classify },
  { name: "jobs", title: "Jobs", View: Jobs },
  { name: "keys", title: "API keys", View: Keys },
] as const;

export interface ViewProps {
  api: Api;
  account: Account;
}

interface Session {
  api: Api;
  account: Account;
}

export function App() {
  const [session, setSession] = useState<Session | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(storedKey() !== null);

  async function open(key: string): Promise<void> {
    setBusy(true);
    const api = new Api(key);
    try {
      setSession({ api, account: await api.viewer() });
      storeKey(key);
      setProblem(null);
    } catch (error) {
      if (error instanceof Unauthorized) storeKey(null);
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    const key = storedKey();
    if (key !== null) void open(key);
  }, []);

  if (session === null) return <SignIn busy={busy} problem={problem} onKey={open} />;
  return (
    <SignedIn
      session={session}
      onLeave={() => {
        storeKey(null);
        setSession(null);
      }}
    />
  );
}

function SignedIn({ session, onLeave }: { session: Session; onLeave: () => void }) {
  const { View, title } = useView();
  const { name, plan, status } = session.account;
  useEffect(() => {
    document.title = `${title} · ClassifAIly`;
  }, [title]);

  return (
    <>
      <div className="strip">
        <nav aria-label="Dashboard">
          {VIEWS.map((view) => (
            <a
              key={view.name}
              href={`#${view.name}`}
              aria-current={view.title === title ? "page" : undefined}
            >
              {view.title}
            </a>
          ))}
        </nav>
        <p className="account">
          <b>{name}</b>
          <span className="badge">{plan.toLowerCase()}</span>
          {status === "ACTIVE" ? null : <span className="badge bad">{status.toLowerCase()}</span>}
          <button type="button" onClick={onLeave}>
            Forget key
          </button>
        </p>
      </div>
      <View api={session.api} account={session.account} />
    </>
  );
}

const viewOf = (fragment: string) => VIEWS.find((view) => `#${view.name}` === fragment);

/** Follows the fragment; one that names no view, like the skip link's, changes nothing. */
function useView() {
  const [view, setView] = useState(viewOf(location.hash) ?? VIEWS[0]);
  useEffect(() => {
    function follow(): void {
      const named = viewOf(location.hash);
      if (!named) return;
      setView(named);
      window.scrollTo(0, 0);
    }
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  return view;
}
