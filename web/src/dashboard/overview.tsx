/** @jsxImportSource preact */
import { useState } from "preact/hooks";
import type { ViewProps } from "./app";
import { DayPlot } from "./day-plot";
import { addMonths, day, dollars, number } from "./format";
import { useLoaded } from "./load";
import { Bar, Problem } from "./parts";
import type { Usage } from "./types";

export function Overview({ api }: ViewProps) {
  const [month, setMonth] = useState<string | null>(null);
  const { value, problem, loading } = useLoaded(() => api.usage(month), [api, month]);

  return (
    <>
      <h1>Overview</h1>
      <Problem text={problem} />
      {value === null ? (
        <p className="hint">{loading ? "Loading…" : null}</p>
      ) : (
        <>
          <div className="columns">
            <ThisMonth usage={value} />
            <Limits usage={value} />
          </div>
          <section className="card" aria-labelledby="days-title">
            <div className="row">
              <h2 id="days-title">Requests per day</h2>
              <Months period={value.period} busy={loading} onChoose={setMonth} />
            </div>
            <DayPlot days={value.usage.byDay} period={value.period} />
          </section>
        </>
      )}
    </>
  );
}

function ThisMonth({ usage: { period, limits, usage } }: { usage: Usage }) {
  const types = Object.entries(usage.byType).filter(([, count]) => count > 0);
  return (
    <section className="card" aria-labelledby="usage-title">
      <h2 id="usage-title">Usage in {period}</h2>
      <p className="figure">
        {number(usage.requests)}
        <small>
          {limits.requests === null ? " requests" : ` of ${number(limits.requests)} requests`}
        </small>
      </p>
      {limits.requests === null ? null : (
        <Bar value={usage.requests / limits.requests} label="Quota used" />
      )}
      <dl>
        <dt>Tokens</dt>
        <dd>{number(usage.tokens)}</dd>
        <dt>Cost</dt>
        <dd>{dollars(usage.cost)}</dd>
        {types.map(([type, count]) => (
          <>
            <dt>{type}</dt>
            <dd>{number(count)}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Limits({ usage: { plan, limits, budget } }: { usage: Usage }) {
  const count = (limit: number | null): string => (limit === null ? "unlimited" : number(limit));
  return (
    <section className="card" aria-labelledby="plan-title">
      <h2 id="plan-title">Plan: {plan.toLowerCase()}</h2>
      <dl>
        <dt>Requests a month</dt>
        <dd>{count(limits.requests)}</dd>
        <dt>Items in a batch</dt>
        <dd>{number(limits.batchSize)}</dd>
        <dt>Saved schemas</dt>
        <dd>{count(limits.schemas)}</dd>
        <dt>Images, audio, video</dt>
        <dd>{limits.media ? "included" : "not included"}</dd>
        {budget === null ? null : (
          <>
            <dt>Budget used this month</dt>
            <dd>
              {dollars(budget.used)} of {dollars(budget.limit)}
            </dd>
          </>
        )}
        <dt>Starts afresh on</dt>
        <dd>{day(limits.resetsAt)}</dd>
      </dl>
    </section>
  );
}

interface MonthsProps {
  period: string;
  busy: boolean;
  onChoose: (month: string) => void;
}

function Months({ period, busy, onChoose }: MonthsProps) {
  const current = new Date().toISOString().slice(0, 7);
  return (
    <div className="row tight" role="group" aria-label="Month">
      <button type="button" disabled={busy} onClick={() => onChoose(addMonths(period, -1))}>
        <span aria-hidden="true">‹</span> Earlier
      </button>
      <b>{period}</b>
      <button
        type="button"
        disabled={busy || period >= current}
        onClick={() => onChoose(addMonths(period, 1))}
      >
        Later <span aria-hidden="true">›</span>
      </button>
    </div>
  );
}
