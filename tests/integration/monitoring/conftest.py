import os
from collections.abc import Iterator

import pytest

from deploy.local.artifacts.installed import installed
from deploy.local.errors import LocalError
from support.builds.monitoring import program
from support.monitoring.prometheus import Prometheus, prometheus
from support.monitoring.watched import WatchedStack


@pytest.fixture(scope="session")
def quiet_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedStack]:
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


@pytest.fixture(scope="module")
def stack(quiet_stack: WatchedStack) -> Iterator[WatchedStack]:
    """With traffic, which ends with the module: other tests read what is logged."""
    with quiet_stack.traffic():
        yield quiet_stack


@pytest.fixture(scope="session")
def watcher(quiet_stack: WatchedStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that watches it."""
    folder = tmp_path_factory.mktemp("prometheus")
    targets = folder / "targets.json"
    targets.write_text(quiet_stack("targets"))
    with prometheus(folder, targets, quiet_stack.key_file, quiet_stack.url) as running:
        yield running
