"""What `collector up --secure` adds: users of Kafka's that may do what they must, and a key for requests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.kafka.acls import Principals, Resources, allow, permissions
from deploy.kafka.admin import KafkaAdmin
from deploy.local.private_file import write_private
from deploy.local.services.secured_kafka import SecuredKafka
from deploy.local.settings import LocalSettings
from kafka_log.settings import KafkaSettings
from service.keys.key import Key, Scope, key_line
from service.keys.secret import digest_of, new_secret

OPERATOR: Final = "operator"
"""Who runs the stack: the name of a user of Kafka's, and of a key."""
_GROUP: Final = "stream-workers"


def fields_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """Settings as their class takes them, from those that a program is given."""
    return {name.removeprefix("COLLECTOR_").lower(): value for name, value in environment.items()}


async def allow_programs(kafka: SecuredKafka, settings: LocalSettings) -> None:
    """Lets each program do what it must. Raises LogUnavailable."""
    principals = Principals("User:ingest", "User:worker", "User:aggregator", f"User:{OPERATOR}")
    resources = Resources(settings.topic, settings.rejected_topic, _GROUP)
    await allow(
        KafkaAdmin(KafkaSettings(**fields_of(kafka.admin_environment()))), list(permissions(principals, resources))
    )


def make_key(file: Path, operators: Path) -> None:
    """Makes the file of keys with one that may do everything, whose text lies in `operators`; what is there stays."""
    if file.exists():
        return
    secret = new_secret()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(operators, f"{secret}\n".encode())
    key = Key(name=OPERATOR, sha256=digest_of(secret.encode()).hex(), scopes=frozenset(Scope))
    write_private(file, key_line(key) + b"\n")
