"""A load generator for HTTP/1.1 on raw asyncio sockets: a client library would be slower than what it measures."""

import asyncio
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, cast

from bench.case import WrongResult

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"
_GRACE_SECONDS: Final = 30.0
"""How long after its end a load waits for answers."""


@dataclass(slots=True)
class Answers:
    """What came back: how often each request was answered as it should be, and how long that took."""

    times: Counter[int] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    """Seconds, in no order; at a set rate from when the request was due, so that a stalled server is not spared."""
    seconds: float = 0.0

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the answers kept."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def request(method: str, target: str, body: bytes = b"", content_type: str = "", key: str = "") -> bytes:
    """One request, as it goes over the wire."""
    head = f"{method} {target} HTTP/1.1\r\nhost: localhost\r\n"
    if key:
        head += f"authorization: Bearer {key}\r\n"
    if body:
        head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


class Load:
    """Sends `requests` round-robin over keep-alive connections.

    Without a rate each connection sends its next request when it has its answer; with one, requests are due at even
    times, whatever the server does, and wait for a free connection: the one that has been free for longest, as servers
    close those that stay silent. With `drops_late`, what is due and not sent by the end never is. Any answer that does
    not begin with `expected` fails the run.
    """

    def __init__(
        self, requests: Sequence[bytes], expected: bytes, *, rate: float | None = None, drops_late: bool = False
    ) -> None:
        self._requests = requests
        self._expected = b"HTTP/1.1 " + expected
        self._rate = rate
        self._drops_late = drops_late
        self._sent = 0
        self._due: deque[float] = deque()
        self._idle: deque[_Connection] = deque()
        self._end = 0.0
        self.answers = Answers()

    async def run(self, port: int, connections: int, seconds: float) -> Answers:
        """Returns once every request that was sent is answered."""
        loop = asyncio.get_running_loop()
        began = perf_counter()
        self._end = began + seconds
        opened = [
            (await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port))[1] for _ in range(connections)
        ]
        ticking = loop.create_task(self._tick(began)) if self._rate else None
        async with asyncio.timeout(seconds + _GRACE_SECONDS):
            await asyncio.gather(*(connection.done for connection in opened))
        if ticking is not None:
            await ticking
        self.answers.seconds = perf_counter() - began
        return self.answers

    def next(self, connection: "_Connection", now: float) -> None:
        """Gives a free connection its next request, lets it wait, or ends it."""
        is_over = now >= self._end
        if self._due and not (is_over and self._drops_late):
            due = self._due.popleft()
        elif is_over:
            connection.end()
            return
        elif self._rate is None:
            due = now
        else:
            self._idle.append(connection)
            return
        index = self._sent % len(self._requests)
        self._sent += 1
        connection.send(index, self._requests[index], due)

    def take(self, index: int, latency: float, answer: bytes) -> None:
        """Counts an answer."""
        if not answer.startswith(self._expected):
            raise WrongResult(f"answered {answer[:300]!r}")
        self.answers.times[index] += 1
        self.answers.latencies.append(latency)

    async def _tick(self, began: float) -> None:
        number = 0
        assert self._rate is not None
        while (due := began + number / self._rate) < self._end:
            await asyncio.sleep(due - perf_counter())
            self._due.append(due)
            number += 1
            if self._idle:
                self.next(self._idle.popleft(), perf_counter())
        await asyncio.sleep(self._end - perf_counter())
        # It may wake a millisecond early: whoever has an answer by then must not wait for another request.
        self._end = min(self._end, perf_counter())
        for connection in self._idle:
            connection.end()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._held = b""
        self._index = -1
        self._due = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one by behaviour only
        self._load.next(self, perf_counter())

    def send(self, index: int, data: bytes, due: float) -> None:
        self._index, self._due, self._held = index, due, b""
        self._transport.write(data)

    def end(self) -> None:
        self._index = -1
        self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._held = self._held + data if self._held else data
        if not _is_whole(self._held):
            return
        now = perf_counter()
        try:
            self._load.take(self._index, now - self._due, self._held)
        except WrongResult as wrong:
            self.done.set_exception(wrong)
            self._transport.close()
            return
        self._load.next(self, now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongResult(f"the server closed a connection: {exc}"))


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(_HEAD_END)
    if not end:
        return False
    names = head.lower()
    if b"\r\ntransfer-encoding: chunked" in names:
        return body.endswith(b"0\r\n\r\n")
    at = names.find(_LENGTH)
    return len(body) >= (0 if at < 0 else int(names[at + len(_LENGTH) :].split(b"\r\n", 1)[0]))
