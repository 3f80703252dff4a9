"""How far a partition of a log has been counted: the store's commit point."""

from typing import NamedTuple

import msgspec

from contract.log.action import RULES_VERSION


class LogPartition(NamedTuple):
    """A partition of a log. `log` is the topic's id: a topic created again is another log."""

    log: str
    partition: int

    def __str__(self) -> str:
        """As messages name it."""
        return f"partition {self.partition} of log {self.log}"


def log_of(topic_id: str) -> str:
    """A topic's id as Kafka itself writes it: URL-safe base64. librdkafka's text has `+` and `/` instead."""
    return topic_id.replace("+", "-").replace("/", "_")


class RecordMark(msgspec.Struct, frozen=True):
    """What identifies a record: its timestamp (ms since the epoch) and the CRC-32 of its value."""

    timestamp: int
    crc: int


class Progress(msgspec.Struct, frozen=True):
    """Everything up to and including `through_offset` is in the store."""

    through_offset: int = -1
    lines: int = 0
    """Lines read so far, rejected and lost ones too: the next line's number (`seq`)."""
    rejected: dict[str, int] = {}
    """Lines rejected so far, by code."""
    lost: int = 0
    """Records that retention removed before anyone read them; each counts as one line."""
    watermark: int = -1
    """Highest record timestamp so far, ms since the epoch; -1 before the first record."""
    rules: int = RULES_VERSION
    """Version of the log's rules that the lines were judged by."""
    mark: RecordMark | None = None
    """The record at `through_offset`; None where there is none (nothing read yet, or lost to retention)."""
    rebuilt: int = -1
    """Offset of the last rebuild's record that took effect; -1: none did."""
