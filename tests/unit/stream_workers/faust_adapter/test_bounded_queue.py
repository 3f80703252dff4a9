import asyncio
from types import SimpleNamespace

from mode.utils.queues import FlowControlEvent

from stream_workers.faust_adapter.bounded_queue import BoundedQueue
from support.fixtures.worker import quiet


def event(size: int | None) -> SimpleNamespace:
    return SimpleNamespace(message=SimpleNamespace(value=None if size is None else bytes(size)))


def queue(records: int = 10, max_bytes: int = 100) -> BoundedQueue:
    return BoundedQueue(maxsize=records, max_bytes=max_bytes, flow_control=FlowControlEvent(initially_suspended=False))


async def test_it_is_full_by_bytes_and_waits_until_some_are_taken() -> None:
    bounded = queue()
    await bounded.put(event(99))
    await bounded.put(event(500))
    assert bounded.full()
    waiting = asyncio.create_task(bounded.put(event(1)))
    await quiet()
    bounded.get_nowait()
    await quiet()
    assert not waiting.done()
    bounded.get_nowait()
    await waiting
    assert bounded.qsize() == 1
    assert not bounded.full()


async def test_it_is_full_by_records_whatever_they_weigh() -> None:
    bounded = queue(records=2)
    for size in (0, None):
        assert not bounded.full()
        await bounded.put(event(size))
    assert bounded.full()


async def test_what_a_rebalance_clears_no_longer_weighs() -> None:
    bounded = queue()
    await bounded.put(event(1_000))
    bounded.clear()
    assert not bounded.full()
    await bounded.put(event(99))
    assert not bounded.full()
