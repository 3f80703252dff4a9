// Numbers, instants and spans of time as people read them.

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const UNKNOWN = "–";

export const count = number => (number === undefined ? UNKNOWN : whole.format(number));
export const compact = number => short.format(number);

/** A share of a whole, in percent with three digits that count; a dash where there is no whole. */
export function percent(part, of) {
  if (!of) return UNKNOWN;
  const share = (100 * part) / of;
  return `${share >= 100 ? whole.format(Math.round(share)) : share.toFixed(share >= 10 ? 1 : 2)} %`;
}

/** `1 s`, `4 min`, `2 h 5 min`, `3 d 4 h`, of ms. */
export function lasting(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zoneName = zone => (zone === "utc" ? "UTC" : ownZone);

const formats = new Map();
function formatted(instant, zone, kind, options) {
  const key = `${zone} ${kind}`;
  if (!formats.has(key)) {
    const timeZone = zone === "utc" ? "UTC" : undefined;
    formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", timeZone }));
  }
  return formats.get(key).format(instant);
}

const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DATE = { weekday: "short", day: "numeric", month: "short" };

export const clock = (instant, zone) => formatted(instant, zone, "clock", CLOCK);
export const clockWithSeconds = (instant, zone) => formatted(instant, zone, "seconds", { ...CLOCK, second: "2-digit" });

/** `Tue 24 Nov`, and the year if it is not this one. */
export function date(instant, zone) {
  const year = formatted(instant, zone, "year", { year: "numeric" });
  const day = formatted(instant, zone, "date", DATE).replace(",", "");
  return year === formatted(Date.now(), zone, "year", { year: "numeric" }) ? day : `${day} ${year}`;
}

/** `Tue 24 Nov 09:00–10:00`, of the hour that begins at an instant. */
export const hourText = (hour, zone) => `${date(hour, zone)} ${clock(hour, zone)}–${clock(hour + HOUR, zone)}`;

/** `Tue 24 Nov 09:00 to Wed 25 Nov 09:00`. */
export const spanText = (from, to, zone) =>
  `${date(from, zone)} ${clock(from, zone)} to ${date(to, zone)} ${clock(to, zone)}`;

/** The UTC hour as the API has it: `2026-11-24T09:00:00Z`. */
export const iso = instant => `${new Date(instant).toISOString().slice(0, 19)}Z`;

/** What a field of type datetime-local holds for an instant. */
export function toField(instant, zone) {
  const shift = zone === "utc" ? 0 : new Date(instant).getTimezoneOffset() * 60_000;
  return new Date(instant - shift).toISOString().slice(0, 16);
}

/** The instant that such a field means; NaN where it is empty. */
export const fromField = (text, zone) => Date.parse(zone === "utc" ? `${text}Z` : text);

/** An hour's state in a word or two. */
export function stateOf(row, currentHour) {
  if (row.final) return "final";
  return row.timestamp >= currentHour ? (row.timestamp > currentHour ? "to come" : "so far") : "not final yet";
}
