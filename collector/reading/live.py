"""The current hour as the aggregator tells it, event by event, for as long as anybody looks."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Any, Final

import httpx

from collector.reading.told import LiveHour, NotUnderstood, Trouble, understood
from contract.shown import printable

_SILENCE: Final = 15.0
"""Seconds without any event after which a connection is taken for dead: there are two a second."""
_PAUSE: Final = 1.0
"""Seconds between attempts to connect."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known, and since when."""

    hour: LiveHour | None = None
    """As /v1/live told it last."""
    told_at: float = 0.0
    """When that was, by a clock that only rises, seconds."""
    trouble: str | None = "connecting"
    """Why there is no later one."""


class Listener:
    """Listens in a thread of its own."""

    def __init__(
        self, client: httpx.Client, clock: Callable[[], float] = time.monotonic, pause: float = _PAUSE
    ) -> None:
        """`pause`: seconds between attempts to connect."""
        self._client = client
        self._clock = clock
        self._pause = pause
        self._ended = Event()
        self._lock = Lock()
        self._seen = Seen()

    @property
    def seen(self) -> Seen:
        """What is known now."""
        with self._lock:
            return self._seen

    def end(self) -> None:
        """`listen` returns soon."""
        self._ended.set()

    def listen(self) -> None:
        """Until `end`: connects, and connects again."""
        while not self._ended.is_set():
            try:
                self._listen_once()
            except httpx.HTTPError as error:
                self._note(trouble=f"no connection: {printable(str(error))}" if str(error) else "no connection")
            except NotUnderstood as error:
                self._note(trouble=f"what was told is not understood: {error}")
            self._ended.wait(self._pause)

    def _listen_once(self) -> None:
        timeout = httpx.Timeout(_SILENCE)
        with self._client.stream("GET", "/v1/live", timeout=timeout) as answer:
            if not answer.is_success:
                self._note(trouble=f"HTTP {answer.status_code}")
                return
            for kind, data in events(answer.iter_lines()):
                if self._ended.is_set():
                    return
                if kind == "hour":
                    self._note(hour=understood(data, LiveHour), told_at=self._clock(), trouble=None)
                else:
                    self._note(trouble=printable(understood(data, Trouble).detail or kind))
        self._note(trouble="the connection ended")

    def _note(self, **changes: Any) -> None:  # noqa: ANN401 - the fields of Seen
        with self._lock:
            self._seen = replace(self._seen, **changes)


def events(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The kind and the data of each server-sent event."""
    kind, data = "message", ""
    for line in lines:
        name, _, value = line.partition(":")
        if not line:
            if data:
                yield kind, data
            kind, data = "message", ""
        elif name == "event":
            kind = value.removeprefix(" ")
        elif name == "data":
            data += value.removeprefix(" ")
