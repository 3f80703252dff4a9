from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from services.door import Door
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


@pytest.fixture
def door(pipeline: Pipeline) -> Iterator[Door]:
    """Before the pipeline's store, open."""
    address = urlsplit(str(pipeline.influx.influx_url))
    with Door(address.hostname or "", address.port or 0) as door:
        yield door
