"""What people are told whose settings are unusable: by every process alike."""

import os
import subprocess
import sys

import pytest

from ingest_api.settings import IngestSettings
from service.settings import settings_or_exit
from stores.influx.settings import InfluxSettings

PROCESSES = ["ingest_api", "stream_workers", "aggregator", "deploy.provision"]


@pytest.mark.parametrize("process", PROCESSES)
def test_each_unusable_setting_is_one_line_with_its_name_value_and_rule_and_exit_code_2(process: str) -> None:
    environment = {**os.environ, "COLLECTOR_LOG_LEVEL": "foo", "COLLECTOR_TOPIC": ""}
    ended = subprocess.run(
        [sys.executable, "-m", process], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    topic, log_level = ended.stderr.splitlines()
    assert log_level == "COLLECTOR_LOG_LEVEL=foo: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"
    assert topic.startswith("COLLECTOR_TOPIC=: ")


def test_a_value_on_several_lines_stays_on_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_PORT", "a\nb")
    with pytest.raises(SystemExit):
        settings_or_exit(IngestSettings)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('COLLECTOR_PORT="a\\nb": Input should be a valid integer')


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "COLLECTOR_INGEST_OLDEST",
            "yesterday",
            "should be a date (1990-01-01), a date and time, ms since the epoch, or a duration before now (P400D)",
        ),
        ("COLLECTOR_INGEST_OLDEST", "-P1D", "a duration before now is above zero"),
        ("COLLECTOR_INGEST_EVENTS", "click,Buy's", '"Buy\'s" is not the name of an event: a lower-case letter'),
        ("COLLECTOR_INGEST_LINGER", "soon", "Input should be a valid duration, like PT0.5S or P30D, invalid digit"),
        ("COLLECTOR_INGEST_LINGER", "-PT1S", "Input should be greater than or equal to 0 seconds"),
        ("COLLECTOR_INGEST_DELIVERY_TIMEOUT", "PT0S", "Input should be greater than or equal to 1 second"),
    ],
)
def test_a_setting_of_the_ingest_api_is_told_with_its_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        settings_or_exit(IngestSettings)
    assert capsys.readouterr().err.startswith(f"{name}={value}: {told}")


def test_durations_that_do_not_fit_together_are_told_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_DRAIN_TIMEOUT", "PT15S")
    with pytest.raises(SystemExit):
        settings_or_exit(IngestSettings)
    assert capsys.readouterr().err.startswith("COLLECTOR_INGEST_DRAIN_TIMEOUT is not above PT20S, the longest request")


def test_settings_that_do_not_fit_together_are_told_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLLECTOR_INGEST_MAX_IN_FLIGHT_BYTES", "1000")
    with pytest.raises(SystemExit) as ended:
        settings_or_exit(IngestSettings)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("COLLECTOR_INGEST_MAX_IN_FLIGHT_BYTES is below ")


@pytest.mark.parametrize("url", ["nonsense://name:secret@host", "http://name:secret@host:99999"])
def test_a_url_that_may_hold_a_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("COLLECTOR_INFLUX_URL", url)
    with pytest.raises(SystemExit):
        settings_or_exit(InfluxSettings)
    told = capsys.readouterr().err
    assert told.startswith("COLLECTOR_INFLUX_URL: ")
    assert "secret" not in told
