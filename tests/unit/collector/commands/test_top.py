"""`collector top` in a terminal of its own."""

import json
import os
import pty
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from threading import Event

from typer.testing import CliRunner

from collector.cli import app
from support.fixtures.told import Told, telling

HOUR = {
    "hour": "2026-11-24T09:00:00Z",
    "unique_users": 4_321,
    "clicks": 3,
    "impressions": 12,
    "complete_through": "2026-11-24T09:02:03.400Z",
    "actions_per_second": 1.5,
}


def event(**changes: object) -> bytes:
    return f"event: hour\nid: 1\ndata: {json.dumps(HOUR | changes)}\n\n".encode()


class Terminal:
    """The program, what it shows and what is typed."""

    def __init__(self, program: Popen[bytes], end: int) -> None:
        self.program = program
        self._end = end
        self.shown = b""

    def shows(self, text: bytes) -> None:
        """Returns once it has shown this since the last such call; the test's time limit is the bound."""
        while text not in self.shown:
            select.select([self._end], [], [])
            self.shown += os.read(self._end, 65_536)
        self.shown = self.shown[self.shown.index(text) + len(text) :]

    def type(self, keys: bytes) -> None:
        os.write(self._end, keys)


@contextmanager
def top(url: str) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-c", "from collector.cli import main; main()", "top", "--url", url]
    program = Popen(command, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    try:
        yield Terminal(program, ours)
    finally:
        if program.poll() is None:
            program.kill()
        program.wait()
        os.close(ours)


def stream(told: Told) -> None:
    told.tell(event(), "text/event-stream")
    Event().wait()


def test_it_shows_the_hour_and_how_far_it_is_exact_and_ends_cleanly_with_q() -> None:
    with telling(stream) as url, top(url) as terminal:
        for text in (b"2026-11-24 09:00 UTC", b"4,321", b"25.0%", b"1.5", b"exact up to 09:02:03 UTC"):
            terminal.shows(text)
        terminal.type(b"q")
        assert terminal.program.wait() == 0


def test_a_connection_that_is_lost_is_told_with_the_age_of_what_is_known_and_made_again() -> None:
    connections: list[Told] = []

    def once_then_again(told: Told) -> None:
        connections.append(told)
        if len(connections) == 1:
            told.tell(event(), "text/event-stream")
        else:
            told.tell(event(unique_users=9_876), "text/event-stream")
            Event().wait()

    with telling(once_then_again) as url, top(url) as terminal:
        terminal.shows(b"4,321")
        terminal.shows(b"this is what was known")
        terminal.shows(b"9,876")


def test_a_store_that_is_away_is_told_and_the_terminal_is_not_commanded() -> None:
    def away(told: Told) -> None:
        told.tell(
            b'event: unavailable\nid: 1\ndata: {"detail":"the store does not answer \\u001b[2J"}\n\n',
            "text/event-stream",
        )
        Event().wait()

    with telling(away) as url, top(url) as terminal:
        terminal.shows(b"the store does not answer \\u001b[2J")


def test_what_is_not_understood_is_told_and_the_connection_made_again() -> None:
    bodies = [b"event: hour\nid: 1\ndata: {}\n\n", event(unique_users=9_876)]

    def once_then_well(told: Told) -> None:
        told.tell(bodies.pop(0), "text/event-stream")
        if not bodies:
            Event().wait()

    with telling(once_then_well) as url, top(url) as terminal:
        terminal.shows(b"what was told is not understood")
        terminal.shows(b"9,876")


def test_without_a_terminal_it_says_what_to_use_instead() -> None:
    result = CliRunner().invoke(app, ["top"], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert "collector report" in result.output


def test_ctrl_c_ends_it_cleanly() -> None:
    with telling(stream) as url, top(url) as terminal:
        terminal.shows(b"4,321")
        terminal.program.send_signal(signal.SIGINT)
        assert terminal.program.wait() == 0
