"""What an operation costs."""

import time

import pytest

from bench.storing.clocked import Clocked
from bench.storing.servers import Server
from stores.settings import StoreSettings


class _Server(Server):
    """One whose processes use a tenth of a second whenever they are looked at."""

    def __init__(self) -> None:
        super().__init__("one", [])
        self._used = 0.0

    def cpu(self) -> float:
        self._used += 0.1
        return self._used

    def _new_place(self, name: str) -> StoreSettings:
        raise NotImplementedError

    async def _remove(self, settings: StoreSettings) -> None:
        raise NotImplementedError


async def test_the_stores_cpu_is_shared_by_all_operations() -> None:
    clocked = Clocked(_Server())
    for _ in range(4):
        async with clocked.operation():
            pass
    assert clocked.figures("read")["store's CPU ms/read"] == pytest.approx(25)


async def test_what_goes_on_between_operations_is_none_of_their_cpu() -> None:
    clocked = Clocked(_Server())
    for _ in range(4):
        async with clocked.operation():
            pass
        until = time.process_time() + 0.01
        while time.process_time() < until:
            pass
    assert clocked.figures("read")["CPU ms/read"] < 10
