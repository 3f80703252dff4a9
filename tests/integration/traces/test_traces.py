"""The API and a worker on real Kafka and InfluxDB, and a collector of spans: a client's trace leads to its flush."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from contract.log.action import Action, encode_action
from support.fixtures.traces import CALLER, TRACE, traceparent
from support.pipeline.pipeline import Pipeline, now
from support.product.ingest_process import IngestProcess, ingest_process
from support.services.kafka_log import read_log
from support.services.otlp_collector import Collected, OtlpCollector

STEPS = {"look at the topic's id", "store actions", "store segments", "store windows", "store progress"}
GARBAGE = [b"", b"\xff" * 55, b"0" * 900_000, traceparent()[:-1], traceparent(sampled=False), None]
SERVER, PRODUCER, CONSUMER, INTERNAL = 2, 4, 5, 1
"""As OTLP numbers the kinds of spans."""


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpCollector]:
    """What all processes of a test send spans to, if they send any; only clients decide what is recorded."""
    with OtlpCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield collector


async def post(api: IngestProcess, *, sampled: bool) -> None:
    query = {"timestamp": now(), "user": "ada", "event": "click"}
    headers = {"traceparent": traceparent(sampled=sampled).decode()}
    await api.ready()
    assert (await api.client.post("/analytics", params=query, headers=headers)).status_code == 204


async def ended(api: IngestProcess) -> int:
    """The exit code, after SIGTERM."""
    api.process.terminate()
    return await api.process.wait()


def ids(span: Collected) -> tuple[str, str]:
    return span.trace_id, span.span_id


async def test_a_clients_trace_leads_through_kafka_to_the_flush_that_stored_its_action(
    pipeline: Pipeline, collector: OtlpCollector
) -> None:
    worker = pipeline.started(traces="otlp")
    async with ingest_process(pipeline.bootstrap, pipeline.topic, traces="otlp") as api:
        await post(api, sampled=True)
        await asyncio.to_thread(collector.wait, "flush")
        assert (worker.stop(), await ended(api)) == (0, 0)

    ((request,), (sending,), (processing,), (flush,)) = (
        collector.named(name)
        for name in ("POST /analytics", f"send {pipeline.topic}", f"process {pipeline.topic}", "flush")
    )
    assert (request.service, request.kind, *ids(request)[:1]) == ("ingest-api", SERVER, f"{TRACE:032x}")
    assert request.parent_id == f"{CALLER:016x}"
    assert (sending.service, sending.kind, sending.trace_id) == ("ingest-api", PRODUCER, request.trace_id)
    assert sending.parent_id == request.span_id
    assert (processing.service, processing.kind, processing.trace_id) == ("stream-worker", CONSUMER, request.trace_id)
    assert processing.parent_id == sending.span_id
    assert (flush.service, flush.kind, flush.parent_id) == ("stream-worker", INTERNAL, "")
    assert flush.links == [ids(processing)]
    assert processing.links == [ids(flush)]
    below = [span for span in collector.spans if span.parent_id == flush.span_id]
    assert {span.name for span in below} == STEPS
    assert {span.trace_id for span in below} == {flush.trace_id}
    place = ("messaging.destination.partition.id", "messaging.kafka.offset")
    assert [sending.attributes[name] for name in place] == [processing.attributes[name] for name in place]

    (record,) = read_log(pipeline.bootstrap, pipeline.topic)
    told = f"00-{sending.trace_id}-{sending.span_id}-01".encode()
    assert record.headers == {"partitions": b"4", "traceparent": told}


async def test_what_is_not_recorded_and_headers_that_are_garbage_are_counted_and_leave_no_spans(
    pipeline: Pipeline, collector: OtlpCollector
) -> None:
    worker = pipeline.started(traces="otlp")
    for number, header in enumerate(GARBAGE):
        action = Action(now(), f"user-{number}", "click")
        pipeline.lines[0].append(action)
        pipeline.append(encode_action(action), 0, header, "traceparent")
    pipeline.acknowledged()
    await pipeline.counted()
    await pipeline.is_exact()
    async with ingest_process(pipeline.bootstrap, pipeline.topic, traces="otlp") as api:
        await post(api, sampled=False)
        assert (worker.stop(), await ended(api)) == (0, 0)

    assert collector.spans == []


async def test_without_traces_nothing_is_sent_or_carried_on(pipeline: Pipeline, collector: OtlpCollector) -> None:
    worker = pipeline.started()
    async with ingest_process(pipeline.bootstrap, pipeline.topic) as api:
        await post(api, sampled=True)
        assert (worker.stop(), await ended(api)) == (0, 0)

    (record,) = read_log(pipeline.bootstrap, pipeline.topic)
    assert record.headers == {"partitions": b"4"}
    assert collector.requests == 0


async def test_a_collector_that_does_not_answer_costs_the_spans_and_nothing_else(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        worker = pipeline.started(traces="otlp")
        async with ingest_process(pipeline.bootstrap, pipeline.topic, traces="otlp") as api:
            await post(api, sampled=True)
            (record,) = read_log(pipeline.bootstrap, pipeline.topic)
            pipeline.ends[record.partition] = 0
            await pipeline.counted()
            assert (worker.stop(), await ended(api)) == (0, 0)
