"""While points are overwritten, whatever readers and loaders use is what the log gives up to the offset it names."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import pytest

from contract.log.progress import LogPartition
from contract.windows.hashes import hash_of_id, hash_of_user, unpack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from stores.committed import read_committed, read_committed_segments
from stores.influx.store import InfluxStore
from support.scenarios.clients import synthetic_actions
from support.scenarios.environment import Environment
from support.scenarios.ledger import HOUR_MS, Key, key_of
from support.scenarios.log_count import action_in, read_log
from support.scenarios.scenario import Scenario

pytestmark = pytest.mark.faults

READERS = 3


class Seen(NamedTuple):
    """A window as a reader used it: its numbers, and its users and ids as a loader would take them over."""

    clicks: int
    impressions: int
    duplicates: int
    unique_users: int
    users: frozenset[int]
    ids: frozenset[int]


class Readers:
    """They read an hour's committed windows and the segments that belong to them, without pause."""

    def __init__(self, environment: Environment, hour: int) -> None:
        self.seen: dict[tuple[int, int], set[Seen]] = defaultdict(set)
        """By partition and offset; one each, if none was ever torn."""
        self._store = InfluxStore(environment.influx, clock=lambda: time.time_ns() // 1_000_000)
        self._hour = hour

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        reading = [asyncio.create_task(self._read_on()) for _ in range(READERS)]
        try:
            yield
        finally:
            for task in reading:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*reading)
            await self._store.close()

    async def _read_on(self) -> None:
        while True:
            for source, (_, window) in (await read_committed(self._store, self._hour)).items():
                if window is not None:
                    self._note(source, window, await read_committed_segments(self._store, self._hour, source, window))

    def _note(self, source: LogPartition, window: WindowValue, segments: list[Segment]) -> None:
        users = frozenset(one for segment in segments for one in unpack_hashes(segment.users))
        ids = frozenset(one for segment in segments for one in unpack_hashes(segment.ids))
        counts = window.counts
        numbers = counts.get("click", 0), counts.get("impression", 0), window.duplicates, window.unique_users
        self.seen[source.partition, window.through_offset].add(Seen(*numbers, users, ids))


def in_the_log(environment: Environment, hour: int, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], set[Seen]]:
    """What the log gives for the hour, for each partition up to each offset that is wanted."""
    found: dict[tuple[int, int], set[Seen]] = {}
    keys: dict[int, set[Key]] = defaultdict(set)
    counts: dict[int, dict[str, int]] = defaultdict(lambda: {"click": 0, "impression": 0, "duplicates": 0})
    for message in read_log(environment.bootstrap, environment.topic):
        partition, offset = message.partition(), message.offset()
        for line in message.value().split(b"\n"):
            action = action_in(line)
            if action is None or key_of(action).hour != hour:
                continue
            key = key_of(action)
            counts[partition]["duplicates" if key in keys[partition] else action["event"]] += 1
            keys[partition].add(key)
        if (partition, offset) in wanted:
            users = frozenset(hash_of_user(key.user) for key in keys[partition])
            ids = frozenset(hash_of_id(key.user, key.id) for key in keys[partition])
            found[partition, offset] = {Seen(*counts[partition].values(), len(users), users, ids)}
    return found


async def test_nobody_ever_uses_a_torn_value(environment: Environment, scenario: Scenario) -> None:
    hour = scenario.now // HOUR_MS * HOUR_MS
    readers = Readers(environment, hour)

    async def enough() -> bool:
        return len(readers.seen) > 100

    environment.start_worker(worker_flush_interval="PT0.02S")
    async with (
        scenario.traffic(seed=71, actions=synthetic_actions(71, scenario.now, repeats=0.2), batch=50),
        readers.reading(),
    ):
        for _ in range(3):
            await scenario.counted(1_000)
            # Who comes loads what is just being written; who leaves without a word leaves it half written.
            environment.start_worker(
                worker_flush_interval="PT0.02S", consumer_group=f"{environment.topic}-{len(environment.workers)}"
            )
            await scenario.counted(1_000)
            environment.workers[-2].kill()
        environment.start_worker()
        await scenario.recovered("three workers killed that flushed without pause, three readers")
        await scenario.until("readers have seen many values", enough)
    assert in_the_log(environment, hour, set(readers.seen)) == readers.seen
    assert await scenario.verdict() == []
