"""What every process of the stack has in common: it is prepared, started, waited for, stopped or killed."""

import signal
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Self

from deploy.local.errors import ServiceFailed
from deploy.local.services.log_file import tail_of
from deploy.local.services.process import Command, Process

_POLL_SECONDS = 0.05


class Service(ABC):
    """A program that serves on a port of 127.0.0.1 until it is told to stop.

    As a context manager it is started, waited for, and stopped.
    """

    ready_seconds = 120.0
    """It counts as failed if it does not answer so soon."""
    stop_seconds = 30.0
    """It is killed if it has not ended so long after SIGTERM."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log
        self.process: Process | None = None
        self.trusted: Path | None = None
        """The certificate that its clients have to trust; None: it speaks plain text."""

    @abstractmethod
    def prepare(self) -> Command:
        """Writes what the program needs to find, and says how to start it."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can do its job now."""

    def start(self) -> Process:
        """Starts it and does not wait."""
        self.process = Process.start(self.prepare())
        return self.process

    def wait_until_ready(self, check: Callable[[], None] = lambda: None) -> None:
        """Returns once it answers. Raises ServiceFailed, with the log's tail, if it dies or takes too long.

        `check` is called again and again: what it raises ends the waiting.
        """
        process = self._started()
        give_up = time.monotonic() + self.ready_seconds
        while True:
            answers = self.answers()
            # It may be another one that answers: then ours could not listen there, and ended.
            if process.wait(0 if answers else _POLL_SECONDS):
                code = process.reap()
                raise ServiceFailed(self.name, f"ended at its start (exit code {code})", self.log_tail())
            if answers:
                return
            check()
            if time.monotonic() > give_up:
                raise ServiceFailed(self.name, f"is not ready after {self.ready_seconds:.0f} s", self.log_tail())

    def stop(self) -> int | None:
        """SIGTERM, a bounded wait, then SIGKILL; the exit code if it can be known."""
        process = self._started()
        process.send(signal.SIGTERM)
        return process.reap() if process.wait(self.stop_seconds) else self.kill()

    def kill(self) -> int | None:
        """SIGKILL; returns once it is gone, with the exit code if it can be known."""
        process = self._started()
        process.send(signal.SIGKILL)
        process.wait(self.stop_seconds)
        return process.reap()

    def log_tail(self) -> str:
        """The last lines of its log."""
        return tail_of(self.log)

    def _started(self) -> Process:
        if self.process is None:
            raise ServiceFailed(self.name, "was not started", "")
        return self.process

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def status_of(port: int, path: str, authority: Path | None = None) -> int | None:
    """The status that a GET on loopback gives; None if nobody answers within two seconds.

    With an `authority`, by TLS: the server's certificate must be for localhost, and from there.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        if authority is not None:
            context = ssl.create_default_context(cafile=authority)
            connection = HTTPSConnection("localhost", port, timeout=2, context=context)
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
