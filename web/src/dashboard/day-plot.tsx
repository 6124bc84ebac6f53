/** @jsxImportSource preact */
import { addMonths, day, number } from "./format";
import type { Day } from "./types";

const DAY_MS = 86_400_000;

/** A bar for each day of the month; days that the server leaves out had no requests. */
export function DayPlot({ days, period }: { days: Day[]; period: string }) {
  const counts = new Map(days.map((each) => [each.date, each.requests]));
  const most = Math.max(0, ...counts.values());
  if (most === 0) return <p className="hint">No requests in {period}.</p>;

  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const summary = `${number(total)} requests in ${period}, at most ${number(most)} a day`;
  return (
    <div className="plot" role="img" aria-label={summary}>
      {datesOf(period).map((date, index) => {
        const count = counts.get(date) ?? 0;
        return (
          <div key={date} className="day" title={`${day(date)}: ${number(count)}`}>
            <div className="slot">
              {count === most ? <span>{number(count)}</span> : null}
              <div className="bar" style={{ height: `${(count / most) * 100}%` }} />
            </div>
            <span>{index % 7 === 0 ? index + 1 : null}</span>
          </div>
        );
      })}
    </div>
  );
}

function datesOf(period: string): string[] {
  const start = Date.parse(`${period}-01T00:00:00Z`);
  const end = Date.parse(`${addMonths(period, 1)}-01T00:00:00Z`);
  return Array.from({ length: (end - start) / DAY_MS }, (_, index) =>
    new Date(start + index * DAY_MS).toISOString().slice(0, 10),
  );
}
