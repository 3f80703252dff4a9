"""One flush: results, and only once all of them are acknowledged, progress."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from contract.store import ProgressPoint, SegmentPoint, StoreWriter
from stream_workers.gather_all import GatherAll
from stream_workers.partition.decoded import RejectedLine
from stream_workers.partition.flush import PartitionFlush
from stream_workers.partition.state import PartitionState
from stream_workers.retry import RetryPolicy


class RejectedSink(Protocol):
    """Where rejected lines go, for people to read."""

    async def publish(self, lines: Sequence[RejectedLine]) -> None:
        """Returns once all lines are kept safe, some perhaps twice. Raises LogUnavailable."""


class LogIdentity(Protocol):
    """Whether the topic is still the one that was read."""

    async def verify(self, log: str) -> None:
        """Raises LogReplaced if the topic has another id by now, LogUnavailable if Kafka does not answer."""


class Flusher:
    """Writes flushes. `still_ours` says whether the partitions of a flush have not been taken away meanwhile."""

    def __init__(
        self,
        store: StoreWriter,
        rejected: RejectedSink,
        identity: LogIdentity,
        retry: RetryPolicy,
        gather_all: GatherAll,
    ) -> None:
        self._store = store
        self._rejected = rejected
        self._identity = identity
        self._retry = retry
        self._gather_all = gather_all

    async def write(self, parts: Sequence[PartitionFlush], still_ours: Callable[[], bool]) -> None:
        """Returns once the store has acknowledged all of it and each state knows.

        Raises Abandoned, LogReplaced and StoreConflict; what was written until then harms nobody.
        """
        for log in {part.state.source.log for part in parts}:
            await self._retry("look at the topic's id", partial(self._identity.verify, log), still_ours=still_ours)
        await self._gather_all(
            self._write_actions(parts, still_ours),
            self._write_windows(parts, still_ours),
            self._publish_rejected(parts, still_ours),
        )
        await self.write_progress([part.state for part in parts], still_ours)
        for part in parts:
            part.state.committed(part)

    async def write_progress(self, states: Sequence[PartitionState], still_ours: Callable[[], bool]) -> None:
        """Stores each state's progress, under its own slot; a slot whose write is uncertain is never used again."""

        def draw_slots() -> None:
            for state in states:
                state.progress_slot = state.draw_slot()

        async def attempt() -> None:
            await self._store.write_progress(
                [ProgressPoint(state.source, state.progress_slot, state.progress) for state in states]
            )

        await self._retry("store progress", attempt, still_ours=still_ours, on_unknown=draw_slots)

    async def _write_actions(self, parts: Sequence[PartitionFlush], still_ours: Callable[[], bool]) -> None:
        batches = [part.raw for part in parts if part.raw.lines]
        if batches:
            await self._retry("store actions", lambda: self._store.write_actions(batches), still_ours=still_ours)

    async def _write_windows(self, parts: Sequence[PartitionFlush], still_ours: Callable[[], bool]) -> None:
        """Segments first: only then values.

        Two owners around a rebuild may count an hour on from different values: a value of ours can then be covered by
        the other's progress, and that says nothing of our segments.
        """
        await self._write_segments([segment for part in parts for segment in part.segments], still_ours)

        def draw_slots() -> None:
            for part in parts:
                part.draw_window_slots()

        async def attempt() -> None:
            await self._store.write_windows([point for part in parts for point in part.window_points()], [])

        await self._retry("store windows", attempt, still_ours=still_ours, on_unknown=draw_slots)

    async def _write_segments(self, segments: Sequence[SegmentPoint], still_ours: Callable[[], bool]) -> None:
        if segments:
            await self._retry("store segments", lambda: self._store.write_windows([], segments), still_ours=still_ours)

    async def _publish_rejected(self, parts: Sequence[PartitionFlush], still_ours: Callable[[], bool]) -> None:
        lines = [line for part in parts for line in [*part.rejected, *part.refused]]
        if lines:
            await self._retry("publish rejected lines", lambda: self._rejected.publish(lines), still_ours=still_ours)
