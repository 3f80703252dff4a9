// All that is known of one hour.

import { Refused, hourDetails, ledger } from "./api.js";
import { HOUR, clockWithSeconds, count, date, hourText, percent, zoneName } from "./words.js";

/** `close()` is called when the reader closes it. */
export class Details {
  constructor(host, close) {
    this.host = host;
    host.innerHTML = `<div class="line"><h2 id="details-heading" tabindex="-1"></h2><p id="details-state"></p><button type="button">Close</button></div><p id="details-trouble" class="notice" role="alert" hidden></p><dl></dl>`;
    [this.heading, this.state, this.trouble, this.list] = ["h2", "#details-state", "#details-trouble", "dl"].map(name => host.querySelector(name));
    host.querySelector("button").addEventListener("click", close);
    document.addEventListener("keydown", event => event.key === "Escape" && !host.hidden && close());
  }

  /** Shows an hour; null: none. `focus`: the reader asked for it just now. */
  async show(hour, zone, focus) {
    this.asked?.abort();
    this.host.hidden = hour === null;
    if (hour === null) return;
    this.heading.textContent = `${hourText(hour, zone)} ${zoneName(zone)}`;
    if (focus) {
      this.heading.focus({ preventScroll: true });
      this.host.scrollIntoView({ block: "nearest" });
    }
    this.asked = new AbortController();
    try {
      this.fill(await hourDetails(hour, this.asked.signal), hour, zone);
      this.trouble.hidden = true;
      if (focus) this.host.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (!(error instanceof Refused)) return;
      this.trouble.textContent = error.message;
      this.trouble.hidden = false;
    }
  }

  fill(told, hour, zone) {
    this.state.textContent = completeness(told, hour, zone);
    this.list.replaceChildren();
    this.add("Unique users", count(told.unique_users));
    this.add("Clicks", count(told.clicks));
    this.add("Impressions", count(told.impressions));
    this.add("Click-through rate", percent(told.clicks, told.impressions));
    const others = Object.entries(told.counts).filter(([event]) => event !== "click" && event !== "impression");
    for (const [event, actions] of others) this.add(`Event ${event}`, count(actions));
    this.add("Duplicates", count(told.duplicates), "sent again with an id, and not counted");
    this.add("Lost", count(told.lost), "records of all hours that the log dropped before they were counted");
    const rejected = this.add("Rejected", "", "lines of all hours that broke the log's rules");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Count them";
    button.addEventListener("click", () => countRejected(rejected, this.heading));
    rejected.prepend(button);
  }

  add(name, text, explained = "") {
    const [row, term, description] = ["div", "dt", "dd"].map(kind => document.createElement(kind));
    term.textContent = name;
    description.textContent = text;
    if (explained) description.append(Object.assign(document.createElement("small"), { textContent: explained }));
    row.append(term, description);
    this.list.append(row);
    return description;
  }
}

async function countRejected(cell, heading) {
  const button = cell.firstChild;
  button.disabled = true;
  try {
    const { totals } = await ledger();
    button.replaceWith(count(Object.values(totals.rejected).reduce((sum, lines) => sum + lines, 0)));
    heading.focus({ preventScroll: true });
  } catch (error) {
    button.disabled = false;
    button.textContent = `${error.message} Try again`;
  }
}

function completeness(told, hour, zone) {
  if (told.complete_through === null) return "how complete is unknown: the log does not answer";
  const through = Date.parse(told.complete_through);
  if (told.final) return `final: all that was acknowledged by ${date(through, zone)} ${clockWithSeconds(through, zone)} is counted`;
  return through < hour ? "nothing of it is known to be complete yet" : `exact up to ${clockWithSeconds(Math.min(through, hour + HOUR), zone)}`;
}
