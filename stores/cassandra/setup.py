"""Creating the keyspace and its tables, and bringing them to the version that this program needs."""

import asyncio
from typing import Final

from cassandra.cluster import Cluster, Session  # type: ignore[import-untyped] # likewise

from contract.errors import StoreConflict, StoreError, StoreUnavailable
from stores.cassandra import queries
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.driver.connection import idempotent, schema_version
from stores.cassandra.driver.failures import store_error
from stores.cassandra.settings import CassandraSettings

_SECONDS: Final = 60.0
"""Creating a table waits until all nodes agree."""


async def create_schema(settings: CassandraSettings) -> None:
    """Makes the keyspace and its tables be there; what is there stays, and keeps what it holds.

    One process at a time may do so: Cassandra does not promise that two can create the same table. Raises
    StoreUnavailable, also where there are fewer nodes than replicas, and StoreConflict where the schema is newer.
    """
    await asyncio.to_thread(_create, settings)


def _create(settings: CassandraSettings) -> None:
    cluster = open_cluster(settings)
    cluster.max_schema_agreement_wait = _SECONDS
    try:
        _migrate(cluster.connect(), cluster, settings)
    except StoreError:
        raise
    except Exception as error:
        raise store_error(error) from error
    finally:
        cluster.shutdown()


def _migrate(session: Session, cluster: Cluster, settings: CassandraSettings) -> None:
    keyspace, needed = settings.cassandra_keyspace, len(queries.MIGRATIONS)
    if keyspace not in cluster.metadata.keyspaces:
        _require_nodes(session, settings)
        _change(
            session,
            queries.CREATE_KEYSPACE.format(
                keyspace=keyspace,
                datacenter=settings.cassandra_datacenter.replace("'", "''"),
                replication=settings.cassandra_replication,
            ),
        )
    session.set_keyspace(keyspace)
    _change(session, queries.CREATE_VERSIONS)
    found = schema_version(session)
    if found > needed:
        raise StoreConflict(f"keyspace {keyspace}: its schema has version {found}, this program knows {needed}")
    put = idempotent(session, queries.PUT_VERSION)
    for version, statements in enumerate(queries.MIGRATIONS[found:], found + 1):
        for statement in statements:
            _change(session, statement)
        session.execute(put, (queries.ALL, version))


def _require_nodes(session: Session, settings: CassandraSettings) -> None:
    """With fewer nodes than replicas the keyspace could be created, and nothing be written."""
    nodes = [
        row[0] for table in ("local", "peers_v2") for row in session.execute(queries.COUNT_NODES.format(table=table))
    ]
    there = nodes.count(settings.cassandra_datacenter)
    if there < settings.cassandra_replication:
        raise StoreUnavailable(
            f"COLLECTOR_CASSANDRA_REPLICATION={settings.cassandra_replication}: datacenter "
            f"{settings.cassandra_datacenter} has so far {there} nodes",
            reason="too_few_replicas",
        )


def _change(session: Session, statement: str) -> None:
    """Carries out a change of the schema, and waits until all nodes have it."""
    answer = session.execute_async(statement, timeout=_SECONDS)
    answer.result()
    if not answer.is_schema_agreed:
        raise StoreUnavailable(f"the nodes do not agree on the schema yet: {statement[:60]}…", reason="schema")
