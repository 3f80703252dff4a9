"""`python -m deploy.provision`: creates topics, and what the store needs, once, before services start.

Run again, it does no harm.

It waits until Kafka and the store do what it asks, and gives up after a bound. Exit code 0, 1 given up, 2 unusable
settings.
"""

import asyncio
import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from contract.errors import CollectorError, LogUnavailable, StoreUnavailable
from deploy.kafka.acls import Principals, Resources, allow, permissions
from deploy.kafka.admin import KafkaAdmin
from deploy.kafka.topics import WantedTopic, ensure_topic
from kafka_log.settings import KafkaSettings
from service.process import configure_logging
from service.settings import ProcessSettings, settings_or_exit
from stores.influx.access.grants import Access, grant
from stores.opening import provision_store
from stores.settings import StoreKind, StoreSettings

logger = logging.getLogger("deploy.provision")

_AGAIN_SECONDS: Final = 1.0


class ProvisionSettings(ProcessSettings, KafkaSettings, StoreSettings):
    """What is to be created, and where."""

    consumer_group: str = Field("stream-workers", description="The consumer group of all workers")
    rejected_topic: str = Field("actions.rejected", min_length=1, description="The topic of rejected lines")

    provision_partitions: int = Field(8, ge=1, description="Partitions of the topic of actions at its creation")
    provision_replication: int = Field(1, ge=1, description="Replicas of each partition at its creation")
    provision_min_insync_replicas: int | None = Field(
        None, ge=1, description="Replicas that must have a record; not given: one less than there are, at least one"
    )
    provision_log_retention: timedelta = Field(
        timedelta(days=30), gt=timedelta(0), description="How long Kafka keeps records: the log is the source of truth"
    )
    provision_ingest_principal: str = Field("User:ingest", description="Who the ingest API is to Kafka")
    provision_worker_principal: str = Field("User:worker", description="Who stream workers are")
    provision_aggregator_principal: str = Field("User:aggregator", description="Who aggregators are")
    provision_operator_principal: str = Field(
        "User:operator", description="Who runs `collector audit`, `doctor` and `rebuild`"
    )
    provision_writer_token_file: Path | None = Field(
        None, description="Where to write the token of workers and of the rollup; not given: none is made"
    )
    provision_reader_token_file: Path | None = Field(
        None, description="Where to write the token of aggregators and dashboards; not given: none is made"
    )
    provision_timeout: timedelta = Field(
        timedelta(minutes=3), gt=timedelta(0), description="Longest wait for Kafka and the store"
    )

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if (self.provision_min_insync_replicas or 1) > self.provision_replication:
            raise ValueError(
                f"COLLECTOR_PROVISION_MIN_INSYNC_REPLICAS={self.provision_min_insync_replicas} is above "
                f"COLLECTOR_PROVISION_REPLICATION={self.provision_replication}: nothing could be written"
            )
        return self


async def create_topics(settings: ProvisionSettings, admin: KafkaAdmin, *, repair: bool = False) -> None:
    """Makes both topics be there, be led and be as the settings say. Raises LogUnavailable and LogUnfit."""
    replication = settings.provision_replication
    partitions = {settings.topic: settings.provision_partitions, settings.rejected_topic: 1}
    for name, number in partitions.items():
        wanted = WantedTopic(
            name,
            number,
            replication,
            settings.provision_min_insync_replicas or max(1, replication - 1),
            settings.provision_log_retention,
            is_log=name == settings.topic,
        )
        await ensure_topic(admin, wanted, repair=repair)


async def create_acls(settings: ProvisionSettings, admin: KafkaAdmin) -> None:
    """Allows each program what it needs. Raises LogUnavailable and LogUnfit."""
    principals = Principals(
        settings.provision_ingest_principal,
        settings.provision_worker_principal,
        settings.provision_aggregator_principal,
        settings.provision_operator_principal,
    )
    resources = Resources(settings.topic, settings.rejected_topic, settings.consumer_group)
    await allow(admin, list(permissions(principals, resources)))


async def provision(settings: ProvisionSettings, *, repair: bool = False, acls: bool = False) -> None:
    """Topics, with `acls` who may use them, and what the store needs.

    Raises TimeoutError, LogUnfit where a topic that is there is not as the settings say, and StoreConflict where a
    bucket cannot be.
    """
    admin = KafkaAdmin(settings)
    async with asyncio.timeout(settings.provision_timeout.total_seconds()):
        await _insist("topics", lambda: create_topics(settings, admin, repair=repair))
        if acls:
            await _insist("ACLs", lambda: create_acls(settings, admin))
        await _insist("store", lambda: provision_store(settings))
        if settings.store is StoreKind.INFLUX:
            await _insist("tokens", lambda: make_tokens(settings))


async def make_tokens(settings: ProvisionSettings) -> None:
    """Makes the tokens whose files are given; those that are there and work stay. Raises StoreUnavailable."""
    files = {
        Access.WRITER: settings.provision_writer_token_file,
        Access.READER: settings.provision_reader_token_file,
    }
    for access, file in files.items():
        if file is not None:
            await grant(settings, access, file)


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


def _arguments() -> Namespace:
    parser = ArgumentParser(
        "python -m deploy.provision", description="Creates topics, and buckets or tables, and looks at them."
    )
    parser.add_argument("--repair", action="store_true", help="mend topics that are not as the settings say")
    parser.add_argument("--acls", action="store_true", help="allow each program what it needs, and no more")
    return parser.parse_args()


def main() -> None:
    """Runs once."""
    arguments = _arguments()
    settings = settings_or_exit(ProvisionSettings)
    configure_logging(settings)
    try:
        asyncio.run(provision(settings, repair=arguments.repair, acls=arguments.acls))
    except TimeoutError:
        sys.exit(f"gave up after {settings.provision_timeout.total_seconds():.0f} s")
    except CollectorError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
