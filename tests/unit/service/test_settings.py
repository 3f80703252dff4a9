"""What people are told whose settings are unusable: by every process alike."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_api.settings import IngestSettings
from service.process import say_who_may
from service.settings import settings_or_exit
from service.web.hosts import is_loopback
from stores.influx.settings import InfluxSettings

PROCESSES = ["ingest_api", "stream_workers", "aggregator", "deploy.provision"]
SERVICES = ["ingest_api", "stream_workers", "aggregator", "aggregator.rollup"]


def run(process: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", process],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("process", PROCESSES)
def test_each_unusable_setting_is_one_line_with_its_name_value_and_rule_and_exit_code_2(process: str) -> None:
    ended = run(process, COLLECTOR_LOG_LEVEL="foo", COLLECTOR_TOPIC="")
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


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_others_reach_does_not_start_without_keys_and_says_what_to_do(service: str) -> None:
    ended = run(service, COLLECTOR_HOST="0.0.0.0")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("COLLECTOR_HOST=0.0.0.0 lets others in, and there are no keys")
    assert "COLLECTOR_KEYS_FILE" in line
    assert "COLLECTOR_OPEN=true" in line


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_does_not_start_with_a_file_of_keys_that_is_broken(service: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("{}\n")
    ended = run(service, COLLECTOR_KEYS_FILE=str(tmp_path / "keys"))
    assert ended.returncode == 2
    assert f"cannot start: {tmp_path}/keys, line 1: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_only_this_machine_s_own_addresses_are_loopback(host: str, is_own: bool) -> None:  # noqa: FBT001 - a column of a table
    assert is_loopback(host) is is_own


@pytest.mark.parametrize("more", [{"COLLECTOR_OPEN": "true"}, {"COLLECTOR_KEYS_FILE": "keys"}])
def test_with_keys_or_where_it_is_said_to_be_open_a_service_may_listen_everywhere(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    for name, value in {"COLLECTOR_HOST": "0.0.0.0", **more}.items():
        monkeypatch.setenv(name, value)
    assert IngestSettings().host == "0.0.0.0"


def test_a_file_of_keys_that_is_set_to_nothing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_KEYS_FILE", "")
    assert IngestSettings().keys_file is None


@pytest.mark.parametrize(
    ("keys", "level", "told"),
    [
        (None, logging.WARNING, "there are no keys: whoever reaches 127.0.0.1:8081 may do everything"),
        (Path("/run/keys"), logging.INFO, "requests to 127.0.0.1:8081 need a key of /run/keys"),
    ],
)
def test_whether_requests_need_keys_is_said_at_the_start(
    caplog: pytest.LogCaptureFixture, keys: Path | None, level: int, told: str
) -> None:
    caplog.set_level(logging.INFO)
    say_who_may(IngestSettings(keys_file=keys))
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(level, told)]
