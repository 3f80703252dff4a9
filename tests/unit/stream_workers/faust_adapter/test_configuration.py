"""How Faust's clients prove who they are, and what they must not do by asking."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka import client
from aiokafka.protocol.metadata import MetadataRequest, MetadataRequest_v5
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from deploy.local.services.certificates import CertificateAuthority
from kafka_log.settings import KafkaSettings
from stream_workers.faust_adapter.configuration import create_no_topics, credentials

USER = {"kafka_sasl_username": "worker", "kafka_sasl_password": "correct horse"}


def handed_to_aiokafka(**settings: object) -> dict[str, Any]:
    return dict(credentials_to_aiokafka_auth(credentials(KafkaSettings(**settings))))


def test_without_settings_aiokafka_talks_plaintext() -> None:
    assert handed_to_aiokafka() == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_a_user_is_handed_on_as_librdkafka_gets_it(protocol: str, mechanism: str) -> None:
    handed = handed_to_aiokafka(**USER, kafka_security_protocol=protocol, kafka_sasl_mechanism=mechanism)
    context = handed.pop("ssl_context")
    assert handed == {
        "security_protocol": protocol,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": "worker",
        "sasl_plain_password": "correct horse",
    }
    assert (context is not None) == (protocol == "SASL_SSL")


def test_a_certificate_is_in_the_context_that_is_handed_on(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = authority.issue("worker")
    handed = handed_to_aiokafka(
        kafka_security_protocol="SSL",
        kafka_ca_file=authority.own.certificate,
        kafka_certificate_file=issued.certificate,
        kafka_key_file=issued.key,
    )
    assert handed["security_protocol"] == "SSL"
    assert [dict(*found["subject"])["commonName"] for found in handed["ssl_context"].get_ca_certs()] == [
        "user actions collector, this machine only"
    ]


def test_what_is_printed_of_credentials_holds_no_password() -> None:
    assert "horse" not in repr(credentials(KafkaSettings(**USER, kafka_security_protocol="SASL_SSL")))


def test_aiokafkas_questions_for_metadata_create_no_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MetadataRequest", MetadataRequest)
    assert client.MetadataRequest(["actions"]).build(MetadataRequest_v5).allow_auto_topic_creation
    create_no_topics()
    assert not client.MetadataRequest(["actions"]).build(MetadataRequest_v5).allow_auto_topic_creation
