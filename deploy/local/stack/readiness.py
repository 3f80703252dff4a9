"""Waiting until all of several processes can do their job at the same moment."""

import time
from collections.abc import Sequence

from deploy.local.errors import ServiceFailed
from deploy.local.services.log_file import tail_of
from deploy.local.stack.data_folder import DataFolder
from deploy.local.stack.interruption import Interruption
from deploy.local.stack.members import Member

_SECONDS = 120.0
_SECONDS_BETWEEN_LOOKS = 0.1


def wait_until_all_ready(members: Sequence[Member], folder: DataFolder, interruption: Interruption) -> None:
    """Returns once all of them answer in one look: a worker that joins makes the others unready for a moment.

    Raises ServiceFailed for one that is gone or takes too long, and Interrupted.
    """
    give_up = time.monotonic() + _SECONDS
    while waiting := [member for member in members if not member.answers()]:
        interruption.check()
        for member in waiting:
            if not member.process.is_alive():
                raise ServiceFailed(member.name, "ended", tail_of(folder.log(member.name)))
        if time.monotonic() > give_up:
            first = waiting[0]
            raise ServiceFailed(first.name, f"is not ready after {_SECONDS:.0f} s", tail_of(folder.log(first.name)))
        interruption.wait(_SECONDS_BETWEEN_LOOKS)


def wait_until_ready_or_ended(members: Sequence[Member], interruption: Interruption) -> None:
    """Returns once each of them answers or is gone, or after a bound: one that was killed may still drain.

    Raises Interrupted.
    """
    give_up = time.monotonic() + _SECONDS
    while any(member.process.is_alive() and not member.answers() for member in members):
        interruption.check()
        if time.monotonic() > give_up:
            return
        interruption.wait(_SECONDS_BETWEEN_LOOKS)
