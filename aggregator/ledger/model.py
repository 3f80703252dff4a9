"""The ledger: where each line of the log went. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, Field

from aggregator.ledger.books import Totals
from contract.log.progress import Progress

Rejected = Annotated[dict[str, int], Field(description="Lines that break the log's rules, by the rule's code.")]
Lines = Annotated[int, Field(description="Lines read so far; each record that was lost counts as one.")]
Counted = Annotated[int | None, Field(description="Lines counted in any hour; null while in flight.")]
Duplicates = Annotated[
    int | None,
    Field(description="Lines not counted: their (user, id) was counted in their hour before; null while in flight."),
]
Lost = Annotated[int, Field(description="Records that the log's retention removed before they were read.")]
Unread = Annotated[
    int | None, Field(description="Records of the log that are not counted yet; null where that is unknown.")
]


class PartitionLedger(BaseModel):
    """One partition's lines: those that were read, and what became of them."""

    log: str = Field(description="The log's id: a topic that was deleted and created again is another log.")
    partition: int = Field(description="The partition's number.")
    through_offset: int = Field(description="The last offset that is counted; -1: none.")
    lines: Lines
    counted: Counted
    duplicates: Duplicates
    rejected: Rejected
    lost: Lost
    unread: Unread
    balanced: bool | None = Field(
        description="Whether lines = counted + duplicates + rejected + lost; null while in flight."
    )
    in_flight: bool = Field(description="The partition was counted on while it was read: ask again.")

    @classmethod
    def of_still(cls, log: str, partition: int, totals: Totals, end: int | None) -> Self:
        """A partition whose progress stood still while all its committed windows were read."""
        progress, (counted, duplicates) = totals
        told = cls.of_moving(log, partition, progress, end)
        accounted = counted + duplicates + sum(progress.rejected.values()) + progress.lost
        balanced = accounted == progress.lines
        return told.model_copy(
            update={"counted": counted, "duplicates": duplicates, "balanced": balanced, "in_flight": False}
        )

    @classmethod
    def of_moving(cls, log: str, partition: int, progress: Progress, end: int | None) -> Self:
        """A partition whose windows belong to no one progress. `end`: the offset that its next record will get."""
        return cls(
            log=log,
            partition=partition,
            through_offset=progress.through_offset,
            lines=progress.lines,
            counted=None,
            duplicates=None,
            rejected=dict(sorted(progress.rejected.items())),
            lost=progress.lost,
            unread=None if end is None else max(0, end - progress.through_offset - 1),
            balanced=None,
            in_flight=True,
        )


class LedgerTotals(BaseModel):
    """All partitions added up; null where one of them is."""

    lines: Lines
    counted: Counted
    duplicates: Duplicates
    rejected: Rejected
    lost: Lost
    unread: Unread


class Ledger(BaseModel):
    """Where each line went."""

    log: str | None = Field(
        description="The log that the topic is now; null where Kafka cannot be asked: then all logs are listed."
    )
    partitions: list[PartitionLedger] = Field(description="In the order of their numbers.")
    totals: LedgerTotals = Field(description="All partitions added up.")
    balanced: bool | None = Field(
        description="Whether each partition is; null if none is out of balance, but some are in flight."
    )

    @classmethod
    def of(cls, log: str | None, partitions: list[PartitionLedger]) -> Self:
        """The partitions, added up."""
        rejected: Counter[str] = Counter()
        for one in partitions:
            rejected.update(one.rejected)
        totals = LedgerTotals(
            lines=sum(one.lines for one in partitions),
            counted=_sum(one.counted for one in partitions),
            duplicates=_sum(one.duplicates for one in partitions),
            rejected=dict(sorted(rejected.items())),
            lost=sum(one.lost for one in partitions),
            unread=_sum(one.unread for one in partitions),
        )
        found = {one.balanced for one in partitions}
        balanced = False if False in found else None if None in found else True
        return cls(log=log, partitions=partitions, totals=totals, balanced=balanced)


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
