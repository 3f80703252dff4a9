"""The services of one scenario, as processes that can be killed, stopped and started again."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from confluent_kafka.admin import AdminClient

from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from support.cluster.clock import SetClock
from support.faults.dying_worker import DyingWorker, Moment
from support.product.environment import environment_of
from support.product.worker_process import WorkerProcess
from support.services.kafka_admin import log_of_topic, wait_until_led
from support.stores.environment import AnySettings

PARTITIONS = 8


class Brokers(Protocol):
    """One Kafka node, or several."""

    @property
    def bootstrap(self) -> str: ...
    def create_topic(self, name: str, partitions: int) -> None: ...


class Topic(NamedTuple):
    """A topic's name, and its id as the store knows it."""

    name: str
    log: str


class Environment:
    """A topic and buckets of its own on shared brokers and stores, and the product's processes on them."""

    def __init__(
        self, folder: Path, bootstrap: str, topic: Topic, rejected_topic: str, store: AnySettings, **settings: str
    ) -> None:
        """`settings`: of all services, in lower case and without COLLECTOR_."""
        self.bootstrap = bootstrap
        self.topic, self.log = topic
        self.rejected_topic = rejected_topic
        self.store = store
        self.workers: list[WorkerProcess] = []
        self._folder = folder
        self._services: list[PythonService] = []
        # Scenarios send actions of all times.
        self._variables = {
            **environment_of(bootstrap, self.topic, rejected_topic, store),
            "COLLECTOR_INGEST_OLDEST": "1970-01-01",
            **_variables(settings),
        }
        self.aggregator = self.start("aggregator")
        self.apis = [self.start("ingest_api")]

    @property
    def influx(self) -> InfluxSettings:
        """Where its InfluxDB is, which most environments have."""
        assert isinstance(self.store, InfluxSettings)
        return self.store

    def api_urls(self) -> list[str]:
        """Where clients send, at this moment."""
        return [f"http://127.0.0.1:{api.port}" for api in self.apis]

    @property
    def aggregator_url(self) -> str:
        return f"http://127.0.0.1:{self.aggregator.port}"

    def start(self, module: str, **other: str) -> PythonService:
        """Starts one of the services, and does not wait for it.

        `other` are settings that differ for this one, in lower case and without COLLECTOR_.
        """
        name = f"{module}-{len(self._services) + 1}"
        service = PythonService(name, free_port(), self._folder / f"{name}.log", module, self._with(other))
        service.start()
        self._services.append(service)
        return service

    def restart_api(self) -> None:
        """One takes the other's place: clients are sent to the new one, then the old one is told to stop."""
        new = self.start("ingest_api")
        new.wait_until_ready()
        old, self.apis[0] = self.apis[0], new
        old.stop()

    def restart_aggregator(self) -> None:
        """Likewise, for readers."""
        new = self.start("aggregator")
        new.wait_until_ready()
        old, self.aggregator = self.aggregator, new
        old.stop()

    def start_worker(self, **other: str) -> WorkerProcess:
        """Starts a worker, and does not wait for it."""
        return self._start_worker(WorkerProcess, other)

    def start_worker_by(self, clock: SetClock) -> WorkerProcess:
        """A worker that goes by another clock."""
        module = "support.cluster.clock"
        return self._start_worker(partial(WorkerProcess, module=module, variables=clock.of_python()), {})

    def start_dying_worker(self, moment: Moment, **other: str) -> WorkerProcess:
        """A worker that kills itself at that moment of a flush."""
        return self._start_worker(partial(DyingWorker, moment=moment), other)

    def _start_worker(self, make: Callable[..., WorkerProcess], other: Mapping[str, str]) -> WorkerProcess:
        worker = make(f"worker-{len(self.workers) + 1}", self._folder, self._with(other))
        worker.start()
        self.workers.append(worker)
        return worker

    def wait_until_ready(self) -> None:
        """Returns once all that are running are ready."""
        for service in self._running():
            service.wait_until_ready()

    def close(self) -> None:
        for service in self._running():
            service.kill()

    def _with(self, other: Mapping[str, str]) -> Mapping[str, str]:
        return {**self._variables, **_variables(other)}

    def _running(self) -> list[PythonService]:
        services = [*self._services, *self.workers]
        return [service for service in services if service.process is not None and service.process.is_alive()]


def _variables(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"COLLECTOR_{name.upper()}": value for name, value in settings.items()}


@asynccontextmanager
async def started_environment(
    kafka: Brokers, influx_url: str, folder: Path, raw_retention: timedelta = timedelta(days=30)
) -> AsyncIterator[Environment]:
    """One API and one aggregator, no workers yet, on a topic and buckets of their own."""
    name = secrets.token_hex(4)
    influx = InfluxSettings(
        influx_url=influx_url,
        raw_bucket=f"actions_{name}/autogen",
        hourly_bucket=f"hourly_{name}/autogen",
        raw_retention=raw_retention,
    )
    await create_buckets(influx)
    async with environment_on(kafka, influx, folder) as environment:
        yield environment


@asynccontextmanager
async def environment_on(
    kafka: Brokers, store: AnySettings, folder: Path, **settings: str
) -> AsyncIterator[Environment]:
    """The same on a topic of their own, and on a store that holds nothing; `settings` as Environment has them."""
    name = secrets.token_hex(4)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    for topic, partitions in ((f"actions-{name}", PARTITIONS), (f"rejected-{name}", 1)):
        kafka.create_topic(topic, partitions)
        await asyncio.to_thread(wait_until_led, admin, topic, partitions)
    topic = Topic(f"actions-{name}", await asyncio.to_thread(log_of_topic, admin, f"actions-{name}"))
    environment = Environment(folder, kafka.bootstrap, topic, f"rejected-{name}", store, **settings)
    try:
        yield environment
    finally:
        environment.close()
