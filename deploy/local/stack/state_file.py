"""The state file of a stack: who belongs to it. Each change is written at once, whole or not at all."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from deploy.local.errors import LocalError, NoStack
from deploy.local.stack.members import Member, Role


class StackState(msgspec.Struct, frozen=True):
    """What the state file holds."""

    ports: dict[str, int] = {}
    """By name; kept when a process is gone, so that it gets the same port again if that is free."""
    members: tuple[Member, ...] = ()


def read_state(path: Path) -> StackState:
    """What the file says; an empty stack if there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=StackState)
    except FileNotFoundError:
        return StackState()
    except msgspec.DecodeError as error:
        raise LocalError(
            f"{path} is not readable: {error}. Stop the processes it names by hand, and remove it"
        ) from error


class StateFile:
    """The state file, for the command that holds the data folder's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._state = read_state(path)

    @property
    def members(self) -> tuple[Member, ...]:
        """All members, dead ones too."""
        return self._state.members

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports in use or to be used again, by name."""
        return self._state.ports

    def of(self, role: Role) -> list[Member]:
        """The members of a role."""
        return [member for member in self.members if member.role is role]

    def port_of(self, role: Role) -> int:
        """The port of the only member of its role. Raises NoStack if there is none."""
        for member in self.of(role):
            return member.port
        raise NoStack(f"no {role} runs here")

    def set_port(self, name: str, port: int) -> None:
        """Keeps a port."""
        self._write(self._state.ports | {name: port}, self.members)

    def add(self, member: Member) -> None:
        """One more member, in place of one of the same name."""
        others = (other for other in self.members if other.name != member.name)
        self._write(self._state.ports | {member.name: member.port}, (*others, member))

    def mark_stopping(self, names: Collection[str]) -> None:
        """They are told to stop."""
        marked = (msgspec.structs.replace(one, stopping=True) if one.name in names else one for one in self.members)
        self._write(self._state.ports, tuple(marked))

    def remove(self, names: Collection[str]) -> None:
        """They are gone."""
        self._write(self._state.ports, tuple(one for one in self.members if one.name not in names))

    def _write(self, ports: dict[str, int], members: tuple[Member, ...]) -> None:
        self._state = StackState(ports, members)
        partial = self._path.with_name(self._path.name + ".partial")
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self._state)))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
