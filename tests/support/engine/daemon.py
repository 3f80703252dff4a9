"""The engine's daemon, as long as a block runs."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.local.errors import SetupFailed
from support.engine.programs import STEP, engine_folder, search_path

FOR_BUILDS: Final = ("--bridge=none", "--iptables=false", "--ip6tables=false")
"""In the machine's own network: builds use it (`--network host`), and its packet filter stays as it is."""
FOR_CONTAINERS: Final = ("--bip=172.31.250.1/24", "--default-address-pool=base=172.31.240.0/21,size=24")
"""In a network namespace of its own."""

_SECONDS: Final = 60.0
_LOG_SHOWN: Final = 2_000


def environment() -> dict[str, str]:
    """For programs that use the engine."""
    return {
        **os.environ,
        "PATH": search_path(),
        "DOCKER_HOST": f"unix://{_socket()}",
        # Where the plugins of the program lie.
        "DOCKER_CONFIG": str(engine_folder()),
        "DOCKER_BUILDKIT": "1",
    }


def docker(*arguments: str, stdin: Path | None = None) -> str:
    """What the command line program says. Raises SetupFailed."""
    with Path(stdin or os.devnull).open("rb") as file:
        answer = subprocess.run(
            ["docker", *arguments], env=environment(), stdin=file, capture_output=True, text=True, check=False
        )
    if answer.returncode:
        said = answer.stdout[-_LOG_SHOWN:] + answer.stderr[-_LOG_SHOWN:]
        raise SetupFailed(STEP, f"`docker {arguments[0]}` failed: {said}", "Run it again.")
    return answer.stdout


@contextmanager
def daemon(options: tuple[str, ...]) -> Iterator[None]:
    """Runs it; its images and volumes stay. Raises SetupFailed."""
    folder = engine_folder()
    folders = ["--data-root", folder / "data", "--exec-root", folder / "run", "--pidfile", folder / "run" / "pid"]
    (folder / "run").mkdir(parents=True, exist_ok=True)
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["dockerd", "--host", f"unix://{_socket()}", *folders, *options],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_SECONDS)


def _socket() -> Path:
    return engine_folder() / "run" / "docker.sock"


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    asked = ["docker", "version"]
    deadline = time.monotonic() + _SECONDS
    while subprocess.run(asked, env=environment(), capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SetupFailed(STEP, f"it does not start: {log.read_text()[-_LOG_SHOWN:]}", f"See {log}.")
        time.sleep(0.1)
