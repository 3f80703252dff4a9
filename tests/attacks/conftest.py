"""Services of ours as processes, to be attacked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stores.influx.settings import InfluxSettings
from support.attacks.target import Target
from support.product.environment import environment_of

Start = Callable[..., Target]


@pytest.fixture
def start_ingest(kafka_bootstrap: str, topic: str, tmp_path: Path) -> Iterator[Start]:
    """Starts an ingest API on real Kafka; settings are given without their prefix."""
    with ExitStack() as stack:

        def start(descriptors: int | None = None, **settings: str) -> Target:
            environment = {
                "COLLECTOR_KAFKA_BOOTSTRAP": kafka_bootstrap,
                "COLLECTOR_TOPIC": topic,
                **{f"COLLECTOR_{name.upper()}": value for name, value in settings.items()},
            }
            return stack.enter_context(Target("ingest_api", tmp_path, environment, descriptors))

        yield start


@pytest.fixture
def ingest(start_ingest: Start) -> Target:
    """An ingest API with the default settings."""
    return start_ingest()


@pytest.fixture
def aggregator(tmp_path: Path, influx: InfluxSettings, topic: str, kafka_bootstrap: str) -> Iterator[Target]:
    """An aggregator on real Kafka and InfluxDB."""
    with Target("aggregator", tmp_path, environment_of(kafka_bootstrap, topic, topic, influx)) as target:
        yield target


@pytest.fixture
def worker(tmp_path: Path, influx: InfluxSettings, topic: str, kafka_bootstrap: str) -> Iterator[Target]:
    """A worker on the same Kafka and InfluxDB."""
    with Target("stream_workers", tmp_path, environment_of(kafka_bootstrap, topic, topic, influx)) as target:
        yield target
