"""Wires the worker, once."""

import asyncio
import os
import random
from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import NamedTuple

from contract.store import SLOTS, Store
from kafka_log.topic import LogTopic
from stream_workers import health, metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.counting.flush_cycle import FlushCycle
from stream_workers.counting.folding import Folding
from stream_workers.counting.writer import Writer
from stream_workers.faust_adapter.agent import add_agent
from stream_workers.faust_adapter.app import App
from stream_workers.flush.compaction import Compactor
from stream_workers.flush.flusher import Flusher
from stream_workers.flush.rejected_topic import RejectedTopic
from stream_workers.gather_all import gather_all
from stream_workers.partition.past_records import KafkaPastRecords
from stream_workers.retry import RetryPolicy
from stream_workers.settings import WorkerSettings

FOR_EVER = 86_400.0
"""Seconds. A fetch loop that waits for the store counts as idle; a worker that leaves for it would never come back."""


class Wired(NamedTuple):
    """The parts that the process needs."""

    app: App
    writer: Writer
    topic: LogTopic
    store: Store


def build_app(settings: WorkerSettings, store: Store) -> Wired:
    """The Faust app with its agent. Opens no connection yet."""
    topic = LogTopic(settings.kafka_bootstrap, settings.topic)
    retry = RetryPolicy(asyncio.sleep, on_failure=_count_failure)
    rejected = RejectedTopic(settings.kafka_bootstrap, settings.rejected_topic)

    async def commit(offsets: Mapping[int, int]) -> None:
        await app.commit_offsets(offsets)

    def is_hole(partition: int, first: int, end: int) -> bool:
        return app.is_hole(partition, first, end)

    past = KafkaPastRecords(settings.kafka_bootstrap, settings.topic)
    flusher = Flusher(store, rejected, topic, retry, gather_all)
    assignment = Assignment(store, flusher, retry, _draw_slot, past)
    writer = Writer(
        assignment,
        Folding(assignment, store, retry, is_hole),
        FlushCycle(assignment, flusher, Compactor(store, retry), commit, settings.worker_window_memory),
        flush_interval=settings.worker_flush_interval.total_seconds(),
        flush_lines=settings.worker_flush_lines,
    )
    app = _faust_app(settings, writer, topic)
    add_agent(app, settings.topic, writer)
    health.add_pages(app, writer, retry)
    return Wired(app, writer, topic, store)


def _draw_slot() -> int:
    return random.randrange(SLOTS)  # noqa: S311 - slots need no secrecy


def _count_failure(attempt: str, error: Exception) -> None:
    metrics.RETRIES.labels(attempt, getattr(error, "reason", type(error).__name__)).inc()


def _faust_app(settings: WorkerSettings, writer: Writer, topic: LogTopic) -> App:
    return App(
        settings.consumer_group,
        owner=writer,
        topic=topic,
        release_timeout=settings.worker_release_timeout.total_seconds(),
        buffered_bytes=settings.worker_buffered_bytes,
        broker=["kafka://" + address.strip() for address in settings.kafka_bootstrap.split(",")],
        autodiscover=False,
        # Faust makes a folder for tables, which we have none of: not in the folder that the worker is started in.
        datadir=str(Path(gettempdir()) / f"faust-of-stream-workers-{os.getuid()}"),
        broker_max_poll_interval=FOR_EVER,
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
