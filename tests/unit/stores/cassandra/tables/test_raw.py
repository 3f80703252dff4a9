"""How raw actions are laid out in chunks; that they come back is shown on a real node (tests/store_suite)."""

from contract.hour import HOUR_MS, hour_of
from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.store import RawActions
from stores.cassandra import queries
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import MAX_BYTES, Mutation, size_of
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.raw import CHUNK_AGE, CHUNK_BYTES, RawRuns

NOW = 494_902 * HOUR_MS
DAY = 24 * HOUR_MS


def raw(chunk_bytes: int = CHUNK_BYTES) -> RawRuns:
    settings = CassandraSettings(raw_retention="P2D")  # type: ignore[arg-type] # pydantic parses it
    return RawRuns(CassandraConnection(settings), settings, chunk_bytes)


def flush(partitions: int, lines: int = 100, hours: int = 1, now: int = NOW) -> list[RawActions]:
    return [
        RawActions(
            LogPartition("log", partition),
            0,
            [Action(now - at % hours * HOUR_MS, f"user-{at}", "click") for at in range(lines)],
        )
        for partition in range(partitions)
    ]


async def written(runs: RawRuns, batches: list[RawActions], now: int = NOW) -> list[Mutation]:
    write = await runs.write(batches, now)
    write.acknowledged()
    return write.mutations


async def test_a_flush_of_64_partitions_and_some_hours_is_one_write_once_its_hours_are_listed() -> None:
    runs = raw()
    first = await written(runs, flush(64, hours=5))
    assert [one.query for one in first] == [queries.PUT_ACTION_RUN, *[queries.PUT_ACTION_CHUNK] * 5]
    assert [one.query for one in await written(runs, flush(64, hours=5))] == [queries.PUT_ACTION_RUN]


async def test_hours_whose_listing_is_not_acknowledged_are_listed_again() -> None:
    runs = raw()
    await runs.write(flush(1), NOW)
    assert queries.PUT_ACTION_CHUNK in [one.query for one in await written(runs, flush(1))]


async def test_writes_and_chunks_are_bounded() -> None:
    runs, chunk_bytes = raw(300_000), 300_000
    sizes: dict[object, int] = {}
    for _ in range(20):
        for one in await written(runs, flush(8, 5_000)):
            assert sum(map(size_of, one.rows)) <= MAX_BYTES
            if one.query == queries.PUT_ACTION_RUN:
                chunk = one.rows[0][0]
                sizes[chunk] = sizes.get(chunk, 0) + sum(map(size_of, one.rows))
    assert len(sizes) > 2
    # A row is counted before the chunk's number stands in it.
    assert max(sizes.values()) <= chunk_bytes


async def test_the_list_of_an_hour_outlives_what_its_chunk_holds() -> None:
    runs = raw()
    (run, listed) = await written(runs, flush(1))
    assert (run.rows[0][-1], listed.rows[0][-1]) == (2 * DAY // 1_000, (2 * DAY + CHUNK_AGE) // 1_000)

    (late,) = await written(runs, flush(1), NOW + CHUNK_AGE)
    assert late.rows[0][0] == run.rows[0][0]
    (other, listed_again) = await written(runs, flush(1), NOW + CHUNK_AGE + 1)
    assert other.rows[0][0] == listed_again.rows[0][5] != run.rows[0][0]


async def test_hours_near_the_end_of_their_retention_are_left_out() -> None:
    begins = hour_of(NOW - 2 * DAY + HOUR_MS)
    assert await written(raw(), flush(1, now=begins))
    assert await written(raw(), flush(1, now=begins - 1)) == []
