import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.report import Report
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.state_file import StateFile, read_state


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


@pytest.fixture
def told() -> list[str]:
    """What `report` was told to say."""
    return []


@pytest.fixture
def report(told: list[str]) -> Report:
    class Telling(Report):
        def say(self, text: str) -> None:
            told.append(text)

    return Telling(Console(quiet=True))
