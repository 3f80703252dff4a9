"""What good clients do meanwhile."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from threading import Condition, Event, Thread

_LONGEST_SECONDS = 120.0
NOW = 1_700_000_000_000


@dataclass
class Outcomes:
    """What good requests were answered; 0: no answer at all."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    """Seconds."""
    changed: Condition = field(default_factory=Condition)

    def add(self, status: int, seconds: float) -> None:
        with self.changed:
            self.statuses[status] += 1
            self.slowest = max(self.slowest, seconds)
            self.changed.notify_all()

    def wait_for(self, more: int) -> None:
        """Returns once so many more were answered, or failed."""
        with self.changed:
            goal = self.total + more
            assert self.changed.wait_for(lambda: self.total >= goal, _LONGEST_SECONDS)

    @property
    def total(self) -> int:
        return self.statuses.total()

    @property
    def share_of_successes(self) -> float:
        return (self.statuses[200] + self.statuses[204]) / max(1, self.total)


@contextmanager
def good_requests(
    port: int, request: Callable[[HTTPConnection, int], None], *, clients: int = 2, source: str = "127.0.0.1"
) -> Iterator[Outcomes]:
    """Within, clients send one request after the other, each on a connection that it keeps while it lives."""
    outcomes, done, numbers = Outcomes(), Event(), count()

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
        while not done.is_set():
            began = time.monotonic()
            try:
                request(connection, next(numbers))
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, HTTPException):
                connection.close()
                status = 0
            outcomes.add(status, time.monotonic() - began)
        connection.close()

    threads = [Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        done.set()
        for thread in threads:
            thread.join()


def single(connection: HTTPConnection, number: int) -> None:
    connection.request("POST", f"/analytics?timestamp={NOW}&user=u{number}&event=click&id={number}")


def batch_of(lines: int) -> Callable[[HTTPConnection, int], None]:
    """Sends so many good lines again and again."""
    body = b"".join(
        b'{"timestamp":%d,"user":"user-%d","event":"click","id":"%d"}\n' % (NOW, line, line) for line in range(lines)
    )

    def send(connection: HTTPConnection, _: int) -> None:
        connection.request("POST", "/v1/actions", body, {"Content-Type": "application/x-ndjson"})

    return send
