"""Which calls of SDKs are which events: rules, of which the first that matches counts."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from contract.log.action import is_event
from contract.shown import shown
from ingest_api.decoding.wildcards import pattern_of

CALL_TYPES: Final = ("track", "page", "screen", "identify", "group", "alias")

_RULE: Final = (
    f"a type of call ({', '.join(CALL_TYPES)}), perhaps a colon and a name in which * stands for any text, an equals "
    "sign and an event, such as track:Product *=click"
)


class EventRules:
    """What a setting makes of calls."""

    def __init__(self, rules: Iterable[str]) -> None:
        """Rules as `TYPE=EVENT` or `TYPE:NAME=EVENT`. Raises ValueError for any other."""
        self._rules = tuple(map(_parse, rules))

    @property
    def events(self) -> frozenset[str]:
        """All that calls may be."""
        return frozenset(rule.event for rule in self._rules)

    def event_of(self, call_type: str, name: str) -> str | None:
        """The event that a call is, by its type and what it is called; None if no rule matches."""
        for rule in self._rules:
            if rule.call_type == call_type and rule.name.match(name):
                return rule.event
        return None


class _Rule(NamedTuple):
    call_type: str
    name: re.Pattern[str]
    event: str


def _parse(rule: str) -> _Rule:
    call, _, event = (part.strip() for part in rule.rpartition("="))
    call_type, colon, name = (part.strip() for part in call.partition(":"))
    if call_type not in CALL_TYPES or not is_event(event) or (colon and not name):
        raise ValueError(f"{shown(rule)} is no rule: {_RULE}")
    return _Rule(call_type, pattern_of(name if colon else "*"), event)
