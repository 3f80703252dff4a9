"""The target of an audit or a rebuild: where Kafka, the store and the aggregator are."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import Field

from collector.options import DEFAULT_DATA, folder_of
from deploy.local.errors import NoStack
from deploy.local.secured import OPERATOR, fields_of
from deploy.local.services.gateway import authority_in
from deploy.local.services.secured_kafka import environment_of
from deploy.local.stack.backing.addresses import addresses_of
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state
from kafka_log.settings import KafkaSettings
from service.settings import settings_or_exit
from stores.influx.access.grants import Access
from stores.settings import StoreSettings

_AGGREGATOR: Final = "http://127.0.0.1:8082"
_ADDRESSES: Final = {"kafka_bootstrap", "influx_url", "cassandra_hosts"}


class AuditSettings(KafkaSettings, StoreSettings):
    """Where Kafka and the store are, from the environment, as the services have them."""

    ingest_future_tolerance: timedelta = Field(
        timedelta(hours=1), description="As the ingest API has it: tells which hours a log without its beginning holds"
    )


class Target(NamedTuple):
    """What is audited or rebuilt."""

    settings: AuditSettings
    aggregator_url: str
    trusted: Path | None = None
    """The certificate that the aggregator's clients have to trust, where it is none that the system knows."""
    key_file: Path | None = None
    """Where a key for it lies."""


def find_target(data: Path | None, aggregator_url: str | None) -> Target:
    """The stack in the folder `data`. Without one: what the environment names, else the stack in the default folder.

    Raises NoStack where `data` is given and nothing runs there.
    """
    settings = settings_or_exit(AuditSettings)
    if data is None and _ADDRESSES & settings.model_fields_set:
        return Target(settings, aggregator_url or _AGGREGATOR)
    folder = folder_of(data or DEFAULT_DATA)
    members = read_state(folder.state).members
    gateway = next((member for member in members if member.role is Role.GATEWAY), None)
    # A rebuild writes.
    addresses = addresses_of(members, folder.influx_token(Access.WRITER))
    if gateway is not None and addresses:
        # What else can be chosen comes from the environment.
        if not folder.is_secure:
            return Target(_settings(addresses), aggregator_url or gateway.url)
        port = next(member.port for member in members if member.role is Role.KAFKA)
        found = _settings({**addresses, **fields_of(environment_of(folder.kafka, OPERATOR, port))})
        if aggregator_url is not None:
            return Target(found, aggregator_url)
        return Target(found, gateway.url, authority_in(folder.gateway), folder.operators_key)
    if data is not None:
        raise NoStack(f"no stack runs in {folder.path}")
    return Target(settings, aggregator_url or _AGGREGATOR)


def _settings(of_stack: Mapping[str, str]) -> AuditSettings:
    return AuditSettings(**of_stack)  # type: ignore[arg-type] # pydantic parses texts
