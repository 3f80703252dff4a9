"""The members of a stack: its processes by role and name."""

from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

import msgspec

from deploy.local.services.cassandra import cassandra_answers, host_of
from deploy.local.services.influxdb import influxdb_answers
from deploy.local.services.kafka import kafka_answers
from deploy.local.services.ports import is_free
from deploy.local.services.process import Process
from deploy.local.services.service import status_of


class Role(StrEnum):
    """What a process is for. In the order in which a stack is stopped: who feeds others goes first."""

    GATEWAY = "gateway"
    INGEST = "ingest"
    WORKER = "worker"
    AGGREGATOR = "aggregator"
    ROLLUP = "rollup"
    INFLUXDB = "influxdb"
    CASSANDRA = "cassandra"
    KAFKA = "kafka"

    @classmethod
    def _missing_(cls, value: object) -> "Role | None":
        """A stack that was started when the gateway was called front can still be stopped."""
        return cls.GATEWAY if value == "front" else None


class Member(msgspec.Struct, frozen=True):
    """One process of a stack."""

    name: str
    """worker-1, worker-2, …; those that exist once are named like their role."""
    role: Role
    port: int
    pid: int
    started: float
    """See deploy.local.services.process.Process."""
    stopping: bool = False
    """It was told to stop: nobody should send it work, or wonder about its end."""
    trusted: str | None = None
    """The file with the certificate that its clients have to trust; None: it speaks plain text."""

    @property
    def process(self) -> Process:
        """The process itself."""
        return Process(self.pid, self.started)

    @property
    def number(self) -> int:
        """N of worker-N; 0 for those that exist once."""
        return int(self.name.rpartition("-")[2]) if "-" in self.name else 0

    def answers(self) -> bool:
        """Whether it can do its job now."""
        if self.role is Role.KAFKA:
            # Only its users may ask more of one that has such.
            return kafka_answers(self.port) if self.trusted is None else not is_free(self.port)
        if self.role is Role.INFLUXDB:
            return influxdb_answers(self.port)
        if self.role is Role.CASSANDRA:
            return cassandra_answers(self.port, host_of(self.number))
        return status_of(self.port, "/readyz", Path(self.trusted) if self.trusted else None) == HTTPStatus.OK

    @property
    def url(self) -> str:
        """Where it answers HTTP."""
        return f"http://127.0.0.1:{self.port}" if self.trusted is None else f"https://localhost:{self.port}"

    def state(self) -> str:
        """running, not ready, stopping or dead."""
        if not self.process.is_alive():
            return "dead"
        if self.stopping:
            return "stopping"
        return "running" if self.answers() else "not ready"
