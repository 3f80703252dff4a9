from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.local.artifacts.installed import Artifacts
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.factory import ServiceFactory
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile
from ingest_api.settings import IngestSettings

NOWHERE = Path("/nowhere")
TIMEOUTS = ("COLLECTOR_INGEST_DELIVERY_TIMEOUT", "COLLECTOR_INGEST_DRAIN_TIMEOUT")


@pytest.fixture(autouse=True)
def nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TIMEOUTS:
        monkeypatch.delenv(name, raising=False)


def environment(folder: DataFolder, brokers: int, role: Role = Role.INGEST) -> Mapping[str, str]:
    """What a process of ours is told in a stack of so many brokers."""
    state_file = StateFile(folder.state)
    for number in range(1, brokers + 1):
        state_file.add(Member(f"kafka-{number}", Role.KAFKA, number, pid=1, started=0.0))
    state_file.add(Member("influxdb", Role.INFLUXDB, 9, pid=1, started=0.0))
    factory = ServiceFactory(folder, state_file, Artifacts(NOWHERE, NOWHERE, NOWHERE), 8080)
    return factory.numbered(role, 1).prepare().environment


def timeouts(told: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in told.items() if name.endswith("_TIMEOUT")}


def test_where_another_broker_can_take_over_records_wait_until_it_has(folder: DataFolder) -> None:
    told = timeouts(environment(folder, brokers=3))
    assert told["COLLECTOR_INGEST_DELIVERY_TIMEOUT"] == "PT20S"
    # As the service itself reads them: they go together.
    IngestSettings(
        **{name.removeprefix("COLLECTOR_").lower(): value for name, value in told.items()}  # type: ignore[arg-type] # pydantic parses texts
    )


@pytest.mark.parametrize(("brokers", "role"), [(1, Role.INGEST), (3, Role.WORKER)])
def test_elsewhere_nothing_is_changed(folder: DataFolder, brokers: int, role: Role) -> None:
    assert timeouts(environment(folder, brokers, role)) == {}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_what_is_exported_holds(folder: DataFolder, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "PT40S")
    assert timeouts(environment(folder, brokers=3)) == {}
