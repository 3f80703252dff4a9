// Wires the page: its address is its state, and everything shown follows from that and from what the API tells.

import { bounds, read, refusal, written } from "./address.js";
import { asCsv } from "./api.js";
import { Charts } from "./chart.js";
import { Details } from "./details.js";
import { listen } from "./live.js";
import { prepareNothing, showNothing } from "./nothing.js";
import { TROUBLE, prepareNow, say, showCompleteness, showNow } from "./now.js";
import { Span } from "./span.js";
import { Table } from "./table.js";
import { DAY, HOUR, clockWithSeconds, count, fromField, hourText, iso, percent, spanText, stateOf, toField, zoneName } from "./words.js";

const byId = id => document.getElementById(id);
const all = selector => document.querySelectorAll(selector);
const PAGE = 31 * DAY; // what one answer of the API holds

let state = read(location.search);
let currentHour = Math.floor(Date.now() / HOUR) * HOUR; // until the server tells its own
let known = null; // the last event of the hour
let heard = 0; // when it came, by this machine's clock that only goes forward
let kind = "reading";
let fields = ""; // what the fields of the span hold
let drawn = 0; // when the span was shown
let soon = 0; // the timer that shows it again
let pointed = null; // the hour that the reader points at

const span = new Span({ rows: showSpan, users: showSums });
const charts = new Charts(byId("counts"), byId("rates"), {
  read: index => point(index === null ? null : span.rows[index]?.timestamp ?? null),
  open: index => open(span.rows[index].timestamp),
  zoom: (from, to) => go({ span: null, from, to }),
});
const table = new Table(byId("table-view"), { sort: sort => go({ sort }, true), open });
const details = new Details(byId("details"), close);
prepareNow();
prepareNothing(byId("nothing"));

// What is shown changes by its address.

function go(change, quietly = false) {
  state = { ...state, ...change };
  const address = `${location.pathname}${written(state)}`;
  if (address !== `${location.pathname}${location.search}`) {
    if (quietly) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }
  show();
}

addEventListener("popstate", () => {
  state = read(location.search);
  show();
  details.show(state.hour, state.zone, false);
});

function open(hour) {
  go({ hour });
  details.show(hour, state.zone, true);
}

function close() {
  go({ hour: null });
  details.show(null);
  (state.view === "chart" ? byId("charts") : byId("table-view").querySelector(".scroll")).focus();
}

function show() {
  const { from, to } = bounds(state, currentHour);
  for (const name of ["zone", "view", "span"]) {
    for (const button of all(`button[data-${name}]`)) button.ariaPressed = String(button.dataset[name] === state[name]);
  }
  showFields(from, to);
  const [later] = all('[data-move="later"]');
  later.disabled = to > currentHour;
  span.go(from, to);
  showLive();
  showSpan();
}

/** Only when the span changes: what somebody is typing stays. */
function showFields(...bounds) {
  const key = `${bounds} ${state.zone}`;
  if (key === fields) return;
  fields = key;
  ["from", "to"].forEach((id, index) => (byId(id).value = toField(bounds[index], state.zone)));
}

// What the server tells.

listen(event => {
  const other = kind !== event.kind;
  kind = event.kind;
  if (kind === "hour") {
    heard = performance.now();
    known = event;
    if (known.data.timestamp !== currentHour) {
      currentHour = known.data.timestamp;
      show();
    }
    if (span.patch(known.data)) showSoon();
    if (other && span.trouble) span.again();
  }
  if (other) showSpan();
  showLive();
});

/** The chart is drawn once a second at most: what moves fast are the numbers above it. */
function showSoon() {
  if (soon) return;
  soon = setTimeout(() => {
    soon = 0;
    showSpan();
  }, Math.max(0, drawn + 1_000 - performance.now()));
}

setInterval(() => kind !== "hour" && showLive(), 1_000);

function showLive() {
  showNow(known, state.zone);
  showCompleteness(known, kind, performance.now() - heard, state.zone);
}

function showSpan() {
  drawn = performance.now();
  const { from, to, rows, trouble } = span;
  say(byId("span-heading"), `${spanText(from, to, state.zone)} ${zoneName(state.zone)}`);
  say(byId("span-trouble"), trouble && `${trouble} ${rows ? "These hours are as they were read before." : "The page tries again by itself."}`);
  byId("span-trouble").hidden = !trouble || kind in TROUBLE; // that is said already
  showSums();
  const empty = rows !== null && rows.every(row => row.actions === 0);
  showNothing(byId("nothing"), empty, to > currentHour);
  const unknown = rows === null && trouble !== "";
  byId("chart-view").hidden = empty || unknown || state.view !== "chart";
  byId("table-view").hidden = empty || unknown || state.view !== "table";
  byId("open").disabled = rows === null;
  if (rows && !empty) {
    if (state.view === "chart") showChart();
    else table.show(rows, state.sort, currentHour, state.zone);
  }
  showDownload(from, to, rows);
}

function showChart() {
  charts.show(span.rows, span.from, span.to, state.zone);
  showReading();
}

function showSums() {
  const [clicks, impressions] = [span.sum("clicks"), span.sum("impressions")];
  const told = [
    ["Unique users", count(span.users?.unique_users), usersNote(span.users)],
    ["Clicks", count(clicks), ""],
    ["Impressions", count(impressions), ""],
    ["Click-through rate", percent(clicks, impressions), ""],
  ];
  const list = byId("sums");
  if (!list.children.length) list.innerHTML = "<div><dt></dt><dd><span></span><small></small></dd></div>".repeat(told.length);
  told.forEach(([name, value, note], index) => {
    const [term, { children: [number, small] }] = list.children[index].children;
    say(term, name);
    say(number, value);
    say(small, note);
  });
}

function usersNote(users) {
  if (!users) return span.trouble || kind in TROUBLE ? "not known" : "being counted";
  if (users.final) return "final";
  if (!users.complete_through) return "how complete is unknown";
  return `as of ${clockWithSeconds(Date.parse(users.complete_through), state.zone)}`;
}

// The API's own table where one answer holds it, else what the page has of its pages.
function showDownload(from, to, rows) {
  const link = byId("download");
  link.download = `hours ${iso(from).slice(0, 13)} to ${iso(to).slice(0, 13)}.csv`;
  link.href = `/v1/hours?from=${iso(from)}&to=${iso(to)}&format=csv`;
  link.onclick = () => {
    if (to - from <= PAGE || !rows) return;
    URL.revokeObjectURL(link.made);
    link.made = link.href = URL.createObjectURL(new Blob([asCsv(rows)], { type: "text/csv" }));
  };
}

// Reading the chart, by pointer or by key.

function point(hour) {
  if (hour === pointed) return;
  pointed = hour;
  showReading();
}

function readIndex() {
  const found = span.rows.findIndex(row => row.timestamp === pointed);
  if (found >= 0) return found;
  const now = span.rows.findIndex(row => row.timestamp === currentHour);
  return now >= 0 ? now : span.rows.length - 1;
}

function showReading() {
  if (!span.rows?.length) return;
  const index = readIndex();
  const row = span.rows[index];
  const values = { impressions: count(row.impressions), clicks: count(row.clicks), unique_users: count(row.unique_users), rate: percent(row.clicks, row.impressions) };
  const hour = hourText(row.timestamp, state.zone);
  const how = stateOf(row, currentHour);
  const title = byId("reading-hour");
  if (!title.firstChild) title.append(document.createElement("b"), " ", document.createElement("span"));
  say(title.firstChild, hour);
  say(title.lastChild, how);
  for (const cell of all("[data-read]")) say(cell, values[cell.dataset.read]);
  const slider = byId("charts");
  slider.ariaValueMax = String(span.rows.length - 1);
  slider.ariaValueNow = String(index);
  slider.ariaValueText = `${hour}, ${how}: ${values.impressions} impressions, ${values.clicks} clicks, ${values.unique_users} unique users, click-through rate ${values.rate}`;
}

const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -24, PageDown: 24, Home: -Infinity, End: Infinity };

byId("charts").addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const index = span.rows ? readIndex() : -1;
  if (event.key === "+" || event.key === "=") zoom(0.5);
  else if (event.key === "-") zoom(2);
  else if (index < 0) return;
  else if (event.key in STEPS) {
    const next = Math.max(0, Math.min(span.rows.length - 1, index + STEPS[event.key]));
    point(span.rows[next].timestamp);
    charts.point(next);
  } else if (event.key === "Enter") open(span.rows[index].timestamp);
  else return;
  event.preventDefault();
});
byId("open").addEventListener("click", () => open(span.rows[readIndex()].timestamp));

// Moving and zooming.

function zoom(factor) {
  const { from, to } = span;
  const around = factor < 1 && span.rows?.length ? span.rows[readIndex()].timestamp + HOUR / 2 : (from + to) / 2;
  const hours = Math.max(1, Math.round((factor * (to - from)) / HOUR));
  move(Math.round((around - (hours * HOUR) / 2) / HOUR) * HOUR, hours * HOUR);
}

/** Goes to so many ms from an hour on; not beyond the current hour, nor, when closer, out of what was shown. */
function move(from, length) {
  const end = Math.max(span.to, currentHour + HOUR);
  const first = Math.max(0, Math.min(from, end - length));
  if (!refusal(first, first + length)) go({ span: null, from: first, to: first + length });
}

const MOVES = {
  earlier: () => move(span.from - (span.to - span.from), span.to - span.from),
  later: () => move(span.to, span.to - span.from),
  closer: () => zoom(0.5),
  wider: () => zoom(2),
};

for (const button of all("[data-move]")) button.addEventListener("click", () => MOVES[button.dataset.move]());
for (const button of all("[data-span]")) button.addEventListener("click", () => go({ span: button.dataset.span, from: null, to: null }));
for (const button of all("[data-view]")) button.addEventListener("click", () => go({ view: button.dataset.view }));
for (const button of all("[data-zone]")) {
  button.addEventListener("click", () => {
    go({ zone: button.dataset.zone });
    details.show(state.hour, state.zone, false);
  });
}

byId("between").addEventListener("submit", event => {
  event.preventDefault();
  const [from, to] = ["from", "to"].map(id => Math.floor(fromField(byId(id).value, state.zone) / HOUR) * HOUR);
  const refused = refusal(from, to);
  say(byId("span-trouble"), refused);
  byId("span-trouble").hidden = !refused;
  if (!refused) go({ span: null, from, to });
});

show();
details.show(state.hour, state.zone, false);
