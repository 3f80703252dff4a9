"""Where a partition resumes: the store's progress, checked against what the log still has."""

import logging
from typing import Final

import msgspec

from contract.errors import LogTruncated, RulesTooOld
from contract.log.action import RULES_VERSION
from contract.log.progress import LogPartition, Progress
from contract.log.record import Record, mark_of

logger = logging.getLogger(__name__)

COMMITTED_ONLY_SINCE: Final = 2
"""Version of the rules. Progress of earlier ones may lie beyond `end`, within a transaction that is still open."""


def resume_from(source: LogPartition, stored: Progress | None, beginning: int, end: int) -> Progress:
    """The progress to start from, for a log that holds the offsets from `beginning` up to, not including, `end`.

    `end` is where the first open transaction begins, if there is one.

    Records that retention removed before anyone read them are counted as lost. Raises RulesTooOld and LogTruncated.
    """
    progress = stored or Progress()
    if progress.rules > RULES_VERSION:
        raise RulesTooOld(
            f"{source}: progress was counted under version {progress.rules} of the log's rules; "
            f"this worker knows version {RULES_VERSION}: run the newer one"
        )
    if progress.through_offset >= end and progress.rules >= COMMITTED_ONLY_SINCE:
        raise LogTruncated(
            f"{source}: progress says offset {progress.through_offset} was counted, but the log ends before {end}: "
            "it was truncated; restore it, or delete the topic and create it again"
        )
    lost = beginning - (progress.through_offset + 1)
    if lost < 0:
        return progress
    if lost == 0:
        # The last record that was counted is gone too: nobody can read it once more.
        return msgspec.structs.replace(progress, mark=None)
    logger.error(
        "%s: %d records up to offset %d are lost: retention removed them unread",
        source,
        lost,
        beginning - 1,
        extra={"partition": source.partition, "offset": beginning - 1},
    )
    return msgspec.structs.replace(
        progress,
        through_offset=beginning - 1,
        lines=progress.lines + lost,
        lost=progress.lost + lost,
        mark=None,
    )


def first_offset(progress: Progress) -> int:
    """Where to read from: the record at `through_offset` once more if it can be recognised, else the next one."""
    return progress.through_offset if progress.mark is not None else progress.through_offset + 1


def require_same_record(source: LogPartition, start: Progress, record: Record) -> None:
    """Raises LogTruncated unless the record at the offset of `start` is the one that was counted."""
    found = mark_of(record)
    if start.mark not in (None, found):
        raise LogTruncated(
            f"{source}: the record at offset {record.offset} is {found}, not {start.mark} as progress remembers: "
            "the log was truncated and written again"
        )
