from datetime import timedelta

import pytest
from pydantic import ValidationError

from stores.raw.settings import RawStorage
from stream_workers.settings import WorkerSettings


def test_a_worker_needs_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLLECTOR_TOPIC", raising=False)
    settings = WorkerSettings()
    assert (settings.port, settings.topic, settings.rejected_topic) == (8083, "actions", "actions.rejected")
    assert (settings.kafka_bootstrap, settings.consumer_group) == ("127.0.0.1:9092", "stream-workers")
    assert settings.worker_flush_interval == timedelta(seconds=0.5)


def test_each_setting_is_read_from_the_environment_under_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_WORKER_DRAIN_TIMEOUT", "PT1M")
    monkeypatch.setenv("COLLECTOR_WORKER_FLUSH_LINES", "7")
    monkeypatch.setenv("COLLECTOR_RAW_STORAGE", "off")
    settings = WorkerSettings()
    assert (settings.worker_drain_timeout, settings.worker_flush_lines) == (timedelta(minutes=1), 7)
    assert settings.raw_storage is RawStorage.OFF


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "0"),
        ("port", "65536"),
        ("log_level", "LOUD"),
        ("worker_flush_lines", "0"),
        ("worker_flush_interval", "PT0S"),
        ("worker_window_memory", "0"),
        ("worker_buffered_records", "0"),
        ("worker_buffered_bytes", "0"),
        ("worker_metadata_refresh", "PT0S"),
        ("worker_session_timeout", "-PT1S"),
        ("worker_release_timeout", "PT0S"),
        ("worker_drain_timeout", "soon"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"COLLECTOR_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        WorkerSettings()
