"""Which of an hour's actions somebody asked for."""

from collections.abc import Sequence
from typing import NamedTuple

from contract.log.action import Action


class Selection(NamedTuple):
    """Actions of one user, of one event, of both; None: of any."""

    user: str | None
    event: str | None

    def of(self, actions: Sequence[Action]) -> Sequence[Action]:
        """Those that were asked for."""
        if self.user is not None:
            actions = [action for action in actions if action.user == self.user]
        if self.event is not None:
            actions = [action for action in actions if action.event == self.event]
        return actions
