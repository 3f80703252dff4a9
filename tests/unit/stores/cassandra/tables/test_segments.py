"""How segments are laid out in chunks; that they come back is shown on a real node (tests/store_suite)."""

from collections import defaultdict

from contract.hour import HOUR_MS
from contract.log.progress import LogPartition
from contract.store import SegmentPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import Segment
from stores.cassandra import queries
from stores.cassandra.driver.connection import CassandraConnection
from stores.cassandra.driver.mutations import size_of
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.segments import Segments, SegmentWrite

HOUR = 494_902 * HOUR_MS


def appender(chunk_bytes: int = 1 << 20) -> Segments:
    return Segments(CassandraConnection(CassandraSettings()), chunk_bytes)


def flush(partitions: int, users: int, through: int = 10, hours: int = 1) -> list[SegmentPoint]:
    return [
        SegmentPoint(
            LogPartition("log", partition), HOUR - hour * HOUR_MS, Segment(through, pack_hashes(range(users)), b"")
        )
        for partition in range(partitions)
        for hour in range(hours)
    ]


def queries_of(write: SegmentWrite) -> list[str]:
    return [mutation.query for mutation in write.mutations]


def rows_by_chunk(*writes: SegmentWrite) -> dict[object, list[tuple[object, ...]]]:
    rows = defaultdict(list)
    for write in writes:
        for mutation in write.mutations:
            if mutation.query == queries.PUT_SEGMENT:
                assert len({row[0] for row in mutation.rows}) == 1
                rows[mutation.rows[0][0]] += mutation.rows
    return rows


def test_a_flush_of_64_partitions_with_100_new_users_each_is_one_write_once_its_windows_are_listed() -> None:
    segments = appender()
    first = segments.write(flush(64, 100))
    assert queries_of(first) == [queries.PUT_SEGMENT, queries.PUT_SEGMENT_CHUNK]
    first.acknowledged()
    assert queries_of(segments.write(flush(64, 100, through=20))) == [queries.PUT_SEGMENT]


def test_segments_of_many_hours_are_written_together() -> None:
    write = appender().write(flush(4, 3, hours=200))
    assert queries_of(write).count(queries.PUT_SEGMENT) == 1
    listed = [row for one in write.mutations if one.query == queries.PUT_SEGMENT_CHUNK for row in one.rows]
    assert len(listed) == 4 * 200


def test_what_is_not_acknowledged_is_listed_again() -> None:
    segments = appender()
    segments.write(flush(1, 3))
    assert queries.PUT_SEGMENT_CHUNK in queries_of(segments.write(flush(1, 3)))


def test_a_chunk_does_not_grow_beyond_its_size_and_each_next_one_is_listed_anew() -> None:
    segments = appender(chunk_bytes=100_000)
    writes = []
    for through in range(40):
        writes.append(segments.write(flush(2, 500, through)))
        writes[-1].acknowledged()
    by_chunk = rows_by_chunk(*writes)
    assert len(by_chunk) >= 40 * 2 * 500 * 8 // 100_000
    assert all(sum(map(size_of, rows)) <= 100_000 for rows in by_chunk.values())
    listed = {
        row[-1] for write in writes for one in write.mutations if one.query != queries.PUT_SEGMENT for row in one.rows
    }
    assert listed == by_chunk.keys()


def test_a_segment_larger_than_a_chunk_has_one_of_its_own() -> None:
    by_chunk = rows_by_chunk(appender(chunk_bytes=1_000).write(flush(3, 500)))
    assert [len(rows) for rows in by_chunk.values()] == [1, 1, 1]


def test_no_two_processes_write_to_the_same_chunk() -> None:
    chunks = [next(iter(rows_by_chunk(appender().write(flush(1, 1))))) for _ in range(100)]
    assert len(set(chunks)) == 100
