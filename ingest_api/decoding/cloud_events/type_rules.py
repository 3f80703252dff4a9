"""Which types of CloudEvents are which events: rules, of which the first that matches counts."""

import re
from collections.abc import Iterable
from fnmatch import translate

from contract.action import is_event
from contract.shown import shown


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
    return _pattern(type_), event


def _pattern(type_: str) -> re.Pattern[str]:
    """The standard library's patterns take time in proportion to the text, however many wildcards.

    Only `*` has a meaning here: others stand for themselves.
    """
    return re.compile(translate(re.sub(r"[?\[]", r"[\g<0>]", type_)))
