"""Actions as producers send them: this hour's, late ones, with ids and without, some twice."""

import random
from itertools import count

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.action import Action
from support.pipeline.pipeline import this_hour

EVENTS = ["click", "click", "impression", "impression", "impression", "sign_up"]


class Traffic:
    """An endless supply; chance comes from `seed` alone."""

    def __init__(self, seed: int = 1, users: int = 300) -> None:
        self._rng = random.Random(seed)
        self._users = [f"user-{number}" for number in range(users - 2)] + ["Zoë 🦊", 'quo"te \\ back']
        self._numbers = count()
        self._this_hour = this_hour()
        self._sent: list[Action] = []

    def actions(self, number: int) -> list[Action]:
        """The next actions; about 2 % repeat an earlier one, 10 % are for another hour."""
        return [self._action() for _ in range(number)]

    def _action(self) -> Action:
        rng = self._rng
        if self._sent and rng.random() < 0.02:
            return rng.choice(self._sent)
        action = Action(
            self._hour() + rng.randrange(HOUR_MS),
            rng.choice(self._users),
            rng.choice(EVENTS),
            f"id-{next(self._numbers)}" if rng.random() < 0.5 else None,
        )
        self._sent.append(action)
        return action

    def _hour(self) -> int:
        if self._rng.random() < 0.9:
            return self._this_hour
        ago = self._rng.choice([1, 2, 24, 24 * 29, 24 * 400])
        return self._rng.choice([self._this_hour - ago * HOUR_MS, 0, END_OF_TIME_MS - HOUR_MS])
