import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.errors import ServiceFailed
from deploy.local.services.log_file import tail_of
from deploy.local.services.process import Command
from deploy.local.services.service import Service


class Scripted(Service):
    """A service that is what its script does; somebody else may answer on its port, or nobody does."""

    ready_seconds = 0.5
    stop_seconds = 0.2

    def __init__(self, script: str, log: Path, *, is_answered: Callable[["Scripted"], bool] = lambda _: False) -> None:
        super().__init__("scripted", 0, log)
        self._script = script
        self._is_answered = is_answered

    def prepare(self) -> Command:
        return Command(["/bin/sh", "-c", self._script], self.log)

    def answers(self) -> bool:
        return self._is_answered(self)


def test_a_service_that_dies_at_its_start_is_told_with_its_log(tmp_path: Path) -> None:
    service = Scripted("echo no port for me; exit 3", tmp_path / "log")

    with pytest.raises(ServiceFailed, match=r"scripted: ended at its start \(exit code 3\)\n  no port for me"), service:
        pass


def test_a_service_that_dies_is_told_though_another_one_answers_on_its_port(tmp_path: Path) -> None:
    def once_it_is_dead(service: Scripted) -> bool:
        assert service.process is not None
        return service.process.wait(10)

    service = Scripted("exit 3", tmp_path / "log", is_answered=once_it_is_dead)

    with pytest.raises(ServiceFailed, match=r"scripted: ended at its start \(exit code 3\)"), service:
        pass


def test_a_service_that_is_not_ready_in_time_is_told_and_killed(tmp_path: Path) -> None:
    service = Scripted("exec sleep 300", tmp_path / "log")

    with pytest.raises(ServiceFailed, match="is not ready after"), service:
        pass

    assert service.process is not None
    assert not service.process.is_alive()


def test_a_service_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    service = Scripted("trap '' TERM; echo deaf; exec sleep 300", log)
    service.start()
    while "deaf" not in tail_of(log):
        assert service.process is not None
        assert not service.process.wait(0.01)

    assert service.stop() == -signal.SIGKILL
