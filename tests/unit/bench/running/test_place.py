"""What the workers of a run stored is compared with the oracle, by the product's readers."""

import asyncio
from collections.abc import Iterator

import pytest

from bench.case import WrongResult
from bench.load.traffic import Numbers
from bench.running.place import Place
from bench.storing.folding import Shape, Worker
from bench.storing.servers import Server
from stores.memory import MemoryStore
from stores.raw.settings import RawStorage
from stores.settings import StoreKind, StoreSettings

CASSANDRA = StoreSettings(store=StoreKind.CASSANDRA, cassandra_keyspace="one", raw_storage=RawStorage.PACKED)
FLUSHES = 3


class _Server(Server):
    def _new_place(self, name: str) -> StoreSettings:
        raise NotImplementedError

    async def _remove(self, settings: StoreSettings) -> None:
        raise NotImplementedError


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def worker(runner: asyncio.Runner, store: MemoryStore) -> Worker:
    """One that has stored what it folded."""
    worker = Worker(store, Shape(3, 10, 4))

    async def work() -> None:
        await worker.begin()
        for _ in range(FLUSHES):
            await worker.flush(await worker.fold())

    runner.run(work())
    return worker


def _place(store: MemoryStore, runner: asyncio.Runner, raw: RawStorage = RawStorage.PACKED) -> Place:
    return Place(_Server("one", []), CASSANDRA.model_copy(update={"raw_storage": raw}), store, runner)


def test_what_was_counted_is_right(store: MemoryStore, runner: asyncio.Runner, worker: Worker) -> None:
    place = _place(store, runner)
    assert place.lines_through() == worker.lines
    place.require_counted({worker.hour: worker.expected}, worker.lines)


@pytest.mark.parametrize("field", Numbers._fields)
def test_a_number_that_is_not_the_oracles_is_a_wrong_result(
    store: MemoryStore, runner: asyncio.Runner, worker: Worker, field: str
) -> None:
    expected = worker.expected._replace(**{field: getattr(worker.expected, field) + 1})
    with pytest.raises(WrongResult, match="hours"):
        _place(store, runner).require_counted({worker.hour: expected}, worker.lines)


@pytest.mark.parametrize("difference", [-1, 1])
def test_raw_actions_that_lack_or_are_too_many_are_a_wrong_result(
    store: MemoryStore, runner: asyncio.Runner, worker: Worker, difference: int
) -> None:
    with pytest.raises(WrongResult, match="raw actions"):
        _place(store, runner).require_counted({worker.hour: worker.expected}, worker.lines + difference)


def test_raw_actions_that_are_stored_though_they_should_not_be_are_a_wrong_result(
    store: MemoryStore, runner: asyncio.Runner, worker: Worker
) -> None:
    with pytest.raises(WrongResult, match="raw actions"):
        _place(store, runner, RawStorage.OFF).require_counted({worker.hour: worker.expected}, worker.lines)


def test_a_worker_with_the_places_environment_stores_there(
    monkeypatch: pytest.MonkeyPatch, store: MemoryStore, runner: asyncio.Runner
) -> None:
    for name, value in _place(store, runner).environment.items():
        monkeypatch.setenv(name, value)
    assert StoreSettings() == CASSANDRA
