/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import type { ViewProps } from "./app";
import { moment } from "./format";
import { messageOf, useLoaded } from "./load";
import { Copyable, Dialog, Problem } from "./parts";
import type { ApiKey } from "./types";

type Open =
  | { kind: "secret"; secret: string }
  | { kind: "rename"; key: ApiKey }
  | { kind: "revoke"; key: ApiKey };

export function Keys({ api }: ViewProps) {
  const { value, problem, reload } = useLoaded(() => api.keys(), [api]);
  const [open, setOpen] = useState<Open | null>(null);
  const [failure, setFailure] = useState<string | null>(null);

  /** Runs a change, shows the list again, and opens what it returns. */
  async function change(act: () => Promise<Open | null>): Promise<void> {
    try {
      setOpen(await act());
      setFailure(null);
      reload();
    } catch (error) {
      setOpen(null);
      setFailure(messageOf(error));
    }
  }

  const create = (name: string): Promise<void> =>
    change(async () => ({ kind: "secret", secret: await api.createKey(name) }));
  const rename = (id: string, name: string): Promise<void> =>
    change(async () => (await api.renameKey(id, name), null));
  const revoke = (id: string): Promise<void> =>
    change(async () => (await api.revokeKey(id), null));

  return (
    <>
      <h1>API keys</h1>
      <NameForm label="Name of the new key" action="Create key" onName={create} />
      <Problem text={failure ?? problem} />
      <div className="card scroll" tabIndex={0} role="region" aria-label="API keys">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Key</th>
              <th scope="col">Created</th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {value?.map((key) => (
              <Row key={key.id} apiKey={key} onOpen={setOpen} />
            ))}
          </tbody>
        </table>
      </div>
      {open?.kind === "secret" ? (
        <Dialog title="Your new key" onClose={() => setOpen(null)}>
          <p>Copy it now: it is not shown again.</p>
          <Copyable value={open.secret} label="The new key" />
          <button type="button" onClick={() => setOpen(null)}>
            Done
          </button>
        </Dialog>
      ) : null}
      {open?.kind === "rename" ? (
        <Dialog title={`Rename ${open.key.name}`} onClose={() => setOpen(null)}>
          <NameForm
            label="New name"
            action="Rename"
            start={open.key.name}
            onName={(name) => rename(open.key.id, name)}
          />
        </Dialog>
      ) : null}
      {open?.kind === "revoke" ? (
        <Dialog title={`Revoke ${open.key.name}?`} onClose={() => setOpen(null)}>
          <p>Whoever uses it gets 401 from the next request on. There is no way back.</p>
          <div className="row tight">
            <button type="button" className="danger" onClick={() => void revoke(open.key.id)}>
              Revoke
            </button>
            <button type="button" onClick={() => setOpen(null)}>
              Keep
            </button>
          </div>
        </Dialog>
      ) : null}
    </>
  );
}

function Row({ apiKey, onOpen }: { apiKey: ApiKey; onOpen: (open: Open) => void }) {
  const { name, hint, createdAt, revokedAt } = apiKey;
  return (
    <tr>
      <td>{name}</td>
      <td className="code">{hint}</td>
      <td>{moment(createdAt)}</td>
      <td>
        {revokedAt === null ? (
          <div className="row tight">
            <button
              type="button"
              aria-label={`Rename ${name}`}
              onClick={() => onOpen({ kind: "rename", key: apiKey })}
            >
              Rename
            </button>
            <button
              type="button"
              aria-label={`Revoke ${name}`}
              onClick={() => onOpen({ kind: "revoke", key: apiKey })}
            >
              Revoke
            </button>
          </div>
        ) : (
          <span className="badge bad">revoked {moment(revokedAt)}</span>
        )}
      </td>
    </tr>
  );
}

interface NameFormProps {
  label: string;
  action: string;
  start?: string;
  onName: (name: string) => Promise<void>;
}

function NameForm({ label, action, start = "", onName }: NameFormProps) {
  const [name, setName] = useState(start);
  const [busy, setBusy] = useState(false);
  return (
    <form
      className="row tight start end"
      onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        void onName(name.trim()).finally(() => {
          setBusy(false);
          setName(start);
        });
      }}
    >
      <label className="grow">
        {label}
        <input
          required
          maxLength={200}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit" className="primary" disabled={busy}>
        {action}
      </button>
    </form>
  );
}
