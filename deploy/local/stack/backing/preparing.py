"""Creating topics, and the buckets or tables of the store, in a stack that has just been started."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from contract.errors import StoreUnavailable
from deploy.local.errors import ServiceFailed
from deploy.local.services.kafka import Kafka
from deploy.local.settings import LocalSettings
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interruption
from stores.influx.access.grants import Access, grant
from stores.opening import provision_store
from stores.settings import StoreSettings

_SECONDS: Final = 120.0
_SECONDS_BETWEEN_LOOKS: Final = 0.2
_REPLICAS: Final = 3


def create_topics(brokers: Sequence[Kafka], settings: LocalSettings, interruption: Interruption) -> None:
    """Creates those that are missing, once all brokers know of each other. Raises ServiceFailed and Interrupted."""
    kafka = brokers[0]
    give_up = time.monotonic() + _SECONDS
    while kafka.brokers() < len(brokers):
        interruption.check()
        if time.monotonic() > give_up:
            raise ServiceFailed(
                kafka.name, f"knows of no {len(brokers)} brokers after {_SECONDS:.0f} s", kafka.log_tail()
            )
        interruption.wait(_SECONDS_BETWEEN_LOOKS)
    retention = {"retention.ms": str(int(settings.local_log_retention.total_seconds() * 1000))}
    present = kafka.topics()
    for name, partitions in ((settings.topic, settings.local_partitions), (settings.rejected_topic, 1)):
        if name not in present:
            kafka.create_topic(name, partitions, retention)


def prepare_store(addresses: Mapping[str, str], nodes: int, interruption: Interruption) -> None:
    """Buckets or tables. What can be chosen comes from the environment; where the store is, the stack decides.

    Nodes that were started together find each other some time after they answer.
    """
    settings = _store_settings({**addresses, "cassandra_replication": str(min(nodes, _REPLICAS))})
    give_up = time.monotonic() + _SECONDS
    while True:
        try:
            asyncio.run(provision_store(settings))
        except StoreUnavailable as error:
            interruption.check()
            if time.monotonic() > give_up:
                raise ServiceFailed("store", f"cannot be prepared: {error}", "") from error
            interruption.wait(_SECONDS_BETWEEN_LOOKS)
        else:
            return


def grant_access(addresses: Mapping[str, str], folder: DataFolder) -> None:
    """Makes the tokens of InfluxDB's users, each in a file of its own. Raises StoreUnavailable."""
    asyncio.run(_grant(_store_settings(addresses), folder))


async def _grant(settings: StoreSettings, folder: DataFolder) -> None:
    for access in Access:
        await grant(settings, access, folder.influx_token(access))


def _store_settings(addresses: Mapping[str, str]) -> StoreSettings:
    of_store = {name: value for name, value in addresses.items() if name in StoreSettings.model_fields}
    return StoreSettings(**of_store)  # type: ignore[arg-type] # pydantic parses texts
