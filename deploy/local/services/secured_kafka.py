"""A Kafka node that lets nobody in without proof, and lets nobody do what no ACL allows."""

import secrets
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined] # it exports all of them, but not for mypy
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local.artifacts.installed import Artifacts
from deploy.local.private_file import write_private
from deploy.local.services.kafka import Kafka
from deploy.local.services.ports import is_free

_LISTENERS: Final = """\
listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{tls_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{tls_port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:SSL
inter.broker.listener.name=SSL
listener.name.ssl.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\\
org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
# Who shows a certificate is the user that its common name says.
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{broker};User:{admin}
"""

BROKER: Final = "kafka"
"""The broker's own user: a certificate's common name."""
ADMIN: Final = "admin"
"""The user that may do everything: a certificate's common name."""
_ITERATIONS: Final = 4096
_SECONDS: Final = 15.0


def password_file(folder: Path, user: str) -> Path:
    """Where a user's password lies, in the folder of a secured broker."""
    return folder / "passwords" / user


def environment_of(folder: Path, user: str, port: int) -> dict[str, str]:
    """Settings of a program that is a user whose password was drawn, of the broker in this folder, on this port."""
    return {
        "COLLECTOR_KAFKA_BOOTSTRAP": f"127.0.0.1:{port}",
        "COLLECTOR_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "COLLECTOR_KAFKA_SASL_USERNAME": user,
        "COLLECTOR_KAFKA_SASL_PASSWORD_FILE": str(password_file(folder, user)),
        "COLLECTOR_KAFKA_CA_FILE": str(folder / "certificates" / "ca.pem"),
    }


class SecuredKafka(Kafka):
    """Two listeners: users with passwords (SASL_SSL, SCRAM-SHA-512) at `port`, with certificates (SSL) at `tls_port`.

    Certificates lie in `authority`'s folder: the broker's, and the admin's, which is the only user at the beginning.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        folder: Path,
        port: int,
        controller_port: int,
        tls_port: int,
        log: Path | None = None,
    ) -> None:
        super().__init__(artifacts, folder, port, controller_port, log)
        self.tls_port = tls_port
        # The image, where other commands of the program run, cannot make certificates.
        from deploy.local.services.certificates import CertificateAuthority  # noqa: PLC0415 # see above

        self.authority = CertificateAuthority(folder / "certificates")
        self.trusted = self.authority.own.certificate

    @property
    def tls_bootstrap(self) -> str:
        """Where clients with certificates begin."""
        return f"127.0.0.1:{self.tls_port}"

    def listeners(self) -> str:
        return _LISTENERS.format(
            port=self.port,
            tls_port=self.tls_port,
            controller_port=self.controller_port,
            keystore=self._keystore(),
            truststore=self.authority.own.certificate,
            broker=BROKER,
            admin=ADMIN,
        )

    def answers(self) -> bool:
        if is_free(self.tls_port):
            return False
        try:
            return bool(self.admin().list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def admin(self) -> AdminClient:
        issued = self.authority.issue(ADMIN)
        return AdminClient(
            {
                "bootstrap.servers": self.tls_bootstrap,
                "security.protocol": "SSL",
                "ssl.ca.location": str(self.authority.own.certificate),
                "ssl.certificate.location": str(issued.certificate),
                "ssl.key.location": str(issued.key),
                "log_level": 0,
            }
        )

    def admin_environment(self) -> dict[str, str]:
        """Settings of a program that may do everything."""
        return self.certificate_environment(ADMIN)

    def certificate_environment(self, user: str) -> dict[str, str]:
        """Settings of a program that is `user`, and shows a certificate."""
        issued = self.authority.issue(user)
        return {
            "COLLECTOR_KAFKA_BOOTSTRAP": self.tls_bootstrap,
            "COLLECTOR_KAFKA_SECURITY_PROTOCOL": "SSL",
            "COLLECTOR_KAFKA_CA_FILE": str(self.authority.own.certificate),
            "COLLECTOR_KAFKA_CERTIFICATE_FILE": str(issued.certificate),
            "COLLECTOR_KAFKA_KEY_FILE": str(issued.key),
        }

    def user_environment(self, user: str) -> dict[str, str]:
        """Settings of a program that is `user`, whose password is drawn once and lies in a file."""
        file = password_file(self.folder, user)
        if not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            password = secrets.token_urlsafe(32)
            self.set_password(user, password)
            write_private(file, password.encode())
        return environment_of(self.folder, user, self.port)

    def set_password(self, user: str, password: str) -> None:
        """Makes the user if it is not there; it may do nothing until an ACL says so."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        change = UserScramCredentialUpsertion(user, info, password.encode())
        admin = self.admin()
        admin.alter_user_scram_credentials([change])[user].result(_SECONDS)

    def _keystore(self) -> Path:
        """The broker's key and certificate in one file, as Kafka reads PEM."""
        issued = self.authority.issue(BROKER)
        keystore = issued.key.with_name("keystore.pem")
        if not keystore.exists():
            write_private(keystore, issued.key.read_bytes() + issued.certificate.read_bytes())
        return keystore
