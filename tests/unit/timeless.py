"""A clock for async tests that costs no time."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

_LONGEST = 1_000.0
"""Seconds of a test's own time, which cost nothing: a test that reaches them waits for what never comes."""


class _Timeless(selectors.DefaultSelector):
    """Waits for no timer: the clock jumps to it. With nothing to wait for, the test hangs, and is told so at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("all tasks wait for each other")
            self.now += timeout
        return ready


class _TimelessLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Timeless()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def timeless(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an async test on a loop whose time passes at once, as soon as nothing else can happen."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # the test's own arguments, handed on as they are
        with asyncio.Runner(loop_factory=_TimelessLoop) as runner:
            runner.run(asyncio.wait_for(test(*args, **kwargs), _LONGEST))

    return run
