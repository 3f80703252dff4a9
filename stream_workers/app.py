"""Wires the worker, once."""

import asyncio
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from contract.store import SLOTS, Store
from kafka_log.topic import LogTopic
from service.clock import wall_clock
from service.keys.guard import guard_of
from service.keys.key import Scope
from service.web.hosts import AllowedHosts
from stream_workers import metrics
from stream_workers.counting.assignment import Assignment
from stream_workers.counting.empty_tails import EmptyTails
from stream_workers.counting.flush_cycle import FlushCycle
from stream_workers.counting.folding import Folding
from stream_workers.counting.writer import FlushLimits, Writer
from stream_workers.faust_adapter.agent import add_agent, received_from
from stream_workers.faust_adapter.app import App
from stream_workers.faust_adapter.configuration import create_app
from stream_workers.faust_adapter.offset_gate import OffsetGate
from stream_workers.faust_adapter.ports import Ports
from stream_workers.flush.compaction import Compactor
from stream_workers.flush.flusher import Flusher
from stream_workers.flush.rejected_topic import RejectedTopic
from stream_workers.gather_all import gather_all
from stream_workers.kafka_probe import KafkaProbe
from stream_workers.lag import Lag
from stream_workers.pages import health
from stream_workers.pages.middlewares import web_options
from stream_workers.partition.past_records import KafkaPastRecords
from stream_workers.retry import RetryPolicy
from stream_workers.settings import WorkerSettings
from stream_workers.traces.flushes import TracedFlusher
from stream_workers.traces.wiring import WorkerTraces


class Wired(NamedTuple):
    """The parts that the process needs."""

    app: App
    writer: Writer
    topic: LogTopic
    store: Store


def build_app(settings: WorkerSettings, store: Store, traces: WorkerTraces | None = None) -> Wired:
    """The Faust app with its agent. Opens no connection yet. Raises KeysUnreadable."""
    topic = LogTopic(settings, settings.topic)
    retry = RetryPolicy(asyncio.sleep, on_failure=_count_failure, on_success=_on_success(traces))
    rejected = RejectedTopic(settings, settings.rejected_topic)

    gate = OffsetGate()

    async def commit(offsets: Mapping[int, int]) -> None:
        await app.consumer.commit_offsets(offsets)

    async def stable_ends() -> Mapping[int, int]:
        ends: Mapping[int, int] = await app.consumer.stable_ends()
        return ends

    past = KafkaPastRecords(settings, settings.topic)
    new_flusher = partial(TracedFlusher, traces=traces.flushes) if traces else Flusher
    flusher = new_flusher(store, rejected, topic, retry, gather_all)
    assignment = Assignment(store, flusher, retry, _draw_slot, past)
    writer = Writer(
        assignment,
        Folding(assignment, store, retry, gate.is_hole),
        FlushCycle(assignment, flusher, Compactor(store, retry), commit, settings.worker_window_memory),
        EmptyTails(assignment, stable_ends, past, asyncio.sleep),
        FlushLimits(
            settings.worker_flush_interval.total_seconds(), settings.worker_flush_lines, settings.worker_flush_windows
        ),
    )
    release_timeout = settings.worker_release_timeout.total_seconds()
    guard = guard_of(settings, Scope.ADMIN, wall_clock)
    pages = web_options(AllowedHosts(settings.allowed_hosts, settings.host), guard)
    app = create_app(settings, Ports(topic, gate, assignment, writer.release, release_timeout), pages)
    add_agent(app, settings.topic, writer, traces.records.receive if traces else received_from)
    lag = Lag(assignment, topic.ends, wall_clock)
    health.add_pages(app, writer, health.Health(app, retry, KafkaProbe(topic)), lag)
    return Wired(app, writer, topic, store)


def _draw_slot() -> int:
    return random.randrange(SLOTS)  # noqa: S311 - slots need no secrecy


def _count_failure(attempt: str, error: Exception) -> None:
    metrics.RETRIES.labels(attempt, getattr(error, "reason", type(error).__name__)).inc()


def _on_success(traces: WorkerTraces | None) -> Callable[[str, float], None]:
    if traces is None:
        return _note_duration
    note_step = traces.flushes.note_step

    def note(step: str, seconds: float) -> None:
        _note_duration(step, seconds)
        note_step(step, seconds)

    return note


def _note_duration(step: str, seconds: float) -> None:
    metrics.STEP_SECONDS.labels(step).observe(seconds)
