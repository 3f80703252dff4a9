"""One audit from beginning to end: what is stored at one moment, the log up to there, then the answers."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from collector.audit.answers import Answers, Covered, aggregator_client, ask_for_hours
from collector.audit.compare import (
    RecountedTotals,
    progress_differences,
    reason_not_to_compare,
    reason_not_to_read,
    reason_not_whole,
    whole_windows,
    window_differences,
)
from collector.audit.recount import Recount
from collector.audit.verdict import Difference, NotJudged, Verdict
from collector.hour_range import HourRange
from collector.options import trusting
from collector.retention import Retained, retained_of
from collector.target import Target
from contract.errors import CollectorError, LogNotRetained, LogTruncated
from contract.hour import END_OF_TIME_MS, format_hour
from contract.log.progress import LogPartition, Progress
from contract.store import Store
from kafka_log.reader import LogReader
from service.clock import wall_clock
from stores.committed_hours import CommittedHours, read_committed_between
from stores.opening import open_store

_READINGS: Final = 20

Stored = dict[int, CommittedHours | None]
"""By partition; None: its progress kept moving."""
Planned = Callable[[int], None]
"""Called with the number of offsets that will be read."""
Advanced = Callable[[int], None]
"""Called with the number of offsets read since the last call."""


class Audit:
    """One audit, in this order, as the log never changes below an offset.

    1. progress and windows of each partition, at one moment: more may be counted while the audit goes on;
    2. the log up to that progress, counted again; each window must be what this gives;
    3. the answers, for the hours whose windows did not change since.

    The log is read with blocking calls, outside any event loop, so that Ctrl-C ends them.
    """

    def __init__(self, target: Target, hours: HourRange, headers: Mapping[str, str] | None = None) -> None:
        """`headers`: what the aggregator is sent, such as a key. Connects to nothing yet."""
        self._headers = headers or {}
        self._target = target
        self._hours = hours
        settings = target.settings
        self._log = LogReader(settings, settings.topic)
        self._totals = RecountedTotals()
        self._expected: dict[int, dict[LogPartition, int]] = {}
        self._differences: list[Difference] = []
        self._not_judged: list[NotJudged] = []
        self._through: dict[int, int] = {}
        self._whole_from: dict[int, int] = {}
        self._windows_only: list[int] = []
        self._records = self._lines = self._windows = 0

    def run(self, planned: Planned, advanced: Advanced) -> Verdict:
        """Runs the audit. Raises what Kafka and the store raise when they are unavailable."""
        try:
            log, partitions = self._log.identify()
            stored, old_logs = asyncio.run(self._read_stored(log, partitions))
            readable = {partition: found for partition in partitions if (found := self._readable(partition, stored))}
            planned(sum(found.progress.through_offset + 1 for found in readable.values()))
            for partition, found in readable.items():
                self._recount(log, partition, found, advanced)
            self._log.verify(log)
        finally:
            self._log.close()
        if not self._not_judged and (reason := self._nothing_judged()):
            self._not_judged.append(NotJudged(None, f"log {log}: {reason}"))
        answers = self._answers(log)
        return Verdict(
            log=log,
            through_offsets=self._through,
            records=self._records,
            lines=self._lines,
            windows=self._windows,
            answers=len(answers.settled),
            moving=list(map(format_hour, answers.moving)),
            old_logs=old_logs,
            of_old_logs=list(map(format_hour, answers.of_old_logs)),
            whole_from=_hours_by_partition(self._whole_from),
            windows_only=list(map(format_hour, self._windows_only)),
            differences=self._differences,
            not_judged=self._not_judged,
        )

    async def _read_stored(self, log: str, partitions: list[int]) -> tuple[Stored, list[str]]:
        store = self._store()
        try:
            old_logs = {source.log for source in await store.read_progress()} - {log}
            stored = {
                partition: await read_committed_between(store, LogPartition(log, partition), *self._hours, _READINGS)
                for partition in partitions
            }
        finally:
            await store.close()
        return stored, sorted(old_logs)

    def _nothing_judged(self) -> str | None:
        if not self._through:
            return "nothing of it has been counted yet"
        return "it holds no hour whole that was counted" if self._whole_from and not self._windows else None

    def _readable(self, partition: int, stored: Stored) -> CommittedHours | None:
        """What is stored of a partition, if that can be judged."""
        found = stored[partition]
        reason = reason_not_to_read(f"partition {partition}", found, self._log.extent(partition).end)
        if reason is not None:
            self._not_judged.append(NotJudged(partition, reason))
            return None
        return found if found is not None and found.progress.through_offset >= 0 else None

    def _recount(self, log: str, partition: int, stored: CommittedHours, advanced: Advanced) -> None:
        where, progress = f"partition {partition}", stored.progress
        try:
            retained = self._retained(partition, progress)
            reason = reason_not_whole(where, self._hours, retained)
            if reason is None:
                recount = self._counted_again(partition, progress, retained, advanced)
                reason = reason_not_to_compare(where, progress, recount, retained.first)
        except (LogNotRetained, LogTruncated) as error:
            reason = str(error)
        if reason is not None:
            self._not_judged.append(NotJudged(partition, reason))
            return
        stored = whole_windows(stored, retained)
        if not retained.first:
            self._differences += progress_differences(partition, progress, recount)
        self._differences += window_differences(partition, stored, recount)
        self._through[partition] = progress.through_offset
        self._records += recount.records
        self._lines += recount.lines
        self._windows += len(stored.windows.keys() | recount.hours.keys())
        self._totals.add(recount.hours)
        for hour in stored.windows.keys() | recount.hours.keys():
            self._expected.setdefault(hour, {})
        for hour, window in stored.windows.items():
            self._expected[hour][LogPartition(log, partition)] = window.through_offset

    def _retained(self, partition: int, progress: Progress) -> Retained:
        tolerance = self._target.settings.ingest_future_tolerance
        retained = retained_of(self._log, partition, progress.through_offset, progress, tolerance)
        if retained.first:
            self._whole_from[partition] = retained.whole_from
        return retained

    def _counted_again(self, partition: int, progress: Progress, retained: Retained, advanced: Advanced) -> Recount:
        recount, at = Recount(self._hours.later_than(retained.whole_from)), -1
        for record in self._log.records(partition, progress.through_offset, retained.first):
            recount.add(record)
            advanced(record.offset - at)
            at = record.offset
        return recount

    def _answers(self, log: str) -> Answers:
        if self._not_judged:
            # An answer covers all partitions, and they were not all counted again.
            return Answers({}, [], [])
        whole = max(self._whole_from.values(), default=0)
        expected = {hour: covered for hour, covered in self._expected.items() if hour >= whole}
        self._windows_only = sorted(self._expected.keys() - expected.keys())
        try:
            answers = asyncio.run(self._ask(log, expected))
            if unequal := self._unequal(answers):
                # Readers share an answer in progress: it may have begun before we asked. A second one cannot have.
                again = asyncio.run(self._ask(log, {hour: expected[hour] for hour in unequal}))
                answers = answers.corrected_by(again, unequal)
        except CollectorError as error:
            self._not_judged.append(NotJudged(None, str(error)))
            return Answers({}, [], [])
        self._differences += (
            Difference("answer", format_hour(hour), None, answers.settled[hour], self._totals.of(hour))
            for hour in self._unequal(answers)
        )
        return answers

    def _unequal(self, answers: Answers) -> list[int]:
        return sorted(hour for hour, numbers in answers.settled.items() if numbers != self._totals.of(hour))

    async def _ask(self, log: str, expected: Mapping[int, Covered]) -> Answers:
        store = self._store()
        try:
            async with aggregator_client(
                self._target.aggregator_url, self._headers, trusting(self._target.trusted)
            ) as client:
                return await ask_for_hours(store, client, log, expected)
        finally:
            await store.close()

    def _store(self) -> Store:
        return open_store(self._target.settings, wall_clock)


def _hours_by_partition(whole_from: Mapping[int, int]) -> dict[int, str | None]:
    return {partition: format_hour(hour) if hour < END_OF_TIME_MS else None for partition, hour in whole_from.items()}
