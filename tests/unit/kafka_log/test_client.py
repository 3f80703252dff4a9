"""What all of our clients have in common."""

from confluent_kafka import KafkaError

from kafka_log.client import Refusal, client_config
from kafka_log.settings import KafkaSettings

REFUSED = "ssl://a:1/bootstrap: SASL authentication error: invalid credentials"


def test_no_client_creates_a_topic_by_asking_about_it() -> None:
    assert client_config(KafkaSettings(), "test")["allow.auto.create.topics"] is False


def test_a_refused_connection_is_remembered_without_what_differs_each_time_until_an_answer_comes() -> None:
    refusal = Refusal()
    refusal.note(KafkaError(KafkaError._AUTHENTICATION, f"{REFUSED} (after 313ms in state AUTH_REQ)"))  # noqa: SLF001 - the package's own names
    refusal.note(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))  # noqa: SLF001 - as above
    assert refusal.reason == REFUSED
    refusal.clear()
    assert refusal.reason is None
