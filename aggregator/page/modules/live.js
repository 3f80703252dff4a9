// The current hour as it moves: one connection, made anew for as long as the page is looked at.

const SILENT = 15_000; // ms; the server says something more often, even while the store does not answer
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
const HIDDEN = 10_000;

/**
 * Calls `tell` with each event: `{ kind: "hour", data, at }` (`at`: the server's clock, ms), `{ kind: "unavailable" }`,
 * or `{ kind: "disconnected" }`.
 */
export function listen(tell) {
  let source = null;
  let pause = FIRST_PAUSE;
  let timer = 0;
  let heard = 0;

  function close() {
    clearTimeout(timer);
    clearInterval(heard);
    source?.close();
    source = null;
  }

  function lost() {
    close();
    tell({ kind: "disconnected" });
    timer = setTimeout(open, pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }

  function open() {
    close();
    let last = performance.now();
    source = new EventSource("/v1/live");
    source.onerror = lost;
    for (const kind of ["hour", "unavailable"]) {
      source.addEventListener(kind, event => {
        last = performance.now();
        pause = FIRST_PAUSE;
        tell({ kind, data: JSON.parse(event.data), at: Number(event.lastEventId) });
      });
    }
    heard = setInterval(() => performance.now() - last > SILENT && lost(), 1_000);
  }

  // A browser has six connections to a server: tabs that nobody looks at keep none.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && source === null) open();
    else if (document.hidden) timer = setTimeout(() => document.hidden && close(), HIDDEN);
  });
  open();
}
