"""What Cassandra's tables hold, read beside the store."""

import asyncio
from typing import Any

from contract.progress import LogPartition
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.raw import unpacked
from support.stores.subject import Actions


def rows_of(settings: CassandraSettings, query: str) -> list[Any]:
    """All rows that a query finds."""
    cluster = open_cluster(settings)
    try:
        return list(cluster.connect(settings.cassandra_keyspace).execute(query, timeout=60))
    finally:
        cluster.shutdown()


async def raw_actions(settings: CassandraSettings) -> Actions:
    """The raw actions, by source and line number."""
    rows = await asyncio.to_thread(rows_of, settings, "SELECT log, partition, first_line, packed FROM actions")
    return {
        (LogPartition(log, partition), number): action
        for log, partition, first_line, packed in rows
        for number, action in enumerate(unpacked(packed), first_line)
        if action is not None
    }
