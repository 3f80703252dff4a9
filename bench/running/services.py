"""Kafka and InfluxDB 1.8 of the local stack, started for one run of the benchmarks."""

import asyncio
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from deploy.local.artifacts.installed import installed
from deploy.local.services.influxdb import LOCAL_TOKEN, InfluxDB
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import free_port
from deploy.local.services.service import Service
from stores.influx.connection import InfluxConnection
from stores.influx.schema import Bucket, quoted_name
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stores.raw.settings import RawSettings, RawStorage

PARTITIONS = 8
_TERMINATING = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Services:
    """What every case runs on. Each run of a contender gets topics and buckets of its own."""

    kafka: Kafka
    influxdb: InfluxDB
    folder: Path

    def topic(self, partitions: int = PARTITIONS) -> str:
        """A new topic."""
        name = f"bench-{secrets.token_hex(6)}"
        self.kafka.create_topic(name, partitions)
        return name

    @contextmanager
    def buckets(self, raw: RawStorage = RawStorage.POINTS) -> Iterator[InfluxSettings]:
        """Two new buckets, with raw actions stored in this way.

        They are dropped at the end, so that no run meets the compactions of an earlier one.
        """
        name = secrets.token_hex(6)
        settings = InfluxSettings(
            influx_url=self.influxdb.url,
            raw_bucket=f"actions_{name}/autogen",
            hourly_bucket=f"hourly_{name}/autogen",
            raw_storage=raw,
        )
        asyncio.run(create_buckets(settings))
        try:
            yield settings
        finally:
            asyncio.run(drop_buckets(settings))

    def log(self, name: str) -> Path:
        """A file for the output of a process."""
        return self.folder / f"{name}-{secrets.token_hex(4)}.log"

    def environment(self, topic: str, store: RawSettings | None = None) -> Mapping[str, str]:
        """The settings of our services and the baselines; of the store, what was set on purpose."""
        return {
            "COLLECTOR_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "COLLECTOR_TOPIC": topic,
            "COLLECTOR_REJECTED_TOPIC": topic,
            "COLLECTOR_CONSUMER_GROUP": f"group-{secrets.token_hex(6)}",
            "COLLECTOR_INFLUX_URL": self.influxdb.url,
            "COLLECTOR_INFLUX_TOKEN": LOCAL_TOKEN,
            **({} if store is None else environment_of(store)),
        }

    @property
    def pids(self) -> list[int]:
        """Kafka's and InfluxDB's processes."""
        return [pid_of(self.kafka), pid_of(self.influxdb)]


@contextmanager
def started(folder: Path, *, for_long: bool = False) -> Iterator[Services]:
    """Both services, with their data in `folder`; `for_long`: for minutes, as Kafka runs in production.

    Raises CannotStart where they are not set up.
    """
    artifacts = installed()
    broker = Kafka(artifacts, folder / "kafka", free_port(), free_port())
    broker.quick_start = not for_long
    with left_in_order(), InfluxDB(artifacts, folder / "influxdb", free_port()) as influxdb, broker as kafka:
        yield Services(kafka, influxdb, folder)


@contextmanager
def left_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit in the block: each process has a session of its own, and would go on."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for further in _TERMINATING:
            # A second one must not break off the stopping.
            signal.signal(further, signal.SIG_IGN)
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in _TERMINATING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def environment_of(settings: RawSettings) -> dict[str, str]:
    """The variables by which another process reads what was set here, secrets left out."""
    said = settings.model_dump(mode="json", exclude_unset=True, exclude={"influx_token"})
    return {f"COLLECTOR_{name}".upper(): "" if value is None else str(value) for name, value in said.items()}


def pid_of(service: Service) -> int:
    """The process of a service that was started."""
    assert service.process is not None
    return service.process.pid


async def drop_buckets(settings: InfluxSettings) -> None:
    """Both buckets, with all that they hold."""
    connection = InfluxConnection(settings)
    try:
        for bucket in (settings.raw_bucket, settings.hourly_bucket):
            await connection.query(None, f"DROP DATABASE {quoted_name(Bucket.named(bucket).database)}")
    finally:
        await connection.close()
