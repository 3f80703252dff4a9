from pathlib import Path

import pytest

from collector.target import AuditSettings
from deploy.local.stack.backing.addresses import addresses_of
from deploy.local.stack.members import Member, Role


def members(*named: tuple[str, Role, int]) -> list[Member]:
    return [Member(name, role, port, 1, 0.0) for name, role, port in named]


TOKEN = Path("/nowhere/token")
KAFKA = ("kafka", Role.KAFKA, 1001)
THREE = [(f"kafka-{number}", Role.KAFKA, 1000 + number) for number in (1, 2, 3)]


def test_one_broker_and_influxdb_are_named() -> None:
    found = addresses_of(members(KAFKA, ("influxdb", Role.INFLUXDB, 1002)), TOKEN)
    assert (found["kafka_bootstrap"], found["store"], found["influx_url"]) == (
        "127.0.0.1:1001",
        "influx",
        "http://127.0.0.1:1002",
    )


def test_all_brokers_and_all_nodes_of_cassandra_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTOR_CASSANDRA_DATACENTER", "of-another-cassandra")
    nodes = [(f"cassandra-{number}", Role.CASSANDRA, 9) for number in (1, 2, 3)]
    found = AuditSettings(**addresses_of(members(*THREE, *nodes), TOKEN))  # type: ignore[arg-type] # pydantic parses texts
    assert found.kafka_bootstrap == "127.0.0.1:1001,127.0.0.1:1002,127.0.0.1:1003"
    assert (found.store, found.hosts, found.cassandra_port) == ("cassandra", ["127.0.0.1", "127.0.0.2", "127.0.0.3"], 9)
    assert found.cassandra_datacenter == "datacenter1"


def test_a_single_node_of_cassandra_is_on_the_first_address() -> None:
    assert addresses_of(members(KAFKA, ("cassandra", Role.CASSANDRA, 9)), TOKEN)["cassandra_hosts"] == "127.0.0.1"


@pytest.mark.parametrize("alone", [KAFKA, ("influxdb", Role.INFLUXDB, 1002)])
def test_a_stack_without_brokers_or_store_has_no_addresses(alone: tuple[str, Role, int]) -> None:
    assert addresses_of(members(alone), TOKEN) == {}


def test_a_token_goes_by_its_file_if_there_is_one(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("worker:secret")
    stack = members(KAFKA, ("influxdb", Role.INFLUXDB, 1002))
    found = addresses_of(stack, token)
    assert found["influx_token_file"] == str(token)
    assert "secret" not in found.values()
    assert addresses_of(stack, TOKEN)["influx_token_file"] == ""
