"""What Cassandra's tables hold, read beside the store."""

import asyncio
from typing import Any

from contract.log.progress import LogPartition
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.settings import CassandraSettings
from support.stores.subject import Actions, united


def rows_of(settings: CassandraSettings, query: str) -> list[Any]:
    """All rows that a query finds."""
    cluster = open_cluster(settings)
    try:
        return list(cluster.connect(settings.cassandra_keyspace).execute(query, timeout=60))
    finally:
        cluster.shutdown()


async def raw_actions(settings: CassandraSettings) -> Actions:
    """The raw actions, by source and line number."""
    rows = await asyncio.to_thread(rows_of, settings, "SELECT log, partition, packed FROM action_runs")
    return united((LogPartition(log, partition), packed) for log, partition, packed in rows)
