"""Stopping members of a stack in the right order, each with time to finish what it received."""

import signal
from collections.abc import Collection

from deploy.local.errors import NoStack
from deploy.local.report import Report
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile

_SECONDS = 60.0
"""Longer than the bounds within which our services drain by themselves."""
_UNFINISHED = 75
"""The exit code of a worker that could not finish in its bound."""


def stop_stack(folder: DataFolder, report: Report) -> None:
    """Stops all of the stack. Raises NoStack if nothing runs here."""
    with folder.changing():
        state_file = StateFile(folder.state)
        if not state_file.members:
            raise NoStack(f"no stack runs in {folder.path}")
        stop_members(state_file, state_file.members, report)


def stop_members(state_file: StateFile, members: Collection[Member], report: Report) -> None:
    """Stops these, role by role: who feeds others goes first."""
    for role in Role:
        group = [member for member in members if member.role is role]
        if group:
            _stop_group(state_file, group, report)


def _stop_group(state_file: StateFile, group: list[Member], report: Report) -> None:
    names = [member.name for member in group]
    report.say(f"Stopping {', '.join(names)}")
    state_file.mark_stopping(names)
    for member in group:
        member.process.send(signal.SIGTERM)
    for member in group:
        _await_end(member, report)
    state_file.remove(names)


def _await_end(member: Member, report: Report) -> None:
    process = member.process
    if not process.wait(_SECONDS):
        report.say(f"{member.name} did not stop within {_SECONDS:.0f} s and is killed; no acknowledged action is lost")
        process.send(signal.SIGKILL)
        process.wait(_SECONDS)
    if process.reap() == _UNFINISHED and member.role is Role.WORKER:
        report.say(f"{member.name} could not finish in time; what it did not store is read again at the next start")
