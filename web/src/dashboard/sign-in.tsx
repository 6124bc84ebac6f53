/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import { Problem } from "./parts";

interface Props {
  busy: boolean;
  problem: string | null;
  onKey: (key: string) => Promise<void>;
}

export function SignIn({ busy, problem, onKey }: Props) {
  const [key, setKey] = useState("");
  return (
    <form
      className="card narrow"
      onSubmit={(event) => {
        event.preventDefault();
        void onKey(key.trim());
      }}
    >
      <h1>Dashboard</h1>
      <label>
        API key
        <input
          type="password"
          className="code"
          autoComplete="off"
          spellcheck={false}
          required
          placeholder="cai_live_…"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <Problem text={problem} />
      <button type="submit" className="primary" disabled={busy}>
        {busy ? "Opening…" : "Open"}
      </button>
      <p className="hint">
        The server printed a key at its first start. <code>classifaily key create</code> makes
        another. The key stays in this browser tab and is gone when you close it.
      </p>
    </form>
  );
}
