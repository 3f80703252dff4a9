"""Three Cassandra nodes, on loopback: each can be stopped, killed, emptied and replaced."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from cassandra import ConsistencyLevel, DriverException, Unavailable  # type: ignore[import-untyped] # the driver has no types
from cassandra.cluster import (  # type: ignore[import-untyped] # likewise
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
)
from cassandra.policies import (  # type: ignore[import-untyped] # likewise
    FallthroughRetryPolicy,
    WhiteListRoundRobinPolicy,
)

from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.errors import ServiceFailed
from deploy.local.services.ports import free_port
from stores.cassandra import queries
from stores.cassandra.settings import CassandraSettings
from support.cluster.node import ClusterNode
from support.cluster.peer_network import PeerNetwork

NODES: Final = 3
_POLL_SECONDS: Final = 0.5
_ASK_SECONDS: Final = 5.0
_OF_ALL_REPLICAS: Final = (
    "SELECT parent_id FROM system_distributed.parent_repair_history"
    " WHERE parent_id = 00000000-0000-1000-8000-000000000000"
)
"""Finds nothing, in a table that has three replicas."""


class CassandraCluster:
    """As a context manager it is started, waited for, and killed: its data are nobody's afterwards."""

    ready_seconds = 240.0
    """It counts as failed if it is not whole so soon."""

    def __init__(self, artifacts: CassandraArtifacts, folder: Path) -> None:
        ports: list[int] = []
        for _ in range(2 + NODES):
            ports.append(free_port(taken=ports))
        port, peers, *tools = ports
        self.nodes = [
            ClusterNode(artifacts, folder / f"cassandra-{number}", number, (port, peers, tools[number - 1]))
            for number in range(1, NODES + 1)
        ]
        for node in self.nodes:
            node.seeds = [other.known_as for other in self.nodes]
        self.network = PeerNetwork({node.known_as: (node.host, peers) for node in self.nodes})
        self.settings = CassandraSettings(
            cassandra_hosts=",".join(node.host for node in self.nodes),
            cassandra_port=port,
            cassandra_replication=NODES,
        )
        """Where clients find it, and the keyspace that is looked after."""

    def others(self, node: ClusterNode) -> list[ClusterNode]:
        """All nodes but one."""
        return [other for other in self.nodes if other is not node]

    def asked_first(self) -> ClusterNode:
        """Whom clients ask for progress, and for the schema's version, before any other."""
        cluster = Cluster([self.nodes[0].host], port=self.settings.cassandra_port)
        try:
            cluster.connect()
            first, *_ = cluster.metadata.get_replicas(self.settings.cassandra_keyspace, queries.ALL.encode())
        finally:
            cluster.shutdown()
        return next(node for node in self.nodes if node.host == first.address)

    def start_missing(self) -> None:
        """Starts the nodes that are not alive, and does not wait."""
        for node in self.nodes:
            if node.process is None or not node.process.is_alive():
                node.start()

    def wait_until_whole(self) -> None:
        """Returns once every node takes clients and takes every other for up. Raises ServiceFailed."""
        for node in self.nodes:
            node.wait_until_ready()
        self._until("each node takes all for alive", self._sees_all, self.nodes)

    def wait_until_dead(self, node: ClusterNode) -> None:
        """Returns once all others take a node for dead. Raises ServiceFailed."""
        self._until(f"{node.name} is taken for dead", self._sees_a_dead_one, self.others(node))

    def replace(self, dead: ClusterNode) -> None:
        """As docs/operations.md says, for a node whose disk is lost. Returns once the new one has its data."""
        first, *_ = self.others(dead)
        # Until then a repair would wait for it.
        self.wait_until_dead(dead)
        first.repair(self.settings.cassandra_keyspace)
        dead.replace(self.others(dead))
        self.wait_until_whole()
        dead.repair(self.settings.cassandra_keyspace)

    def _sees_all(self, node: ClusterNode) -> bool:
        with suppress(DriverException, NoHostAvailable):
            _ask_all_replicas(node)
            return True
        return False

    def _sees_a_dead_one(self, node: ClusterNode) -> bool:
        try:
            _ask_all_replicas(node)
        except Unavailable:
            return True
        except (DriverException, NoHostAvailable):
            return False
        return False

    def _until(self, what: str, condition: Callable[[ClusterNode], bool], nodes: Sequence[ClusterNode]) -> None:
        give_up = time.monotonic() + self.ready_seconds
        while not all(map(condition, nodes)):
            if time.monotonic() > give_up:
                tails = "\n".join(node.log_tail() for node in self.nodes)
                raise ServiceFailed("cassandra", f"not so after {self.ready_seconds:.0f} s: {what}", tails)
            time.sleep(_POLL_SECONDS)

    def __enter__(self) -> Self:
        self.network.open()
        try:
            self.start_missing()
            self.wait_until_whole()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()

    def _kill(self) -> None:
        for node in self.nodes:
            if node.process is not None and node.process.is_alive():
                node.kill()
        self.network.close()


def _ask_all_replicas(node: ClusterNode) -> None:
    """Raises Unavailable where the node takes one of them for dead."""
    profile = ExecutionProfile(
        WhiteListRoundRobinPolicy([node.host]),
        FallthroughRetryPolicy(),
        consistency_level=ConsistencyLevel.ALL,
        request_timeout=_ASK_SECONDS,
    )
    cluster = Cluster([node.host], port=node.port, execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    try:
        cluster.connect().execute(_OF_ALL_REPLICAS)
    finally:
        cluster.shutdown()
