// The hours that are shown: asked for, asked for again, and kept in step with the current hour.

import { Refused, hoursBetween, totalsBetween } from "./api.js";
import { HOUR } from "./words.js";

const AGAIN = 10_000;
const USERS_AGAIN = 15_000;
const SHARE = 20; // unique users of a span may be costly: they are counted for a twentieth of the time at most

/** `tell` has `rows()` and `users()`, called when these changed. */
export class Span {
  constructor(tell) {
    this.tell = tell;
    this.rows = null;
    this.users = null;
    this.trouble = "";
    this.asked = new AbortController();
  }

  /** Shows other hours: at once, where all of them are among those before. */
  go(from, to) {
    if (this.from === from && this.to === to) return;
    const known = this.rows?.filter(row => row.timestamp >= from && row.timestamp < to);
    Object.assign(this, { from, to, users: null, rows: known?.length === (to - from) / HOUR ? known : null });
    this.again();
  }

  /** Asks for everything now. */
  again() {
    clearTimeout(this.timer);
    clearTimeout(this.usersTimer);
    this.asked.abort();
    this.asked = new AbortController();
    this.readRows(this.asked.signal);
    this.readUsers(this.asked.signal);
  }

  async readRows(signal) {
    try {
      this.rows = await hoursBetween(this.from, this.to, signal);
      this.trouble = "";
    } catch (error) {
      if (!(error instanceof Refused)) return;
      this.trouble = error.message;
    }
    if (signal.aborted) return;
    this.patch(this.latest);
    this.tell.rows();
    if (this.trouble || !this.rows.every(row => row.final)) this.timer = setTimeout(() => this.readRows(signal), AGAIN);
  }

  async readUsers(signal) {
    const began = performance.now();
    try {
      this.users = await totalsBetween(this.from, this.to, signal);
    } catch (error) {
      if (!(error instanceof Refused)) return;
    }
    if (signal.aborted) return;
    this.tell.users();
    const pause = Math.max(USERS_AGAIN, SHARE * (performance.now() - began));
    if (!this.users?.final) this.usersTimer = setTimeout(() => this.readUsers(signal), pause);
  }

  /** Takes over what was told of the current hour. Returns whether a number that is shown changed. */
  patch(hour) {
    this.latest = hour;
    const row = hour && this.rows?.find(one => one.timestamp === hour.timestamp);
    if (!row || row.final) return false;
    const names = ["unique_users", "clicks", "impressions", "actions", "duplicates"];
    const changed = names.some(name => row[name] !== hour[name]);
    for (const name of names) row[name] = hour[name];
    return changed;
  }

  sum(name) {
    return this.rows?.reduce((sum, row) => sum + row[name], 0);
  }
}
