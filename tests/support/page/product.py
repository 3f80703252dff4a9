"""The product behind its gateway, on a Kafka and an InfluxDB of its own, each of which can be killed."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local.artifacts.installed import installed
from deploy.local.services.gateway import Gateway
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from deploy.local.services.service import Service
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.end_to_end.pipeline import Pipeline

ELSEWHERE: Final = "collector.example"
"""A name that the browser finds on loopback, and does not know to be there."""
HOSTS: Final = ("localhost", "127.0.0.1", ELSEWHERE)


class PageProduct:
    """What people with a browser meet."""

    def __init__(self, gateway: Gateway, aggregator: PythonService, store: InfluxDB, log: Kafka) -> None:
        self.url = f"http://127.0.0.1:{gateway.port}"
        self.aggregator = aggregator
        self.store = store
        self.log = log

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=60, trust_env=False).raise_for_status()

    def post(self, *actions: dict[str, Any]) -> None:
        """Returns once they are acknowledged."""
        answer = httpx.post(f"{self.url}/v1/actions", json=list(actions), timeout=60, trust_env=False)
        assert answer.json() == {"accepted": len(actions), "rejected": []}


@contextmanager
def killed(service: Service) -> Iterator[None]:
    """SIGKILL; after the block it is started again, and ready."""
    service.kill()
    try:
        yield
    finally:
        service.start()
        service.wait_until_ready()


@contextmanager
def page_product(folder: Path) -> Iterator[PageProduct]:
    """All of it, empty, for the time of the block. Raises LocalError where it was not set up."""
    artifacts = installed()
    with ExitStack() as stack:
        influxdb = stack.enter_context(InfluxDB(artifacts, folder / "influxdb", free_port()))
        kafka = stack.enter_context(Kafka(artifacts, folder / "kafka", free_port(), free_port()))
        kafka.create_topic("actions", 4)
        kafka.create_topic("actions.rejected", 1)
        pipeline = Pipeline(
            folder,
            kafka.bootstrap,
            "actions",
            "actions.rejected",
            _buckets(influxdb),
            # Short enough to wait for it again and again while Kafka is away.
            settings_by_module={
                "aggregator": {
                    "COLLECTOR_AGGREGATOR_KAFKA_TIMEOUT": "PT3S",
                    "COLLECTOR_ALLOWED_HOSTS": ",".join(HOSTS),
                },
            },
        )
        stack.enter_context(closing(pipeline))
        pipeline.start_worker()
        pipeline.wait_until_ready()
        upstreams = {
            "GATEWAY_ALLOWED_HOSTS": " ".join(HOSTS),
            "GATEWAY_INGEST": f"127.0.0.1:{pipeline.ingest.port}",
            "GATEWAY_AGGREGATOR": f"127.0.0.1:{pipeline.aggregator.port}",
        }
        gateway = stack.enter_context(Gateway(folder / "gateway", free_port(), folder / "gateway.log", upstreams))
        yield PageProduct(gateway, pipeline.aggregator, influxdb, kafka)


def _buckets(influxdb: InfluxDB) -> InfluxSettings:
    for database in ("actions", "hourly"):
        query = {"q": f'CREATE DATABASE "{database}"'}
        httpx.post(f"{influxdb.url}/query", params=query, timeout=60, trust_env=False).raise_for_status()
    settings = InfluxSettings(influx_url=influxdb.url, raw_bucket="actions/autogen", hourly_bucket="hourly/autogen")
    asyncio.run(create_buckets(settings))
    return settings
