"""Synthetic traffic: mostly current, some of it late; each action has an id, so that it can be sent again."""

from collections.abc import Iterator
from random import Random

from collector.sending.reading.line import Line
from contract.hour import HOUR_MS, hour_of
from contract.log.action import Action, encode_action

_CURRENT = 0.95
_CLICKS = 0.2
_EARLIER_HOURS = 24


def synthetic_action(now: int, users: int, random: Random) -> Action:
    """95 % are of this moment (`now`, ms), 5 % of the 24 hours before this one; a few users are very busy."""
    late = random.random() >= _CURRENT
    return Action(
        timestamp=hour_of(now) - random.randint(1, _EARLIER_HOURS * HOUR_MS) if late else now,
        user=f"user-{int(users * random.random() ** 2)}",
        event="click" if random.random() < _CLICKS else "impression",
        id=f"{random.getrandbits(96):024x}",
    )


def synthetic_lines(now: int, users: int, random: Random, numbers: range) -> Iterator[Line]:
    """An action for each number."""
    for number in numbers:
        yield Line(number, encode_action(synthetic_action(now, users, random)))
