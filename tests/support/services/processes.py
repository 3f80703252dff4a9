from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import free_port
from support.services.addresses import Addresses, Missing


@contextmanager
def services_as_processes(folder: Path) -> Iterator[Addresses]:
    """Kafka and InfluxDB as plain processes whose data live in `folder`."""
    try:
        artifacts = installed()
    except LocalError as error:
        raise Missing(str(error)) from error
    influxdb = InfluxDB(artifacts, folder / "influxdb", free_port())
    influxdb.start()
    try:
        with Kafka(artifacts, folder / "kafka", free_port(), free_port()) as kafka:
            influxdb.wait_until_ready()
            yield Addresses(kafka.bootstrap, influxdb.url)
    finally:
        influxdb.stop()
