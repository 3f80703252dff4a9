"""Where Cassandra is, and what of it is ours to decide."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, FilePath, model_validator

from stores.raw.settings import RawSettings


class Consistency(StrEnum):
    """Both are a majority, for reads and for writes: so whoever reads sees what was acknowledged."""

    LOCAL_QUORUM = "LOCAL_QUORUM"
    QUORUM = "QUORUM"


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


_File = Annotated[FilePath | None, BeforeValidator(_none_if_empty)]


class CassandraSettings(RawSettings):
    """The store's settings, from the environment: COLLECTOR_ and a field's name in capitals. Durations: ISO 8601."""

    cassandra_hosts: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Some of Cassandra's nodes, separated by commas; the others are found by these",
    )
    cassandra_port: int = Field(9042, ge=1, le=65_535, description="The port on which all nodes listen for clients")
    cassandra_datacenter: str = Field(
        "datacenter1", min_length=1, description="The datacenter whose nodes are asked and hold the replicas"
    )
    cassandra_keyspace: str = Field(
        "collector", pattern=r"^[a-z][a-z0-9_]{0,47}$", description="The keyspace of all tables"
    )
    cassandra_replication: int = Field(
        3, ge=1, description="Replicas of each row in the datacenter, at the keyspace's creation"
    )
    cassandra_consistency: Consistency = Field(
        Consistency.LOCAL_QUORUM, description="Which majority acknowledges: `LOCAL_QUORUM` or `QUORUM`"
    )
    cassandra_username: str = Field("", description="The user; without one, Cassandra must not ask")
    cassandra_password_file: _File = Field(None, description="File with the password; read at each connection")
    cassandra_ca_file: _File = Field(
        None, description="Certificates (PEM) that the nodes' must be signed by; without it there is no TLS"
    )
    cassandra_timeout: timedelta = Field(
        timedelta(seconds=10), gt=timedelta(0), description="Time limit for a request to Cassandra"
    )

    @model_validator(mode="after")
    def _password_of_somebody(self) -> Self:
        if bool(self.cassandra_username) != (self.cassandra_password_file is not None):
            raise ValueError("COLLECTOR_CASSANDRA_USERNAME and COLLECTOR_CASSANDRA_PASSWORD_FILE need each other")
        return self

    @property
    def hosts(self) -> list[str]:
        """Each of `cassandra_hosts`."""
        return [host.strip() for host in self.cassandra_hosts.split(",") if host.strip()]
