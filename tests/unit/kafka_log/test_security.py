"""Which settings of Kafka's security go together, what librdkafka gets of them, and that no secret is shown."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from pydantic import ValidationError

from collector.commands.settings import SERVICES
from deploy.local.services.certificates import CertificateAuthority
from kafka_log.client import client_config
from kafka_log.settings import KafkaSettings
from service.settings import settings_or_exit

SCRAM = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_username": "ingest",
    "kafka_sasl_password": "correct horse",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("certificates"))


def settings(**values: object) -> KafkaSettings:
    return KafkaSettings(**values)


def refusal(**values: object) -> str:
    with pytest.raises(ValidationError) as refused:
        settings(**values)
    (error,) = refused.value.errors()
    return error["msg"].removeprefix("Value error, ")


def test_without_settings_librdkafka_talks_plaintext() -> None:
    assert settings().librdkafka() == {"security.protocol": "PLAINTEXT"}
    assert settings().tls_context() is None


def test_a_user_with_a_password_is_handed_to_librdkafka_with_scram_by_default(authority: CertificateAuthority) -> None:
    assert settings(**SCRAM, kafka_ca_file=authority.own.certificate).librdkafka() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ingest",
        "sasl.password": "correct horse",
        "ssl.ca.location": str(authority.own.certificate),
    }


@pytest.mark.parametrize("newline", ["", "\n", "\r\n"])
def test_a_password_may_lie_in_a_file_whose_last_newline_is_no_part_of_it(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(f" correct horse {newline}".encode())
    made = settings(**{**SCRAM, "kafka_sasl_password": "", "kafka_sasl_password_file": file})
    assert made.librdkafka()["sasl.password"] == " correct horse "


def test_a_password_file_that_is_gone_later_stops_no_client(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse")
    made = settings(**{**SCRAM, "kafka_sasl_password": "", "kafka_sasl_password_file": file})
    file.unlink()
    assert made.librdkafka()["sasl.password"] == "correct horse"


def test_a_certificate_with_a_protected_key_is_taken_by_python_and_by_librdkafka(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("worker", key_password=b"key's secret")
    password = tmp_path / "key.password"
    password.write_text("key's secret\n")
    made = settings(
        kafka_security_protocol="SSL",
        kafka_ca_file=authority.own.certificate,
        kafka_certificate_file=issued.certificate,
        kafka_key_file=issued.key,
        kafka_key_password_file=password,
    )
    context = made.tls_context()
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    # It reads the files, and would refuse a key that it cannot.
    Producer(client_config(made, "test"))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"kafka_sasl_username": "ingest"},
            "COLLECTOR_KAFKA_SASL_USERNAME is set: COLLECTOR_KAFKA_SECURITY_PROTOCOL=PLAINTEXT sends no user",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_sasl_password": "secret"},
            "COLLECTOR_KAFKA_SASL_PASSWORD is set: COLLECTOR_KAFKA_SECURITY_PROTOCOL=SSL sends no user",
        ),
        (
            {"kafka_ca_file": "/ca.pem"},
            "COLLECTOR_KAFKA_CA_FILE is set: COLLECTOR_KAFKA_SECURITY_PROTOCOL=PLAINTEXT encrypts nothing",
        ),
        (
            {**SCRAM, "kafka_security_protocol": "SASL_PLAINTEXT", "kafka_key_file": "/key.pem"},
            "COLLECTOR_KAFKA_KEY_FILE is set: COLLECTOR_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT encrypts nothing",
        ),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_password": "secret"},
            "COLLECTOR_KAFKA_SASL_USERNAME is not set: COLLECTOR_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs it",
        ),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "ingest"},
            (
                "COLLECTOR_KAFKA_SASL_PASSWORD or COLLECTOR_KAFKA_SASL_PASSWORD_FILE is not set: "
                "COLLECTOR_KAFKA_SECURITY_PROTOCOL=SASL_SSL needs it"
            ),
        ),
        (
            {**SCRAM, "kafka_sasl_password_file": "/password"},
            "COLLECTOR_KAFKA_SASL_PASSWORD and COLLECTOR_KAFKA_SASL_PASSWORD_FILE are both set",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_certificate_file": "/mine.pem"},
            "COLLECTOR_KAFKA_KEY_FILE is not set: COLLECTOR_KAFKA_CERTIFICATE_FILE needs it",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_key_file": "/mine.key"},
            "COLLECTOR_KAFKA_CERTIFICATE_FILE is not set: COLLECTOR_KAFKA_KEY_FILE needs it",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_key_password_file": "/password"},
            "COLLECTOR_KAFKA_KEY_FILE is not set: COLLECTOR_KAFKA_KEY_PASSWORD_FILE needs it",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_ca_file": "/no/such.pem"},
            "COLLECTOR_KAFKA_CA_FILE=/no/such.pem: No such file or directory",
        ),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "u", "kafka_sasl_password_file": "/no/such"},
            "COLLECTOR_KAFKA_SASL_PASSWORD_FILE=/no/such: No such file or directory",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(values: dict[str, str], told: str) -> None:
    assert refusal(**values) == told


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    told = refusal(**{**SCRAM, "kafka_sasl_password": "", "kafka_sasl_password_file": file})
    assert told == f"COLLECTOR_KAFKA_SASL_PASSWORD_FILE={file}: is empty"


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nonsense")
    told = refusal(kafka_security_protocol="SSL", kafka_ca_file=file)
    assert told == f"COLLECTOR_KAFKA_CA_FILE={file}: no certificate or crl found"


def test_a_key_of_another_certificate_is_refused(authority: CertificateAuthority) -> None:
    mine, theirs = authority.issue("mine"), authority.issue("theirs")
    told = refusal(kafka_security_protocol="SSL", kafka_certificate_file=mine.certificate, kafka_key_file=theirs.key)
    assert told == (
        f"COLLECTOR_KAFKA_CERTIFICATE_FILE={mine.certificate}, COLLECTOR_KAFKA_KEY_FILE={theirs.key}: "
        "key values mismatch"
    )


@pytest.mark.parametrize("password", [None, "wrong secret"])
def test_a_key_that_its_password_does_not_open_is_refused_and_nobody_is_asked(
    tmp_path: Path, password: str | None
) -> None:
    issued = CertificateAuthority(tmp_path).issue("worker", key_password=b"key's secret")
    values: dict[str, Any] = {"kafka_certificate_file": issued.certificate, "kafka_key_file": issued.key}
    if password is not None:
        values["kafka_key_password_file"] = tmp_path / "password"
        values["kafka_key_password_file"].write_text(password)
    told = refusal(kafka_security_protocol="SSL", **values)
    assert told.startswith(f"COLLECTOR_KAFKA_CERTIFICATE_FILE={issued.certificate}, COLLECTOR_KAFKA_KEY_FILE=")
    assert "secret" not in told


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SASL_USERNAME", "SASL_PASSWORD", "SASL_PASSWORD_FILE", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE"):
        monkeypatch.setenv(f"COLLECTOR_KAFKA_{name}", "")
    assert settings().librdkafka() == {"security.protocol": "PLAINTEXT"}


@pytest.mark.parametrize("kind", [KafkaSettings, *SERVICES.values()])
def test_no_secret_is_in_the_settings_text_or_in_what_is_said_of_unusable_ones(
    kind: type[KafkaSettings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = kind(**SCRAM)
    assert "horse" not in f"{made!r} {made} {made.model_dump()} {vars(made)}"
    with pytest.raises(ValidationError) as refused:
        kind(**SCRAM, kafka_sasl_password_file="/password")
    assert "horse" not in f"{refused.value} {refused.value!r}"
    for name, value in {**SCRAM, "kafka_security_protocol": "SSL"}.items():
        monkeypatch.setenv(f"COLLECTOR_{name.upper()}", value)
    with pytest.raises(SystemExit):
        settings_or_exit(kind)
    assert "horse" not in capsys.readouterr().err
