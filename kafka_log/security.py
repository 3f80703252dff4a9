"""How every client of ours proves to Kafka who it is, and finds out whom it talks to: one set of settings for all."""

import ssl
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_PREFIX: Final = "COLLECTOR_"
_PROTOCOL: Final = "kafka_security_protocol"


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


_File = Annotated[Path | None, BeforeValidator(_none_if_empty)]


class KafkaSecurity(BaseSettings):
    """TLS and SASL, for librdkafka and aiokafka alike. Settings that do not go together are refused by name."""

    # What was read is shown nowhere else: it may be a password.
    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, hide_input_in_errors=True)

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How brokers are spoken to; with SASL_PLAINTEXT, nothing is encrypted"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the password is proved to brokers; PLAIN sends it"
    )
    kafka_sasl_username: str = Field("", description="The user, with SASL_SSL and SASL_PLAINTEXT")
    kafka_sasl_password: SecretStr = Field(SecretStr(""), description="Its password")
    kafka_sasl_password_file: _File = Field(None, description="Or a file that holds it; a newline at its end is cut")
    kafka_ca_file: _File = Field(
        None, description="Certificates (PEM) that sign the brokers', with SSL and SASL_SSL; without it, the system's"
    )
    kafka_certificate_file: _File = Field(None, description="The client's own certificate (PEM), where brokers ask")
    kafka_key_file: _File = Field(None, description="Its private key (PEM)")
    kafka_key_password_file: _File = Field(None, description="A file that holds the key's password, if it has one")

    # Read once: a file that is gone later must not stop a client that is made then.
    _password: SecretStr = PrivateAttr(default=SecretStr(""))
    _key_password: SecretStr = PrivateAttr(default=SecretStr(""))

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        self._check_sasl()
        self._check_tls()
        return self

    @property
    def uses_sasl(self) -> bool:
        """Whether a user and a password are sent."""
        return self.kafka_security_protocol.startswith("SASL_")

    @property
    def uses_tls(self) -> bool:
        """Whether connections are encrypted, and the brokers' certificates checked."""
        return self.kafka_security_protocol.endswith("SSL")

    def sasl_password(self) -> str:
        """The password, from wherever it is set; as it was at the start."""
        return self._password.get_secret_value()

    def tls_context(self) -> ssl.SSLContext | None:
        """For clients that use Python's TLS; None where connections are not encrypted."""
        if not self.uses_tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
        except OSError as error:
            raise ValueError(_unusable("kafka_ca_file", self.kafka_ca_file, error)) from None
        if self.kafka_certificate_file is not None:
            # Without a password, OpenSSL would ask for one on the terminal.
            password = self._key_password.get_secret_value()
            try:
                context.load_cert_chain(self.kafka_certificate_file, self.kafka_key_file, lambda: password)
            except OSError as error:
                files = f"{_told('kafka_certificate_file', self.kafka_certificate_file)}, " + _unusable(
                    "kafka_key_file", self.kafka_key_file, error
                )
                raise ValueError(files) from None
        return context

    def librdkafka(self) -> dict[str, Any]:
        """What librdkafka's clients are configured with."""
        config: dict[str, Any] = {"security.protocol": self.kafka_security_protocol}
        if self.uses_sasl:
            config["sasl.mechanism"] = self.kafka_sasl_mechanism
            config["sasl.username"] = self.kafka_sasl_username
            config["sasl.password"] = self.sasl_password()
        if self.uses_tls:
            files = {
                "ssl.ca.location": self.kafka_ca_file,
                "ssl.certificate.location": self.kafka_certificate_file,
                "ssl.key.location": self.kafka_key_file,
            }
            config |= {name: str(file) for name, file in files.items() if file is not None}
            if password := self._key_password.get_secret_value():
                config["ssl.key.password"] = password
        return config

    def _check_sasl(self) -> None:
        has_password = bool(self.kafka_sasl_password.get_secret_value())
        given = {
            "kafka_sasl_username": bool(self.kafka_sasl_username),
            "kafka_sasl_password": has_password,
            "kafka_sasl_password_file": self.kafka_sasl_password_file is not None,
        }
        if not self.uses_sasl:
            self._refuse_unused(given, "sends no user")
            return
        if not given["kafka_sasl_username"]:
            raise ValueError(self._missing("kafka_sasl_username"))
        if has_password and self.kafka_sasl_password_file is not None:
            raise ValueError(f"{_name('kafka_sasl_password')} and {_name('kafka_sasl_password_file')} are both set")
        if self.kafka_sasl_password_file is not None:
            self._password = _secret("kafka_sasl_password_file", self.kafka_sasl_password_file)
        elif has_password:
            self._password = self.kafka_sasl_password
        else:
            raise ValueError(self._missing("kafka_sasl_password", "kafka_sasl_password_file"))

    def _check_tls(self) -> None:
        given = {
            name: getattr(self, name) is not None
            for name in ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file", "kafka_key_password_file")
        }
        if not self.uses_tls:
            self._refuse_unused(given, "encrypts nothing")
            return
        for name, needs in (
            ("kafka_certificate_file", "kafka_key_file"),
            ("kafka_key_file", "kafka_certificate_file"),
            ("kafka_key_password_file", "kafka_key_file"),
        ):
            if given[name] and not given[needs]:
                raise ValueError(f"{_name(needs)} is not set: {_name(name)} needs it")
        if self.kafka_key_password_file is not None:
            self._key_password = _secret("kafka_key_password_file", self.kafka_key_password_file)
        self.tls_context()

    def _refuse_unused(self, given: dict[str, bool], why: str) -> None:
        """A password that is set and not used tells of a protocol that was forgotten."""
        for name, is_given in given.items():
            if is_given:
                raise ValueError(f"{_name(name)} is set: {self._told_protocol()} {why}")

    def _missing(self, *names: str) -> str:
        return f"{' or '.join(map(_name, names))} is not set: {self._told_protocol()} needs it"

    def _told_protocol(self) -> str:
        return f"{_name(_PROTOCOL)}={self.kafka_security_protocol}"


def _name(field: str) -> str:
    return f"{_PREFIX}{field}".upper()


def _told(field: str, file: Path | None) -> str:
    return f"{_name(field)}={file or ''}"


def _unusable(field: str, file: Path | None, error: OSError) -> str:
    # OpenSSL's reasons are in capitals, its texts name lines of C.
    reason = error.reason.replace("_", " ").lower() if isinstance(error, ssl.SSLError) and error.reason else None
    return f"{_told(field, file)}: {reason or error.strerror or 'cannot be used'}"


def _secret(field: str, file: Path) -> SecretStr:
    """A file's text without the newline at its end; it is never empty."""
    try:
        text = file.read_text().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ValueError(_unusable(field, file, error)) from None
    except UnicodeDecodeError:
        raise ValueError(f"{_told(field, file)}: is not UTF-8 text") from None
    if not text:
        raise ValueError(f"{_told(field, file)}: is empty")
    return SecretStr(text)
