"""A secured broker's topics that only one test knows, and a user of its own for each program."""

import secrets
from collections.abc import Mapping
from typing import Any

from deploy.local.services.secured_kafka import SecuredKafka
from deploy.provision import ProvisionSettings, provision
from kafka_log.client import client_config
from kafka_log.settings import KafkaSettings
from stores.influx.settings import InfluxSettings
from support.services.kafka_log import Read, read_log

PROGRAMS = ("ingest", "worker", "aggregator", "operator")


def fields_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """Settings as their class takes them."""
    return {name.removeprefix("COLLECTOR_").lower(): value for name, value in environment.items()}


class Secured:
    """Topics, and who may use them."""

    def __init__(self, kafka: SecuredKafka) -> None:
        mark = secrets.token_hex(4)
        self.kafka = kafka
        self.topic, self.rejected_topic, self.group = f"actions-{mark}", f"rejected-{mark}", f"actions-{mark}"
        self.users = {program: f"{program}-{mark}" for program in PROGRAMS}

    async def provision(self, influx: InfluxSettings, **changes: object) -> None:
        """As `deploy.provision --acls` does, by the admin's certificate."""
        principals = {f"provision_{program}_principal": f"User:{user}" for program, user in self.users.items()}
        names = {"topic": self.topic, "rejected_topic": self.rejected_topic, "consumer_group": self.group}
        buckets = {
            name: getattr(influx, name) for name in ("influx_url", "influx_token", "raw_bucket", "hourly_bucket")
        }
        kafka = fields_of(self.kafka.admin_environment())
        await provision(ProvisionSettings(**{**kafka, **names, **principals, **buckets, **changes}), acls=True)

    def environment(self, program: str, *, by_certificate: bool = False) -> dict[str, str]:
        """How a program proves that it is its user."""
        user = self.users[program]
        own = self.kafka.certificate_environment(user) if by_certificate else self.kafka.user_environment(user)
        return {**own, "COLLECTOR_TOPIC": self.topic}

    def settings(self, program: str, **changes: object) -> KafkaSettings:
        """The same for a client in this process."""
        return KafkaSettings(**{**fields_of(self.environment(program)), **changes})

    def config(self, program: str) -> dict[str, Any]:
        """The same for a plain client of librdkafka, which logs nothing."""
        return {**client_config(self.settings(program), "test"), "log_level": 0}

    def read(self, topic: str) -> list[Read]:
        """All of a topic's records, as the admin reads them."""
        config = client_config(KafkaSettings(**fields_of(self.kafka.admin_environment())), "test")
        return read_log(self.kafka.tls_bootstrap, topic, config)
