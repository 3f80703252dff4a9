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
    assert line.startswith("COLLECTOR_PORT='a\\nb': Input should be a valid integer")


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
