from pathlib import Path

import pytest
from pydantic import ValidationError

from stores.cassandra.settings import CassandraSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    for name, value in {
        "HOSTS": "one, two,three",
        "PORT": "9043",
        "DATACENTER": "dc-2",
        "REPLICATION": "5",
        "CONSISTENCY": "QUORUM",
        "USERNAME": "us",
        "PASSWORD_FILE": str(password),
    }.items():
        monkeypatch.setenv(f"COLLECTOR_CASSANDRA_{name}", value)
    settings = CassandraSettings()
    assert settings.hosts == ["one", "two", "three"]
    assert (settings.cassandra_port, settings.cassandra_datacenter, settings.cassandra_replication) == (9043, "dc-2", 5)
    assert (settings.cassandra_consistency, settings.cassandra_username) == ("QUORUM", "us")
    assert "secret" not in repr(settings)


def test_files_that_are_left_empty_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_CASSANDRA_PASSWORD_FILE", "")
    monkeypatch.setenv("COLLECTOR_CASSANDRA_CA_FILE", "")
    settings = CassandraSettings()
    assert (settings.cassandra_password_file, settings.cassandra_ca_file) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cassandra_keyspace": "Collector"},
        {"cassandra_keyspace": "a; DROP"},
        {"cassandra_replication": 0},
        {"cassandra_consistency": "ONE"},
        {"cassandra_username": "us"},
        {"cassandra_password_file": __file__},
        {"cassandra_ca_file": "/nowhere/ca.pem"},
        {"cassandra_timeout": "PT0S"},
        {"cassandra_hosts": ""},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CassandraSettings(**wrong)  # type: ignore[arg-type] # what pydantic is there to check
