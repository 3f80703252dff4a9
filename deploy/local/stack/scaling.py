"""More or fewer equal processes of a running stack; those that died are started again."""

from deploy.local.artifacts.installed import installed
from deploy.local.errors import NoStack
from deploy.local.report import Report
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.factory import ServiceFactory
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.launch import Launch
from deploy.local.stack.members import Role
from deploy.local.stack.readiness import wait_until_all_ready, wait_until_ready_or_ended
from deploy.local.stack.state_file import StateFile
from deploy.local.stack.stopping import stop_members


def scale_stack(folder: DataFolder, role: Role, wanted: int, report: Report, interruption: Interruption) -> None:
    """Brings the role to `wanted` processes, numbered from 1. Surplus ones drain; dead ones are started again."""
    with folder.changing():
        state_file = StateFile(folder.state)
        if not state_file.members:
            raise NoStack(f"no stack runs in {folder.path}: start one by `collector up`")
        port = state_file.port_of(Role.GATEWAY)
        factory = ServiceFactory(folder, state_file, installed(), port, secure=folder.is_secure)
        surplus = [one for one in state_file.of(role) if one.number > wanted or one.stopping]
        state_file.mark_stopping([one.name for one in surplus])
        # The gateway sends nothing more to a process before that one is told to stop.
        _tell_gateway(state_file, factory)
        stop_members(state_file, surplus, report)
        wait_until_ready_or_ended(state_file.of(role), interruption)
        alive = {one.number for one in state_file.of(role) if one.process.is_alive()}
        missing = [number for number in range(1, wanted + 1) if number not in alive]
        if missing:
            Launch(state_file, report, interruption).start(
                [(role, factory.numbered(role, number)) for number in missing]
            )
        wait_until_all_ready(state_file.of(role), folder, interruption)
        _tell_gateway(state_file, factory)
        report.say(f"{role}: {wanted} running")


def _tell_gateway(state_file: StateFile, factory: ServiceFactory) -> None:
    """A gateway that died is not this command's concern: who watches the stack has said so."""
    if any(gateway.process.is_alive() for gateway in state_file.of(Role.GATEWAY)):
        factory.gateway().reload()
