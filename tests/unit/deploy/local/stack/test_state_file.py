import pytest

from deploy.local.errors import LocalError
from deploy.local.services.process import Command, Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile


def start(folder: DataFolder, state_file: StateFile, name: str, role: Role) -> Member:
    process = Process.start(Command(["/bin/sleep", "300"], folder.log(name)))
    member = Member(name, role, 1, process.pid, process.started)
    state_file.add(member)
    return member


def test_the_state_file_tells_members_and_ports_to_the_next_command(folder: DataFolder, state_file: StateFile) -> None:
    member = start(folder, state_file, "worker-1", Role.WORKER)

    again = StateFile(folder.state)

    assert again.members == (member,)
    assert again.ports == {"worker-1": 1}


def test_a_port_is_kept_for_a_member_that_is_gone(folder: DataFolder, state_file: StateFile) -> None:
    state_file.add(Member("worker-1", Role.WORKER, 4711, 1, 0.0))
    state_file.remove(["worker-1"])

    assert StateFile(folder.state).ports == {"worker-1": 4711}


def test_a_member_that_starts_again_takes_the_place_of_the_dead_one(state_file: StateFile) -> None:
    state_file.add(Member("worker-1", Role.WORKER, 1, 1, 0.0))
    state_file.add(Member("worker-1", Role.WORKER, 1, 2, 0.0))

    assert [member.pid for member in state_file.members] == [2]


def test_a_state_file_that_is_damaged_is_told_with_its_path(folder: DataFolder) -> None:
    folder.state.write_text('{"members": [{"na')

    with pytest.raises(LocalError, match=r"stack\.json is not readable"):
        StateFile(folder.state)
