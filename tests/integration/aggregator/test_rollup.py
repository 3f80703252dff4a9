"""The measurement `hours` as a stranger queries it, in InfluxQL and in Flux, beside real workers."""

import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewPartitions

from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour
from contract.log.action import Action, encode_action
from contract.store import WindowPoint
from stores.influx.rollup import InfluxRollup
from stores.influx.settings import InfluxSettings
from support.pipeline.collector_program import collector
from support.pipeline.eventually import WITHIN, eventually_stored
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.stranger import Point, Stranger
from support.pipeline.traffic import Traffic
from support.product.worker_process import WorkerProcess
from support.services.kafka_admin import wait_until_led

ACTIONS: Final = 2_000


@pytest.fixture(
    params=[
        pytest.param("influx1", id="influx-1.8"),
        pytest.param("influx2", id="influx-2.7", marks=pytest.mark.influx2),
    ]
)
def influx(request: pytest.FixtureRequest) -> InfluxSettings:
    """Each InfluxDB in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def pipeline(
    kafka_bootstrap: str, influx: InfluxSettings, create_topic: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Pipeline]:
    one = Pipeline(kafka_bootstrap, influx, create_topic(PARTITIONS), create_topic(1), tmp_path)
    yield one
    await one.close()


def credentials(influx: InfluxSettings) -> dict[str, str]:
    return {"influx_token": influx.influx_token.get_secret_value(), "influx_org": influx.influx_org}


def environment(pipeline: Pipeline) -> dict[str, str]:
    settings = {
        "kafka_bootstrap": pipeline.bootstrap,
        "topic": pipeline.topic,
        "influx_url": str(pipeline.influx.influx_url),
        "raw_bucket": pipeline.influx.raw_bucket,
        "hourly_bucket": pipeline.influx.hourly_bucket,
        "rollup_interval": "PT0.2S",
        "ingest_events": "click,impression,sign_up",
        # A slow machine must not look like an outage.
        "aggregator_kafka_timeout": "PT60S",
        **credentials(pipeline.influx),
    }
    return {f"COLLECTOR_{name.upper()}": value for name, value in settings.items()}


def worker(pipeline: Pipeline) -> WorkerProcess:
    start = pipeline.replacement if pipeline.workers else pipeline.started
    return start(**credentials(pipeline.influx))


def keeper(pipeline: Pipeline, tmp_path: Path) -> WorkerProcess:
    """A keeper of `hours` that has compared them once; the pipeline ends it."""
    name = f"keeper-{len(pipeline.workers)}"
    process = WorkerProcess(name, tmp_path, environment(pipeline), module="aggregator.rollup")
    pipeline.workers.append(process)
    process.start()
    process.wait_until_ready()
    return process


def expected(pipeline: Pipeline) -> dict[int, Point]:
    """By an oracle's count."""
    return {
        hour: (
            numbers.counts.get("click", 0),
            numbers.counts.get("impression", 0),
            numbers.unique_users,
            sum(numbers.counts.values()),
            numbers.counts.get("sign_up", 0),
        )
        for hour, numbers in pipeline.expected().items()
    }


def total(points: Mapping[int, Point]) -> Point:
    return tuple(sum(values) for values in zip(*points.values(), strict=True))


@pytest.fixture
def stranger(influx: InfluxSettings) -> Iterator[Stranger]:
    one = Stranger(influx)
    yield one
    one.close()


async def until_right(pipeline: Pipeline, stranger: Stranger) -> None:
    """Returns once each hour's numbers, and the whole's, are the oracle's; fails if they do not become so."""
    points = expected(pipeline)

    def shown() -> dict[int, tuple[Point, Point]]:
        return {hour: stranger.sums(hour, hour + HOUR_MS) for hour in points}

    async def is_right() -> bool:
        return shown() == {hour: (point, point) for hour, point in points.items()}

    await eventually_stored(is_right, WITHIN, lambda: f"{shown()}\nnot {points}\n{pipeline.logs()}")
    whole = total(points)
    assert stranger.sums(0, END_OF_TIME_MS) == (whole, whole)


async def test_the_obvious_query_is_right_for_hours_of_any_age(
    pipeline: Pipeline, stranger: Stranger, tmp_path: Path
) -> None:
    traffic = Traffic()
    worker(pipeline)
    keeper(pipeline, tmp_path)
    for _ in range(3):
        pipeline.send(traffic.actions(ACTIONS), lines=20)
        await pipeline.counted()
        await until_right(pipeline, stranger)


async def test_it_is_right_after_kills_and_stalls_of_workers_and_keepers_and_after_a_stale_write(
    pipeline: Pipeline, stranger: Stranger, tmp_path: Path
) -> None:
    traffic = Traffic(seed=2)
    first_worker, stalled, killed = worker(pipeline), keeper(pipeline, tmp_path), keeper(pipeline, tmp_path)
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    await pipeline.counted()
    await until_right(pipeline, stranger)
    rollup = InfluxRollup(pipeline.influx)
    stale = await rollup.read_points(0, END_OF_TIME_MS)
    stalled.running.send(signal.SIGSTOP)
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    first_worker.kill()
    killed.kill()
    worker(pipeline)
    keeper(pipeline, tmp_path)
    await pipeline.counted()
    await until_right(pipeline, stranger)

    stalled.running.send(signal.SIGCONT)
    await rollup.write_points(stale)
    await rollup.close()

    await until_right(pipeline, stranger)


async def test_it_is_right_after_partitions_were_added_within_the_hour(
    pipeline: Pipeline, stranger: Stranger, tmp_path: Path
) -> None:
    traffic = Traffic(seed=3)
    worker(pipeline)
    keeper(pipeline, tmp_path)
    pipeline.send(traffic.actions(ACTIONS), lines=20)
    pipeline.admin.create_partitions([NewPartitions(pipeline.topic, PARTITIONS + 2)])[pipeline.topic].result(60)
    pipeline.lines[PARTITIONS] = actions = [Action(pipeline.this_hour, f"user-{n}", "click") for n in range(200, 400)]
    wait_until_led(pipeline.admin, pipeline.topic, PARTITIONS + 2)
    # A client that has not seen the topic yet; the pipeline's learns of the growth only after minutes.
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "log_level": 0})
    for action in actions:
        producer.produce(pipeline.topic, encode_action(action), partition=PARTITIONS, headers=[("partitions", b"6")])
    assert producer.flush(60) == 0
    pipeline.ends[PARTITIONS] = len(actions) - 1

    await pipeline.counted()

    await until_right(pipeline, stranger)


@pytest.mark.parametrize("influx", ["influx1"], indirect=True, ids=["influx-1.8"])
async def test_it_follows_what_is_committed_where_that_is_wrong_and_where_a_rebuild_puts_it_right(
    pipeline: Pipeline, stranger: Stranger, tmp_path: Path
) -> None:
    worker(pipeline)
    keeper(pipeline, tmp_path)
    pipeline.send(Traffic(seed=4).actions(ACTIONS), lines=20)
    await pipeline.counted()
    await until_right(pipeline, stranger)
    hour = pipeline.this_hour
    right = expected(pipeline)[hour]
    for point in await pipeline.store.read_windows(hour):
        value = msgspec.structs.replace(point.value, counts={"click": 100_000}, unique_users=77)
        await pipeline.store.write_windows([WindowPoint(point.source, hour, point.slot, value)], [])

    async def is_wrong() -> bool:
        return stranger.sums(hour, hour + HOUR_MS)[0] > right

    await eventually_stored(is_wrong, WITHIN, pipeline.logs)
    rebuilt = collector(environment(pipeline), "rebuild", "--from", format_hour(hour), "--to", format_hour(hour))

    assert rebuilt.returncode == 0, rebuilt.stderr
    await until_right(pipeline, stranger)
