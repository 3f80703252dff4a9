"""Each question of a load is asked again by itself while the store is away; nothing else is swallowed."""

from collections.abc import Callable, Mapping

import pytest

from contract.errors import StateUnreadable, StoreConflict
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, StoreReader, WindowPoint
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import read_loads
from stores.memory import MemoryStore
from stream_workers.retry import Abandoned, RetryPolicy
from stream_workers.retrying_reader import LONGEST_READ_DELAY, RetryingReader
from support.fixtures.virtual_clock import timeless
from support.fixtures.worker import AWAY, HOUR, SOURCE, no_pause
from support.fixtures.writer import WriterFixture, clicks, window_of_another_owner

HOURS = [HOUR, HOUR - 1_000 * HOUR_MS, HOUR - 2_000 * HOUR_MS]
"""So far apart that each is a question."""
QUESTIONS = 1 + len(HOURS) + 1 + 1
"""Progress, windows, progress again, segments."""


class AskedStore(MemoryStore):
    """Counts its questions; those that `refused` has an error for, by their number, get that instead of an answer."""

    def __init__(self, refused: Callable[[int], Exception | None] = lambda _number: None) -> None:
        super().__init__()
        self.asked = 0
        self._refused = refused

    async def read_progress(self, source: LogPartition | None = None) -> dict[LogPartition, Progress]:
        self._ask()
        return await super().read_progress(source)

    async def read_windows_between(self, first: int, end: int, source: LogPartition | None = None) -> list[WindowPoint]:
        self._ask()
        return await super().read_windows_between(first, end, source)

    async def read_segments_of_hours(
        self, source: LogPartition, windows: Mapping[int, WindowValue]
    ) -> dict[int, list[Segment]]:
        self._ask()
        return await super().read_segments_of_hours(source, windows)

    def _ask(self) -> None:
        number, self.asked = self.asked, self.asked + 1
        if (error := self._refused(number)) is not None:
            raise error


def every_other(number: int) -> Exception | None:
    return AWAY if number % 2 == 0 else None


async def filled(store: AskedStore) -> AskedStore:
    """It holds a window of each hour."""
    stored = WindowValue(4, {"click": 3}, 0, 1, 8, 8)
    await store.write_windows([WindowPoint(SOURCE, hour, 1, stored) for hour in HOURS], [])
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(4))])
    return store


def retrying(
    store: StoreReader, retry: RetryPolicy | None = None, still_ours: Callable[[], bool] = lambda: True
) -> RetryingReader:
    return RetryingReader(store, retry or RetryPolicy(no_pause), "load", still_ours)


async def test_a_load_of_a_store_that_refuses_every_other_question_takes_twice_the_questions() -> None:
    calm, stormy = await filled(AskedStore()), await filled(AskedStore(every_other))

    found = await read_loads(retrying(stormy), HOURS, SOURCE, {})

    assert found == await read_loads(calm, HOURS, SOURCE, {})
    assert (calm.asked, stormy.asked) == (QUESTIONS, 2 * QUESTIONS)


@pytest.mark.parametrize("number", range(QUESTIONS))
@pytest.mark.parametrize("error", [StateUnreadable("of a version to come"), StoreConflict("no such text")])
async def test_an_error_that_time_does_not_heal_is_raised_at_once(number: int, error: Exception) -> None:
    store = await filled(AskedStore(lambda asked: error if asked == number else None))

    with pytest.raises(type(error)):
        await read_loads(retrying(store), HOURS, SOURCE, {})

    assert store.asked == number + 1


@pytest.mark.parametrize("number", range(QUESTIONS))
async def test_what_is_no_longer_ours_is_asked_for_no_more(number: int) -> None:
    store, ours = await filled(AskedStore(lambda asked: AWAY if asked >= number else None)), [True]

    async def taken_away_meanwhile(_seconds: float) -> None:
        ours.clear()

    with pytest.raises(Abandoned):
        await read_loads(retrying(store, RetryPolicy(taken_away_meanwhile), lambda: bool(ours)), HOURS, SOURCE, {})

    assert store.asked == number + 1


async def test_pauses_between_questions_stay_short() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    store = await filled(AskedStore(lambda asked: AWAY if asked < 9 else None))
    await retrying(store, RetryPolicy(pause)).read_progress()

    assert len(pauses) == 9
    assert max(pauses) == pauses[-1] == LONGEST_READ_DELAY


@timeless
async def test_a_writer_that_loads_asks_again_only_for_what_was_refused() -> None:
    fixture = WriterFixture()
    await window_of_another_owner(fixture, 4)
    async with fixture.running(0):
        fixture.journal.begun.clear()
        fixture.journal.failures["read segments"] = [AWAY] * 5
        fixture.mailbox.put(*clicks(*range(5, 8)))
        await fixture.writer.settle()

    assert fixture.clicks() == 8
    assert [fixture.journal.begun.count(f"read {what}") for what in ("progress", "windows", "segments")] == [2, 1, 6]
