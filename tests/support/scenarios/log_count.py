"""The log decides what is right: a plain consumer reads all of it, and it is counted here."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Message, TopicPartition

from support.scenarios.ledger import Action, Key, key_of

ANSWER_WITHIN = 30.0
MAX_BYTES = 512 * 1024
"""A larger record is one rejected line."""


@dataclass
class HourCount:
    """One hour, as the aggregator should answer."""

    clicks: int = 0
    impressions: int = 0
    duplicates: int = 0
    users: set[str] = field(default_factory=set)

    @property
    def lines(self) -> int:
        return self.clicks + self.impressions + self.duplicates

    def answer(self) -> dict[str, int]:
        return {
            "clicks": self.clicks,
            "impressions": self.impressions,
            "duplicates": self.duplicates,
            "unique_users": len(self.users),
        }


@dataclass
class LogCount:
    """What the log holds."""

    keys: set[Key] = field(default_factory=set)
    lines: int = 0
    rejected: int = 0
    """Lines that are no action; a record that is none as a whole is one line."""
    hours: dict[int, HourCount] = field(default_factory=lambda: defaultdict(HourCount))

    @property
    def duplicates(self) -> int:
        return sum(hour.duplicates for hour in self.hours.values())

    def add_record(self, value: bytes | None) -> None:
        whole = value is not None and 0 < len(value) <= MAX_BYTES
        for line in value.removesuffix(b"\n").split(b"\n") if value and whole else [b"no action"]:
            self.add(line)

    def add(self, line: bytes) -> None:
        self.lines += 1
        action = action_in(line)
        if action is None:
            self.rejected += 1
            return
        key = key_of(action)
        hour = self.hours[key.hour]
        hour.users.add(key.user)
        if key in self.keys:
            hour.duplicates += 1
            return
        self.keys.add(key)
        if action["event"] == "click":
            hour.clicks += 1
        else:
            hour.impressions += 1

    def add_log(self, other: "LogCount") -> None:
        """Counts of two logs add up; users are the union, and an id that is in both counts in both."""
        self.keys |= other.keys
        self.lines += other.lines
        self.rejected += other.rejected
        for number, more in other.hours.items():
            hour = self.hours[number]
            hour.clicks += more.clicks
            hour.impressions += more.impressions
            hour.duplicates += more.duplicates
            hour.users |= more.users


def action_in(line: bytes) -> Action | None:
    """The action, if the line is one as these tests send them: with an id, and of two events."""
    with suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict) and found.keys() == {"timestamp", "user", "event", "id"}:
            return found
    return None


def consumer(bootstrap: str, group: str, answer_within: float = ANSWER_WITHIN) -> Consumer:
    """One that joins no group, but can ask what a group has committed.

    A broker that does not answer within so many seconds is asked no more.
    """
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "socket.timeout.ms": round(answer_within * 1_000),
            "log_level": 0,
        }
    )


def end_offsets(reader: Consumer, topic: str, answer_within: float = ANSWER_WITHIN) -> dict[int, int]:
    """Each partition's end: the offset that its next record will have. Raises KafkaException without an answer."""
    partitions = reader.list_topics(topic, timeout=answer_within).topics[topic].partitions
    return {
        number: reader.get_watermark_offsets(TopicPartition(topic, number), timeout=answer_within)[1]
        for number in partitions
    }


def count_log(bootstrap: str, topic: str) -> LogCount:
    """Counts all records that the topic holds now."""
    counted = LogCount()
    for message in read_log(bootstrap, topic):
        counted.add_record(message.value())
    return counted


def header_counts(bootstrap: str, topic: str) -> Counter[bytes | None]:
    """How many records were made for how many partitions, as their header says; None: it has none."""
    return Counter(dict(message.headers() or []).get("partitions") for message in read_log(bootstrap, topic))


def read_log(bootstrap: str, topic: str) -> Iterator[Message]:
    """All records that the topic holds now, each partition's in their order."""
    reader = consumer(bootstrap, "reads-all")
    try:
        missing = {number: end for number, end in end_offsets(reader, topic).items() if end > 0}
        reader.assign([TopicPartition(topic, number, 0) for number in missing])
        while missing:
            # It waits for so many, or for so long.
            for message in reader.consume(500, timeout=0.2):
                assert message.error() is None
                yield message
                if message.offset() + 1 >= missing[message.partition()]:
                    del missing[message.partition()]
    finally:
        reader.close()
