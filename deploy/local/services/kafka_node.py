"""One of several Kafka nodes in one quorum, on loopback: broker and controller in one process."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from deploy.local.artifacts.installed import Artifacts
from deploy.local.services.kafka import Kafka

_MEMBER = """\
node.id={number}
controller.quorum.voters={voters}
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_sync}
min.insync.replicas={in_sync}
# Another leads a dead broker's partitions well before a sender's time (COLLECTOR_INGEST_DELIVERY_TIMEOUT) is over: the
# default of 9 s begins anew where the active controller dies with it.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
_REPLICAS = 3


class Membership(NamedTuple):
    """Which node of a quorum this is, and where the controllers of all of them listen, by number."""

    number: int
    controller_ports: Mapping[int, int]


class KafkaNode(Kafka):
    """One of them. Of three, any one may be lost: a record is acknowledged once two have it."""

    heap = "256m"

    def __init__(
        self, artifacts: Artifacts, folder: Path, port: int, membership: Membership, log: Path | None = None
    ) -> None:
        super().__init__(artifacts, folder, port, membership.controller_ports[membership.number], log)
        self.name = f"kafka-{membership.number}"
        self.number = membership.number
        self.replicas = min(_REPLICAS, len(membership.controller_ports))
        self._controllers = membership.controller_ports

    def membership(self) -> str:
        voters = ",".join(f"{number}@127.0.0.1:{port}" for number, port in self._controllers.items())
        in_sync = self.replicas // 2 + 1
        return _MEMBER.format(number=self.number, voters=voters, replicas=self.replicas, in_sync=in_sync)

    def format_flags(self) -> list[str]:
        return []
