import pytest

from deploy.local.errors import NoStack
from deploy.local.report import Report
from deploy.local.services.process import Command, Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile, read_state
from deploy.local.stack.stopping import stop_stack


def start(folder: DataFolder, state_file: StateFile, name: str, role: Role) -> Member:
    process = Process.start(Command(["/bin/sleep", "300"], folder.log(name)))
    member = Member(name, role, 1, process.pid, process.started)
    state_file.add(member)
    return member


def test_stopping_begins_with_those_who_feed_others(
    folder: DataFolder, state_file: StateFile, report: Report, told: list[str]
) -> None:
    roles = [Role.KAFKA, Role.INFLUXDB, Role.AGGREGATOR, Role.WORKER, Role.INGEST, Role.GATEWAY]
    members = [start(folder, state_file, f"{role}", role) for role in roles]

    stop_stack(folder, report)

    assert told == [f"Stopping {name}" for name in ("gateway", "ingest", "worker", "aggregator", "influxdb", "kafka")]
    assert not any(member.process.is_alive() for member in members)
    assert read_state(folder.state).members == ()


def test_stopping_where_nothing_runs_is_an_error_that_names_the_folder(folder: DataFolder, report: Report) -> None:
    with pytest.raises(NoStack, match=str(folder.path)):
        stop_stack(folder, report)
