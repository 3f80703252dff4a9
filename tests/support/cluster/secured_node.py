"""A Cassandra node that asks for users and passwords, and speaks TLS alone."""

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from cassandra.cluster import Session  # type: ignore[import-untyped] # the driver has no types

from deploy.local.artifacts.cassandra import CassandraArtifacts
from deploy.local.services.cassandra import Cassandra
from deploy.local.services.certificates import CertificateAuthority
from deploy.local.services.ports import free_port
from stores.cassandra.driver.cluster import open_cluster
from stores.cassandra.settings import CassandraSettings

_SUPERUSER = "cassandra"
"""Cassandra's own; its password is the same."""


class SecuredNode(Cassandra):
    """One node, with an authority of its own."""

    def __init__(self, artifacts: CassandraArtifacts, folder: Path) -> None:
        port = free_port()
        super().__init__(artifacts, folder, port, free_port(taken=[port]))
        self.authority = CertificateAuthority(folder / "certificates")

    def answers(self) -> bool:
        """It listens for clients once it can serve them."""
        context = ssl.create_default_context(cafile=self.authority.own.certificate)
        with (
            suppress(OSError),
            socket.create_connection((self.host, self.port), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname=self.host),
        ):
            return True
        return False

    def options(self) -> list[str]:
        return [
            # Else its first user comes 10 s later.
            "-Dcassandra.superuser_setup_delay_ms=0",
            # Else a password may not be changed within 5 s.
            "-Dcassandra.role_password_update_min_interval_in_ms=0",
        ]

    def config(self) -> dict[str, object]:
        issued = self.authority.issue("node")
        both = self.folder / "node.pem"
        both.write_bytes(issued.key.read_bytes() + issued.certificate.read_bytes())
        return {
            **super().config(),
            "authenticator": {"class_name": "PasswordAuthenticator"},
            "authorizer": {"class_name": "CassandraAuthorizer"},
            # What it was told is known at once.
            "roles_validity": "0ms",
            "permissions_validity": "0ms",
            "credentials_validity": "0ms",
            "client_encryption_options": {
                "enabled": True,
                "optional": False,
                "ssl_context_factory": {"class_name": "org.apache.cassandra.security.PEMBasedSslContextFactory"},
                "keystore": str(both),
            },
        }

    def settings(self, user: str, password: str, **other: Any) -> CassandraSettings:  # noqa: ANN401 # any setting's
        """For somebody who trusts its authority; `other` are more of the settings."""
        file = self.folder / f"{user}.password"
        file.write_text(f"{password}\n")
        fields = {
            "cassandra_port": self.port,
            "cassandra_replication": 1,
            "cassandra_username": user,
            "cassandra_password_file": file,
            "cassandra_ca_file": self.authority.own.certificate,
        }
        return CassandraSettings(**{**fields, **other})

    def say(self, *statements: str) -> None:
        """Carries out statements as the superuser."""
        cluster = open_cluster(self.settings(_SUPERUSER, _SUPERUSER))
        try:
            session: Session = cluster.connect()
            for statement in statements:
                session.execute(statement, timeout=60)
        finally:
            cluster.shutdown()
