"""`python -m deploy.provision`: creates topics and buckets, once, before the services start; again does no harm.

It waits until Kafka and InfluxDB do what it asks, and gives up after a bound. Exit code 0, 1 given up, 2 unusable
settings.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # it is exported untyped
from pydantic import Field

from contract.errors import CollectorError, LogUnavailable, StoreUnavailable
from kafka_log.client import CLIENT_LOG, client_config
from kafka_log.settings import KafkaSettings
from service.process import configure_logging
from service.settings import ProcessSettings, settings_or_exit
from stores.influx.settings import InfluxSettings
from stores.influx.setup import create_buckets

logger = logging.getLogger("deploy.provision")

_AGAIN_SECONDS: Final = 1.0
_ADMIN_SECONDS: Final = 10.0


class ProvisionSettings(ProcessSettings, KafkaSettings, InfluxSettings):
    """What is to be created, and where."""

    rejected_topic: str = Field("actions.rejected", min_length=1, description="The topic of rejected lines")

    provision_partitions: int = Field(8, ge=1, description="Partitions of the topic of actions at its creation")
    provision_replication: int = Field(1, ge=1, description="Replicas of each partition at its creation")
    provision_log_retention: timedelta = Field(
        timedelta(days=30), gt=timedelta(0), description="How long Kafka keeps records: the log is the source of truth"
    )
    provision_timeout: timedelta = Field(
        timedelta(minutes=3), gt=timedelta(0), description="Longest wait for Kafka and InfluxDB"
    )


async def create_topics(settings: ProvisionSettings) -> None:
    """Makes both topics be there and be led; those that are keep their partitions and settings.

    Raises LogUnavailable.
    """
    retention_ms = settings.provision_log_retention // timedelta(milliseconds=1)
    # The workers refuse any other timestamps: only the broker's rise along a partition.
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": str(retention_ms)}
    admin = AdminClient(client_config(settings, "provision"), logger=CLIENT_LOG)
    for name, partitions in ((settings.topic, settings.provision_partitions), (settings.rejected_topic, 1)):
        topic = NewTopic(name, partitions, settings.provision_replication, config=config)
        try:
            await _create(admin, topic)
            await _check(admin, name)
        except KafkaException as error:
            raise LogUnavailable(f"topic {name!r}: {error.args[0].str()}") from error


async def _create(admin: AdminClient, topic: NewTopic) -> None:
    created = admin.create_topics([topic], operation_timeout=_ADMIN_SECONDS, request_timeout=_ADMIN_SECONDS)
    try:
        await asyncio.wrap_future(created[topic.topic])
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


async def _check(admin: AdminClient, name: str) -> None:
    """A broker may hear of a topic some time after it was created."""
    described = admin.describe_topics(TopicCollection([name]), request_timeout=_ADMIN_SECONDS)
    topic = await asyncio.wrap_future(described[name])
    if not all(partition.leader for partition in topic.partitions):
        raise LogUnavailable(f"topic {name!r}: no leader yet")


async def provision(settings: ProvisionSettings) -> None:
    """Topics and buckets. Raises TimeoutError, and StoreConflict where a bucket cannot be what the settings say."""
    async with asyncio.timeout(settings.provision_timeout.total_seconds()):
        await _insist("topics", lambda: create_topics(settings))
        await _insist("buckets", lambda: create_buckets(settings))


async def _insist(what: str, create: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await create()
        except (LogUnavailable, StoreUnavailable) as error:
            logger.warning("%s: not yet: %s", what, error)
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            logger.info("%s: there", what)
            return


def main() -> None:
    """Runs once."""
    settings = settings_or_exit(ProvisionSettings)
    configure_logging(settings)
    try:
        asyncio.run(provision(settings))
    except TimeoutError:
        sys.exit(f"gave up after {settings.provision_timeout.total_seconds():.0f} s")
    except CollectorError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
