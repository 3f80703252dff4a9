// The page's state is its address: what is shown can be sent to somebody, and Back goes back.

import { DAY, HOUR, iso } from "./words.js";

export const SPANS = { "24h": DAY, "7d": 7 * DAY, "31d": 31 * DAY };
const END_OF_TIME = Date.UTC(2100, 0);
const LONGEST = 366 * DAY;

/** What a query says: `from` and `to` are null where a span that ends now is shown. */
export function read(query) {
  const asked = new URLSearchParams(query);
  const [from, to] = [hour(asked.get("from")), hour(asked.get("to"))];
  const fixed = from !== null && to !== null && !refusal(from, to);
  return {
    span: fixed ? null : asked.get("span") in SPANS ? asked.get("span") : "24h",
    from: fixed ? from : null,
    to: fixed ? to : null,
    zone: asked.get("zone") === "local" ? "local" : "utc",
    view: asked.get("view") === "table" ? "table" : "chart",
    sort: asked.get("sort") ?? "-timestamp",
    hour: hour(asked.get("hour")),
  };
}

/** The query that says it; what goes without saying is left out. */
export function written({ span, from, to, zone, view, sort, hour: opened }) {
  const said = new URLSearchParams();
  if (span === null) {
    said.set("from", iso(from));
    said.set("to", iso(to));
  } else if (span !== "24h") said.set("span", span);
  if (zone !== "utc") said.set("zone", zone);
  if (view !== "chart") said.set("view", view);
  if (sort !== "-timestamp") said.set("sort", sort);
  if (opened !== null) said.set("hour", iso(opened));
  return said.size ? `?${said.toString().replaceAll("%3A", ":")}` : "";
}

/** The hours that are shown: from the one up to, not including, the other. */
export function bounds({ span, from, to }, currentHour) {
  const end = currentHour + HOUR;
  return span === null ? { from, to } : { from: end - SPANS[span], to: end };
}

/** Why these hours cannot be shown; an empty text if they can. */
export function refusal(from, to) {
  if (Number.isNaN(from) || Number.isNaN(to)) return "A span has a beginning and an end.";
  if (from >= to) return "The beginning lies before the end.";
  if (from < 0 || to > END_OF_TIME) return "The span lies between 1970 and 2100.";
  return to - from > LONGEST ? "A span has at most 366 days here." : "";
}

function hour(text) {
  const instant = Date.parse(text ?? "");
  return Number.isNaN(instant) ? null : Math.floor(instant / HOUR) * HOUR;
}
