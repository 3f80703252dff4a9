"""A reader of the product's own parts, and what must be true of each of its answers."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aggregator.hours import totals as hour_totals
from aggregator.hours.unique_users import HourUsers
from contract.log.progress import LogPartition, Progress
from contract.windows.hashes import hash_of_user, unpack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores import committed
from support.simulation.hostile_store import HostileStore
from support.simulation.log import SimulatedLog


class NoLoop:
    """What stands in for asyncio where the product reads users: the scheduler of the simulation is no event loop."""

    @staticmethod
    async def gather(*reads: Coroutine[Any, None, Any]) -> list[Any]:
        try:
            return [await read for read in reads]
        finally:
            for read in reads:
                read.close()

    @staticmethod
    async def to_thread(function: Callable[..., None], *arguments: Any) -> None:
        function(*arguments)


async def read_and_judge(store: HostileStore, logs: dict[str, SimulatedLog], hour: int, users: HourUsers) -> None:
    """Reads an hour as the aggregator does; others may have their turn in between.

    `users` are new ones, or those of the hour's reading before.
    """
    found = await committed.read_committed(store, hour)
    windows = {source: window for source, (_, window) in found.items() if window is not None}
    for source, (progress, window) in found.items():
        if _is_damaged(logs, source, hour, progress):
            continue
        _judge_window(logs[source.log], source, progress, window or WindowValue(), hour)
    union = None if hour_totals.each_user_has_one_window(windows) else await users.count(store, hour, windows)
    # Others may have gone on since the windows were read: these are found as they were.
    segments = {
        source: await committed.read_committed_segments(store, hour, source, window)
        for source, window in windows.items()
    }
    # Damage may have happened since the windows were read.
    if not any(_is_damaged(logs, source, hour, one.progress) for source, one in found.items()):
        _judge_answer(logs, windows, hour_totals.add_up(windows, union), hour)
        for source, window in windows.items():
            _judge_users(logs[source.log], source, window, segments[source], hour)


def _is_damaged(logs: dict[str, SimulatedLog], source: LogPartition, hour: int, progress: Progress) -> bool:
    return logs[source.log].is_damaged(source.partition, hour, progress.through_offset)


def _judge_window(log: SimulatedLog, source: LogPartition, progress: Progress, window: WindowValue, hour: int) -> None:
    """The window is right for the offset that it names, and the hour has nothing more up to progress."""
    expected = log.numbers(source.partition, window.through_offset, hour)
    found = window.counts, window.duplicates, window.unique_users
    assert found == (expected.counts, expected.duplicates, len(expected.users)), (source, window)
    assert log.has_nothing_of(hour, source.partition, window.through_offset, progress.through_offset), "stale"
    assert progress.lines == len(log.lines(source.partition, progress.through_offset))


def _judge_users(
    log: SimulatedLog, source: LogPartition, window: WindowValue, segments: Sequence[Segment], hour: int
) -> None:
    """The users that a load of the window finds are those of the log up to its offset, not only as many."""
    expected = log.numbers(source.partition, window.through_offset, hour).users
    found = {user for segment in segments for user in unpack_hashes(segment.users).tolist()}
    assert found == set(map(hash_of_user, expected)), (source, window)


def _judge_answer(
    logs: dict[str, SimulatedLog], windows: hour_totals.Windows, totals: hour_totals.HourTotals, hour: int
) -> None:
    """The hour's numbers are those of all logs, as far as their windows go; each user counts once."""
    counts: dict[str, int] = {}
    duplicates, users = 0, set()
    for source, window in windows.items():
        expected = logs[source.log].numbers(source.partition, window.through_offset, hour)
        for event, number in expected.counts.items():
            counts[event] = counts.get(event, 0) + number
        duplicates += expected.duplicates
        users |= expected.users
    assert totals == hour_totals.HourTotals(counts, len(users), duplicates), windows
