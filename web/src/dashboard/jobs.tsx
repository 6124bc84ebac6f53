/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import type { JobFilter } from "./api";
import type { ViewProps } from "./app";
import { NONE, moment, number, percent, word } from "./format";
import { useLoaded } from "./load";
import { Problem } from "./parts";
import type { InputType, Job, JobStatus } from "./types";

const PAGE = 20;
const STATUSES: readonly JobStatus[] = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"];
const TYPES: readonly InputType[] = ["TEXT", "IMAGE", "AUDIO", "VIDEO"];

export function Jobs({ api }: ViewProps) {
  const [filter, setFilter] = useState<JobFilter>({});
  // The cursors of the pages before this one: a page knows only what follows it.
  const [cursors, setCursors] = useState<string[]>([]);
  const after = cursors.at(-1) ?? null;
  const { value, problem, loading, reload } = useLoaded(
    () => api.jobs(filter, PAGE, after),
    [api, filter, after],
  );

  function choose(part: { status?: string; inputType?: string }): void {
    const merged = { ...filter, ...part };
    const kept = Object.entries(merged).filter(([, chosen]) => chosen !== "");
    setFilter(Object.fromEntries(kept) as JobFilter);
    setCursors([]);
  }

  const first = cursors.length * PAGE;
  const next = value?.pageInfo.hasNextPage ? value.pageInfo.endCursor : null;
  return (
    <>
      <h1>Jobs</h1>
      <div className="row start">
        <Choice label="Status" options={STATUSES} onChoose={(status) => choose({ status })} />
        <Choice label="Type" options={TYPES} onChoose={(inputType) => choose({ inputType })} />
        <button type="button" disabled={loading} onClick={reload}>
          Refresh
        </button>
      </div>
      <Problem text={problem} />
      <div className="card scroll" tabIndex={0} role="region" aria-label="Jobs" aria-busy={loading}>
        <table>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">Status</th>
              <th scope="col">Input</th>
              <th scope="col">Result</th>
              <th scope="col">Time</th>
              <th scope="col">Created</th>
            </tr>
          </thead>
          <tbody>
            {value?.nodes.map((job) => (
              <Row key={job.id} job={job} />
            ))}
          </tbody>
        </table>
        {value?.nodes.length === 0 ? <p className="hint">No jobs.</p> : null}
      </div>
      {value === null ? null : (
        <nav className="row" aria-label="Pages of jobs">
          <button
            type="button"
            disabled={loading || cursors.length === 0}
            onClick={() => setCursors(cursors.slice(0, -1))}
          >
            Newer
          </button>
          <span role="status">
            {value.nodes.length === 0
              ? null
              : `${number(first + 1)} to ${number(first + value.nodes.length)} of ${number(value.totalCount)}`}
          </span>
          <button
            type="button"
            disabled={loading || next === null}
            onClick={() => next !== null && setCursors([...cursors, next])}
          >
            Older
          </button>
        </nav>
      )}
    </>
  );
}

interface ChoiceProps {
  label: string;
  options: readonly string[];
  onChoose: (option: string) => void;
}

function Choice({ label, options, onChoose }: ChoiceProps) {
  return (
    <label className="inline">
      {label}
      <select onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">any</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {word(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Row({ job }: { job: Job }) {
  return (
    <tr>
      <td className="code">{job.id}</td>
      <td>
        <span className={`badge ${job.status === "FAILED" ? "bad" : ""}`}>{word(job.status)}</span>
      </td>
      <td className="preview">
        {job.inputPreview ?? <span className="hint">{word(job.inputType)}, not kept</span>}
      </td>
      <td>
        {job.error === null ? (
          job.result?.labels.map(({ label, confidence }) => (
            <div key={label}>
              {label ?? NONE} <small>{percent(confidence ?? 0)}</small>
            </div>
          ))
        ) : (
          <span title={job.error.message}>{word(job.error.code)}</span>
        )}
      </td>
      <td className="number">{job.latencyMs === null ? null : `${number(job.latencyMs)} ms`}</td>
      <td>
        <time dateTime={job.createdAt}>{moment(job.createdAt)}</time>
      </td>
    </tr>
  );
}
