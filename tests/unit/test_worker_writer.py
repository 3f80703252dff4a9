import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from zlib import crc32

import pytest
from worker_world import (
    AWAY,
    HOUR,
    LOG,
    SOURCE,
    FakeIdentity,
    FakeSink,
    Journal,
    WatchedStore,
    click,
    no_pause,
    numbered_places,
    quiet,
    record,
    record_of,
    timeless,
)

from contract.action import RULES_VERSION
from contract.errors import LogReplaced, LogTruncated, RulesTooOld, StateUnreadable, StoreConflict
from contract.progress import LogPartition, Progress, RecordMark
from contract.record import Record
from contract.store import ProgressPoint, WindowPoint
from contract.window import WindowValue
from stream_workers.flush import Flusher
from stream_workers.retry import Abandoned, Retry
from stream_workers.writer import Received, Writer

GENERATION = 3
INTERVAL = 0.5
A_LONG_TIME = 100.0


class Mailbox:
    """A queue that can end, as an agent's does when it is cancelled."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Received | None] = asyncio.Queue()

    def put(self, *records: Record, generation: int = GENERATION) -> None:
        for one in records:
            self._queue.put_nowait(Received(generation, one))

    def end(self) -> None:
        self._queue.put_nowait(None)

    def empty(self) -> bool:
        return self._queue.empty()

    def __len__(self) -> int:
        return self._queue.qsize()

    def get_nowait(self) -> Received:
        return self._received(self._queue.get_nowait())

    async def get(self) -> Received:
        return self._received(await self._queue.get())

    @staticmethod
    def _received(received: Received | None) -> Received:
        if received is None:
            raise StopAsyncIteration
        return received


class Kit:
    """A writer whose surroundings are watched."""

    def __init__(self, flush_lines: int = 1_000, window_memory: int = 10**9) -> None:
        self.journal = Journal()
        self.store = WatchedStore(self.journal)
        self.sink = FakeSink(self.journal)
        self.mailbox = Mailbox()
        self.committed: dict[int, int] = {}
        retry = Retry(no_pause)
        self.writer = Writer(
            self.store,
            Flusher(self.store, self.sink, FakeIdentity(self.journal), retry, asyncio.gather),
            retry,
            self._commit,
            numbered_places(),
            flush_interval=INTERVAL,
            flush_lines=flush_lines,
            window_memory=window_memory,
        )

    async def _commit(self, offsets: Mapping[int, int]) -> None:
        await self.journal.begin("commit")
        self.committed |= offsets
        self.journal.end("commit")

    async def take(self, partition: int = 0, *, end: int = 1_000, beginning: int = 0) -> int:
        return await self.writer.take(LogPartition(LOG, partition), beginning, end, GENERATION)

    @asynccontextmanager
    async def running(self, *partitions: int) -> AsyncIterator["asyncio.Task[None]"]:
        """The writer at work on these partitions."""
        for partition in partitions:
            await self.take(partition)
        self.journal.done.clear()
        task = asyncio.create_task(self.writer.run(self.mailbox))
        await quiet()
        yield task
        task.cancel()
        await asyncio.wait({task})

    async def store_progress(self, progress: Progress, partition: int = 0) -> None:
        await self.store.write_progress([ProgressPoint(LogPartition(LOG, partition), 10**6, progress)])

    def clicks(self, partition: int = 0) -> int:
        """Clicks of HOUR as far as progress says."""
        source = LogPartition(LOG, partition)
        progress = self.store.stored(source)
        limit = -1 if progress is None else progress.through_offset
        found = [
            value
            for (key, hour, _), value in self.store.windows.items()
            if (key, hour) == (source, HOUR) and value.through_offset <= limit
        ]
        return max(found, key=lambda value: value.through_offset).counts.get("click", 0) if found else 0


def clicks(*offsets: int, partition: int = 0) -> list[Record]:
    """Records of one click each."""
    return [record(offset, click("ada"), partition=partition) for offset in offsets]


def cause_of(task: "asyncio.Task[None]") -> BaseException | None:
    """What stopped a writer; it comes in a group."""
    error = task.exception()
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


# take


@timeless
async def test_a_partition_that_nobody_counted_is_read_from_its_beginning() -> None:
    kit = Kit()
    assert await kit.take() == 0
    assert kit.writer.partitions == [0]
    assert kit.store.progress == {}


@timeless
async def test_a_partition_is_read_on_from_the_stores_progress() -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    await kit.store_progress(Progress(70, mark=RecordMark(1, 2)), partition=1)
    assert (await kit.take(0), await kit.take(1)) == (50, 70)


@timeless
async def test_the_progress_that_a_worker_starts_from_is_acknowledged_under_its_own_place_first() -> None:
    kit, seen = Kit(), Progress(49, lines=60, watermark=HOUR)
    await kit.store_progress(seen)
    kit.journal.hold("progress")
    taking = asyncio.create_task(kit.take())
    await quiet()
    assert not taking.done()
    assert kit.writer.partitions == []

    kit.journal.let("progress")

    assert await taking == 50
    assert len(kit.store.progress) == 2
    assert set(map(repr, kit.store.progress.values())) == {repr(seen)}


@timeless
async def test_taking_over_waits_for_a_store_that_is_away() -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    kit.journal.failures["read progress"] = [AWAY] * 7
    kit.journal.failures["progress"] = [AWAY] * 7
    assert await kit.take() == 50


@timeless
async def test_lost_records_are_stored_as_progress_before_anything_is_read() -> None:
    kit = Kit()
    await kit.store_progress(Progress(9, lines=10))
    assert await kit.take(beginning=50) == 50
    assert kit.store.stored() == Progress(49, lines=50, lost=40)


@pytest.mark.parametrize(
    ("progress", "error"), [(Progress(1_000), LogTruncated), (Progress(5, rules=RULES_VERSION + 1), RulesTooOld)]
)
@timeless
async def test_a_log_that_progress_does_not_fit_is_refused(progress: Progress, error: type[Exception]) -> None:
    kit = Kit()
    await kit.store_progress(progress)
    with pytest.raises(error):
        await kit.take()
    assert kit.writer.partitions == []


@pytest.mark.parametrize("held", ["read progress", "progress"])
@timeless
async def test_a_partition_that_is_taken_away_while_it_is_taken_over_is_given_up(held: str) -> None:
    kit = Kit()
    await kit.store_progress(Progress(49))
    kit.journal.hold(held)
    taking = asyncio.create_task(kit.take())
    await quiet()
    await kit.writer.release(A_LONG_TIME)
    kit.journal.let(held)
    with pytest.raises(Abandoned):
        await taking
    assert kit.writer.partitions == []


# run


@timeless
async def test_what_the_mailbox_holds_is_counted_stored_and_committed() -> None:
    kit = Kit()
    async with kit.running(0, 1):
        kit.mailbox.put(*clicks(0, 1, 2), *clicks(0, partition=1), record_of(3, b"poison"))
        await kit.writer.settle()
    assert (kit.clicks(0), kit.clicks(1)) == (3, 1)
    assert kit.committed == {0: 4, 1: 1}
    assert [line.value for line in kit.sink.lines] == [b"poison"]


@timeless
async def test_a_flush_begins_when_its_interval_is_over() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0))
        await quiet()
        assert "verify" not in kit.journal.begun
        await asyncio.sleep(INTERVAL * 2)
        assert kit.clicks() == 1


@timeless
async def test_a_flush_begins_at_once_when_enough_lines_wait() -> None:
    kit = Kit(flush_lines=3)
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1))
        await quiet()
        assert "verify" not in kit.journal.begun
        kit.mailbox.put(*clicks(2))
        await quiet()
        assert kit.clicks() == 3


@timeless
async def test_offsets_are_committed_after_progress_is_stored() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0))
        await kit.writer.settle()
    assert kit.journal.done[-2:] == ["progress", "commit"]


@timeless
async def test_what_was_stored_is_not_committed_while_progress_is_uncertain() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(A_LONG_TIME)
        assert kit.journal.done[-1] != "commit"
        assert kit.committed == {}
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.committed == {0: 1}


@timeless
async def test_folding_goes_on_during_a_flush() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.put(*clicks(1, 2))
        await quiet()
        assert kit.mailbox.empty()
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 3


@timeless
async def test_records_fetched_in_another_generation_are_dropped() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0), generation=GENERATION - 1)
        kit.mailbox.put(*clicks(0))
        kit.mailbox.put(*clicks(1), generation=GENERATION + 1)
        await kit.writer.settle()
    assert kit.clicks() == 1
    assert kit.committed == {0: 1}


@timeless
async def test_records_of_a_partition_that_is_not_owned_are_dropped() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, partition=7))
        await kit.writer.settle()
    assert kit.store.windows == {}
    assert kit.committed == {}


@timeless
async def test_windows_that_cannot_be_loaded_are_tried_again() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.failures["read windows"] = [AWAY] * 5
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_windows_beyond_the_memory_allowed_are_evicted_after_a_flush_and_count_on() -> None:
    kit = Kit(window_memory=1)
    async with kit.running(0):
        for offset in range(3):
            kit.mailbox.put(*clicks(offset))
            await kit.writer.settle()
    assert kit.journal.done.count("read windows") == 3
    assert kit.clicks() == 3


@timeless
async def test_the_end_of_the_mailbox_ends_the_work() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.mailbox.put(*clicks(0))
        kit.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
        assert task.exception() is None


@timeless
async def test_the_end_of_the_mailbox_ends_a_flush_that_is_under_way() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.end()
        await asyncio.wait_for(task, A_LONG_TIME)
    assert kit.store.progress == {}


@pytest.mark.parametrize("error", [StoreConflict("conflict"), LogReplaced("anew")], ids=["conflict", "replaced"])
@timeless
async def test_an_error_that_no_retry_helps_ends_the_work(error: Exception) -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.failures["verify"] = [error]
        kit.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error
    assert kit.committed == {}


@timeless
async def test_a_stored_state_that_cannot_be_read_ends_the_work() -> None:
    kit, error = Kit(), StateUnreadable("of a version to come")
    async with kit.running(0) as task:
        kit.journal.failures["read windows"] = [error]
        kit.mailbox.put(*clicks(0))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert cause_of(task) is error


@timeless
async def test_another_record_where_progress_remembers_one_ends_the_work() -> None:
    kit = Kit()
    await kit.store_progress(Progress(0, lines=1, mark=RecordMark(HOUR, crc32(b"the one"))))
    async with kit.running(0) as task:
        kit.mailbox.put(record_of(0, b"another"), *clicks(1))
        await asyncio.wait({task}, timeout=A_LONG_TIME)
        assert isinstance(cause_of(task), LogTruncated)
    assert kit.store.windows == {}


# settle


@timeless
async def test_a_writer_with_nothing_to_do_is_settled() -> None:
    kit = Kit()
    await kit.writer.settle()
    async with kit.running(0):
        await kit.writer.settle()


@timeless
async def test_settling_does_not_wait_for_the_interval() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1, 2))
        began = asyncio.get_running_loop().time()
        await kit.writer.settle()
        assert asyncio.get_running_loop().time() == began


@pytest.mark.parametrize("held", ["verify", "actions", "windows", "progress", "commit", "read windows"])
@timeless
async def test_a_writer_is_not_settled_before_all_that_it_received_is_stored_and_committed(held: str) -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold(held)
        kit.mailbox.put(*clicks(0, 1))
        settling = asyncio.create_task(kit.writer.settle())
        await asyncio.sleep(A_LONG_TIME)
        assert not settling.done()
        assert not kit.writer.idle
        kit.journal.let(held)
        await settling
        assert kit.writer.idle
    assert kit.mailbox.empty()
    assert kit.clicks() == 2
    assert kit.committed == {0: 2}


@timeless
async def test_settling_takes_in_what_comes_meanwhile() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        settling = asyncio.create_task(kit.writer.settle())
        await quiet()
        kit.mailbox.put(*clicks(1))
        kit.journal.let("progress")
        await settling
    assert kit.committed == {0: 2}


@timeless
async def test_what_another_owner_has_stored_ahead_of_us_does_not_keep_a_writer_from_settling() -> None:
    kit = Kit()
    async with kit.running(0):
        await window_of_another_owner(kit, through_offset=50)
        kit.mailbox.put(*clicks(0, 1, 2))
        await kit.writer.settle()
    assert kit.committed == {}


# release


@timeless
async def test_a_release_stores_and_commits_what_was_folded_and_forgets_all_partitions() -> None:
    kit = Kit()
    async with kit.running(0, 1):
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(A_LONG_TIME)
        assert kit.clicks() == 2
        assert kit.committed == {0: 2}
        assert kit.writer.partitions == []


@timeless
async def test_a_release_is_bounded_where_the_store_is_away() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("windows")
        kit.mailbox.put(*clicks(0))
        began = asyncio.get_running_loop().time()
        await kit.writer.release(5.0)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)
        assert kit.writer.partitions == []


@timeless
async def test_a_flush_that_outlives_the_release_stores_no_progress_and_commits_nothing() -> None:
    kit = Kit()
    async with kit.running(0) as task:
        kit.journal.hold("windows")
        kit.mailbox.put(*clicks(0))
        await kit.writer.release(5.0)
        kit.journal.let("windows")
        await asyncio.sleep(A_LONG_TIME)
        assert not task.done()
    assert kit.store.progress == {}
    assert kit.committed == {}


@timeless
async def test_a_load_that_outlives_the_release_counts_nothing() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("read windows")
        kit.mailbox.put(*clicks(0))
        await kit.writer.release(5.0)
        await kit.take()
        kit.journal.let("read windows")
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_what_lay_in_the_mailbox_at_a_release_is_dropped_and_counted_by_the_next_owner() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.journal.hold("read windows")
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(5.0)
        kit.journal.let("read windows")
        await quiet()
        assert kit.mailbox.empty()
        assert kit.store.windows == {}
        await kit.take()
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.settle()
    assert kit.clicks() == 2


@timeless
async def test_a_partition_that_comes_back_goes_on_from_what_its_last_owner_stored() -> None:
    kit = Kit()
    async with kit.running(0):
        kit.mailbox.put(*clicks(0, 1))
        await kit.writer.release(A_LONG_TIME)
        assert await kit.take() == 1
        kit.mailbox.put(*clicks(1, 2))
        await kit.writer.settle()
    assert kit.clicks() == 3


# back pressure


@timeless
async def test_reading_stops_at_twice_the_flush_lines_while_a_flush_hangs() -> None:
    kit = Kit(flush_lines=10)
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(0))
        await asyncio.sleep(INTERVAL * 2)
        kit.mailbox.put(*clicks(*range(1, 101)))
        await asyncio.sleep(A_LONG_TIME)
        assert len(kit.mailbox) == 100 - 20
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 101


@timeless
async def test_what_a_flush_has_taken_no_longer_stops_the_reading() -> None:
    kit = Kit(flush_lines=10)
    async with kit.running(0):
        kit.journal.hold("progress")
        kit.mailbox.put(*clicks(*range(100)))
        await asyncio.sleep(A_LONG_TIME)
        assert len(kit.mailbox) == 100 - 20 - 20
        kit.journal.let("progress")
        await kit.writer.settle()
    assert kit.clicks() == 100


@timeless
async def test_reading_does_not_stop_where_no_flush_may_end_yet() -> None:
    """Else nothing would ever move: the window of another owner is reached by reading on only."""
    kit = Kit(flush_lines=2)
    async with kit.running(0):
        await window_of_another_owner(kit, through_offset=50)
        kit.mailbox.put(*clicks(*range(50)))
        await kit.writer.settle()
        assert kit.committed == {}
        kit.mailbox.put(*clicks(50, 51))
        await kit.writer.settle()
    assert kit.committed == {0: 52}
    assert kit.clicks() == 52


@timeless
async def test_a_partition_that_may_not_flush_yet_does_not_stop_the_others() -> None:
    kit = Kit(flush_lines=2)
    async with kit.running(0, 1):
        await window_of_another_owner(kit, through_offset=50)
        for offset in range(20):
            kit.mailbox.put(*clicks(offset), *clicks(offset, partition=1))
        await kit.writer.settle()
    assert kit.clicks(1) == 20
    assert kit.committed == {1: 20}


async def window_of_another_owner(kit: Kit, through_offset: int) -> None:
    """Partition 0 was counted through an offset by somebody who had it before us, but took his time."""
    value = WindowValue(through_offset, {"click": through_offset + 1}, 0, 1, 8, 8)
    await kit.store.write_windows([WindowPoint(SOURCE, HOUR, 10**6, value)], [])
    await kit.store_progress(Progress(through_offset))
