"""A producer that is not ours: records of any content and codec, without key or header."""

import json
from collections.abc import Sequence
from zlib import crc32

from confluent_kafka import Producer

from support.scenarios.ledger import Action, Ledger

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
"""All that librdkafka has."""


def partition_of(user: str, partitions: int) -> int:
    """Where a user lives, as docs/glossary.md says."""
    return crc32(user.encode()) % partitions


class ForeignProducer:
    """What it appends is acknowledged when `append` returns, and recorded so in the ledger."""

    def __init__(self, bootstrap: str, topic: str, ledger: Ledger, codec: str = "none") -> None:
        self._topic = topic
        self._ledger = ledger
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "log_level": 0,
                "compression.codec": codec,
                "message.max.bytes": 2_000_000,
            }
        )

    def append(self, actions: Sequence[Action], partition: int, *, between: Sequence[bytes] = ()) -> None:
        """One record with the actions, and other lines after the first of them."""
        lines = [json.dumps(action).encode() for action in actions]
        self._ledger.sending(actions)
        self.append_value(b"\n".join([*lines[:1], *between, *lines[1:]]), partition)
        self._ledger.was_answered(actions, "acknowledged")

    def append_value(self, value: bytes | None, partition: int) -> None:
        """One record, whatever it holds."""
        outcomes: list[object] = []
        self._producer.produce(
            self._topic, value, partition=partition, on_delivery=lambda error, _message: outcomes.append(error)
        )
        assert self._producer.flush(60) == 0
        assert outcomes == [None]
