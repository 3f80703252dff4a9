// The hours as a table: sorted by any column, copied as CSV.

import { asCsv } from "./api.js";
import { say } from "./now.js";
import { clock, count, date, percent, stateOf, zoneName } from "./words.js";

const MANY = 1_500;
const COLUMNS = [
  ["timestamp", "Hour"],
  ["unique_users", "Unique users"],
  ["clicks", "Clicks"],
  ["impressions", "Impressions"],
  ["rate", "Click-through rate"],
  ["actions", "All actions"],
  ["duplicates", "Duplicates"],
  ["final", "State"],
];

const value = (row, name) => (name === "rate" ? (row.impressions ? row.clicks / row.impressions : -1) : Number(row[name]));

/** `tell` has `sort(order)` and `open(hour)`. */
export class Table {
  constructor(host, tell) {
    this.tell = tell;
    this.all = false;
    this.rows = [];
    host.innerHTML = `<div class="buttons"><button type="button" id="copy">Copy as CSV</button><button type="button" id="all" hidden></button><span id="copied" role="status"></span></div>
<div class="scroll" tabindex="0" role="region" aria-label="Table of hours"><table class="hours"><thead><tr></tr></thead><tbody></tbody></table></div>`;
    [this.head, this.body] = [host.querySelector("thead tr"), host.querySelector("tbody")];
    this.more = host.querySelector("#all");
    for (const [name, title] of COLUMNS) {
      this.head.insertAdjacentHTML("beforeend", `<th scope="col"><button type="button" data-sort="${name}">${title}</button></th>`);
    }
    this.head.addEventListener("click", event => this.resort(event.target.dataset.sort));
    this.body.addEventListener("click", event => event.target.dataset.hour && tell.open(Number(event.target.dataset.hour)));
    this.more.addEventListener("click", () => {
      this.all = true;
      this.show(...this.shown);
    });
    const copied = host.querySelector("#copied");
    host.querySelector("#copy").addEventListener("click", async () => {
      copied.textContent = (await copy(asCsv(this.rows))) ? `${count(this.rows.length)} hours are copied.` : "The browser does not let this page copy.";
    });
  }

  resort(name) {
    if (name) this.tell.sort(this.order === `-${name}` ? name : `-${name}`);
  }

  show(rows, order, currentHour, zone) {
    this.shown = [rows, order, currentHour, zone];
    this.order = order;
    const [name, sign] = order.startsWith("-") ? [order.slice(1), -1] : [order, 1];
    this.rows = rows.toSorted((a, b) => sign * (value(a, name) - value(b, name)) || b.timestamp - a.timestamp);
    for (const [index, [column, title]] of COLUMNS.entries()) {
      const sorted = column === name;
      const cell = this.head.children[index];
      cell.ariaSort = sorted ? (sign < 0 ? "descending" : "ascending") : "none";
      say(cell.firstChild, `${title}${index ? "" : `, ${zoneName(zone)}`}${sorted ? (sign < 0 ? " ↓" : " ↑") : ""}`);
    }
    const visible = this.all ? this.rows : this.rows.slice(0, MANY);
    this.more.hidden = visible.length === this.rows.length;
    this.more.textContent = `Show all ${count(this.rows.length)} hours`;
    this.fill(visible, currentHour, zone);
  }

  fill(rows, currentHour, zone) {
    while (this.body.rows.length > rows.length) this.body.lastChild.remove();
    while (this.body.rows.length < rows.length) {
      this.body.insertAdjacentHTML("beforeend", `<tr><th scope="row"><button type="button"></button></th>${"<td></td>".repeat(COLUMNS.length - 1)}</tr>`);
    }
    rows.forEach((row, index) => {
      const [first, ...others] = this.body.rows[index].cells;
      first.firstChild.dataset.hour = row.timestamp;
      say(first.firstChild, `${date(row.timestamp, zone)} ${clock(row.timestamp, zone)}`);
      cellsOf(row, currentHour).forEach((text, column) => say(others[column], text));
    });
  }
}

const cellsOf = (row, currentHour) => [
  count(row.unique_users),
  count(row.clicks),
  count(row.impressions),
  percent(row.clicks, row.impressions),
  count(row.actions),
  count(row.duplicates),
  stateOf(row, currentHour),
];

/** Whether the text is in the clipboard. Browsers lend it to pages of https and of loopback only; hence the older way. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = text;
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
