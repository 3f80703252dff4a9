"""Starting some services of a stack together."""

from collections.abc import Sequence

from deploy.local.report import Report
from deploy.local.services.service import Service
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Member, Role
from deploy.local.stack.state_file import StateFile


class Launch:
    """Starts services together and waits until each of them is ready."""

    def __init__(self, state_file: StateFile, report: Report, interruption: Interruption) -> None:
        self._state_file = state_file
        self._report = report
        self._interruption = interruption

    def start(self, services: Sequence[tuple[Role, Service]]) -> None:
        """Starts them all, then waits for them all. Raises ServiceFailed or Interrupted; those started stay members."""
        self._report.say(f"Starting {', '.join(service.name for _, service in services)}")
        for role, service in services:
            self._interruption.check()
            process = service.start()
            trusted = None if service.trusted is None else str(service.trusted)
            member = Member(service.name, role, service.port, process.pid, process.started, trusted=trusted)
            self._state_file.add(member)
        for _, service in services:
            service.wait_until_ready(self._interruption.check)
