"""What only InfluxDB can do: drop what is old, refuse types, be read while it is written."""

import asyncio

import pytest
from pydantic import SecretStr

from contract.errors import StoreConflict, StoreUnavailable
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, RawActions, WindowPoint
from contract.windows.window_value import WindowValue
from stores.influx.connection import InfluxConnection
from stores.influx.schema import MS, Bucket
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stores.influx.store import InfluxStore
from stores.influx.writer import InfluxWriter
from support.stores.subject import now, raw_actions

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
DAY = 24 * HOUR_MS


async def test_raw_actions_that_the_server_finds_too_old_are_dropped_and_the_others_stored(
    influx_settings: InfluxSettings,
) -> None:
    store = InfluxStore(influx_settings, lambda: now() - 10 * DAY)
    ages = [0, 35 * DAY, 29 * DAY, 36 * DAY, 5, 38 * DAY]
    actions = [Action(now() - age, f"user-{number}", "click") for number, age in enumerate(ages)]
    await store.write_actions([RawActions(SOURCE, 0, actions)])
    await store.close()
    assert await raw_actions(influx_settings) == {(SOURCE, number): actions[number] for number in (0, 2, 4)}


async def test_an_old_line_does_not_hide_one_that_cannot_be_parsed(influx_settings: InfluxSettings) -> None:
    connection = InfluxConnection(influx_settings)
    writer = InfluxWriter(connection, Bucket.named(influx_settings.raw_bucket), side_by_side=1, expires=True)
    lines = [b'actions user="old" 5', b"actions user= %d" % (now() * MS), b'actions user="a" %d' % (now() * MS)]
    with pytest.raises(StoreConflict, match="unable to parse"):
        await writer.write(iter([b"\n".join(lines)]))
    await connection.close()


async def test_results_are_never_dropped_for_their_age_in_silence(influx_settings: InfluxSettings) -> None:
    """The bucket is not what it should be: e.g. somebody gave it a retention."""
    store = InfluxStore(influx_settings.model_copy(update={"hourly_bucket": influx_settings.raw_bucket}), now)
    with pytest.raises(StoreUnavailable, match=r"outside|beyond"):
        await store.write_windows([WindowPoint(SOURCE, 0, 0, WindowValue())], [])
    await store.close()


async def test_a_field_of_another_type_is_a_conflict(influx_settings: InfluxSettings) -> None:
    connection = InfluxConnection(influx_settings)
    assert await connection.write(Bucket.named(influx_settings.hourly_bucket), b"progress state=1 0") is None
    await connection.close()
    store = InfluxStore(influx_settings, now)
    with pytest.raises(StoreConflict, match='field type conflict: input field "state" on measurement "progress"'):
        await store.write_progress([ProgressPoint(SOURCE, 7, Progress())])
    await store.close()


async def test_a_bucket_that_is_missing_is_unavailable(influx_settings: InfluxSettings) -> None:
    store = InfluxStore(influx_settings.model_copy(update={"hourly_bucket": "missing/autogen"}), now)
    for call in (
        store.ping,
        store.read_progress,
        lambda: store.read_windows(0),
        lambda: store.write_progress([ProgressPoint(SOURCE, 7, Progress())]),
    ):
        with pytest.raises(StoreUnavailable):
            await call()
    await store.close()


@pytest.mark.influx2
async def test_a_wrong_token_is_unauthorized(influx2: InfluxSettings) -> None:
    store = InfluxStore(influx2.model_copy(update={"influx_token": SecretStr("wrong")}), now)
    for call in (store.ping, lambda: store.write_progress([ProgressPoint(SOURCE, 7, Progress())])):
        with pytest.raises(StoreUnavailable) as raised:
            await call()
        assert raised.value.reason == "unauthorized"
    await store.close()


async def test_creating_buckets_again_changes_their_retention_and_keeps_what_they_hold(
    influx_settings: InfluxSettings,
) -> None:
    swapped = influx_settings.model_copy(
        update={"raw_bucket": influx_settings.hourly_bucket, "hourly_bucket": influx_settings.raw_bucket}
    )
    store, point = InfluxStore(influx_settings, now), WindowPoint(SOURCE, now() // HOUR_MS * HOUR_MS, 5, WindowValue(7))
    await store.write_windows([point], [])
    await create_buckets(swapped)
    with pytest.raises(StoreUnavailable):
        await store.write_windows([WindowPoint(SOURCE, 0, 0, WindowValue())], [])
    await create_buckets(influx_settings)
    await store.write_windows([WindowPoint(SOURCE, 0, 0, WindowValue())], [])
    assert await store.read_windows(point.hour) == [point]
    await store.close()


async def test_a_value_that_is_being_overwritten_is_read_whole(influx_settings: InfluxSettings) -> None:
    store = InfluxStore(influx_settings, now)
    written = 0

    async def overwrite() -> None:
        nonlocal written
        while written < 150:
            value = WindowValue(written, {"click": written, "impression": 10**9 + written}, written, written, 8, 8)
            await store.write_windows([WindowPoint(SOURCE, 0, 5, value)], [])
            await store.write_progress([ProgressPoint(SOURCE, 5, Progress(written, lines=written))])
            written += 1

    writing = asyncio.create_task(overwrite())
    while not writing.done():
        before = written
        for point in await store.read_windows(0):
            number = point.value.through_offset
            assert before - 1 <= number <= written
            assert point.value.counts == {"click": number, "impression": 10**9 + number}
        for progress in (await store.read_progress()).values():
            assert before - 1 <= progress.through_offset == progress.lines <= written
    await writing
    await store.close()
