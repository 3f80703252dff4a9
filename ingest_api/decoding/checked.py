"""What was found in a batch: its actions, and what is none."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from contract.log.action import Action, Rejection

LISTED: Final = 100
"""So many refusals of a batch are listed, where no setting says otherwise: all of them are counted."""


class Refusal(NamedTuple):
    """A line that is no action."""

    line: int
    """Its number, or the element's place in the array, from 0."""
    rejection: Rejection


@dataclass(slots=True)
class CheckedBatch:
    """A batch's actions, in order, and what was refused."""

    accepted: list[Action] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    """The first `listed` of them."""
    codes: Counter[str] = field(default_factory=Counter)
    """How many were refused, by code."""
    listed: int = field(default=LISTED, compare=False)

    def refuse(self, line: int, rejection: Rejection) -> None:
        """Takes note of a line that is no action, after those before it."""
        self.codes[rejection.code] += 1
        if len(self.refused) < self.listed:
            self.refused.append(Refusal(line, rejection))
