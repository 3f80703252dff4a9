"""Which types of CloudEvents are which events: rules, of which the first that matches counts."""

import re
from collections.abc import Iterable

from contract.log.action import is_event
from contract.shown import shown
from ingest_api.decoding.wildcards import pattern_of


class TypeRules:
    """What a setting makes of types."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Rules as `TYPE=EVENT`; `*` in a type stands for any text. Raises ValueError for any other."""
        self._rules = tuple(map(_parse, rules))

    @property
    def events(self) -> frozenset[str]:
        """All that types may be."""
        return frozenset(event for _, event in self._rules)

    def event_of(self, type_: str) -> str | None:
        """The event that a type is; None if no rule matches."""
        return next((event for pattern, event in self._rules if pattern.match(type_)), None)


def _parse(rule: str) -> tuple[re.Pattern[str], str]:
    type_, _, event = (part.strip() for part in rule.rpartition("="))
    if not type_ or not is_event(event):
        raise ValueError(
            f"{shown(rule)} is no rule: a type, in which * stands for any text, an equals sign and an event"
        )
    return pattern_of(type_), event
