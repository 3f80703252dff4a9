import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.errors import CannotStart, LocalError, NoStack
from deploy.local.report import Report
from deploy.local.services.ports import free_port, is_free
from deploy.local.services.process import Command, Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interrupted, Interruption
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile, read_state
from deploy.local.stack.stopping import stop_stack
from deploy.local.stack.watching import watch_stack


class Telling(Report):
    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.create()
    return folder


@pytest.fixture
def state_file(folder: DataFolder) -> Iterator[StateFile]:
    yield StateFile(folder.state)
    for member in read_state(folder.state).members:
        member.process.send(signal.SIGKILL)
        member.process.wait(30)
        member.process.reap()


def start(folder: DataFolder, state_file: StateFile, name: str, role: Role) -> Member:
    process = Process.start(Command(["/bin/sleep", "300"], folder.log(name)))
    member = Member(name, role, 1, process.pid, process.started)
    state_file.add(member)
    return member


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]

        assert not is_free(port)
        assert free_port([port]) != port


def test_a_preferred_port_is_taken_if_nobody_else_of_the_stack_has_it() -> None:
    port = free_port()

    assert free_port([port]) == port
    assert free_port([port], {port}) != port


def test_a_port_beyond_the_last_one_is_not_free() -> None:
    assert not is_free(66_000)


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


def test_a_second_command_that_may_not_wait_is_told_that_one_is_at_work(folder: DataFolder) -> None:
    with folder.changing(), pytest.raises(CannotStart, match="another collector command"), folder.changing(wait=False):
        pass


def test_stopping_begins_with_those_who_feed_others(folder: DataFolder, state_file: StateFile) -> None:
    roles = [Role.KAFKA, Role.INFLUXDB, Role.AGGREGATOR, Role.WORKER, Role.INGEST, Role.GATEWAY]
    members = [start(folder, state_file, f"{role}", role) for role in roles]
    tell = Telling()

    stop_stack(folder, tell)

    assert tell.told == [
        f"Stopping {name}" for name in ("front", "ingest", "worker", "aggregator", "influxdb", "kafka")
    ]
    assert not any(member.process.is_alive() for member in members)
    assert read_state(folder.state).members == ()


def test_stopping_where_nothing_runs_is_an_error_that_names_the_folder(folder: DataFolder) -> None:
    with pytest.raises(NoStack, match=str(folder.path)):
        stop_stack(folder, Telling())


def test_who_died_is_told_once_with_what_to_do(folder: DataFolder, state_file: StateFile) -> None:
    process = Process.start(Command(["/bin/sh", "-c", "exit 9"], folder.log("worker-2")))
    state_file.add(Member("worker-2", Role.WORKER, 1, process.pid, process.started))
    process.wait(30)

    class Looks(Interruption):
        """Asks to stop at the fourth look."""

        looks = 0

        def wait(self, seconds: float) -> bool:
            assert seconds > 0
            self.looks += 1
            return self.looks > 3

    tell = Telling()
    assert watch_stack(folder, tell, Looks())

    assert tell.told == [
        f"worker-2 ended (exit code 9): `collector scale workers N` starts it again. Its log: {folder.log('worker-2')}"
    ]


def test_the_foreground_ends_when_another_command_stopped_the_stack(folder: DataFolder) -> None:
    with Interruption() as interruption:
        assert not watch_stack(folder, Telling(), interruption)


def test_ctrl_c_breaks_nothing_off_but_is_seen_at_once() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)

        assert interruption.wait(300)
        with pytest.raises(Interrupted):
            interruption.check()


def test_a_second_ctrl_c_only_says_that_stopping_is_under_way(capfd: pytest.CaptureFixture[str]) -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

        assert interruption.asked
    assert "Stopping already" in capfd.readouterr().err


def test_signals_mean_what_they_meant_before_once_it_is_over() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Interruption():
        pass

    assert signal.getsignal(signal.SIGINT) is before
