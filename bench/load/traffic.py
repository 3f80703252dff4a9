"""Synthetic actions, and the numbers they must come to, counted independently of the product."""

import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from confluent_kafka import Producer

HOUR_MS = 3_600_000
LATE = 0.05
LATE_HOURS = 47


class Made(NamedTuple):
    """One action, without the names of its fields."""

    timestamp: int
    user: str
    event: str

    def line(self) -> bytes:
        """As JSON."""
        return b'{"timestamp":%d,"user":"%b","event":"%b"}' % (self.timestamp, self.user.encode(), self.event.encode())


class Numbers(NamedTuple):
    """The business answer for one hour."""

    unique_users: int
    clicks: int
    impressions: int


def this_hour() -> int:
    """Its start, ms since the epoch."""
    return time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS


def each_user_once(hour: int, users: int) -> Iterator[Made]:
    """One action per user, all in one hour, every second one a click: an oracle needs no memory for them."""
    return (
        Made(hour + number % HOUR_MS, f"user-{number}", "impression" if number % 2 else "click")
        for number in range(users)
    )


def make(seed: int, number: int, users: int, late: float = LATE) -> list[Made]:
    """A share of them in the 47 hours before the current one; the rest in the current hour, up to now."""
    rng = random.Random(seed)  # noqa: S311 - synthetic traffic needs no secrecy
    now = time.time_ns() // 1_000_000
    current = now // HOUR_MS * HOUR_MS
    draw, below = rng.random, rng.randrange
    return [
        Made(
            current - below(1, LATE_HOURS * HOUR_MS) if draw() < late else below(current, now + 1),
            f"user-{below(users)}",
            "click" if draw() < 0.5 else "impression",  # noqa: PLR2004 - a half
        )
        for _ in range(number)
    ]


def count(made: Iterable[Made]) -> dict[int, Numbers]:
    """By hour, ms since the epoch."""
    users: dict[int, set[str]] = defaultdict(set)
    events: dict[tuple[int, str], int] = defaultdict(int)
    for timestamp, user, event in made:
        hour = timestamp - timestamp % HOUR_MS
        users[hour].add(user)
        events[hour, event] += 1
    return {
        hour: Numbers(len(those), events[hour, "click"], events[hour, "impression"]) for hour, those in users.items()
    }


def records(made: Iterable[Made], lines: int, partitions: int) -> Iterator[tuple[int, bytes]]:
    """(partition, value) with `lines` lines each, except the last of each partition; partitions interleaved."""
    waiting: list[list[bytes]] = [[] for _ in range(partitions)]
    for action in made:
        partition = crc32(action.user.encode()) % partitions
        waiting[partition].append(action.line())
        if len(waiting[partition]) == lines:
            yield partition, b"\n".join(waiting[partition]) + b"\n"
            waiting[partition] = []
    for partition, rest in enumerate(waiting):
        if rest:
            yield partition, b"\n".join(rest) + b"\n"


def fill(
    bootstrap: str, topic: str, values: Iterable[tuple[int, bytes]], partitions: int, *, traced: int | None = None
) -> None:
    """Appends records, as a producer that uses the header does; the key is the first line's user.

    One in `traced` of them also has the context of a span that is recorded.
    """
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "compression.type": "zstd",
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    header: list[tuple[str, str | bytes | None]] = [("partitions", b"%d" % partitions)]
    for number, (partition, value) in enumerate(values, 1):
        of_trace = [("traceparent", b"00-%032x-%016x-01" % (number, number))] if traced and not number % traced else []
        producer.produce(topic, value, _user_of(value), partition=partition, headers=[*header, *of_trace])
        producer.poll(0)
    if left := producer.flush(60):
        raise RuntimeError(f"Kafka did not take {left} records")


def _user_of(value: bytes) -> bytes:
    return value.split(b'"user":"', 1)[1].split(b'"', 1)[0]
