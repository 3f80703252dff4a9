"""How Faust is configured: what it does by default and must not do here."""

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Final

from stream_workers.faust_adapter.app import App
from stream_workers.faust_adapter.ports import Ports
from stream_workers.settings import WorkerSettings

NEVER_IDLE: Final = 86_400.0
"""Seconds. A fetch loop that waits for the store counts as idle; a worker that leaves for it would never come back."""


def create_app(settings: WorkerSettings, ports: Ports) -> App:
    """Faust's app as our workers need it. Opens no connection yet."""
    return App(
        settings.consumer_group,
        ports=ports,
        buffered_bytes=settings.worker_buffered_bytes,
        broker=["kafka://" + address.strip() for address in settings.kafka_bootstrap.split(",")],
        autodiscover=False,
        # Faust makes a folder for tables, which we have none of: not in the folder that the worker is started in.
        datadir=str(Path(gettempdir()) / f"faust-of-stream-workers-{os.getuid()}"),
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
        worker_redirect_stdouts=False,
    )
