import pytest
from pydantic import ValidationError

from service.settings import settings_or_exit
from service.traces.settings import TraceSettings


def test_traces_are_off() -> None:
    assert TraceSettings().traces == "off"


def test_a_sampler_that_cannot_be_ends_a_process_that_would_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "1%")
    assert TraceSettings().traces == "off"

    monkeypatch.setenv("COLLECTOR_TRACES", "otlp")
    with pytest.raises(SystemExit) as ended:
        settings_or_exit(TraceSettings)

    assert ended.value.code == 2
    assert capsys.readouterr().err == "OTEL_TRACES_SAMPLER_ARG=1% is no number from 0 to 1\n"


def test_there_is_no_other_way_to_send_spans() -> None:
    with pytest.raises(ValidationError, match="'off' or 'otlp'"):
        TraceSettings(traces="grpc")
