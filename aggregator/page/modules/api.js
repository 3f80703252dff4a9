// What the page asks the API.

import { iso } from "./words.js";

/** An answer that is no 2xx, or none at all; its message is for people. */
export class Refused extends Error {}

async function asked(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer.");
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const detail = problem.detail ?? `${answer.status} ${answer.statusText}`;
  throw new Refused(`${detail[0].toUpperCase()}${detail.slice(1)}.`);
}

const json = async (path, signal) => (await asked(path, { signal })).json();

/** A row for each hour of a span, whatever its pages. */
export async function hoursBetween(from, to, signal) {
  const rows = [];
  let next = `/v1/hours?from=${iso(from)}&to=${iso(to)}`;
  while (next) {
    const page = await json(next, signal);
    rows.push(...page.hours);
    next = page.next;
  }
  return rows;
}

export const hourDetails = (hour, signal) => json(`/v1/hours/${iso(hour)}`, signal);
export const totalsBetween = (from, to, signal) => json(`/v1/totals?from=${iso(from)}&to=${iso(to)}`, signal);
export const ledger = () => json("/v1/ledger");

/** Posts one click, of now. */
export function postClick(user) {
  const action = new URLSearchParams({ timestamp: Date.now(), user, event: "click" });
  return asked(`/analytics?${action}`, { method: "POST" });
}

export const COLUMNS = ["hour", "timestamp", "unique_users", "clicks", "impressions", "actions", "duplicates", "final"];

/** Rows as `/v1/hours?format=csv` writes them. */
export const asCsv = rows => [COLUMNS, ...rows.map(row => COLUMNS.map(name => row[name]))].join("\r\n") + "\r\n";
