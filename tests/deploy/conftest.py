import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from support.compose.guide import commands
from support.compose.stack import Stack
from support.end_to_end.oracle import HOUR_MS
from support.services.containers import docker_answers


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nothing of it runs yet. One for all tests; each leaves it up, and looks at hours of its own."""
    if not docker_answers() or os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs root and a Docker engine: `make test-deploy`")
    stack = Stack(tmp_path_factory.mktemp("deploy"))
    try:
        yield stack
    finally:
        subprocess.run(["docker", "compose", "down", "--volumes", "--timeout", "5"], cwd=stack.folder, check=False)


@pytest.fixture(scope="session")
def guided(stack: Stack) -> dict[str, str]:
    """What each command of deploy/README.md said, one after another; afterwards the stack is up, with its data."""
    marked = [f"{line}\necho {_MARK}" for line in commands()]
    said = stack.run("\n".join(marked)).split(f"{_MARK}\n")
    stack.up()
    return dict(zip(commands(), said, strict=False))


_MARK = "end-of-one-command"


@pytest.fixture(scope="session")
def key(guided: dict[str, str], stack: Stack) -> str:
    """One that may do everything."""
    assert guided
    return (stack.folder / "me.key").read_text().strip()


@pytest.fixture
async def http(stack: Stack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    async with stack.client(key) as client:
        yield client


@pytest.fixture
def hour(request: pytest.FixtureRequest) -> int:
    """One that is over, in ms since the epoch; each test has another."""
    number = request.session.items.index(request.node)
    return (time.time_ns() // 1_000_000 // HOUR_MS - 2 - number) * HOUR_MS
