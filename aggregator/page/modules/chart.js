// Bars of impressions and clicks, a line of unique users, and the click-through rate below. uPlot draws.

import { HOUR, compact } from "./words.js";

const AXIS_WIDTH = 52;
const DRAGGED = 8; // px
const STEPS = [1, 2, 5].flatMap(digit => Array.from({ length: 12 }, (_, power) => digit * 10 ** power)).sort((a, b) => a - b);
const RATE_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000];

const colour = name => () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/**
 * `tell` has `read(index)` (null: the pointer left), `open(index)` and `zoom(from, to)`.
 * Without uPlot there are no charts, and the rest of the page goes on.
 */
export class Charts {
  constructor(counts, rates, tell) {
    this.hosts = [counts, rates];
    this.tell = tell;
    this.plots = [];
    this.rows = [];
    this.moving = false;
    if (!globalThis.uPlot) return;
    const resized = new ResizeObserver(() => this.resize());
    for (const host of this.hosts) resized.observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plots.forEach(plot => plot.redraw()));
  }

  /** Hours from the one instant up to the other, in a time zone. */
  show(rows, from, to, zone) {
    this.rows = rows;
    if (!globalThis.uPlot) return;
    const data = [
      [rows.map(middle), rows.map(row => row.impressions), rows.map(row => row.clicks), rows.map(row => row.unique_users)],
      [rows.map(middle), rows.map(rate)],
    ];
    if (this.from === from && this.to === to && this.zone === zone && this.plots.length) {
      this.plots.forEach((plot, index) => plot.setData(data[index]));
      return;
    }
    Object.assign(this, { from, to, zone });
    this.plots.forEach(plot => plot.destroy());
    this.plots = [this.counts(data[0]), this.rates(data[1])];
  }

  /** Puts the cursor on a row. */
  point(index) {
    this.moving = true;
    for (const plot of this.plots) plot.setCursor({ left: plot.valToPos(middle(this.rows[index]), "x"), top: 1 });
    this.moving = false;
  }

  resize() {
    this.plots.forEach((plot, index) => plot.setSize(size(this.hosts[index])));
  }

  counts(data) {
    const series = [
      {},
      bars("impressions", 0.86),
      bars("clicks", 0.46),
      { stroke: colour("users"), width: data[0].length > this.hosts[0].clientWidth / 3 ? 1 : 1.75, points: { size: 5, fill: colour("users") } },
    ];
    const axes = [time(), { ...numbers(STEPS), values: (_, values) => values.map(compact) }];
    return this.plot(this.hosts[0], data, series, axes, [0, 4]);
  }

  rates(data) {
    const series = [{}, { stroke: colour("rate"), width: 1.5, dash: [5, 4], points: { size: 4, fill: colour("rate") } }];
    const axes = [{ ...time(), values: (_, values) => values.map(() => ""), size: 8 }, { ...numbers(RATE_STEPS), space: 26, values: (_, values) => values.map(value => `${value} %`) }];
    return this.plot(this.hosts[1], data, series, axes, [0, 1]);
  }

  plot(host, data, series, axes, [least, most]) {
    const options = {
      ...size(host),
      ms: 1,
      tzDate: instant => (this.zone === "utc" ? uPlot.tzDate(new Date(instant), "Etc/UTC") : new Date(instant)),
      padding: [8, 1.6 * rem(), 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false, dist: DRAGGED }, sync: { key: "hours" }, points: { show: false } },
      scales: {
        x: { time: true, range: () => [this.from, this.to] },
        y: { range: (_, low, high) => [least, Math.max(most, (high ?? 0) * 1.06)] },
      },
      series,
      axes,
      hooks: { setCursor: [plot => this.read(plot)], setSelect: [plot => this.zoom(plot)] },
    };
    const plot = new uPlot(options, data, host);
    plot.over.addEventListener("mousedown", () => (this.dragged = false));
    plot.over.addEventListener("click", () => this.open(plot));
    return plot;
  }

  read(plot) {
    if (!this.moving && plot === this.plots[0]) this.tell.read(plot.cursor.left < 0 ? null : plot.cursor.idx);
  }

  open(plot) {
    // A finger has no other way to read an hour than to touch it.
    if (!this.dragged && !touched.matches && plot.cursor.idx != null) this.tell.open(plot.cursor.idx);
  }

  zoom(plot) {
    const { left, width } = plot.select;
    if (width < DRAGGED) return;
    this.dragged = true;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    const first = Math.floor(plot.posToVal(left, "x") / HOUR) * HOUR;
    const end = Math.ceil(plot.posToVal(left + width, "x") / HOUR) * HOUR;
    this.tell.zoom(Math.max(this.from, first), Math.min(this.to, end));
  }
}

const touched = matchMedia("(hover: none)");
const middle = row => row.timestamp + HOUR / 2;
const rate = row => (row.impressions ? (100 * row.clicks) / row.impressions : null);
const size = host => ({ width: Math.max(120, host.clientWidth), height: Math.max(60, host.clientHeight) });
const bars = (name, width) => ({ fill: colour(name), width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [width, 60] }) });
// Whole pixels: uPlot reads the height of a line from the digits before `px`.
const look = () => ({ stroke: colour("soft"), font: `${Math.round(0.8 * rem())}px system-ui, sans-serif`, ticks: { show: false } });
const time = () => ({ ...look(), grid: { show: false }, space: 5 * rem(), size: 3 * rem(), values: TIMES });
const numbers = incrs => ({ ...look(), incrs, space: 2.2 * rem(), size: AXIS_WIDTH * (rem() / 15), grid: { stroke: colour("rule"), width: 1 } });

// Two lines: the clock, and below it the date where it changes.
const TIMES = [
  [24 * HOUR, "{D} {MMM}", null, null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
  [60_000, "{HH}:{mm}", "\n{D} {MMM}", null, "\n{D} {MMM}", null, null, null, 1],
];
