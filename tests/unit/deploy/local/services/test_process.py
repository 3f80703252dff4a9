import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.services.log_file import tail_of
from deploy.local.services.process import Command, Process

SLEEP = ["/bin/sleep", "300"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = Process.start(Command(SLEEP, tmp_path / "log"))
    yield process
    process.send(signal.SIGKILL)
    process.wait(30)
    process.reap()


def run(script: str, log: Path) -> Process:
    return Process.start(Command(["/bin/sh", "-c", script], log))


def test_a_process_is_out_of_reach_of_ctrl_c_in_our_terminal(sleeper: Process) -> None:
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_another_process_with_the_same_pid_is_never_signalled(sleeper: Process) -> None:
    former = Process(sleeper.pid, sleeper.started - 1)

    former.send(signal.SIGKILL)

    assert not former.is_alive()
    assert former.wait(0)
    assert not sleeper.wait(0.1)


def test_a_process_that_ended_is_not_alive_though_nobody_waited_for_it(tmp_path: Path) -> None:
    process = run("exit 7", tmp_path / "log")

    assert process.wait(30)
    assert not process.is_alive()
    assert process.reap() == 7


def test_the_exit_code_of_a_killed_process_waits_for_its_last_thread(tmp_path: Path) -> None:
    threads = (
        "import threading as t\nfor _ in range(50): t.Thread(target=t.Event().wait).start()\nprint('up', flush=True)"
    )
    log = tmp_path / "log"
    for _ in range(5):
        log.unlink(missing_ok=True)
        process = Process.start(Command([sys.executable, "-c", threads], log))
        while not log.exists() or "up" not in log.read_text():
            assert not process.wait(0.01)

        process.send(signal.SIGKILL)

        assert process.wait(30)
        assert process.reap() == -signal.SIGKILL


def test_the_exit_code_of_a_process_of_others_is_unknown() -> None:
    assert Process(1, 0.0).reap() is None


def test_its_output_is_appended_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "name.log"
    for text in ("one", "two"):
        process = run(f"echo {text}; echo {text} >&2", log)
        process.wait(30)
        process.reap()

    assert tail_of(log).split() == ["one", "one", "two", "two"]
