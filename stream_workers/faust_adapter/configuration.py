"""How Faust is configured: what it does by default and must not do here."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from aiokafka import client
from aiokafka.protocol.metadata import MetadataRequest
from faust import auth

from kafka_log.settings import KafkaSettings
from stream_workers.faust_adapter.app import App
from stream_workers.faust_adapter.header_names import read_any_header_name
from stream_workers.faust_adapter.ports import Ports
from stream_workers.settings import WorkerSettings

NEVER_IDLE: Final = 86_400.0
"""Seconds. A fetch loop that waits for the store counts as idle; a worker that leaves for it would never come back."""


def create_app(settings: WorkerSettings, ports: Ports, web_options: Mapping[str, Any]) -> App:
    """Faust's app as our workers need it; its web server is made with `web_options`. Opens no connection yet."""
    create_no_topics()
    read_any_header_name()
    return App(
        settings.consumer_group,
        ports=ports,
        buffered_bytes=settings.worker_buffered_bytes,
        broker=["kafka://" + address.strip() for address in settings.kafka_bootstrap.split(",")],
        broker_credentials=credentials(settings),
        autodiscover=False,
        broker_max_poll_interval=NEVER_IDLE,
        broker_session_timeout=settings.worker_session_timeout.total_seconds(),
        broker_heartbeat_interval=settings.worker_session_timeout.total_seconds() / 5,
        # How long a rebalance waits for a member that neither joins nor leaves.
        broker_rebalance_timeout=(settings.worker_session_timeout + settings.worker_release_timeout).total_seconds(),
        broker_max_poll_records=settings.worker_buffered_records,
        # At the default nobody counts an added partition for five minutes.
        consumer_metadata_max_age_ms=round(settings.worker_metadata_refresh.total_seconds() * 1000),
        # A position that the log does not have must be a clear exit, not a silent jump.
        consumer_auto_offset_reset="none",
        # The stock wait has no bound; the consumer waits for the writer itself.
        stream_wait_empty=False,
        stream_buffer_maxsize=settings.worker_buffered_records,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_bind=settings.host,
        web_host=settings.host,
        web_port=settings.port,
        web_application_options=web_options,
        worker_redirect_stdouts=False,
    )


def credentials(kafka: KafkaSettings) -> auth.Credentials | None:
    """How Faust's clients prove who they are; None where nobody asks."""
    context = kafka.tls_context()
    if kafka.uses_sasl:
        return auth.SASLCredentials(
            username=kafka.kafka_sasl_username,
            password=kafka.sasl_password(),
            mechanism=kafka.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return auth.SSLCredentials(context) if context is not None else None


def create_no_topics() -> None:
    """To ask about a topic must not create it, whatever the broker's settings are: aiokafka has no setting for it."""
    client.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)
