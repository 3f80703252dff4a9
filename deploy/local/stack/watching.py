"""Watching a running stack from the foreground: who died is told, once; logs that grow large are moved aside."""

from deploy.local.report import Report
from deploy.local.services.log_file import move_aside_if_large
from deploy.local.services.process import Process
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import read_state

_SECONDS_BETWEEN_LOOKS = 0.5
_SCALED_AS = {Role.INGEST: "ingest", Role.WORKER: "workers", Role.AGGREGATOR: "aggregator", Role.ROLLUP: "rollup"}


def watch_stack(folder: DataFolder, report: Report, interruption: Interruption) -> bool:
    """Returns when somebody asks to stop (True), or when others stopped the stack (False)."""
    seen: dict[Process, Member] = {}
    gone: set[Process] = set()
    while not interruption.wait(_SECONDS_BETWEEN_LOOKS):
        members = read_state(folder.state).members
        if not members:
            return False
        for member in members:
            move_aside_if_large(folder.log(member.name))
        seen |= {member.process: member for member in members}
        for process, member in seen.items():
            if process not in gone and not process.is_alive():
                gone.add(process)
                code = process.reap()  # also of those that were stopped: they are children of this process
                if member in members and not member.stopping:
                    report.say(_obituary(folder, member, code))
    return True


def _obituary(folder: DataFolder, member: Member, code: int | None) -> str:
    how = "" if code is None else f" (exit code {code})" if code >= 0 else f" (signal {-code})"
    scaled_as = _SCALED_AS.get(member.role)
    remedy = f"`collector scale {scaled_as} N` starts it again" if scaled_as else "stop the stack and start it again"
    return f"{member.name} ended{how}: {remedy}. Its log: {folder.log(member.name)}"
