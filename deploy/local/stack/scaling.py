"""More or fewer equal processes of a running stack; those that died are started again."""

from deploy.local.artifacts.installed import installed
from deploy.local.stack.factory import ServiceFactory
from deploy.local.stack.data_folder import DataFolder
from deploy.local.errors import NoStack
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Role
from deploy.local.report import Report
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.readiness import wait_until_all_ready
from deploy.local.stack.starting import Launch
from deploy.local.stack.stopping import stop_members


def scale_stack(folder: DataFolder, role: Role, wanted: int, report: Report, interruption: Interruption) -> None:
    """Brings the role to `wanted` processes, numbered from 1. Those too many drain; the dead are started again."""
    with folder.changing():
        state_file = StateFile(folder.state)
        if not state_file.members:
            raise NoStack(f"no stack runs in {folder.path}: start one by `collector up`")
        present = state_file.of(role)
        stop_members(state_file, [member for member in present if member.number > wanted or member.stopping], report)
        alive = {member.number for member in state_file.of(role) if member.process.is_alive()}
        missing = [number for number in range(1, wanted + 1) if number not in alive]
        factory = ServiceFactory(folder, state_file, installed(), state_file.port_of(Role.GATEWAY))
        if missing:
            Launch(state_file, report, interruption).start([(role, factory.numbered(role, number)) for number in missing])
        wait_until_all_ready(state_file.of(role), folder, interruption)
        report.say(f"{role}: {wanted} running")
