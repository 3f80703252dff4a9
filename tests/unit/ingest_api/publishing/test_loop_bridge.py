import asyncio
from collections.abc import Callable
from threading import Thread

from ingest_api.publishing.loop_bridge import LoopBridge


class CountingLoop:
    """Stands for an event loop that is busy: it keeps what shall be called, until it is let go."""

    def __init__(self) -> None:
        self.called: list[Callable[[], None]] = []

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.called.append(callback)

    def run(self) -> None:
        for callback in self.called:
            callback()
        self.called.clear()


def test_a_burst_wakes_the_loop_once() -> None:
    loop, received = CountingLoop(), list[int]()
    bridge = LoopBridge[int](loop, received.append)  # type: ignore[arg-type] # the one method that is used
    for number in range(1000):
        bridge.put(number)
    assert len(loop.called) == 1
    loop.run()
    assert received == list(range(1000))


def test_what_comes_after_the_loop_emptied_the_queue_wakes_it_again() -> None:
    loop, received = CountingLoop(), list[int]()
    bridge = LoopBridge[int](loop, received.append)  # type: ignore[arg-type] # the one method that is used
    bridge.put(1)
    loop.run()
    bridge.put(2)
    assert len(loop.called) == 1
    loop.run()
    assert received == [1, 2]


def test_what_comes_while_the_loop_empties_the_queue_is_not_forgotten() -> None:
    loop, received = CountingLoop(), list[int]()

    def receive(number: int) -> None:
        received.append(number)
        if number < 3:
            bridge.put(number + 1)

    bridge = LoopBridge[int](loop, receive)  # type: ignore[arg-type] # the one method that is used
    bridge.put(1)
    loop.run()
    assert received == [1, 2, 3]


async def test_nothing_is_lost_between_a_real_thread_and_a_real_loop() -> None:
    received, done = list[int](), asyncio.Event()

    def receive(number: int) -> None:
        received.append(number)
        if number == 9_999:
            done.set()

    def put_all() -> None:
        for number in range(10_000):
            bridge.put(number)

    bridge = LoopBridge(asyncio.get_running_loop(), receive)
    thread = Thread(target=put_all)
    thread.start()
    await asyncio.wait_for(done.wait(), 30)
    thread.join()
    assert received == list(range(10_000))
