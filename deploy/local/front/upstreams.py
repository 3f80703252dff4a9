"""Who stands behind the door now: read from the stack's state file whenever that changes."""

from contextlib import suppress
from itertools import count
from pathlib import Path

from deploy.local.members import Role
from deploy.local.roster import StackState, read_state


class Upstreams:
    """Ports of the processes that may be sent requests, each time beginning with another one."""

    def __init__(self, state_file: Path) -> None:
        self._file = state_file
        self._seen: tuple[int, int] | None = None
        self._state = StackState()
        self._turn = count()

    def of(self, role: Role) -> list[int]:
        """Ports to try, in this order; none that was told to stop."""
        self._refresh()
        ports = [member.port for member in self._state.members if member.role is role and not member.stopping]
        first = next(self._turn) % len(ports) if ports else 0
        return ports[first:] + ports[:first]

    def _refresh(self) -> None:
        with suppress(FileNotFoundError):
            found = self._file.stat()
            # Each version of the file is a new one that was moved into place.
            if (found.st_ino, found.st_mtime_ns) != self._seen:
                self._state = read_state(self._file)
                self._seen = (found.st_ino, found.st_mtime_ns)
