"""Where an audit finds what it audits, and what it tells where it finds nothing."""

import json
from pathlib import Path
from typing import Never

import pytest
from typer.testing import CliRunner

from collector.audit.run import Audit
from collector.cli import app
from collector.target import find_target
from deploy.local.errors import NoStack
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither settings nor a stack."""
    for name in ("KAFKA_BOOTSTRAP", "INFLUX_URL", "INFLUX_TOKEN", "INFLUX_ORG", "CASSANDRA_HOSTS", "STORE", "TOPIC"):
        monkeypatch.delenv(f"COLLECTOR_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def run_stack(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    state_file = StateFile(folder / "stack.json")
    for role, port in ((Role.KAFKA, 1001), (Role.INFLUXDB, 1002), (Role.GATEWAY, 1003)):
        state_file.add(Member(role.value, role, port, 1, 0.0))


def found(data: Path | None, url: str | None = None) -> tuple[str, str, str]:
    settings, aggregator_url = find_target(data, url)[:2]
    return settings.kafka_bootstrap, str(settings.influx_url), aggregator_url


LOCAL = ("127.0.0.1:1001", "http://127.0.0.1:1002/", "http://127.0.0.1:1003")


def test_the_stack_in_the_named_folder_is_found_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_stack(tmp_path / "elsewhere")
    monkeypatch.setenv("COLLECTOR_KAFKA_BOOTSTRAP", "kafka:9092")
    assert found(tmp_path / "elsewhere") == LOCAL
    assert found(tmp_path / "elsewhere", "http://other") == (*LOCAL[:2], "http://other")


@pytest.mark.parametrize("name", ["COLLECTOR_KAFKA_BOOTSTRAP", "COLLECTOR_INFLUX_URL"])
def test_an_environment_that_names_services_goes_before_the_stack_in_the_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run_stack(tmp_path / ".collector")
    assert found(None) == LOCAL
    monkeypatch.setenv(name, "http://named:1234")
    kafka, influx, aggregator = found(None)
    assert "named:1234" in kafka + influx
    assert "1001" not in kafka
    assert "1002" not in influx
    assert aggregator == "http://127.0.0.1:8082"


def test_without_both_the_services_defaults_hold() -> None:
    assert found(None) == ("127.0.0.1:9092", "http://127.0.0.1:8086/", "http://127.0.0.1:8082")


def test_a_named_folder_without_a_stack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoStack):
        find_target(tmp_path, None)


def test_what_cannot_begin_ends_with_2_and_says_why(tmp_path: Path) -> None:
    text = CliRunner().invoke(app, ["audit", "--data", str(tmp_path)])
    as_json = CliRunner().invoke(app, ["audit", "--data", str(tmp_path), "--json"])

    assert (text.exit_code, as_json.exit_code) == (2, 2)
    assert text.stdout.startswith(f"not judged: no stack runs in {tmp_path}\n")
    assert json.loads(as_json.stdout)["outcome"] == "not_judged"


@pytest.mark.parametrize(
    "arguments",
    [["--from", "yesterday"], ["--to", "2026-11-24"], ["--from", "2026-11-24T10", "--to", "2026-11-24T09"]],
    ids=str,
)
def test_hours_that_are_none_are_wrong_usage(arguments: list[str]) -> None:
    ended = CliRunner().invoke(app, ["audit", *arguments])
    assert ended.exit_code == 2
    assert "Usage" in ended.stderr


def test_ctrl_c_ends_an_audit_with_130_not_with_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Never:
        raise KeyboardInterrupt

    monkeypatch.setattr(Audit, "run", interrupted)
    ended = CliRunner().invoke(app, ["audit", "--json"])

    assert (ended.exit_code, ended.stdout) == (130, "")
