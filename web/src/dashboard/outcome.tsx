/** @jsxImportSource preact */
import { NONE, number, percent, word } from "./format";
import { Bar } from "./parts";
import type { Classified } from "./types";

/** What came of a classification: a bar for each label. */
export function Outcome({ job }: { job: Classified }) {
  const { result, meta, error } = job;
  if (error !== null) return <p className="problem">{error.message}</p>;
  if (result === null) return <p>Job {job.id} is {word(job.status)}.</p>;
  return (
    <>
      {result.labels.length === 0 ? (
        <p>No category reaches the confidence that you asked for.</p>
      ) : (
        <ol className="labels">
          {result.labels.map((entry) => (
            <li key={entry.label}>
              <div className="row">
                <b>{entry.label ?? NONE}</b>
                <span>{percent(entry.confidence ?? 0)}</span>
              </div>
              <Bar value={entry.confidence ?? 0} label={entry.label ?? NONE} />
              {entry.explanation ? <p className="hint">{entry.explanation}</p> : null}
            </li>
          ))}
        </ol>
      )}
      {meta === null ? null : (
        <p className="hint">
          Job {job.id} · {meta.model}
          {meta.latencyMs === null ? null : ` · ${number(meta.latencyMs)} ms`}
          {meta.tokens === null ? null : ` · ${number(meta.tokens)} tokens`}
        </p>
      )}
    </>
  );
}
