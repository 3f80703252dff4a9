"""Who may do what: the least that each of our programs needs, as Kafka's ACLs."""

import asyncio
import logging
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports all of them, but not for mypy
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from contract.errors import LogUnfit
from deploy.kafka.admin import SECONDS, KafkaAdmin
from kafka_log.reader import READER_GROUP

logger = logging.getLogger(__name__)


class Principals(NamedTuple):
    """Who our programs are to Kafka: a kind, a colon and a name. Without one, nothing is allowed."""

    ingest: str
    worker: str
    aggregator: str
    operator: str
    """Who runs `collector audit`, `doctor` and `rebuild`."""


class Resources(NamedTuple):
    """The names of what they use."""

    actions: str
    rejected: str
    group: str


class Permission(NamedTuple):
    """One line of the list."""

    principal: str
    kind: ResourceType
    name: str
    operation: AclOperation

    def binding(self) -> AclBinding:
        """As Kafka has it; from any host."""
        return AclBinding(
            self.kind,
            self.name,
            ResourcePatternType.LITERAL,
            self.principal,
            "*",
            self.operation,
            AclPermissionType.ALLOW,
        )

    def __str__(self) -> str:
        return f"{self.principal} may {self.operation.name} {self.kind.name} {self.name}"


def permissions(principals: Principals, resources: Resources) -> Iterator[Permission]:
    """The list. Who may read or write a topic may describe it, too; writing with idempotence needs no more."""
    topic, group = ResourceType.TOPIC, ResourceType.GROUP
    actions, rejected, workers = resources
    wanted = [
        (principals.ingest, topic, actions, AclOperation.WRITE),
        (principals.worker, topic, actions, AclOperation.READ),
        # A worker starts only where timestamps are the broker's.
        (principals.worker, topic, actions, AclOperation.DESCRIBE_CONFIGS),
        (principals.worker, group, workers, AclOperation.READ),
        (principals.worker, group, READER_GROUP, AclOperation.DESCRIBE),
        (principals.worker, topic, rejected, AclOperation.WRITE),
        # It asks for end offsets only.
        (principals.aggregator, topic, actions, AclOperation.DESCRIBE),
        (principals.operator, topic, actions, AclOperation.READ),
        (principals.operator, group, READER_GROUP, AclOperation.DESCRIBE),
        # A rebuild is told to the workers by a record.
        (principals.operator, topic, actions, AclOperation.WRITE),
    ]
    return (Permission(*line) for line in wanted if line[0])


async def allow(admin: KafkaAdmin, wanted: list[Permission]) -> None:
    """Makes the ACLs be there; others stay. Raises LogUnavailable, and LogUnfit where brokers have no authorizer."""
    bindings = {permission.binding(): permission for permission in wanted}
    for binding, answer in admin.client.create_acls(list(bindings), request_timeout=SECONDS).items():
        try:
            await asyncio.wrap_future(answer)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.SECURITY_DISABLED:
                raise LogUnfit("the brokers have no authorizer: set authorizer.class.name") from error
            raise admin.explained(str(bindings[binding]), error) from error
        logger.info("%s", bindings[binding])
