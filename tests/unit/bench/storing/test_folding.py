"""The worker of the stores' benchmark: what it flushes, and what it expects of it, by another count."""

import pytest

from bench.load.stored import numbers_in
from bench.load.traffic import Made, Numbers, count
from bench.storing.folding import Shape, Worker
from contract.log.action import Action
from stores.committed import read_committed
from stores.memory import MemoryStore


def _counted(store: MemoryStore) -> dict[int, Numbers]:
    """By the benchmarks' oracle, from the raw actions."""
    return count(Made(action.timestamp, action.user, action.event) for action in store.actions.values())


@pytest.mark.parametrize("shape", [Shape(3, 10, 0), Shape(3, 10, 4), Shape(2, 1_200, 1_200)])
async def test_what_a_worker_expects_is_what_its_raw_actions_and_its_windows_come_to(shape: Shape) -> None:
    store = MemoryStore()
    worker = Worker(store, shape)
    await worker.begin()
    for _ in range(3):
        await worker.flush(await worker.fold())
    assert _counted(store) == {worker.hour: worker.expected}
    assert numbers_in(await read_committed(store, worker.hour)) == worker.expected
    assert worker.lines == len(store.actions)
    assert all(isinstance(action, Action) for action in store.actions.values())
