from datetime import timedelta

import pytest
from pydantic import ValidationError

from ingest_api.settings import IngestSettings
from service.settings import settings_or_exit

YEAR_1990 = 631_152_000_000


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in IngestSettings.model_fields:
        monkeypatch.delenv(f"COLLECTOR_{name.upper()}", raising=False)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_EVENTS", "click, impression,share")
    monkeypatch.setenv("COLLECTOR_INGEST_FUTURE_TOLERANCE", "PT5M")
    monkeypatch.setenv("COLLECTOR_INGEST_LINGER", "PT0.005S")
    monkeypatch.setenv("COLLECTOR_CLOUDEVENTS_EVENTS", "com.example.seen=impression, com.example.click.*=click")
    monkeypatch.setenv("COLLECTOR_PORT", "9000")
    settings = IngestSettings()
    assert settings.ingest_events == ("click", "impression", "share")
    assert settings.ingest_future_tolerance == timedelta(minutes=5)
    assert settings.ingest_linger == timedelta(milliseconds=5)
    assert settings.cloudevents_events == ("com.example.seen=impression", "com.example.click.*=click")
    assert settings.port == 9000


def test_the_defaults_are_those_of_the_agreement() -> None:
    settings = IngestSettings()
    assert (settings.host, settings.port, settings.topic) == ("127.0.0.1", 8081, "actions")
    assert settings.kafka_bootstrap == "127.0.0.1:9092"
    assert settings.ingest_events == ("click", "impression")
    assert (settings.ingest_oldest, settings.ingest_future_tolerance) == (YEAR_1990, timedelta(hours=1))
    assert settings.ingest_delivery_timeout == timedelta(seconds=10)


def test_the_rules_for_calls_of_sdks_are_read_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_SEGMENT_EVENTS", "page=impression, track:Product *=click ,track:A=B=click")
    assert IngestSettings().segment_events == ("page=impression", "track:Product *=click", "track:A=B=click")


def test_a_rule_for_calls_that_names_no_accepted_event_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_EVENTS", "click,share")
    monkeypatch.setenv("COLLECTOR_SEGMENT_EVENTS", "track:Shared=share,track:Liked=like,page=impression")
    with pytest.raises(ValidationError, match="COLLECTOR_SEGMENT_EVENTS names impression, like") as refused:
        IngestSettings()
    assert "COLLECTOR_INGEST_EVENTS" in str(refused.value)


def test_rules_that_nobody_set_stop_no_service_with_events_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_EVENTS", "share")
    assert IngestSettings().segment_events == ("page=impression", "screen=impression", "track:Clicked=click")


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
        ("SEGMENT_EVENTS", ""),
        ("SEGMENT_EVENTS", "page=impression,"),
        ("SEGMENT_EVENTS", "Clicked=click"),
        ("SEGMENT_EVENTS", "track:Clicked=Click"),
        ("SEGMENT_UNAVAILABLE_STATUS", "500"),
        ("INGEST_EVENTS", ""),
        ("INGEST_EVENTS", "click,"),
        ("INGEST_EVENTS", "Click"),
        ("INGEST_ORIGINS", "shop.example"),
        ("INGEST_ORIGINS", "https://shop.example/"),
        ("INGEST_ORIGINS", "https://shop.example/page"),
        ("INGEST_ORIGINS", "https://Shop.example"),
        ("INGEST_ORIGINS", "https://shop.example:443"),
        ("INGEST_ORIGINS", "http://shop.example:80"),
        ("INGEST_ORIGINS", "https://shop.example:0443"),
        ("INGEST_ORIGINS", "https://shop.example:"),
        ("INGEST_ORIGINS", "https://user@shop.example"),
        ("INGEST_ORIGINS", "https://*.shop.example"),
        ("INGEST_ORIGINS", "https://bücher.example"),
        ("INGEST_ORIGINS", "https://shop.example,"),
        ("INGEST_ORIGINS", "https://shop.example\nhttps://a.example"),
        ("INGEST_ORIGINS", "https://shop.example,*"),
        ("INGEST_ORIGINS", "null"),
        ("CLOUDEVENTS_EVENTS", "clicked"),
        ("CLOUDEVENTS_EVENTS", "a=click,"),
        ("CLOUDEVENTS_EVENTS", "a=share"),
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


def test_origins_are_a_list_or_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert IngestSettings().ingest_origins == ()
    for text, origins in {
        "": (),
        "*": ("*",),
        "https://shop.example, http://localhost:3000,http://[::1]:3000,capacitor://localhost": (
            "https://shop.example",
            "http://localhost:3000",
            "http://[::1]:3000",
            "capacitor://localhost",
        ),
    }.items():
        monkeypatch.setenv("COLLECTOR_INGEST_ORIGINS", text)
        assert IngestSettings().ingest_origins == origins


def test_an_origin_that_no_browser_sends_is_named_with_the_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_ORIGINS", "https://shop.example, https://news.example/")
    with pytest.raises(SystemExit):
        settings_or_exit(IngestSettings)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("COLLECTOR_INGEST_ORIGINS=https://shop.example, https://news.example/: ")
    assert '"https://news.example/" is not an origin: scheme://host' in line


def test_an_origin_with_a_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_ORIGINS", "https://me:secret@shop.example")
    with pytest.raises(SystemExit):
        settings_or_exit(IngestSettings)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("COLLECTOR_INGEST_ORIGINS: one is not an origin: scheme://host")


def test_no_type_of_cloud_events_need_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert IngestSettings().cloudevents_events == ()
    monkeypatch.setenv("COLLECTOR_CLOUDEVENTS_EVENTS", "")
    assert IngestSettings().cloudevents_events == ()
