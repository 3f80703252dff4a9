"""Calls of Segment's and RudderStack's SDKs become actions."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from contract.log.action import Action, Rejection, check
from ingest_api.acceptance import AcceptancePolicy
from ingest_api.decoding.checked import CheckedBatch
from ingest_api.decoding.segment.calls import Call, read_call, sent_in
from ingest_api.decoding.segment.event_rules import CALL_TYPES, EventRules
from ingest_api.decoding.times import in_ms

OTHER: Final = "other"
"""Stands for types of calls that SDKs do not have: anybody can make some up."""

_PORTION: Final = 100
"""So many calls are checked at a time, in about a millisecond; then others have their turn."""
_ABSENT: Final = (None, "")
"""SDKs send null, or an empty text, for what they do not know."""


class CheckedCalls(NamedTuple):
    """The calls that are events, checked; and how many are none, by type."""

    events: CheckedBatch
    unmapped: Counter[str]


class _Unmapped(NamedTuple):
    call_type: str


class CallReader:
    """Reads requests' bodies, by a setting's rules for events and the API's for actions."""

    def __init__(self, rules: EventRules, policy: AcceptancePolicy, max_calls: int) -> None:
        self._rules = rules
        self._policy = policy
        self._max_calls = max_calls

    async def read(self, body: bytes, call_type: str | None, arrived: int) -> CheckedCalls:
        """Checks each call by itself; a bad one never refuses the others.

        The body is one call of `call_type`, or, without that, a batch of calls that name their own. A call without any
        time happens when it `arrived`, ms since the epoch. Raises RequestRefused.
        """
        sent = sent_in(body, self._max_calls, is_batch=call_type is None)
        sent_at = arrived if sent.sent_at in _ABSENT else sent.sent_at
        checked = CheckedCalls(CheckedBatch(), Counter())
        for start in range(0, len(sent.calls), _PORTION):
            portion = sent.calls[start : start + _PORTION]
            self._check([self._item(call, call_type, sent_at) for call in portion], start, checked)
            await asyncio.sleep(0)
        return checked

    def _item(self, sent: object, call_type: str | None, sent_at: object) -> Action | Rejection | _Unmapped:
        call = read_call(sent)
        if isinstance(call, Rejection):
            return call
        of_type = call_type or call.type
        name = call.event if of_type == "track" else call.name
        event = self._rules.event_of(of_type, name if isinstance(name, str) else "")
        if event is None:
            return _Unmapped(of_type if of_type in CALL_TYPES else OTHER)
        return action_of(call, event, sent_at)

    def _check(self, items: Sequence[Action | Rejection | _Unmapped], start: int, into: CheckedCalls) -> None:
        into.unmapped.update(item.call_type for item in items if isinstance(item, _Unmapped))
        mapped = {place: item for place, item in enumerate(items, start) if not isinstance(item, _Unmapped)}
        for place, item in zip(mapped, self._policy.check(list(mapped.values())), strict=True):
            if isinstance(item, Action):
                into.events.accepted.append(item)
            else:
                into.events.refuse(place, item)


def action_of(call: Call, event: str, sent_at: object) -> Action | Rejection:
    """The action that a call is; it happens when it was sent, where it names no time of its own."""
    field, time = _time_of(call, sent_at)
    timestamp = in_ms(field, time)
    if isinstance(timestamp, Rejection):
        return timestamp
    fields = {"timestamp": timestamp, "event": event, "id": _text(_first(call.message_id))}
    user = _first(call.user_id, call.anonymous_id)
    return check(fields if user is None else {**fields, "user": _text(user)})


def _time_of(call: Call, sent_at: object) -> tuple[str, object]:
    """The name of the first field that has a time, and what stands there."""
    times = {"timestamp": call.timestamp, "originalTimestamp": call.original_timestamp, "sentAt": call.sent_at}
    return next(((field, time) for field, time in times.items() if time not in _ABSENT), ("sentAt", sent_at))


def _first(*values: object) -> object:
    return next((value for value in values if value not in _ABSENT), None)


def _text(value: object) -> object:
    """Some write numbers for ids of users."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
