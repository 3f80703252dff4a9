import logging
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from service.traces.context import context_in
from service.traces.sender import SpanSender
from service.traces.span import SpanTemplate
from support.services.otlp_collector import OtlpCollector

CANNOT = "spans cannot be sent to where OTEL_EXPORTER_OTLP_ENDPOINT says: they are dropped until they can"
AGAIN = "spans are sent again"
BROKEN = "spans could not be encoded or sent: an error in this program"
LOST = "the last spans were not taken within 0 s: they are lost"


@pytest.fixture
def sender(collector: OtlpCollector, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpanSender]:
    """Sends each span at once."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    sender = SpanSender("api")
    yield sender
    sender.close()


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with OtlpCollector() as collector:
        yield collector


def test_a_collector_that_refuses_is_told_of_once_and_once_more_when_it_takes_spans_again(
    sender: SpanSender, collector: OtlpCollector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    collector.status = 400
    for number in range(1, 4):
        sender.tracer.begin(SpanTemplate(f"refused {number}")).end()
        collector.wait_for_requests(number)
    collector.status = 200
    sender.tracer.begin(SpanTemplate("taken")).end()
    collector.wait("taken")
    sender.close()

    assert caplog.messages == [CANNOT, AGAIN]
    assert [span.name for span in collector.spans] == ["taken"]


def test_a_collector_that_does_not_answer_holds_up_no_stop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        sender = SpanSender("api")
        sender.tracer.begin(SpanTemplate("lost")).end()
        sender.close(0.1)

        assert caplog.messages == [LOST]


@pytest.mark.usefixtures("sender")
def test_a_tracestate_writes_no_line_of_its_own_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    traceparent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert context_in([traceparent], [b"x\n2026-11-27 18:30:00 ERROR forged"]) is not None
    assert caplog.messages == []


def test_spans_that_cannot_be_encoded_are_told_and_the_next_are_sent(
    sender: SpanSender, collector: OtlpCollector, caplog: pytest.LogCaptureFixture
) -> None:
    broken = sender.tracer.begin(SpanTemplate("broken"))
    broken.attributes["half a surrogate pair"] = "\ud800"
    broken.end()
    sender.tracer.begin(SpanTemplate("taken")).end()
    collector.wait("taken")
    sender.close()

    assert caplog.messages == [BROKEN]
    assert [span.name for span in collector.spans] == ["taken"]


def test_of_the_sdk_it_relies_on_what_one_minor_release_has() -> None:
    """On a name that is private, and on a queue that looks at nothing but the context of what it is given."""
    assert hasattr(OTLPSpanExporter(), "_client")
    project = tomllib.loads(Path(__file__).parents[4].joinpath("pyproject.toml").read_text())["project"]
    pins = [one for one in project["dependencies"] if one.startswith("opentelemetry-")]
    assert pins
    assert all("~=" in one and one.count(".") == 2 for one in pins)
