"""One Cassandra node for a whole run, with one keyspace: creating its tables takes seconds, emptying them less."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deploy.local.artifacts.cassandra import cassandra_installed
from deploy.local.errors import LocalError
from deploy.local.services.cassandra import Cassandra
from deploy.local.services.ports import free_port
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.settings import CassandraSettings
from support.services.addresses import Missing

TABLES = (
    "windows",
    "window_buckets",
    "segments",
    "segment_chunks",
    "progress",
    "rebuilds",
    "action_runs",
    "action_chunks",
)


class Node(NamedTuple):
    """A running node, which a test may kill if it starts it again; and where clients find it."""

    service: Cassandra
    settings: CassandraSettings


@contextmanager
def cassandra_node(folder: Path) -> Iterator[Node]:
    """A node whose data live in `folder`. Raises Missing."""
    try:
        artifacts = cassandra_installed()
    except LocalError as error:
        raise Missing(str(error)) from error
    port = free_port()
    with Cassandra(artifacts, folder, port, free_port(taken=[port])) as service:
        yield Node(service, CassandraSettings(cassandra_port=port, cassandra_replication=1))


def empty_tables(settings: CassandraSettings) -> None:
    """Removes all rows. A row that is deleted instead would hide later ones with an earlier write time."""
    cluster = open_cluster(settings)
    try:
        session = cluster.connect(settings.cassandra_keyspace)
        for answer in [session.execute_async(f"TRUNCATE {table}", timeout=60) for table in TABLES]:
            answer.result()
    finally:
        cluster.shutdown()
