"""A record's lines: actions by hour, and what is none."""

from collections.abc import Iterator
from typing import NamedTuple, Self

from contract.hour import HOUR_MS
from contract.log.action import Action, Rejection
from contract.log.progress import LogPartition
from contract.log.record import Record, lines_of


class RejectedLine(NamedTuple):
    """A line that is no action, with where it stands; `line` counts from 0 within its record."""

    source: LogPartition
    offset: int
    line: int
    value: bytes
    code: str


class DecodedRecord(NamedTuple):
    """A record's lines, and the actions among them by hour."""

    lines: list[Action | Rejection]
    by_hour: dict[int, list[Action]]

    @classmethod
    def of(cls, record: Record) -> Self:
        """Never raises: whatever cannot be read is a rejected line."""
        lines = lines_of(record)
        by_hour: dict[int, list[Action]] = {}
        hour, actions = -HOUR_MS, []
        for line in lines:
            if type(line) is Action:
                timestamp = line.timestamp
                # Most lines are of the hour of the line before: two comparisons take half the time of a look-up.
                if not hour <= timestamp < hour + HOUR_MS:
                    hour = timestamp - timestamp % HOUR_MS
                    actions = by_hour.setdefault(hour, [])
                actions.append(line)
        return cls(lines, by_hour)


def rejected_lines(source: LogPartition, record: Record, lines: list[Action | Rejection]) -> Iterator[RejectedLine]:
    """Those of a record's lines that are no actions, as they stand in it."""
    value = record.value or b""
    texts = value.split(b"\n")
    for number, line in enumerate(lines):
        if isinstance(line, Rejection):
            # A rule of the record, not of one of its lines, is broken by all of it.
            text = value if line.code.startswith("record_") else texts[number]
            yield RejectedLine(source, record.offset, number, text, line.code)
