/** Numbers and times as the reader's language writes them. */

const numbers = new Intl.NumberFormat();
const amounts = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 6,
});
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

export const number = (value: number): string => numbers.format(value);

/** US dollars, of which a single call may cost millionths. */
export const dollars = (amount: string): string => amounts.format(Number(amount));

export const percent = (value: number): string => percents.format(value);

export const moment = (iso: string): string => moments.format(new Date(iso));

/** A day of the billing month, which is UTC's. */
export const day = (iso: string): string => days.format(new Date(iso));

/** `TOP_N` as a word: "top n". */
export const word = (constant: string): string => constant.toLowerCase().replaceAll("_", " ");

/** A null label among others, for callers that allow it. */
export const NONE = "none of the categories";

/** The month `count` months after `period` ("2026-11"). */
export function addMonths(period: string, count: number): string {
  const [year = 0, month = 1] = period.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + count, 1)).toISOString().slice(0, 7);
}
