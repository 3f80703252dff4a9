"""InfluxDB 1.8 and clusters of Cassandra, all of them running at once; and a new, empty store on any of them."""

import asyncio
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, Self

import psutil  # type: ignore[import-untyped] # it has no types

from bench.running.services import drop_buckets, left_in_order, pid_of
from contract.errors import StoreUnavailable
from contract.store import Store
from deploy.local.artifacts.cassandra import CassandraArtifacts, cassandra_installed
from deploy.local.artifacts.installed import installed
from deploy.local.services.cassandra import Cassandra, cassandra_nodes
from deploy.local.services.influxdb import InfluxDB
from deploy.local.services.ports import free_port
from deploy.local.services.service import Service
from stores.cassandra.driver.cluster import open_cluster
from stores.influx.schema import MS
from stores.opening import open_store, provision_store
from stores.raw.settings import RawStorage
from stores.settings import StoreKind, StoreSettings

_SECONDS: Final = 120.0
_SECONDS_BETWEEN_LOOKS: Final = 0.5


class Server(ABC):
    """A store that runs: one process, or the nodes of a cluster."""

    def __init__(self, name: str, services: Sequence[Service]) -> None:
        self.name = name
        self._services = services

    def cpu(self) -> float:
        """Seconds that its processes have used."""
        times = [psutil.Process(pid_of(service)).cpu_times() for service in self._services]
        return float(sum(one.user + one.system for one in times))

    @asynccontextmanager
    async def place(self, raw: RawStorage) -> AsyncIterator[StoreSettings]:
        """Buckets or a keyspace for one run, with raw actions stored in this way; removed at the end."""
        settings = self._new_place(secrets.token_hex(6)).model_copy(update={"raw_storage": raw})
        await _provision(settings)
        try:
            yield settings
        finally:
            await self._remove(settings)

    @asynccontextmanager
    async def emptied(self, raw: RawStorage = RawStorage.OFF) -> AsyncIterator[Store]:
        """A store of its own for one run, as `place`."""
        async with self.place(raw) as settings, opened(settings) as store:
            yield store

    @abstractmethod
    def _new_place(self, name: str) -> StoreSettings:
        """Where nothing is yet."""

    @abstractmethod
    async def _remove(self, settings: StoreSettings) -> None:
        """All that is there, so that no run meets the compactions of an earlier one."""


class InfluxServer(Server):
    """InfluxDB 1.8."""

    def __init__(self, service: InfluxDB) -> None:
        super().__init__("InfluxDB 1.8", [service])
        self._url = service.url

    def _new_place(self, name: str) -> StoreSettings:
        return StoreSettings(
            store=StoreKind.INFLUX,
            influx_url=self._url,
            raw_bucket=f"actions_{name}/autogen",
            hourly_bucket=f"hourly_{name}/autogen",
        )

    async def _remove(self, settings: StoreSettings) -> None:
        await drop_buckets(settings)


class CassandraServer(Server):
    """A cluster of Cassandra; each node has all rows, but for more than three nodes."""

    def __init__(self, nodes: Sequence[Cassandra]) -> None:
        super().__init__(f"Cassandra, {len(nodes)} node{'s' * (len(nodes) > 1)}", nodes)
        self._hosts = ",".join(node.host for node in nodes)
        self._port = nodes[0].port
        self._replication = min(3, len(nodes))

    @contextmanager
    def running(self) -> Iterator[Self]:
        """All nodes are started, and killed at the end: nobody needs their data then."""
        with ExitStack() as stack:
            # All at once: each waits for the others.
            for node in self._services:
                node.start()
                stack.callback(node.kill)
            for node in self._services:
                node.wait_until_ready()
            yield self

    def _new_place(self, name: str) -> StoreSettings:
        return StoreSettings(
            store=StoreKind.CASSANDRA,
            cassandra_hosts=self._hosts,
            cassandra_port=self._port,
            cassandra_keyspace=f"bench_{name}",
            cassandra_replication=self._replication,
        )

    async def _remove(self, settings: StoreSettings) -> None:
        await asyncio.to_thread(_drop_keyspace, settings)


@asynccontextmanager
async def opened(settings: StoreSettings) -> AsyncIterator[Store]:
    """A store that is closed at the end."""
    store = open_store(settings, now)
    try:
        yield store
    finally:
        await store.close()


def now() -> int:
    """Ms since the epoch."""
    return time.time_ns() // MS


@contextmanager
def started_stores(folder: Path, clusters: Sequence[int]) -> Iterator[list[Server]]:
    """InfluxDB, and a cluster of Cassandra for each number of nodes. Raises CannotStart where one is not set up."""
    with left_in_order(), ExitStack() as stack:
        influxdb = stack.enter_context(InfluxDB(installed(), folder / "influxdb", free_port()))
        # Only now: without clusters, Cassandra need not be set up.
        artifacts = cassandra_installed() if clusters else None
        started = [
            stack.enter_context(cassandra_server(artifacts, folder / f"cassandra-{nodes}", nodes).running())
            for nodes in clusters
            if artifacts
        ]
        yield [InfluxServer(influxdb), *started]


def cassandra_server(artifacts: CassandraArtifacts, folder: Path, number: int) -> CassandraServer:
    """A cluster of so many nodes, with its data in `folder`, that is not started yet."""
    port = free_port()
    logs = [folder / f"{node}.log" for node in range(1, number + 1)]
    return CassandraServer(cassandra_nodes(artifacts, folder, (port, free_port(taken=[port])), logs))


async def _provision(settings: StoreSettings) -> None:
    """Nodes that were started together find each other some time after they answer."""
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            await provision_store(settings)
        except StoreUnavailable:
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        else:
            return


def _drop_keyspace(settings: StoreSettings) -> None:
    cluster = open_cluster(settings)
    try:
        cluster.connect().execute(f"DROP KEYSPACE {settings.cassandra_keyspace}", timeout=_SECONDS)
    finally:
        cluster.shutdown()
