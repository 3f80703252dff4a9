"""What an audit found, for people and programs."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from contract.shown import shown_text

_SHOWN: Final = 100


class Outcome(StrEnum):
    """The verdict in a word."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_JUDGED = "not_judged"


EXIT_CODES: Final = {Outcome.EQUAL: 0, Outcome.DIFFERENT: 1, Outcome.NOT_JUDGED: 2}


class Numbers(msgspec.Struct, frozen=True, omit_defaults=True):
    """One side's numbers for an hour; a partition's window also has the partition counts that its headers named."""

    counts: dict[str, int]
    duplicates: int
    unique_users: int
    fewest_partitions: int | None = None
    most_partitions: int | None = None

    def __str__(self) -> str:
        counts = "".join(f" {shown_text(event)}={count}" for event, count in sorted(self.counts.items()))
        headers = "" if self.fewest_partitions is None else f" headers={self.fewest_partitions}..{self.most_partitions}"
        return f"unique_users={self.unique_users}{counts} duplicates={self.duplicates}{headers}"


class Lines(msgspec.Struct, frozen=True):
    """One side's numbers for a partition's lines, over all hours."""

    lines: int
    rejected: dict[str, int]
    watermark: int
    """Highest record timestamp, ms since the epoch."""

    def __str__(self) -> str:
        return f"lines={self.lines} rejected={dict(sorted(self.rejected.items()))} watermark={self.watermark}"


class Difference(msgspec.Struct, frozen=True):
    """Something that differs from the log."""

    what: str
    """`window`: a stored window; `answer`: what the aggregator answers; `progress`: a partition's lines."""
    hour: str | None
    partition: int | None
    """None for an answer: it covers all partitions."""
    stored: Numbers | Lines | None
    """What is stored, or answered; None: nothing."""
    recounted: Numbers | Lines | None
    """What the log gives; None: nothing."""

    def __str__(self) -> str:
        where = " ".join(
            [self.hour or "all hours", "all partitions" if self.partition is None else f"partition {self.partition}"]
        )
        verb = "answered" if self.what == "answer" else "stored"
        return f"{where} {self.what}: {verb} {self.stored or 'nothing'}; recounted {self.recounted or 'nothing'}"


class NotJudged(msgspec.Struct, frozen=True):
    """A partition, or everything (None), that could not be compared with the log, and why."""

    partition: int | None
    reason: str


class Verdict(msgspec.Struct, frozen=True):
    """All that was found."""

    log: str | None = None
    through_offsets: dict[int, int] = {}
    """By partition: how far the log was counted again; stored values are those of this moment."""
    records: int = 0
    lines: int = 0
    windows: int = 0
    """Windows that were compared: hours of partitions."""
    answers: int = 0
    """Hours whose answers were compared."""
    moving: list[str] = []
    """Hours that were still being counted: their windows were compared, their answers could not be."""
    old_logs: list[str] = []
    """Logs from before the topic was re-created: they can't be read again, so they are not judged."""
    of_old_logs: list[str] = []
    """Hours that also hold actions of old logs: their answers could not be compared."""
    whole_from: dict[int, str | None] = {}
    """By partition whose beginning retention removed: the first hour that its log still holds whole, if one is known.

    Earlier hours of it were not judged, nor how many lines there ever were.
    """
    windows_only: list[str] = []
    """Hours that the logs of some partitions hold whole: their windows there were compared, no answers could be."""
    differences: list[Difference] = []
    not_judged: list[NotJudged] = []

    @property
    def outcome(self) -> Outcome:
        """A difference counts, whatever else could not be judged."""
        if self.differences:
            return Outcome.DIFFERENT
        return Outcome.NOT_JUDGED if self.not_judged else Outcome.EQUAL

    def as_json(self) -> bytes:
        """One object."""
        fields = {"outcome": self.outcome, **{name: getattr(self, name) for name in self.__struct_fields__}}
        return msgspec.json.format(msgspec.json.encode(fields))

    def text(self) -> Iterator[str]:
        """Lines for people."""
        for difference in self.differences[:_SHOWN]:
            yield f"differs: {difference}"
        if len(self.differences) > _SHOWN:
            yield f"differs: {len(self.differences) - _SHOWN} more; --json lists them all"
        for one in self.not_judged:
            yield f"not judged: {one.reason}"
        if self.moving:
            yield f"still being counted, answers not compared: {_in_short(self.moving)}"
        if self.old_logs:
            hours = f"; answers not compared: {_in_short(self.of_old_logs)}" if self.of_old_logs else ""
            yield f"not judged, as the topic has been re-created since: {', '.join(self.old_logs)}{hours}"
        if self.whole_from:
            yield f"not judged, as the log no longer holds all of them: {_gone(self.whole_from)}"
        if self.windows_only:
            hours = _in_short(self.windows_only)
            yield f"compared by windows of the other partitions only, as answers cover all partitions: {hours}"
        yield (
            f"{self.outcome.replace('_', ' ')}: {self.windows:,} windows and {self.answers:,} answers against "
            f"{self.lines:,} lines in {self.records:,} records"
        )


def _gone(whole_from: Mapping[int, str | None]) -> str:
    """Partitions by the hours that they lack: most often, retention comes to all of them at once."""
    lacking: dict[str | None, list[int]] = {}
    for partition, hour in whole_from.items():
        lacking.setdefault(hour, []).append(partition)
    return ", ".join(f"{_hours_before(hour)} of {_named(partitions)}" for hour, partitions in lacking.items())


def _hours_before(hour: str | None) -> str:
    return "all hours" if hour is None else f"hours before {hour}"


def _named(partitions: Sequence[int]) -> str:
    return f"partition{'s' if len(partitions) > 1 else ''} {', '.join(map(str, partitions))}"


def _in_short(hours: Sequence[str]) -> str:
    return hours[0] if len(hours) == 1 else f"{len(hours)} hours from {hours[0]} to {hours[-1]}"
