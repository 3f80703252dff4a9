"""The target of an audit or a rebuild: where Kafka, the store and the aggregator are."""

from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import HttpUrl, SecretStr

from collector.options import DEFAULT_DATA, folder_of
from deploy.local.errors import NoStack
from deploy.local.secured import OPERATOR, fields_of
from deploy.local.services.gateway import authority_in
from deploy.local.services.influxdb import LOCAL_ORG, LOCAL_TOKEN
from deploy.local.services.secured_kafka import environment_of
from deploy.local.stack.members import Role
from deploy.local.stack.state_file import read_state
from kafka_log.settings import KafkaSettings
from service.settings import settings_or_exit
from stores.influx.access.grants import Access
from stores.influx.access.token_file import token_in
from stores.settings import StoreSettings

_AGGREGATOR: Final = "http://127.0.0.1:8082"
_ADDRESSES: Final = {"kafka_bootstrap", "influx_url", "cassandra_hosts"}
_NEEDED: Final = {Role.KAFKA, Role.INFLUXDB, Role.GATEWAY}


class AuditSettings(KafkaSettings, StoreSettings):
    """Where Kafka and the store are, from the environment, as the services have them."""


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
    members = {member.role: member for member in read_state(folder.state).members}
    ports = {role: member.port for role, member in members.items()}
    if ports.keys() >= _NEEDED:
        of_stack: dict[str, Any] = {
            "influx_url": HttpUrl(f"http://127.0.0.1:{ports[Role.INFLUXDB]}"),
            # A rebuild writes. A stack that an earlier version started asks for none.
            "influx_token": SecretStr(token_in(folder.influx_token(Access.WRITER)) or LOCAL_TOKEN),
            "influx_org": LOCAL_ORG,
        }
        gateway = members[Role.GATEWAY]
        if not folder.is_secure:
            of_stack["kafka_bootstrap"] = f"127.0.0.1:{ports[Role.KAFKA]}"
            return Target(settings.model_copy(update=of_stack), aggregator_url or gateway.url)
        of_stack["influx_token_file"] = folder.influx_token(Access.WRITER)
        found = AuditSettings(**of_stack, **fields_of(environment_of(folder.kafka, OPERATOR, ports[Role.KAFKA])))
        if aggregator_url is not None:
            return Target(found, aggregator_url)
        return Target(found, gateway.url, authority_in(folder.gateway), folder.operators_key)
    if data is not None:
        raise NoStack(f"no stack runs in {folder.path}")
    return Target(settings, aggregator_url or _AGGREGATOR)
