"""What was found in a log's records, and what it means to those who run the producers."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

_GUIDE: Final = "docs/producers.md"


class Mistake(StrEnum):
    """What a producer can do wrong."""

    ELSEWHERE = "users_elsewhere"
    OTHER_COUNT = "other_partition_count"
    REJECTED = "rejected"
    NO_HEADER = "no_header"
    NO_ID = "no_id"


ALLOWED: Final = (Mistake.NO_HEADER, Mistake.NO_ID)
"""Such records are counted exactly, at a price; all else makes numbers wrong, or loses lines."""

_NAMES: Final = {
    Mistake.ELSEWHERE: "users on another partition than theirs",
    Mistake.OTHER_COUNT: "another partition count than the topic's in the header",
    Mistake.REJECTED: "refused",
    Mistake.NO_HEADER: "no header `partitions`, or one that is no number",
    Mistake.NO_ID: "no id",
}

_MEANING: Final = {
    Mistake.ELSEWHERE: (
        "An id that is also sent to the API, or by a producer with another partitioner, counts twice: partition by "
        "CRC-32 of the user modulo the partition count. (Records from before partitions were added show here, too, "
        "where no header tells their count.)"
    ),
    Mistake.OTHER_COUNT: (
        "Right if they were written before partitions were added; then look at later hours only, by --from. Else an id "
        "that is sent again may count twice, and so may a user: have the producer ask Kafka for the count."
    ),
    Mistake.REJECTED: "Counted nowhere; the topic of rejected lines has each one. Mend the producer.",
    Mistake.NO_HEADER: (
        "Counted exactly, but whoever asks for such an hour waits until all its users are read. Add the header, but "
        "only to records that are partitioned by CRC-32."
    ),
    Mistake.NO_ID: "Counted exactly, but sent again they count again.",
}


class Example(msgspec.Struct, frozen=True):
    """Where one was seen."""

    partition: int
    offset: int
    line: int | None
    """Its number within the record, from 0; None: the record as a whole."""
    what: str
    """What it was, in words, with its value cut."""

    def __str__(self) -> str:
        line = "" if self.line is None else f" line {self.line}"
        return f"partition {self.partition} offset {self.offset}{line}: {self.what}"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A mistake, and how often it was seen."""

    mistake: Mistake
    lines: int
    records: int
    """How many records have such lines."""
    latest: Example
    code: str | None = None
    """Of the log's rules, where the lines are rejected."""
    as_java: int | None = None
    """How many of the lines lie where Java's default partitioner, murmur2, puts their users."""

    def __str__(self) -> str:
        kind = "allowed" if self.mistake in ALLOWED else "wrong"
        name = _NAMES[self.mistake] + (f" ({self.code})" if self.code else "")
        where = f"{_number(self.lines, 'line')} in {_number(self.records, 'record')}"
        return f"{kind}: {name}: {where}. {_MEANING[self.mistake]}{self._cause()} The latest: {self.latest}"

    def _cause(self) -> str:
        if not self.as_java:
            return ""
        return f" Of these lines, where murmur2, the default of Java's producers, puts the user: {self.as_java:,}."


class Diagnosis(msgspec.Struct, frozen=True):
    """All that was found in the records that were looked at."""

    topic: str
    partitions: int
    records: int
    lines: int
    findings: list[Finding]
    """The worst first."""

    @property
    def is_healthy(self) -> bool:
        """Whether no producer loses lines, or makes numbers wrong."""
        return all(finding.mistake in ALLOWED for finding in self.findings)

    def as_json(self) -> bytes:
        """One object."""
        fields = {"healthy": self.is_healthy, **{name: getattr(self, name) for name in self.__struct_fields__}}
        return msgspec.json.format(msgspec.json.encode(fields))

    def text(self) -> Iterator[str]:
        """Lines for people."""
        yield from map(str, self.findings)
        verdict = "healthy" if self.is_healthy else f"not healthy, see {_GUIDE}"
        looked_at = f"{_number(self.lines, 'line')} in {_number(self.records, 'record')}"
        yield f"{verdict}: looked at {looked_at} of topic {self.topic}, {_number(self.partitions, 'partition')}"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
