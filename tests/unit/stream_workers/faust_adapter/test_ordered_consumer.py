"""How a fetched record comes into the mailbox."""

import asyncio
from types import SimpleNamespace

from support.fixtures.consumer import ConsumerFixture
from support.fixtures.worker import quiet


def kit_with_mailbox() -> tuple[ConsumerFixture, asyncio.Queue[object]]:
    fixture = ConsumerFixture()
    queue = fixture.consumer.app.FlowControlQueue(maxsize=2)
    fixture.consumer.app.flow_control.resume()
    return fixture, queue


def hand_over(
    fixture: ConsumerFixture, queue: "asyncio.Queue[object]", value: bytes = b"value"
) -> "asyncio.Task[object]":
    """As Faust does it."""

    async def callback() -> None:
        await fixture.consumer.app.flow_control.acquire()
        await queue.put(SimpleNamespace(message=SimpleNamespace(value=value)))

    return asyncio.create_task(fixture.consumer.wait_first(callback(), fixture.consumer.suspend_flow.wait()))


async def test_a_record_is_handed_over_without_a_task_where_there_is_room() -> None:
    fixture, queue = kit_with_mailbox()
    before = asyncio.all_tasks()
    handing = hand_over(fixture, queue)
    await asyncio.sleep(0)
    assert (handing.done(), queue.qsize()) == (True, 1)
    assert asyncio.all_tasks() == before


async def test_a_record_waits_while_the_mailbox_is_full() -> None:
    fixture, queue = kit_with_mailbox()
    for _ in range(2):
        await hand_over(fixture, queue)
    handing = hand_over(fixture, queue)
    await quiet()
    assert (handing.done(), queue.qsize()) == (False, 2)
    queue.get_nowait()
    await handing
    assert queue.qsize() == 2


async def test_a_record_waits_while_the_mailbox_holds_too_many_bytes() -> None:
    fixture, queue = kit_with_mailbox()
    await hand_over(fixture, queue, b"x" * 1_000)
    handing = hand_over(fixture, queue)
    await quiet()
    assert not handing.done()
    queue.get_nowait()
    await handing


async def test_a_record_that_waits_is_dropped_once_the_flow_is_suspended() -> None:
    """It was not handed over: a rebalance does not wait for room in the mailbox."""
    fixture, queue = kit_with_mailbox()
    for _ in range(2):
        await hand_over(fixture, queue)
    handing = hand_over(fixture, queue)
    await quiet()
    fixture.consumer.suspend_flow.set()
    await handing
    queue.get_nowait()
    await quiet()
    assert queue.qsize() == 1


async def test_nothing_is_handed_over_while_the_flow_is_suspended() -> None:
    fixture, queue = kit_with_mailbox()
    fixture.consumer.app.flow_control.suspend()
    fixture.consumer.suspend_flow.set()
    await hand_over(fixture, queue)
    assert queue.qsize() == 0
