"""Reading an hour's answer, in the order that makes its completeness true."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aggregator.end_offsets.cache import EndOffsetsCache
from aggregator.hours.completeness import Completeness, completeness_of, is_behind, is_outdated
from aggregator.hours.totals import HourTotals, Windows, add_up, each_user_has_one_window
from aggregator.hours.unique_users import HourUsers
from aggregator.metrics import ReadingMetrics
from aggregator.settings import ReadingSettings
from contract.errors import StateUnreadable, StoreUnavailable
from contract.log.progress import LogPartition, Progress
from contract.store import StoreReader
from stores.committed import Committed, read_committed_hours


@dataclass(frozen=True, slots=True)
class Answer:
    """An hour's numbers, and how complete they are."""

    hour: int
    totals: HourTotals
    completeness: Completeness
    lost: int
    """Records that retention removed from any log before they were counted: no hour's numbers hold their actions."""
    windows: Windows
    """The committed windows that the numbers are made of."""
    progress: Mapping[LogPartition, Progress]
    """What they hold, at least."""


class HourReader:
    """Answers for hours from the store, and from the end offsets in Kafka."""

    def __init__(
        self, store: StoreReader, end_offsets: EndOffsetsCache, metrics: ReadingMetrics, settings: ReadingSettings
    ) -> None:
        self._store = store
        self._end_offsets = end_offsets
        self._metrics = metrics
        self._settings = settings
        self._under_way: dict[int, asyncio.Task[Answer]] = {}

    async def read(self, hour: int) -> Answer:
        """The answer for the hour that starts at `hour` (ms since the epoch).

        Whoever asks for an hour that is being read gets that answer: most ask for the current one, and an answer tells
        itself when its reading began. Raises StoreUnavailable, also when the store takes too long, and StateUnreadable.
        """
        reading = self._under_way.get(hour)
        if reading is None:
            reading = self._under_way[hour] = asyncio.create_task(self.read_once(hour, HourUsers()))
            reading.add_done_callback(lambda _: self._under_way.pop(hour))
        # One reader that hangs up must not end the reading of the others.
        return await asyncio.shield(reading)

    async def completeness(self) -> tuple[Completeness, Mapping[LogPartition, Progress]]:
        """How complete an answer would be, and what is counted; no hour is read for it.

        Raises StoreUnavailable and StateUnreadable; the store may take as long as it likes.
        """
        end_offsets = await self._end_offsets.latest()
        progress = await self._store.read_progress()
        if end_offsets is not None and is_behind(end_offsets, progress) and await self._was_cut(progress):
            end_offsets = None
        return completeness_of(0, end_offsets, progress, self._settings.aggregator_final_margin), progress

    async def read_once(self, hour: int, users: HourUsers) -> Answer:
        """A reading of its own. Where users cannot be added up, `users` reads on from where it stood.

        They are of this hour, and in no other reading under way. Raises as `read` does.
        """
        (answer,) = await self.read_hours([hour], users)
        return answer

    async def read_hours(self, hours: Sequence[int], users: HourUsers | None = None) -> list[Answer]:
        """One reading of several hours, in this order. Raises as `read` does.

        First the clock and the log's ends, then progress, then windows: any other order takes records for counted that
        arrived in between. `users`: who counts users that cannot be added up; None: each hour's are read anew.
        """
        end_offsets = await self._end_offsets.latest()
        try:
            progress, windows, totals = await self._read_store(hours, users)
        except StoreUnavailable as error:
            self._metrics.store_errors.labels(error.reason).inc()
            raise
        except StateUnreadable:
            self._metrics.store_errors.labels("state_unreadable").inc()
            raise
        furthest = _furthest(progress.values())
        if end_offsets is not None and (
            is_outdated(end_offsets, furthest) or (is_behind(end_offsets, furthest) and await self._was_cut(furthest))
        ):
            end_offsets = None
        margin = self._settings.aggregator_final_margin
        answers = [
            Answer(
                hour,
                totals[hour],
                completeness_of(hour, end_offsets, progress[hour], margin),
                sum(counted.lost for counted in progress[hour].values()),
                windows[hour],
                progress[hour],
            )
            for hour in hours
        ]
        if answers[0].completeness.complete_through is None:
            self._metrics.incomplete.inc()
        return answers

    async def _was_cut(self, progress: Mapping[LogPartition, Progress]) -> bool:
        """Whether the log ends below its progress: no worker counts on there, whatever is acknowledged meanwhile."""
        later = await self._end_offsets.refresh()
        return later is None or is_behind(later, progress)

    async def _read_store(
        self, hours: Sequence[int], users: HourUsers | None
    ) -> tuple[dict[int, dict[LogPartition, Progress]], dict[int, Windows], dict[int, HourTotals]]:
        limit = self._settings.aggregator_store_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                committed = await read_committed_hours(self._store, hours)
                windows = {hour: _windows_of(committed[hour]) for hour in hours}
                totals = {hour: await self._add_up(hour, windows[hour], users) for hour in hours}
        except TimeoutError as error:
            raise StoreUnavailable(f"no answer within {limit} s", reason="timeout") from error
        # Hours may differ: one that was read again has a later progress.
        progress = {hour: {source: found.progress for source, found in committed[hour].items()} for hour in hours}
        return progress, windows, totals

    async def _add_up(self, hour: int, windows: Windows, users: HourUsers | None) -> HourTotals:
        if each_user_has_one_window(windows):
            return add_up(windows)
        return add_up(windows, await (users or HourUsers()).count(self._store, hour, windows))


def _furthest(of_hours: Iterable[Mapping[LogPartition, Progress]]) -> dict[LogPartition, Progress]:
    furthest: dict[LogPartition, Progress] = {}
    for progress in of_hours:
        for source, counted in progress.items():
            if source not in furthest or counted.through_offset > furthest[source].through_offset:
                furthest[source] = counted
    return furthest


def _windows_of(committed: Mapping[LogPartition, Committed]) -> Windows:
    return {source: found.window for source, found in committed.items() if found.window is not None}
