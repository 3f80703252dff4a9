from datetime import timedelta

import pytest
from pydantic import ValidationError

from ingest_api.settings import IngestSettings

YEAR_1990 = 631_152_000_000


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in IngestSettings.model_fields:
        monkeypatch.delenv(f"COLLECTOR_{name.upper()}", raising=False)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_EVENTS", "click, impression,share")
    monkeypatch.setenv("COLLECTOR_INGEST_FUTURE_TOLERANCE", "PT5M")
    monkeypatch.setenv("COLLECTOR_INGEST_LINGER", "PT0.005S")
    monkeypatch.setenv("COLLECTOR_PORT", "9000")
    settings = IngestSettings()
    assert settings.ingest_events == ("click", "impression", "share")
    assert settings.ingest_future_tolerance == timedelta(minutes=5)
    assert settings.ingest_linger == timedelta(milliseconds=5)
    assert settings.port == 9000


def test_the_defaults_are_those_of_the_agreement() -> None:
    settings = IngestSettings()
    assert (settings.host, settings.port, settings.topic) == ("127.0.0.1", 8081, "actions")
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.ingest_events == ("click", "impression")
    assert (settings.ingest_oldest, settings.ingest_future_tolerance) == (YEAR_1990, timedelta(hours=1))
    assert settings.ingest_delivery_timeout == timedelta(seconds=10)


@pytest.mark.parametrize(
    ("text", "oldest"),
    [
        ("0", 0),
        ("1700000000000", 1_700_000_000_000),
        ("1990-01-01", YEAR_1990),
        ("1990-01-01T00:00:00Z", YEAR_1990),
        ("1990-01-01T02:00:00+02:00", YEAR_1990),
        ("1990-01-01T00:00:00.5", YEAR_1990 + 500),
        ("P400D", timedelta(days=400)),
        ("PT36H", timedelta(hours=36)),
    ],
)
def test_the_oldest_timestamp_is_a_date_an_instant_or_how_long_before_now(
    monkeypatch: pytest.MonkeyPatch, text: str, oldest: int | timedelta
) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_OLDEST", text)
    assert IngestSettings().ingest_oldest == oldest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INGEST_EVENTS", ""),
        ("INGEST_EVENTS", "click,"),
        ("INGEST_EVENTS", "Click"),
        ("INGEST_OLDEST", "-1"),
        ("INGEST_OLDEST", "4102444800000"),
        ("INGEST_OLDEST", "1969-12-31"),
        ("INGEST_OLDEST", "2100-01-01"),
        ("INGEST_OLDEST", "yesterday"),
        ("INGEST_OLDEST", ""),
        ("INGEST_OLDEST", "PT0S"),
        ("INGEST_OLDEST", "-P1D"),
        ("INGEST_OLDEST", "P1X"),
        ("INGEST_FUTURE_TOLERANCE", "-PT1S"),
        ("INGEST_COMPRESSION", "brotli"),
        ("INGEST_MAX_LINES", "0"),
        ("INGEST_DELIVERY_TIMEOUT", "PT0S"),
        ("INGEST_DELIVERY_TIMEOUT", "PT15S"),
        ("INGEST_BODY_TIMEOUT", "PT15S"),
        ("INGEST_MAX_BODY_BYTES", str(65 * 1024 * 1024)),
        ("INGEST_MAX_IN_FLIGHT_BYTES", "1000"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"COLLECTOR_{name}", value)
    with pytest.raises(ValidationError):
        IngestSettings()
