"""The loop that one would write by hand for speed: consume, count in Python sets, one POST in flight while decoding.

NOT exact: it commits nothing, keeps its sets in memory only, and loses or repeats counts after kill -9. It reads its
topic from the beginning to the end that it has at the start, prints its figures as JSON, and ends.
"""

import json
import os
import time
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

HOUR_MS = 3_600_000
FLUSH_LINES = 20_000
PARTITIONS = 8


class Action(msgspec.Struct, gc=False):
    """As it is sent."""

    timestamp: int
    user: str
    event: str


class Influx:
    """One connection, used by one other thread: at most one POST is in flight."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc)
        self._thread = ThreadPoolExecutor(1)
        self._in_flight: Future[None] | None = None

    def write(self, bucket: str, lines: list[str]) -> None:
        """Waits for the POST before, and does not wait for this one."""
        self.wait()
        self._in_flight = self._thread.submit(self._post, bucket, lines)

    def wait(self) -> None:
        """Until the POST in flight is acknowledged."""
        if self._in_flight is not None:
            self._in_flight.result()

    def _post(self, bucket: str, lines: list[str]) -> None:
        database, _, policy = bucket.partition("/")
        self._connection.request(
            "POST", "/write?" + urlencode({"db": database, "rp": policy}), "\n".join(lines).encode()
        )
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.NO_CONTENT:
            raise RuntimeError(body)


class Loop:
    """Counts everything of one topic."""

    def __init__(self, influx: Influx, raw_bucket: str, hourly_bucket: str) -> None:
        self._influx, self._raw_bucket, self._hourly_bucket = influx, raw_bucket, hourly_bucket
        self._users: dict[int, set[str]] = defaultdict(set)
        self._counts: dict[tuple[int, str], int] = defaultdict(int)
        self._raw: list[str] = []
        self.number = 0

    def take(self, values: list[bytes], decode: msgspec.json.Decoder[Action]) -> None:
        """Counts records, and sends what it has when that is enough."""
        users, counts, raw, number = self._users, self._counts, self._raw, self.number
        for value in values:
            for action in decode.decode_lines(value):
                timestamp, user, event = action.timestamp, action.user, action.event
                hour = timestamp - timestamp % HOUR_MS
                users[hour].add(user)
                counts[hour, event] += 1
                raw.append(f'actions,event={event} user="{user}" {timestamp * 1_000_000 + number % 1_000_000}')
                number += 1
        self.number = number
        if len(raw) >= FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Raw actions, then every hour's numbers."""
        self._influx.write(self._raw_bucket, self._raw)
        self._raw = []
        hours = [
            f"by_hour unique_users={len(users)}i,clicks={self._counts[hour, 'click']}i,"
            f"impressions={self._counts[hour, 'impression']}i {hour * 1_000_000}"
            for hour, users in self._users.items()
        ]
        self._influx.write(self._hourly_bucket, hours)


def main() -> None:
    """Reads all, once."""
    environment = os.environ
    consumer = Consumer(
        {
            "bootstrap.servers": environment["COLLECTOR_KAFKA_BOOTSTRAP"],
            "group.id": environment["COLLECTOR_CONSUMER_GROUP"],
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 5,
        }
    )
    topic = environment["COLLECTOR_TOPIC"]
    sources = [TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)]
    left = sum(consumer.get_watermark_offsets(source)[1] for source in sources)
    influx = Influx(environment["COLLECTOR_INFLUX_URL"])
    loop = Loop(influx, environment["COLLECTOR_RAW_BUCKET"], environment["COLLECTOR_HOURLY_BUCKET"])
    consumer.assign(sources)
    began, cpu_before, decode = time.monotonic(), time.process_time(), msgspec.json.Decoder(Action)
    while left:
        messages: list[Message] = consumer.consume(20, 0.5)
        left -= len(messages)
        loop.take([message.value() for message in messages], decode)  # type: ignore[misc] # no record is null here
    loop.flush()
    influx.wait()
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu_before
    consumer.close()
    print(json.dumps({"actions/s": loop.number / seconds, "CPU us/action": cpu / loop.number * 1e6}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
