"""A store of a test's own, of which copies are made, which loses its data, and gets them back."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from deploy.local.services.service import Service
from stores.cassandra.setup import create_schema
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets
from stores.settings import StoreKind
from support.services.addresses import Missing
from support.services.cassandra import cassandra_node
from support.stores.environment import AnySettings


class RestorableStore:
    """A running server, whose data lie below `folder`."""

    def __init__(self, service: Service, settings: AnySettings, folder: Path) -> None:
        """`folder`: as the service has it."""
        self.settings = settings
        self._service = service
        self._data = folder / "data"
        self._copy = folder.with_name("backup")

    def back_up(self) -> None:
        """As docs/operations.md says: it is stopped, its data are copied, it is started."""
        self._service.stop()
        shutil.copytree(self._data, self._copy)
        self._start()

    def lose(self) -> None:
        """It dies, and its disk with it."""
        self._service.kill()
        shutil.rmtree(self._data)

    def restore(self) -> None:
        """As docs/operations.md says: what it has by now is removed, the copy takes its place."""
        shutil.copytree(self._copy, self._data)
        self._start()

    def _start(self) -> None:
        self._service.start()
        self._service.wait_until_ready()


@contextmanager
def restorable(kind: StoreKind, folder: Path) -> Iterator[RestorableStore]:
    """An empty one, set up. Raises Missing."""
    with _on_cassandra(folder) if kind is StoreKind.CASSANDRA else _on_influxdb(folder) as store:
        yield store


@contextmanager
def _on_influxdb(folder: Path) -> Iterator[RestorableStore]:
    try:
        artifacts = installed()
    except LocalError as error:
        raise Missing(str(error)) from error
    with InfluxDB(artifacts, folder, free_port()) as service:
        settings = InfluxSettings(influx_url=service.url)
        asyncio.run(create_buckets(settings))
        yield RestorableStore(service, settings, folder)


@contextmanager
def _on_cassandra(folder: Path) -> Iterator[RestorableStore]:
    with cassandra_node(folder) as node:
        asyncio.run(create_schema(node.settings))
        yield RestorableStore(node.service, node.settings, folder)
