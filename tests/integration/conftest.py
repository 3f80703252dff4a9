from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from worker_pipeline import PARTITIONS, Pipeline

from stores.influx_setup import create_buckets
from stores.settings import InfluxSettings


@pytest.fixture
async def pipeline(
    kafka_bootstrap: str, influx: InfluxSettings, create_topic: Callable[..., str], tmp_path: Path
) -> AsyncIterator[Pipeline]:
    """Topics, buckets and a consumer group of its own; workers that are left over are killed."""
    await create_buckets(influx)
    one = Pipeline(kafka_bootstrap, influx, create_topic(PARTITIONS), create_topic(1), tmp_path)
    yield one
    await one.close()
