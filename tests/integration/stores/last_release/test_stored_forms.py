"""What workers of the last release wrote is read, and what is written today has the form that they read.

`data/` was written by processes of that release (tests/support/end_to_end/last_release.py): two partitions of the log,
and all that they wrote to InfluxDB, each hour rebuilt once in between. A difference in what is written must be a
decision: docs/operations.md promises that the last release's workers run beside this one's, and can take its place.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from contract.hour import HOUR_MS, hour_of
from contract.log.action import Action
from contract.log.event_names import BUSINESS_EVENTS
from contract.log.progress import LogPartition
from contract.log.record import Record, lines_of, mark_of, record_of
from contract.store import ManifestPoint, ProgressPoint, RawActions, SegmentPoint, WindowPoint
from contract.windows.window import Window
from ingest_api.publishing.partitioning import group_by_partition
from stores.committed import read_committed
from stores.influx.connection import InfluxConnection
from stores.influx.line_protocol import action_bodies, manifest_bodies, progress_bodies, result_bodies
from stores.influx.rows import manifests_in
from stores.influx.schema import Bucket, manifests
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore
from support.stores.subject import now, raw_actions

DATA: Final = Path(__file__).with_name("data")
EVENTS: Final = frozenset(BUSINESS_EVENTS)
PARTITIONS: Final = 2


class Read(NamedTuple):
    """A record of the data, and its text."""

    record: Record
    text: str


def records() -> list[Read]:
    return [
        Read(
            record_of(
                one["partition"],
                one["offset"],
                one["timestamp"],
                one["value"].encode(),
                [(name, value.encode()) for name, value in one["headers"]],
            ),
            one["value"],
        )
        for one in json.loads((DATA / "records.json").read_text())
    ]


def actions_sent() -> list[dict[str, Any]]:
    """What the records hold, read by nothing of ours."""
    lines = [json.loads(line) for one in records() for line in one.text.splitlines()]
    return [line for line in lines if "user" in line]


def expected(hour: int) -> dict[str, Any]:
    """An hour's numbers, counted by plain sets."""
    counts: Counter[str] = Counter()
    seen, users, duplicates = set(), set(), 0
    for action in actions_sent():
        if action["timestamp"] // HOUR_MS * HOUR_MS != hour:
            continue
        key = (action["user"], action.get("id"))
        if action.get("id") is not None and key in seen:
            duplicates += 1
            continue
        seen.add(key)
        users.add(action["user"])
        counts[action["event"]] += 1
    return {"counts": counts, "duplicates": duplicates, "users": len(users)}


def actions_of(partition: int) -> list[Action]:
    read = [line for one in records() if one.record.partition == partition for line in lines_of(one.record)]
    return [line for line in read if isinstance(line, Action)]


def hours() -> list[int]:
    return sorted({hour_of(action["timestamp"]) for action in actions_sent()})


def lines(file: str) -> set[str]:
    """Of points that were written over, the last."""
    points = {}
    for line in (DATA / file).read_text().splitlines():
        series, time = line.split(" ", 1)[0], line.rsplit(" ", 1)[1]
        points[series, time] = line
    return set(points.values())


@pytest.fixture
async def store(influx: InfluxSettings) -> AsyncIterator[InfluxStore]:
    """Holds what the last release wrote; its buckets keep everything."""
    connection = InfluxConnection(influx)
    for bucket, file in ((influx.hourly_bucket, "hourly.lp"), (influx.raw_bucket, "actions.lp")):
        assert await connection.write(Bucket.named(bucket), (DATA / file).read_bytes()) is None
    await connection.close()
    store = InfluxStore(influx, now)
    yield store
    await store.close()


async def test_hours_that_the_last_release_counted_are_read_as_its_log_says(store: InfluxStore) -> None:
    for hour in hours():
        values = [one.window for one in (await read_committed(store, hour)).values() if one.window is not None]
        counts: Counter[str] = Counter()
        for value in values:
            counts.update(value.counts)
        duplicates, users = (sum(getattr(value, name) for value in values) for name in ("duplicates", "unique_users"))
        assert {"counts": counts, "duplicates": duplicates, "users": users} == expected(hour)


async def test_users_and_ids_that_the_last_release_counted_are_known_again(store: InfluxStore) -> None:
    for hour in hours():
        for source, (_, value) in (await read_committed(store, hour)).items():
            assert value is not None
            window = Window(value, await store.read_segments(hour, source, value))
            again = [action for action in actions_of(source.partition) if hour_of(action.timestamp) == hour]
            window.fold(value.through_offset + 1, PARTITIONS, again)
            flushed = window.flush(value.through_offset + 1)
            assert flushed is not None
            assert flushed[0].unique_users == value.unique_users
            assert flushed[0].duplicates - value.duplicates == sum(action.id is not None for action in again)
            assert flushed[1] == []


async def test_progress_of_the_last_release_covers_its_log_and_knows_its_last_record(store: InfluxStore) -> None:
    progress = await store.read_progress()
    last = {one.record.partition: one.record for one in records()}
    assert {source.partition: one.through_offset for source, one in progress.items()} == {
        partition: record.offset for partition, record in last.items()
    }
    assert {source.partition: one.mark for source, one in progress.items()} == {
        partition: mark_of(record) for partition, record in last.items()
    }
    rejected = {source.partition: one.rejected for source, one in progress.items()}
    assert rejected == {0: {}, 1: {"unknown_field": 1}}


@pytest.mark.usefixtures("store")
async def test_raw_actions_of_the_last_release_are_those_of_its_log(influx: InfluxSettings) -> None:
    found = await raw_actions(influx)
    assert Counter((one.timestamp, one.user, one.event, one.id) for one in found.values()) == Counter(
        (one["timestamp"], one["user"], one["event"], one.get("id")) for one in actions_sent()
    )


def test_a_record_that_ingest_would_write_today_is_what_it_wrote_then() -> None:
    for one in records():
        if one.record.is_rebuild or not one.record.partitions:
            continue
        actions = [line for line in lines_of(one.record) if isinstance(line, Action)]
        (again,) = group_by_partition(actions, one.record.partitions)
        assert (again.partition, again.text.decode()) == (one.record.partition, one.text)


async def test_what_was_read_is_written_as_the_last_release_wrote_it(
    store: InfluxStore, influx: InfluxSettings
) -> None:
    connection = InfluxConnection(influx)
    windows: list[WindowPoint] = []
    segments: list[SegmentPoint] = []
    for hour in hours():
        for point in await store.read_windows(hour):
            windows.append(point)
            segments += [
                SegmentPoint(point.source, hour, segment)
                for segment in await store.read_segments(hour, point.source, point.value)
            ]
    sources = await store.read_progress()
    found = [
        ManifestPoint(source, manifest)
        for source in sources
        for (series,) in [await connection.query(Bucket.named(influx.hourly_bucket), manifests(source))]
        for manifest in manifests_in(series)
    ]
    await connection.close()

    written = {
        line
        for body in (*result_bodies(windows, segments, EVENTS), *manifest_bodies(found))
        for line in body.decode().splitlines()
    }

    assert written == {line for line in lines("hourly.lp") if not line.startswith("progress,")}


async def test_progress_is_written_as_the_last_release_wrote_it(store: InfluxStore) -> None:
    stored = {line.rsplit(" ", 1)[0] for line in lines("hourly.lp") if line.startswith("progress,")}
    for source, progress in (await store.read_progress()).items():
        (body,) = progress_bodies([ProgressPoint(source, 0, progress)])
        assert body.decode().rsplit(" ", 1)[0] in stored


def test_raw_actions_are_written_as_the_last_release_wrote_them() -> None:
    log = next(iter(lines("actions.lp"))).split("log=")[1].split(",")[0]
    batches = []
    for partition in range(PARTITIONS):
        read = [line for one in records() if one.record.partition == partition for line in lines_of(one.record)]
        kept = [line if isinstance(line, Action) else None for line in read]
        batches.append(RawActions(LogPartition(log, partition), 0, kept))
    written = {line for body in action_bodies(batches, 0, EVENTS) for line in body.decode().splitlines()}
    assert written == lines("actions.lp")
