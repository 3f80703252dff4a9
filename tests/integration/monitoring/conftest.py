import os
from collections.abc import Iterator

import pytest

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from support.builds.monitoring import program
from support.monitoring.prometheus import Prometheus, prometheus
from support.monitoring.watched import WatchedStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedStack]:
    """For all tests here. Where it cannot be had, tests are skipped on a laptop and fail in CI."""
    missing = "" if program("prometheus").is_file() else "no Prometheus: python -m support.builds.monitoring gets it"
    try:
        installed()
    except LocalError as error:
        missing = str(error)
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    stack = WatchedStack(tmp_path_factory.mktemp("watched"))
    try:
        stack.up("--workers", "1")
        yield stack
    finally:
        stack("down", check=False)


@pytest.fixture(scope="module", autouse=True)
def traffic(stack: WatchedStack) -> Iterator[None]:
    """It ends with the module: the stack is there until the run ends, and other tests read what is logged."""
    with stack.traffic():
        yield


@pytest.fixture(scope="session")
def watcher(stack: WatchedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that watches it."""
    folder = tmp_path_factory.mktemp("prometheus")
    targets = folder / "targets.json"
    targets.write_text(stack("targets"))
    with prometheus(folder, targets, stack.key_file, stack.url) as running:
        yield running
