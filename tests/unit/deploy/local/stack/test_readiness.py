"""Waiting for processes that come, and for those that are on their way out."""

from collections.abc import Iterator
from typing import cast

import pytest

from deploy.local.stack import readiness
from deploy.local.stack.interruption import Interrupted, Interruption
from deploy.local.stack.members import Member
from deploy.local.stack.readiness import wait_until_ready_or_ended

DRAINING, ENDED, READY = (True, False), (False, False), (True, True)


class FakeMember:
    """Goes from one state to the next at each look, and stays in the last one; it is its own process."""

    def __init__(self, *states: tuple[bool, bool]) -> None:
        self._states = list(states)

    @property
    def process(self) -> "FakeMember":
        return self

    @property
    def left(self) -> int:
        return len(self._states)

    def is_alive(self) -> bool:
        return self._states[0][0]

    def answers(self) -> bool:
        _, answers = self._states[0]
        if len(self._states) > 1:
            self._states.pop(0)
        return answers


class FakeInterruption:
    """Waits for no time; the user's patience ends after so many waits."""

    def __init__(self, patience: int = 100) -> None:
        self._patience = patience

    def check(self) -> None:
        if not self._patience:
            raise Interrupted

    def wait(self, _seconds: float) -> None:
        self._patience -= 1


def wait(*members: FakeMember, patience: int = 100) -> None:
    wait_until_ready_or_ended(cast("list[Member]", members), cast("Interruption", FakeInterruption(patience)))


def test_one_that_drains_is_waited_for_until_it_is_gone_and_one_that_comes_until_it_answers() -> None:
    leaving, coming = FakeMember(DRAINING, DRAINING, ENDED), FakeMember(DRAINING, DRAINING, READY)
    wait(leaving, coming)
    assert (leaving.left, coming.left) == (1, 1)


def test_the_user_may_end_it() -> None:
    with pytest.raises(Interrupted):
        wait(FakeMember(DRAINING), patience=3)


def test_it_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Iterator[float] = iter([0.0, 1.0, 121.0])
    monkeypatch.setattr(readiness.time, "monotonic", lambda: next(clock))
    wait(FakeMember(DRAINING))
    assert next(clock, None) is None
