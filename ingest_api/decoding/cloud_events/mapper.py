"""What a CloudEvent is as an action."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from contract.log.action import MAX_ID, Action, Rejection, check, reject
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.cloud_events.attributes import Attributes
from ingest_api.decoding.times import in_ms

RULES: Final = {
    "specversion_unsupported": "specversion is 1.0",
    "user_missing": "subject is required, or else partitionkey: who did it",
    "timestamp_malformed": "time is date, time and offset as RFC 3339 writes them, such as 2026-11-27T12:00:00.123Z",
    "timestamp_negative": "time is 1970-01-01T00:00:00Z or later",
}
"""Beside the log's rules, which are told of the attribute instead of the field."""

_TEXTS: Final = ("id", "source", "type")
_TEXT_RULES: Final = {
    "not_text": "is a string",
    "not_unicode": "is valid Unicode: each half of a surrogate pair comes with the other",
    "empty": "has at least one character",
    "control_character": "has no control characters",
}

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_OFFSET: Final = re.compile(r"([Zz]|[+-]\d\d:?\d\d)\Z", re.ASCII)


def identity(source: str, id_: str) -> str:
    """The action's id. Two events have the same one if both their sources and their ids are the same.

    It is source and id with a space in between, which no URI has. Where that is too long, or source has a space all the
    same, it is the SHA-256 of source, NUL and id.
    """
    plain = f"{source} {id_}"
    if len(plain) <= MAX_ID and " " not in source:
        return plain
    return "sha256-" + sha256(f"{source}\0{id_}".encode()).hexdigest()


class CloudEventMapper:
    """Makes actions of CloudEvents; an event's type must name one of the accepted events."""

    def __init__(self, accepted: Sequence[str], event_of: Callable[[str], str | None]) -> None:
        """`event_of`: what settings say that a type is; None: nothing."""
        self._accepted = frozenset(accepted)
        self._event_of = event_of
        self._event_rule = f"the last dotted part of type is one of {', '.join(accepted)}"

    def judge(
        self, events: Sequence[Attributes | Rejection], policy: AcceptancePolicy, arrival: int
    ) -> list[Action | Rejection]:
        """Each event as an action, or the first rule that it breaks, told of the attribute that its sender wrote.

        `arrival`, ms since the epoch, is the timestamp of events without a time.
        """
        actions = [event if isinstance(event, Rejection) else self._action(event, arrival) for event in events]
        if policy.accepts_all(actions):
            return list(actions)
        return [
            _as_written(one, event) if isinstance(one, Rejection) and isinstance(event, Attributes) else one
            for one, event in zip(policy.check(actions), events, strict=True)
        ]

    def _action(self, event: Attributes, arrival: int) -> Action | Rejection:
        texts = _texts(event)
        if isinstance(texts, Rejection):
            return texts
        id_, source, type_ = texts
        user, timestamp = _user(event), _timestamp(event.time, arrival)
        for value in (user, timestamp):
            if isinstance(value, Rejection):
                return value
        name = self._event_of(type_) or type_.rpartition(".")[2]
        if name not in self._accepted:
            return reject("event_unknown", "type", type_, self._event_rule)
        return check({"timestamp": timestamp, "user": user, "event": name, "id": identity(source, id_)})


def _texts(event: Attributes) -> tuple[str, str, str] | Rejection:
    """Id, source and type, which each event has."""
    if event.specversion is None:
        return _missing("specversion")
    if event.specversion != "1.0":
        return reject("specversion_unsupported", "specversion", event.specversion, RULES["specversion_unsupported"])
    values = event.id, event.source, event.type
    for name, value in zip(_TEXTS, values, strict=True):
        if not isinstance(value, str) or not value or _FORBIDDEN.search(value):
            return _reject_text(name, value)
    return values  # type: ignore[return-value] # each was looked at


def _missing(name: str) -> Rejection:
    return Rejection(f"{name}_missing", name, None, f"{name} is required")


def _reject_text(name: str, value: object) -> Rejection:
    if value is None:
        return _missing(name)
    if not isinstance(value, str):
        broken = "not_text"
    elif not value:
        broken = "empty"
    else:
        broken = "not_unicode" if _SURROGATE.search(value) else "control_character"
    return reject(f"{name}_{broken}", name, value, f"{name} {_TEXT_RULES[broken]}")


def _user(event: Attributes) -> object:
    """Whatever stands for the user, or a Rejection."""
    user = event.partitionkey if event.subject is None else event.subject
    return Rejection("user_missing", "subject", None, RULES["user_missing"]) if user is None else user


def _timestamp(time: object, arrival: int) -> int | Rejection:
    if time is None:
        return arrival
    if isinstance(time, str) and _OFFSET.search(time):
        timestamp = in_ms("time", time)
        if isinstance(timestamp, int):
            return timestamp
    return reject("timestamp_malformed", "time", time, RULES["timestamp_malformed"])


def _as_written(rejection: Rejection, event: Attributes) -> Rejection:
    """What was told of the action's field, told of the attribute that it was made of."""
    if rejection.field == "user":
        name, value = ("partitionkey", event.partitionkey) if event.subject is None else ("subject", event.subject)
    elif rejection.field == "timestamp" and event.time is not None:
        name, value = "time", event.time
    else:
        return rejection
    rule = RULES.get(rejection.code) or name + rejection.rule.removeprefix(rejection.field)
    return replace(rejection, field=name, value=reject(rejection.code, name, value, rule).value, rule=rule)
