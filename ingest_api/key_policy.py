"""What a key allows of actions, on top of what the API accepts."""

from collections.abc import Sequence
from typing import Final, TypeGuard

from contract.hour import HOUR_MS
from contract.log.action import Action, Rejection, reject
from ingest_api.acceptance import Acceptance, AcceptancePolicy
from ingest_api.touched_hours import TouchedHours
from service.clock import Clock
from service.keys.key import Key, Scope

_ANY_AGE: Final = 0


class KeyPolicy(AcceptancePolicy):
    """Decides which actions come in with a key.

    timestamp_too_old  as without keys; with the scope `backfill` no action is
    event_not_allowed  the key may not send this event
    hours_exceeded     the key's actions lie in too many distinct hours
    """

    def __init__(self, acceptance: Acceptance, key: Key, clock: Clock) -> None:
        oldest = _ANY_AGE if Scope.BACKFILL in key.scopes else acceptance.oldest
        super().__init__(acceptance.events, oldest, acceptance.tolerance, clock)
        self._key = key
        self._allowed = self._events if key.events is None else self._events.intersection(key.events)
        self._hours = None if key.hours is None else TouchedHours(key.hours)
        self._is_unbounded = key.events is None and key.hours is None
        self._rules["timestamp_too_old"] += f"; a key with the scope {Scope.BACKFILL} may send older ones"

    def accepts_all(self, parsed: Sequence[Action | Rejection]) -> TypeGuard[Sequence[Action]]:
        """As without keys; then the hours count as touched."""
        return (
            super().accepts_all(parsed)
            and (self._key.events is None or {action.event for action in parsed} <= self._allowed)
            and (self._hours is None or self._hours.admit(_hours_of(parsed), self._clock()))
        )

    def _refuse(self, action: Action, now: int) -> Rejection | None:
        refused = super()._refuse(action, now)
        return refused if refused is not None or self._is_unbounded else self._refuse_by_key(action, now)

    def _refuse_by_key(self, action: Action, now: int) -> Rejection | None:
        key = self._key
        if action.event not in self._allowed:
            rule = f"event is one of {', '.join(key.events or ())}, which are all that the key {key.name} may send"
            return reject("event_not_allowed", "event", action.event, rule)
        if self._hours is not None and not self._hours.admit({action.timestamp // HOUR_MS}, now):
            most = self._hours.most
            rule = f"timestamp lies in one of {most} distinct hours: within an hour the key {key.name} may send no more"
            return reject("hours_exceeded", "timestamp", action.timestamp, rule)
        return None


def _hours_of(actions: Sequence[Action]) -> set[int]:
    """Mostly there is one: then not each action is looked at twice."""
    timestamps = [action.timestamp for action in actions]
    first, last = min(timestamps) // HOUR_MS, max(timestamps) // HOUR_MS
    return {first} if first == last else {timestamp // HOUR_MS for timestamp in timestamps}
