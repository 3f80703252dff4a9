"""From another thread to the event loop, in bursts."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LoopBridge(Generic[T]):
    """Hands items over in order, and wakes the loop once for all until it empties the queue: waking is what costs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Callable[[T], None]) -> None:
        """`receive` is called on `loop`."""
        self._loop = loop
        self._receive = receive
        self._waiting: deque[T] = deque()
        self._woken = False

    def put(self, item: T) -> None:
        """Called from one other thread."""
        self._waiting.append(item)
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # Lowered before the queue is emptied: an item that comes in between wakes the loop again.
        self._woken = False
        while self._waiting:
            self._receive(self._waiting.popleft())
