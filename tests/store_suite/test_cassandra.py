"""What only Cassandra can do: order writes by time, refuse to start without a schema, hold a window in slices."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from contract.errors import StoreConflict, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.windows.hashes import pack_hashes, unpack_hashes
from contract.windows.segment import MAX_SEGMENT_HASHES, Segment, cut_segments
from contract.windows.window_value import WindowValue
from deploy.local.services.ports import free_port
from stores.cassandra import queries
from stores.cassandra.driver.answers import Rows
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.driver.connection import ROWS_AT_ONCE, CassandraConnection
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.setup import create_schema
from stores.cassandra.store import CassandraStore
from stores.cassandra.tables.segments import Segments
from stores.side_by_side import side_by_side
from support.stores.cassandra import rows_of
from support.stores.subject import CASSANDRA, now

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
OTHER = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 70)
NOVEMBER = 494_902 * HOUR_MS


@pytest.fixture(params=CASSANDRA)
def cassandra(request: pytest.FixtureRequest) -> CassandraSettings:
    """One node, then three."""
    found: CassandraSettings = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def store(cassandra: CassandraSettings) -> AsyncIterator[CassandraStore]:
    store = CassandraStore(cassandra, now)
    yield store
    await store.close()


async def put_progress(store: CassandraStore, *offsets: int) -> None:
    for offset in offsets:
        await store.write_progress([ProgressPoint(SOURCE, 5, Progress(offset, watermark=NOVEMBER))])


async def test_progress_that_arrives_late_does_not_replace_a_higher_one(store: CassandraStore) -> None:
    await put_progress(store, -1, 10, 11, 9)
    assert (await store.read_progress())[SOURCE].through_offset == 11


async def test_a_window_s_segments_lie_in_slices_of_a_bounded_size_and_are_all_found(
    cassandra: CassandraSettings,
) -> None:
    connection = CassandraConnection(cassandra)
    segments = Segments(connection, chunk_bytes=500_000)
    small, hashes = 40, 400_000
    points = [
        SegmentPoint(SOURCE, NOVEMBER, Segment(offset, pack_hashes(range(offset * 3_000, (offset + 1) * 3_000)), b""))
        for offset in range(small)
    ]
    points += [SegmentPoint(SOURCE, NOVEMBER, part) for part in cut_segments(small - 1, range(hashes), [], full=True)]
    write = segments.write(points)
    await side_by_side(map(connection.write, write.mutations), 8)
    counted = await segments.read(SOURCE, {NOVEMBER: WindowValue(small - 1)})
    compacted = await segments.read(SOURCE, {NOVEMBER: WindowValue(small + 5, full_through=small - 1)})
    await connection.close()

    assert hashes_in(counted[NOVEMBER]) == list(range(small * 3_000))
    assert hashes_in(compacted[NOVEMBER]) == list(range(hashes))
    sizes: dict[int, int] = {}
    for chunk, users in await asyncio.to_thread(rows_of, cassandra, "SELECT chunk, users FROM segments"):
        assert len(users) <= 8 * MAX_SEGMENT_HASHES
        sizes[chunk] = sizes.get(chunk, 0) + len(users)
    assert len(sizes) > 8 * hashes // 500_000
    assert max(sizes.values()) <= 500_000


class Measured(CassandraConnection):
    """Remembers how many bytes of hashes each page had."""

    def __init__(self, settings: CassandraSettings) -> None:
        super().__init__(settings)
        self.pages: list[int] = []

    async def stream(self, query: str, *values: object, rows_at_once: int = ROWS_AT_ONCE) -> AsyncIterator[Rows]:
        async for page in super().stream(query, *values, rows_at_once=rows_at_once):
            self.pages.append(sum(len(value) for row in page for value in row if isinstance(value, bytes)))
            yield page


@pytest.mark.cluster
async def test_a_window_of_3_million_users_is_loaded_in_pages_of_5_mb_at_most(cassandra: CassandraSettings) -> None:
    users = 3_000_000
    connection = Measured(cassandra)
    segments = Segments(connection)
    points = [SegmentPoint(SOURCE, NOVEMBER, part) for part in cut_segments(9, range(users), [], full=True)]
    await side_by_side(map(connection.write, segments.write(points).mutations), 4)
    found = await segments.read(SOURCE, {NOVEMBER: WindowValue(12, full_through=9)})
    await connection.close()
    assert hashes_in(found[NOVEMBER]) == list(range(users))
    assert max(connection.pages) <= 5_000_000
    assert sum(connection.pages) == 8 * users


def hashes_in(segments: list[Segment]) -> list[int]:
    return sorted(int(one) for segment in segments for one in unpack_hashes(segment.users))


async def test_what_two_processes_stored_of_a_segment_is_united(cassandra: CassandraSettings) -> None:
    fuller, shorter = (Segment(10, pack_hashes(users), b"") for users in ([1, 2, 3], [3]))
    for segment in (fuller, shorter):
        store = CassandraStore(cassandra, now)
        await store.write_windows([], [SegmentPoint(SOURCE, NOVEMBER, segment)])
        found = await store.read_segments(NOVEMBER, SOURCE, WindowValue(10))
        await store.close()
    assert set(hashes_in(found)) == {1, 2, 3}


async def test_a_large_window_is_read_in_pages(store: CassandraStore) -> None:
    segments = [Segment(offset, pack_hashes([offset]), b"") for offset in range(3_000)]
    await store.write_windows([], [SegmentPoint(SOURCE, NOVEMBER, segment) for segment in segments])
    assert sorted(await store.read_segments(NOVEMBER, SOURCE, WindowValue(10**6))) == segments


async def test_partitions_of_several_buckets_are_read_together(store: CassandraStore) -> None:
    points = [WindowPoint(source, NOVEMBER, 1, WindowValue(5)) for source in (SOURCE, OTHER)]
    await store.write_windows(points, [])
    assert sorted(await store.read_windows(NOVEMBER)) == points
    assert await store.read_windows(NOVEMBER, OTHER) == points[1:]


async def test_another_process_s_windows_are_found_at_once(store: CassandraStore, cassandra: CassandraSettings) -> None:
    assert await store.read_windows(NOVEMBER) == []
    other = CassandraStore(cassandra, now)
    point = WindowPoint(OTHER, NOVEMBER, 1, WindowValue(5))
    await other.write_windows([point], [])
    await other.close()
    assert await store.read_windows(NOVEMBER) == [point]


async def test_a_value_that_is_being_overwritten_is_read_whole_and_never_goes_back(store: CassandraStore) -> None:
    written = 0

    async def overwrite() -> None:
        nonlocal written
        while written < 150:
            value = WindowValue(written, {"click": written, "impression": 10**9 + written}, written, written, 8, 8)
            await store.write_windows([WindowPoint(SOURCE, NOVEMBER, 5, value)], [])
            await put_progress(store, written)
            written += 1

    writing = asyncio.create_task(overwrite())
    while not writing.done():
        before = written
        for point in await store.read_windows(NOVEMBER):
            number = point.value.through_offset
            assert before - 1 <= number <= written
            assert point.value.counts == {"click": number, "impression": 10**9 + number}
        for progress in (await store.read_progress()).values():
            assert before - 1 <= progress.through_offset <= written
    await writing


async def test_a_keyspace_without_tables_and_one_that_is_not_there_are_said_with_what_to_do(
    cassandra: CassandraSettings,
) -> None:
    store = CassandraStore(cassandra.model_copy(update={"cassandra_keyspace": "nowhere"}), now)
    for call in (store.ping, store.read_progress, lambda: put_progress(store, 1)):
        with pytest.raises(
            StoreUnavailable, match=r"nowhere: version 1 .* there is none: run .*deploy\.provision"
        ) as raised:
            await call()
        assert raised.value.reason == "schema"
    await store.close()


async def test_creating_the_schema_again_keeps_what_it_holds(
    store: CassandraStore, cassandra: CassandraSettings
) -> None:
    await put_progress(store, 7)
    await create_schema(cassandra)
    assert (await store.read_progress())[SOURCE].through_offset == 7


async def test_an_older_schema_is_said_and_brought_to_the_version_that_is_needed(
    cassandra: CassandraSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = "CREATE TABLE IF NOT EXISTS of_a_newer_program (key int PRIMARY KEY)"
    with monkeypatch.context() as program:
        program.setattr(queries, "MIGRATIONS", (*queries.MIGRATIONS, (newer,)))
        store = CassandraStore(cassandra, now)
        with pytest.raises(StoreUnavailable, match="version 2 of the schema is needed, it has version 1"):
            await store.ping()
        await create_schema(cassandra)
        await store.ping()
        await store.close()
    # A program of the version before goes on; but it does not take the schema for its own to create.
    store = CassandraStore(cassandra, now)
    await store.ping()
    await store.close()
    with pytest.raises(StoreConflict, match="its schema has version 2, this program knows 1"):
        await create_schema(cassandra)
    await asyncio.to_thread(back_to_version_1, cassandra)


def back_to_version_1(settings: CassandraSettings) -> None:
    cluster = open_cluster(settings)
    session = cluster.connect(settings.cassandra_keyspace)
    session.execute("DROP TABLE of_a_newer_program", timeout=60)
    session.execute("DELETE FROM schema_versions WHERE scope = 'all' AND version = 2")
    cluster.shutdown()


async def test_who_reads_goes_on_when_the_keyspace_is_dropped_and_created_again(cassandra: CassandraSettings) -> None:
    settings = cassandra.model_copy(update={"cassandra_keyspace": "begun_anew"})
    reader = CassandraStore(settings, now)
    for offset in (7, 3):
        await create_schema(settings)
        writer = CassandraStore(settings, now)
        await put_progress(writer, offset)
        await writer.close()
        assert (await reader.read_progress())[SOURCE].through_offset == offset
        await asyncio.to_thread(rows_of, settings, "DROP KEYSPACE begun_anew")
    with pytest.raises(StoreUnavailable):
        await reader.read_progress()
    await reader.close()


async def test_more_replicas_than_nodes_are_said_and_nothing_is_created(cassandra: CassandraSettings) -> None:
    nodes = len(cassandra.hosts)
    settings = cassandra.model_copy(update={"cassandra_keyspace": "replicated", "cassandra_replication": nodes + 1})
    said = rf"COLLECTOR_CASSANDRA_REPLICATION={nodes + 1}: .*datacenter1 has so far {nodes} nodes"
    with pytest.raises(StoreUnavailable, match=said):
        await create_schema(settings)
    tables = await asyncio.to_thread(rows_of, cassandra, "SELECT keyspace_name FROM system_schema.keyspaces")
    assert ("replicated",) not in [tuple(row) for row in tables]


async def test_nobody_listening_is_tried_again_and_so_is_another_datacenter(cassandra: CassandraSettings) -> None:
    for change in ({"cassandra_port": free_port()}, {"cassandra_datacenter": "elsewhere"}):
        store = CassandraStore(cassandra.model_copy(update=change), now)
        for _ in range(2):
            with pytest.raises(StoreUnavailable) as raised:
                await store.ping()
            assert raised.value.reason == "connect"
        await store.close()
