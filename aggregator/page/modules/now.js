// The current hour: three numbers, their rate, and the same hour of yesterday and of last week.

import { hourDetails } from "./api.js";
import { DAY, HOUR, clock, clockWithSeconds, count, lasting, percent, zoneName } from "./words.js";

const NUMBERS = ["unique_users", "clicks", "impressions"];
const THEN = { yesterday: ["Yesterday", DAY], week: ["Last week", 7 * DAY] };
const BEHIND = 10_000;
const AGAIN = 30_000;

const byId = id => document.getElementById(id);
const compared = { hour: null, yesterday: null, week: null };
const cells = new Map();

export function prepareNow() {
  for (const number of NUMBERS) {
    const article = document.querySelector(`[data-number="${number}"]`);
    const rows = Object.entries(THEN).map(
      ([then, [title]]) => `<tr><th scope="row">${title}</th><td data-cell="${then}">–</td><td data-cell="${then}-share"></td></tr>`,
    );
    article.insertAdjacentHTML("beforeend", `<p class="big" data-cell="now">–</p><table class="then">${rows.join("")}</table>`);
    for (const cell of article.querySelectorAll("[data-cell]")) cells.set(`${number} ${cell.dataset.cell}`, cell);
  }
}

/** Writes only what changed: nothing is laid out twice a second. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param known `{ data, at }`, the last event of the hour, or null. */
export function showNow(known, zone) {
  const hour = known?.data.timestamp;
  say(byId("now-heading"), known ? `This hour, ${clock(hour, zone)}–${clock(hour + HOUR, zone)} ${zoneName(zone)}` : "This hour");
  if (!known) return;
  if (compared.hour !== hour) compare(hour, known, zone);
  const passed = Math.min(1, Math.max(0, (known.at - hour) / HOUR));
  say(byId("passed"), `${Math.floor(100 * passed)} % of the hour has passed`);
  showRate(known.data.actions_per_second);
  for (const number of NUMBERS) {
    const value = known.data[number];
    say(cells.get(`${number} now`), count(value));
    for (const then of Object.keys(THEN)) {
      const other = compared.hour === hour ? compared[then]?.[number] : undefined;
      say(cells.get(`${number} ${then}`), count(other));
      say(cells.get(`${number} ${then}-share`), other ? `now at ${percent(value, other)}` : "");
    }
  }
}

function showRate(perSecond) {
  const rate = byId("rate");
  if (!rate.firstChild) rate.append(document.createElement("b"), " actions per second");
  say(rate.firstChild, perSecond >= 100 ? count(Math.round(perSecond)) : perSecond.toFixed(1));
}

async function compare(hour, known, zone) {
  Object.assign(compared, { hour, yesterday: null, week: null });
  try {
    const [yesterday, week] = await Promise.all([hourDetails(hour - DAY), hourDetails(hour - 7 * DAY)]);
    if (compared.hour !== hour) return;
    Object.assign(compared, { yesterday, week });
    showNow(known, zone);
  } catch {
    // The page says by itself that the store is away; whoever looks longer is told the numbers.
    setTimeout(() => compared.hour === hour && (compared.hour = null), AGAIN / 10);
  }
}

/** How complete the numbers are, in words, and what is wrong, if anything is. */
export function showCompleteness(known, kind, age, zone) {
  const complete = byId("complete");
  const [words, state] = known ? completeness(known, zone, kind) : [kind in TROUBLE ? "nothing is known yet" : "Reading the current hour", "reading"];
  say(complete, words);
  complete.dataset.state = kind === "hour" || !known ? state : "old";
  document.body.classList.toggle("old", kind !== "hour" && known !== null);
  const trouble = byId("trouble");
  const what = TROUBLE[kind] ?? "";
  trouble.hidden = !what;
  say(byId("trouble-what"), what);
  if (what) say(byId("trouble-age"), known ? `These numbers are ${lasting(age)} old.` : "Nothing is known yet.");
}

export const TROUBLE = {
  unavailable: "The store does not answer; the page tries again by itself.",
  disconnected: "Disconnected from the server; the page tries again by itself.",
};

function completeness({ data, at }, zone, kind) {
  if (data.final) return ["final", "live"];
  if (data.complete_through === null) return ["how complete is unknown: the log does not answer", "behind"];
  const through = Date.parse(data.complete_through);
  const behind = Math.max(1_000, at - through);
  const exact = `exact up to ${clockWithSeconds(through, zone)}`;
  if (kind !== "hour") return [exact, "old"];
  const words = `${exact}, ${lasting(behind)} behind`;
  if (behind < BEHIND) return [words, "live"];
  return [`${words}; ${count(data.lag)} ${data.lag === 1 ? "record waits" : "records wait"}`, "behind"];
}
