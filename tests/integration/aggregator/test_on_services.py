"""Answers out of real InfluxDB, made complete by real Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from aggregator.app import create_app
from aggregator.end_offsets.kafka import KafkaEndOffsets
from aggregator.http.representations import format_instant
from aggregator.settings import AggregatorSettings
from contract.errors import LogError
from contract.hour import format_hour, hour_of
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, SegmentPoint, WindowPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import Segment
from contract.windows.window_value import WindowValue
from deploy.local.services.ports import free_port
from service.clock import wall_clock as now
from stores.influx.settings import InfluxSettings
from stores.influx.store import InfluxStore

HOUR = 1_795_510_800_000
A_MINUTE = timedelta(minutes=1)
PATIENT: dict[str, Any] = {"aggregator_kafka_timeout": A_MINUTE, "aggregator_probe_timeout": A_MINUTE}
"""A slow machine must not look like an outage."""
PARTITIONS = 4


@pytest.fixture
def settings(influx: InfluxSettings, kafka_bootstrap: str, topic: str) -> AggregatorSettings:
    """Each request reads: a fixed hour is the current one at some time."""
    return AggregatorSettings(
        **influx.model_dump(),
        kafka_bootstrap=kafka_bootstrap,
        topic=topic,
        aggregator_ends_max_age=0,
        aggregator_max_age=0,
        **PATIENT,
    )


@pytest.fixture
async def log(settings: AggregatorSettings) -> str:
    """The topic's id, once its partitions have found their leader."""
    end_offsets = KafkaEndOffsets(settings, settings.topic, settings.aggregator_kafka_timeout)
    while True:
        try:
            return (await end_offsets.read()).log
        except LogError:
            continue


@asynccontextmanager
async def serving(settings: AggregatorSettings) -> AsyncIterator[httpx.AsyncClient]:
    end_offsets = KafkaEndOffsets(settings, settings.topic, settings.aggregator_kafka_timeout)
    app = create_app(settings, InfluxStore(settings, now), end_offsets, now)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


def append(settings: AggregatorSettings, partition: int, records: int) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for _ in range(records):
        producer.produce(settings.topic, b"{}", partition=partition)
    assert producer.flush(60) == 0


async def count(settings: AggregatorSettings, source: LogPartition, users: list[int], partitions: int) -> None:
    """Stores a window that covers the source's first two records."""
    store = InfluxStore(settings, now)
    window = WindowValue(1, {"click": len(users), "impression": 1}, 0, len(users), partitions, partitions)
    segment = SegmentPoint(source, HOUR, Segment(1, pack_hashes(users), b""))
    await store.write_windows([WindowPoint(source, HOUR, 5, window)], [segment])
    await store.write_progress([ProgressPoint(source, 5, Progress(1, lines=9, watermark=HOUR + 7))])
    await store.close()


async def count_up_to(
    settings: AggregatorSettings, source: LogPartition, hour: int, through_offset: int, users: list[int]
) -> None:
    """Stores a window whose every record up to the offset is a click; `users` are those since the one before."""
    store = InfluxStore(settings, now)
    window = WindowValue(through_offset, {"click": through_offset + 1}, 0, len(users), PARTITIONS, PARTITIONS)
    segment = SegmentPoint(source, hour, Segment(through_offset, pack_hashes(users), b""))
    await store.write_windows([WindowPoint(source, hour, through_offset, window)], [segment])
    await store.write_progress([ProgressPoint(source, through_offset, Progress(through_offset, watermark=hour))])
    await store.close()


async def test_an_answer_is_complete_once_all_partitions_are_counted(settings: AggregatorSettings, log: str) -> None:
    append(settings, 0, 2)
    append(settings, 3, 2)
    await count(settings, LogPartition(log, 0), [1, 2], PARTITIONS)
    async with serving(settings) as client:
        before = (await client.get("/v1/hours/2026-11-24T09")).json()
        await count(settings, LogPartition(log, 3), [3], PARTITIONS)
        asked_at = now()
        after = (await client.get("/v1/hours/2026-11-24T09")).json()
        classic = await client.get("/analytics", params={"timestamp": HOUR + 1})

    assert (before["clicks"], before["lag"], before["complete_through"]) == (2, 2, None)
    assert (after["clicks"], after["impressions"], after["unique_users"], after["lag"]) == (3, 2, 3, 0)
    assert classic.text == "unique_users,3\nclicks,3\nimpressions,2\n"
    assert format_instant(asked_at) <= after["complete_through"] <= format_instant(now())


async def test_records_after_the_counted_ones_make_it_complete_through_the_watermark(
    settings: AggregatorSettings, log: str
) -> None:
    append(settings, 0, 5)
    await count(settings, LogPartition(log, 0), [1], PARTITIONS)
    async with serving(settings) as client:
        answer = (await client.get("/v1/hours/2026-11-24T09")).json()

    assert (answer["lag"], answer["complete_through"], answer["final"]) == (3, "2026-11-24T09:00:00.007Z", False)


async def test_an_older_log_adds_to_the_numbers_and_its_users_are_counted_once(
    settings: AggregatorSettings, log: str
) -> None:
    append(settings, 0, 2)
    await count(settings, LogPartition(log, 0), [1, 2], PARTITIONS)
    await count(settings, LogPartition("an-older-log", 1), [2, 3, 2**64 - 1], PARTITIONS)
    async with serving(settings) as client:
        answer = (await client.get("/v1/hours/2026-11-24T09")).json()

    assert (answer["clicks"], answer["unique_users"], answer["lag"]) == (5, 4, 0)


async def test_the_current_hour_is_refreshed_in_memory_and_its_union_only_added_to(
    settings: AggregatorSettings, log: str
) -> None:
    settings = settings.model_copy(update={"aggregator_max_age": timedelta(milliseconds=500)})
    hour = hour_of(now())
    path = f"/v1/hours/{format_hour(hour)}"
    await count_up_to(settings, LogPartition("an-older-log", 1), hour, 4, [2, 3])
    await count_up_to(settings, LogPartition(log, 0), hour, 1, [1, 2])
    async with serving(settings) as client:
        first = (await client.get(path)).json()
        await count_up_to(settings, LogPartition(log, 0), hour, 7, [2, 5])
        refreshed = (await client.get(path, headers={"Cache-Control": "no-cache"})).json()
        await count_up_to(settings, LogPartition(log, 0), hour, 9, [6])
        while (later := (await client.get(path)).json())["unique_users"] == refreshed["unique_users"]:
            pass

    assert [answer["unique_users"] for answer in (first, refreshed, later)] == [3, 4, 5]
    assert [answer["clicks"] for answer in (first, refreshed, later)] == [5 + 2, 5 + 8, 5 + 10]


async def test_with_kafka_away_numbers_are_served_and_nothing_is_promised(influx: InfluxSettings) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    settings = AggregatorSettings(**influx.model_dump(), kafka_bootstrap=nowhere, aggregator_probe_timeout=A_MINUTE)
    await count(settings, LogPartition("log", 0), [1], 1)
    async with serving(settings) as client:
        answer = (await client.get("/v1/hours/2026-11-24T09")).json()
        ready = await client.get("/readyz")

    assert (answer["clicks"], answer["complete_through"], answer["lag"], answer["final"]) == (1, None, None, False)
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["kafka"] != "ok"


async def test_with_the_store_away_the_answer_is_503(kafka_bootstrap: str, topic: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with serving(AggregatorSettings(influx_url=nowhere, kafka_bootstrap=kafka_bootstrap, topic=topic)) as client:
        classic = await client.get("/analytics", params={"timestamp": HOUR})
        ready = await client.get("/readyz")

    assert (classic.status_code, classic.json()["code"]) == (503, "store_unavailable")
    assert ready.status_code == 503
