"""A process of the stack: started in a session of its own, and found again by pid and start time."""

import os
import select
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from deploy.local.services.log_file import open_log


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: `environment` is added to ours; standard output and error are appended to `log`."""

    arguments: list[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


class Process(NamedTuple):
    """One process, named so that a recycled pid is never taken for it.

    `started` is in seconds after the machine's boot: a clock that is set does not change it.
    """

    pid: int
    started: float

    @classmethod
    def start(cls, command: Command) -> Self:
        """Starts it in a session of its own, so that Ctrl-C in our terminal does not reach it."""
        output = open_log(command.log)
        try:
            pid = os.posix_spawn(
                command.arguments[0],
                command.arguments,
                os.environ | command.environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output, 1),
                    (os.POSIX_SPAWN_DUP2, output, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE),
            )
        finally:
            os.close(output)
        return cls.of(pid)

    @classmethod
    def of(cls, pid: int) -> Self:
        """The process that has this pid now."""
        return cls(pid, _start_of(pid))

    @property
    def started_at(self) -> float:
        """Seconds since the epoch, by the clock as it is now; up to a second too early."""
        import psutil  # type: ignore[import-untyped] # noqa: PLC0415 # see _start_of

        return self.started + float(psutil.boot_time())

    def is_alive(self) -> bool:
        """Whether it runs; one that ended and was not waited for does not."""
        import psutil  # noqa: PLC0415 # see _start_of

        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            return _start_of(self.pid) == self.started and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        return False

    def send(self, number: signal.Signals) -> None:
        """Signals it; nothing happens if it is gone."""
        with suppress(ProcessLookupError), _PidFile(self) as descriptor:
            signal.pidfd_send_signal(descriptor, number)

    def wait(self, seconds: float) -> bool:
        """Waits for its end, so long at most; whether it is gone."""
        with suppress(ProcessLookupError), _PidFile(self) as descriptor:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        return True

    def reap(self) -> int | None:
        """The exit code (negative: the signal) of a child of ours that ended; None if that cannot be known."""
        # A killed process counts as ended while threads of it still are on their way out: its code comes after them.
        ended = not self.is_alive()
        with suppress(ChildProcessError):
            pid, status = os.waitpid(self.pid, 0 if ended else os.WNOHANG)
            return os.waitstatus_to_exitcode(status) if pid else None
        return None


class _PidFile:
    """A descriptor that stands for the process itself. Raises ProcessLookupError if the pid is another's by now."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def __enter__(self) -> int:
        self._descriptor = os.pidfd_open(self._process.pid)
        if self._process.is_alive():
            return self._descriptor
        os.close(self._descriptor)
        raise ProcessLookupError(self._process.pid)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _start_of(pid: int) -> float:
    # The image, where other commands of the program run, has none.
    import psutil  # noqa: PLC0415 # see above

    return round(float(psutil.Process(pid).create_time() - psutil.boot_time()), 2)
