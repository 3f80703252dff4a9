"""A Quix Streams app as its documents teach: a stateful function over keyed messages, and a batching sink.

One action a message, keyed by user. The state tells whether a user was seen in an hour; the sink writes raw actions and
the hours' numbers at each checkpoint. NOT exact after kill -9: the sums are in the sink's memory.

`python bench/baselines/quix_app.py NUMBER` reads that many messages, prints its figures as JSON and ends. The time runs
from the first message to the end of the last checkpoint.
"""

import json
import os
import sys
import time
from collections import defaultdict
from http import HTTPStatus
from http.client import HTTPConnection
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlencode, urlsplit

from quixstreams import Application, State  # type: ignore[import-not-found] # it is installed for this program only
from quixstreams.sinks import BatchingSink, SinkBatch  # type: ignore[import-not-found] # it is installed for this program only

HOUR_MS = 3_600_000


class InfluxSink(BatchingSink):  # type: ignore[misc] # its class is unknown to the checker
    """Writes each batch's actions, and all hours' numbers as they are by then."""

    def __init__(self, url: str, raw_bucket: str, hourly_bucket: str) -> None:
        super().__init__()
        self._connection = HTTPConnection(urlsplit(url).netloc)
        self._raw_bucket, self._hourly_bucket = raw_bucket, hourly_bucket
        self._hours: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._number = 0

    def write(self, batch: SinkBatch) -> None:
        """One partition's actions since the last checkpoint."""
        raw = []
        for item in batch:
            timestamp, user, event = item.value["timestamp"], item.value["user"], item.value["event"]
            numbers = self._hours[timestamp - timestamp % HOUR_MS]
            numbers["users"] += item.value["first_seen"]
            numbers[event] += 1
            raw.append(f'actions,event={event} user="{user}" {timestamp * 1_000_000 + self._number % 1_000_000}')
            self._number += 1
        self._post(self._raw_bucket, raw)
        hours = [
            f"by_hour unique_users={numbers['users']}i,clicks={numbers['click']}i,"
            f"impressions={numbers['impression']}i {hour * 1_000_000}"
            for hour, numbers in self._hours.items()
        ]
        self._post(self._hourly_bucket, hours)

    def _post(self, bucket: str, lines: list[str]) -> None:
        database, _, policy = bucket.partition("/")
        self._connection.request(
            "POST", "/write?" + urlencode({"db": database, "rp": policy}), "\n".join(lines).encode()
        )
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.NO_CONTENT:
            raise RuntimeError(body)


class Stopwatch:
    """Runs from the first message."""

    def __init__(self) -> None:
        self.began: float | None = None
        self.cpu_before = 0.0

    def start_once(self) -> None:
        """Starts unless it runs."""
        if self.began is None:
            self.began, self.cpu_before = time.monotonic(), time.process_time()


def main() -> None:
    """Reads from the beginning of the topic."""
    number, environment, watch = int(sys.argv.pop()), os.environ, Stopwatch()
    app = Application(
        broker_address=environment["COLLECTOR_KAFKA_BOOTSTRAP"],
        consumer_group=environment["COLLECTOR_CONSUMER_GROUP"],
        auto_offset_reset="earliest",
        state_dir=mkdtemp(),
        loglevel="WARNING",
    )
    actions = app.dataframe(
        app.topic(environment["COLLECTOR_TOPIC"], key_deserializer="str", value_deserializer="json")
    )

    def mark_first_seen(action: dict[str, Any], state: State) -> dict[str, Any]:
        watch.start_once()
        hour = str(action["timestamp"] // HOUR_MS)
        action["first_seen"] = not state.exists(hour)
        if action["first_seen"]:
            state.set(hour, value=True)
        return action

    sink = InfluxSink(
        environment["COLLECTOR_INFLUX_URL"], environment["COLLECTOR_RAW_BUCKET"], environment["COLLECTOR_HOURLY_BUCKET"]
    )
    actions.apply(mark_first_seen, stateful=True).sink(sink)
    app.run(count=number, collect=False)
    assert watch.began is not None
    seconds, cpu = time.monotonic() - watch.began, time.process_time() - watch.cpu_before
    print(json.dumps({"actions/s": number / seconds, "CPU us/action": cpu / number * 1e6}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
