import pytest

from service.traces.opening import open_traces
from service.traces.settings import TraceSettings
from service.traces.span import SpanTemplate
from support.services.otlp_collector import OtlpCollector


def test_there_are_none_where_they_are_off() -> None:
    assert open_traces(TraceSettings(), "api") is None


def test_spans_reach_the_collector_that_opentelemetrys_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        traces = open_traces(TraceSettings(traces="otlp"), "api")
        assert traces is not None
        traces.tracer.begin(SpanTemplate("first")).end()
        traces.close()

    assert [(span.name, span.service) for span in collector.spans] == [("first", "api")]
    assert [span.scope for span in collector.spans] == ["user-actions-collector"]


def test_opentelemetrys_own_switch_turns_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "True")
    assert open_traces(TraceSettings(traces="otlp"), "api") is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OTEL_SERVICE_NAME", "mine"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=mine,deployment.environment.name=test")],
)
def test_opentelemetrys_variables_name_the_service(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with OtlpCollector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        monkeypatch.setenv(variable, value)
        traces = open_traces(TraceSettings(traces="otlp"), "api")
        assert traces is not None
        traces.tracer.begin(SpanTemplate("first")).end()
        traces.close()

    assert [span.service for span in collector.spans] == ["mine"]
