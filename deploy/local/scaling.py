"""More or fewer equal processes of a running stack; those that died are started again."""

from deploy.local.artifacts import installed
from deploy.local.cast import Cast
from deploy.local.data_folder import DataFolder
from deploy.local.errors import NoStack
from deploy.local.interruption import Interruption
from deploy.local.members import Role
from deploy.local.report import Report
from deploy.local.roster import Roster
from deploy.local.settling import wait_until_settled
from deploy.local.starting import Launch
from deploy.local.stopping import stop_members


def scale_stack(folder: DataFolder, role: Role, wanted: int, report: Report, interruption: Interruption) -> None:
    """Brings the role to `wanted` processes, numbered from 1. Those too many drain; the dead are started again."""
    with folder.changing():
        roster = Roster(folder.state)
        if not roster.members:
            raise NoStack(f"no stack runs in {folder.path}: start one by `collector up`")
        present = roster.of(role)
        stop_members(roster, [member for member in present if member.number > wanted or member.stopping], report)
        alive = {member.number for member in roster.of(role) if member.process.is_alive()}
        missing = [number for number in range(1, wanted + 1) if number not in alive]
        cast = Cast(folder, roster, installed(), roster.port_of(Role.FRONT))
        if missing:
            Launch(roster, report, interruption).start([(role, cast.numbered(role, number)) for number in missing])
        wait_until_settled(roster.of(role), folder, interruption)
        report.say(f"{role}: {wanted} running")
