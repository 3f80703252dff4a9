import os
import signal

from deploy.local.report import Report
from deploy.local.services.log_file import LARGE
from deploy.local.services.process import Command, Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.watching import watch_stack


def test_who_died_is_told_once_with_what_to_do(
    folder: DataFolder, state_file: StateFile, report: Report, told: list[str]
) -> None:
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

    assert watch_stack(folder, report, Looks())

    assert told == [
        f"worker-2 ended (exit code 9): `collector scale workers N` starts it again. Its log: {folder.log('worker-2')}"
    ]


def test_the_foreground_ends_when_another_command_stopped_the_stack(folder: DataFolder, report: Report) -> None:
    with Interruption() as interruption:
        assert not watch_stack(folder, report, interruption)


def test_a_log_that_grows_large_is_moved_aside_while_its_process_runs(
    folder: DataFolder, state_file: StateFile, report: Report
) -> None:
    log = folder.log("worker-2")
    process = Process.start(Command(["/bin/sleep", "60"], log))
    state_file.add(Member("worker-2", Role.WORKER, 1, process.pid, process.started))
    os.truncate(log, LARGE + 1)

    class Looks(Interruption):
        """Asks to stop at the second look."""

        looks = 0

        def wait(self, _: float) -> bool:
            self.looks += 1
            return self.looks > 1

    assert watch_stack(folder, report, Looks())
    process.send(signal.SIGKILL)
    assert process.wait(30)
    assert log.stat().st_size == 0
