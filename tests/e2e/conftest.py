import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from stores.influx.settings import InfluxSettings
from support.end_to_end.pipeline import Pipeline
from support.stores.environment import AnySettings


@pytest.fixture
def now() -> int:
    """ms since the epoch."""
    return time.time_ns() // 1_000_000


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture(
    params=[
        pytest.param("influx1", id="influx-1.8"),
        pytest.param("influx2", id="influx-2.7", marks=pytest.mark.influx2),
        pytest.param("cassandra", id="cassandra"),
    ]
)
def any_store(request: pytest.FixtureRequest) -> AnySettings:
    """Each store in turn."""
    settings: AnySettings = request.getfixturevalue(request.param)
    return settings


def _pipeline(
    store: AnySettings, tmp_path: Path, bootstrap: str, create_topic: Callable[..., str]
) -> Iterator[Pipeline]:
    pipeline = Pipeline(tmp_path, bootstrap, create_topic(8), create_topic(1), store)
    try:
        yield pipeline
    finally:
        pipeline.close()


@pytest.fixture
def pipeline(
    influx1: InfluxSettings, tmp_path: Path, kafka_bootstrap: str, create_topic: Callable[..., str]
) -> Iterator[Pipeline]:
    """The services on InfluxDB 1.8, without workers."""
    yield from _pipeline(influx1, tmp_path, kafka_bootstrap, create_topic)


@pytest.fixture
def pipeline_on_any_store(
    any_store: AnySettings, tmp_path: Path, kafka_bootstrap: str, create_topic: Callable[..., str]
) -> Iterator[Pipeline]:
    """The services on each store in turn, without workers."""
    yield from _pipeline(any_store, tmp_path, kafka_bootstrap, create_topic)
