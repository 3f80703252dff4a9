"""Programs that run for as long as a block does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

_SECONDS: Final = 120.0
_SECONDS_TO_STOP: Final = 20.0
_LOG_SHOWN: Final = 3_000


class Daemons:
    """They are stopped in the reverse order. Each writes a log of its own to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, name: str, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> None:
        with self._log(name).open("wb") as log:
            process = subprocess.Popen(
                command,
                env=os.environ | (environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running[name] = process
        self._stack.callback(_stop, process)

    def run(self, name: str, command: Sequence[str | Path], environment: dict[str, str]) -> None:
        """Until it ends, which it must do with 0."""
        with self._log(name).open("ab") as log:
            ended = subprocess.run(command, env=environment, stdout=log, stderr=log, check=False).returncode
        assert not ended, f"{name} ended with {ended}: {self.said(name)}"

    def wait_until(self, name: str, ready: Callable[[], object], seconds: float = _SECONDS) -> None:
        """Until `ready` says so; fails once that program has ended, or after so long."""
        deadline = time.monotonic() + seconds
        while not ready():
            assert self._running[name].poll() is None, f"{name} ended: {self.said(name)}"
            assert time.monotonic() < deadline, f"{name} is not ready: {self.said(name)}"
            time.sleep(0.1)

    def said(self, name: str) -> str:
        """The end of its log."""
        return self._log(name).read_text(errors="replace")[-_LOG_SHOWN:]

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
