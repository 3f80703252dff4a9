"""A topic as it must be: created where it is missing, looked at where it is there, mended where that is asked for."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports all of them, but not for mypy
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
    TopicDescription,
)

from contract.errors import LogUnavailable, LogUnfit
from deploy.kafka.admin import SECONDS, KafkaAdmin

logger = logging.getLogger(__name__)

_UNBOUNDED: Final = "-1"


class WantedTopic(NamedTuple):
    """What a topic is created with; one that is there must have at least as much."""

    name: str
    partitions: int
    replication: int
    min_insync_replicas: int
    retention: timedelta
    is_log: bool
    """Whether its timestamps must be the broker's: only these rise along a partition."""

    def config(self) -> dict[str, str]:
        """Its configuration at its creation."""
        return {
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(self._retention_ms),
            "min.insync.replicas": str(self.min_insync_replicas),
        }

    @property
    def _retention_ms(self) -> int:
        return self.retention // timedelta(milliseconds=1)

    def faults(self, topic: TopicDescription, config: Mapping[str, str]) -> Iterator["Fault"]:
        """What a topic that is there lacks."""
        if len(topic.partitions) < self.partitions:
            yield Fault(f"partitions: {len(topic.partitions)}, not {self.partitions}", partitions=self.partitions)
        replicas = min(len(partition.replicas) for partition in topic.partitions)
        if replicas < self.replication:
            yield Fault(
                f"replicas of a partition: {replicas}, not {self.replication}; kafka-reassign-partitions adds some"
            )
        for name, right, rule in self._rules(config):
            if not right:
                yield Fault(f"{name}={config[name]}, not {rule}", setting=(name, rule))

    def _rules(self, config: Mapping[str, str]) -> Iterator[tuple[str, bool, str]]:
        """By setting: whether it is right, and the value that would be."""
        if self.is_log:
            kind = "message.timestamp.type"
            yield kind, config[kind] == "LogAppendTime", "LogAppendTime"
        yield "cleanup.policy", config["cleanup.policy"] == "delete", "delete"
        retention = config["retention.ms"]
        yield (
            "retention.ms",
            retention == _UNBOUNDED or int(retention) >= self._retention_ms,
            str(self._retention_ms),
        )
        yield "retention.bytes", config["retention.bytes"] == _UNBOUNDED, _UNBOUNDED
        in_sync = int(config["min.insync.replicas"])
        yield "min.insync.replicas", in_sync >= self.min_insync_replicas, str(self.min_insync_replicas)


class Fault(NamedTuple):
    """What is wrong with a topic, and what would mend it, if something can."""

    text: str
    partitions: int | None = None
    setting: tuple[str, str] | None = None

    @property
    def can_be_mended(self) -> bool:
        """Whether `--repair` does it."""
        return self.partitions is not None or self.setting is not None


async def ensure_topic(admin: KafkaAdmin, wanted: WantedTopic, *, repair: bool) -> None:
    """Makes the topic be there, be led, and be as wanted.

    Raises LogUnfit where one that is there lacks something that was not, or cannot be, mended; LogUnavailable.
    """
    try:
        await _create(admin, wanted)
        faults = await _faults(admin, wanted)
        if repair and faults:
            await _mend(admin, wanted.name, faults)
            faults = await _faults(admin, wanted)
    except KafkaException as error:
        raise admin.explained(f"topic {wanted.name!r}", error) from error
    if faults:
        raise LogUnfit(_told(wanted.name, faults))


async def _create(admin: KafkaAdmin, wanted: WantedTopic) -> None:
    topic = NewTopic(wanted.name, wanted.partitions, wanted.replication, config=wanted.config())
    created = admin.client.create_topics([topic], operation_timeout=SECONDS, request_timeout=SECONDS)
    try:
        await asyncio.wrap_future(created[wanted.name])
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


async def _faults(admin: KafkaAdmin, wanted: WantedTopic) -> list[Fault]:
    described = admin.client.describe_topics(TopicCollection([wanted.name]), request_timeout=SECONDS)
    topic = await asyncio.wrap_future(described[wanted.name])
    # A broker may hear of a topic some time after it was created.
    if not all(partition.leader for partition in topic.partitions):
        raise LogUnavailable(f"topic {wanted.name!r}: no leader yet")
    asked = ConfigResource(ResourceType.TOPIC, wanted.name)
    entries = await asyncio.wrap_future(admin.client.describe_configs([asked], request_timeout=SECONDS)[asked])
    return list(wanted.faults(topic, {name: entry.value for name, entry in entries.items()}))


async def _mend(admin: KafkaAdmin, name: str, faults: list[Fault]) -> None:
    entries = [
        ConfigEntry(*fault.setting, incremental_operation=AlterConfigOpType.SET)
        for fault in faults
        if fault.setting is not None
    ]
    if entries:
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        altered = admin.client.incremental_alter_configs([resource], request_timeout=SECONDS)
        await asyncio.wrap_future(altered[resource])
    for fault in faults:
        if fault.partitions is not None:
            added = admin.client.create_partitions([NewPartitions(name, fault.partitions)], request_timeout=SECONDS)
            await asyncio.wrap_future(added[name])
        if fault.can_be_mended:
            logger.warning("topic %r is mended: %s", name, fault.text)


def _told(name: str, faults: list[Fault]) -> str:
    lines = [f"topic {name!r} is there, but not as it should be:"]
    lines += [f"  {fault.text}" for fault in faults]
    if any(fault.can_be_mended for fault in faults):
        lines.append(
            "change the COLLECTOR_PROVISION_ settings, or the topic: `python -m deploy.provision --repair` does"
        )
    return "\n".join(lines)
