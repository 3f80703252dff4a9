"""`collector top`."""

import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from collector.options import KeyFileOption
from collector.reading.live import Listener
from collector.reading.screen import as_screen
from collector.sending.client import DEFAULT_URL, client_for

_EVERY: Final = 0.25
"""Seconds between looks: the aggregator tells twice a second."""


def top(
    url: Annotated[str | None, typer.Option(help="Where the API is.", show_default=DEFAULT_URL)] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Watch the stack in this folder.")] = None,
    key_file: KeyFileOption = None,
) -> None:
    """Shows the current hour as it moves, until q or Ctrl-C.

    While there is no connection it shows what was known last, and how old that is, and connects again.
    """
    if url is not None and data is not None:
        raise typer.BadParameter("give either --url or --data")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.BadParameter("this is for a terminal; `collector report` prints numbers once")
    with client_for(url, data, key_file) as client:
        listener = Listener(client)
        # A daemon: nobody waits at the end for a server that is silent.
        Thread(target=listener.listen, daemon=True).start()
        try:
            _show(listener)
        except KeyboardInterrupt:
            pass
        finally:
            listener.end()


def _show(listener: Listener) -> None:
    with _keys_at_once(), Live(console=Console(), auto_refresh=False) as live:
        while True:
            live.update(as_screen(listener.seen, time.monotonic(), datetime.now(UTC)), refresh=True)
            if _was_typed("q"):
                return


def _was_typed(key: str) -> bool:
    """Whether this key is; it waits a moment for any."""
    ready, _, _ = select.select([sys.stdin], [], [], _EVERY)
    return bool(ready) and sys.stdin.read(1).lower() in {key, ""}


@contextmanager
def _keys_at_once() -> Iterator[None]:
    """Within, keys come without Return, and are not shown; Ctrl-C is as ever."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
