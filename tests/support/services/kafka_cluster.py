"""Three Kafka nodes in one quorum, on loopback: each can be stopped, killed and started again."""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription  # type: ignore[attr-defined] # exported untyped

from deploy.local.artifacts.installed import Artifacts
from deploy.local.errors import ServiceFailed
from deploy.local.services.kafka_node import KafkaNode, Membership
from deploy.local.services.ports import free_port

NODES: Final = 3
IN_SYNC: Final = 2
"""So many replicas must have a record before it is acknowledged."""


_ASK_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.1


class KafkaCluster:
    """As a context manager it is started, waited for, and killed: its data are nobody's afterwards."""

    ready_seconds = 120.0
    """It counts as failed if it is not whole so soon."""

    def __init__(self, artifacts: Artifacts, folder: Path) -> None:
        taken: list[int] = []
        for _ in range(2 * NODES):
            taken.append(free_port(taken=taken))
        controllers = dict(enumerate(taken[:NODES], 1))
        self.nodes = [
            KafkaNode(artifacts, folder / f"kafka-{number}", port, Membership(number, controllers))
            for number, port in enumerate(taken[NODES:], 1)
        ]
        for node in self.nodes:
            node.cluster_id = self.nodes[0].cluster_id

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return ",".join(node.bootstrap for node in self.nodes)

    def create_topic(self, name: str, partitions: int) -> None:
        """Creates a topic that each node has a replica of; returns once all of them are in sync."""
        self.nodes[0].create_topic(name, partitions)
        self.wait_until_whole([name])

    def leader_of(self, topic: str, partition: int) -> KafkaNode:
        """Who leads a partition. Raises KafkaException."""
        leader = self._describe(topic).partitions[partition].leader
        return next(node for node in self.nodes if node.number == leader.id)

    def start_missing(self) -> None:
        """Starts the nodes that are not alive, and does not wait."""
        for node in self.nodes:
            if node.process is None or not node.process.is_alive():
                node.start()

    def replace(self, dead: KafkaNode, topics: Sequence[str]) -> None:
        """As docs/operations.md says, for a broker whose disk is lost. Returns once the empty one is in sync."""
        shutil.rmtree(dead.folder / "data")
        dead.start()
        self.wait_until_whole(topics)

    def wait_until_whole(self, topics: Sequence[str]) -> None:
        """Returns once every node is alive and in sync. Raises ServiceFailed if that takes too long."""
        for node in self.nodes:
            node.wait_until_ready()
        give_up = time.monotonic() + self.ready_seconds
        while not all(map(self._is_whole, topics)):
            if time.monotonic() > give_up:
                raise ServiceFailed("kafka", f"is not whole after {self.ready_seconds:.0f} s", self._log_tails())
            time.sleep(_POLL_SECONDS)

    def __enter__(self) -> Self:
        self.start_missing()
        try:
            self.wait_until_whole([])
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

    def _is_whole(self, topic: str) -> bool:
        with suppress(KafkaException):
            return all(len(partition.isr) == NODES for partition in self._describe(topic).partitions)
        return False

    def _describe(self, topic: str) -> TopicDescription:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        found: TopicDescription = admin.describe_topics(TopicCollection([topic]), request_timeout=_ASK_SECONDS)[
            topic
        ].result()
        return found

    def _log_tails(self) -> str:
        return "\n".join(node.log_tail() for node in self.nodes)
