"""Who sends a request: by which policy its actions are judged, and how many it may send."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ingest_api.acceptance import Acceptance, AcceptancePolicy
from ingest_api.key_policy import KeyPolicy
from service.clock import Clock
from service.keys.caller import Caller
from service.keys.guard import KeyGuard
from service.keys.key import Scope
from service.keys.presented import Headers

SINGLE_PATH: Final = "/analytics"
URL_KEYS: Final = {
    SINGLE_PATH: (b"key",),
    "/v1/actions": (b"key",),
    "/v1/pixel.gif": (b"key",),
    "/beacon/v1/batch": (b"writeKey", b"key"),
}
"""Where beacons and images go, which browsers let send no headers; with the name of the key's parameter there."""


class Sender(NamedTuple):
    """A key's holder; or anybody, where no keys are needed."""

    policy: AcceptancePolicy
    caller: Caller | None = None

    def spend(self, actions: int) -> None:
        """To be called before actions are published. Raises RateExceeded: then none of them may be."""
        if self.caller is not None:
            self.caller.spend(actions)


class Senders:
    """Finds the sender of a request."""

    def __init__(self, acceptance: Acceptance, clock: Clock, guard: KeyGuard | None) -> None:
        self._acceptance = acceptance
        self._clock = clock
        self._guard = guard
        self._anybody = Sender(AcceptancePolicy(*acceptance, clock))
        self._by_name: dict[str, Sender] = {}

    def admit(self, scope: Mapping[str, Any]) -> Sender | None:
        """The sender of a request with this ASGI scope; None where nobody need be known. Raises KeyRefused."""
        if self._guard is None:
            return self._anybody
        caller = self._guard.admit(scope)
        return None if caller is None else self._of(caller)

    def admit_single(self, headers: Headers, query: bytes) -> Sender:
        """The sender of a POST of one action. Raises KeyRefused."""
        if self._guard is None:
            return self._anybody
        return self._of(self._guard.admit_to(SINGLE_PATH, Scope.WRITE, headers, query))

    def _of(self, caller: Caller) -> Sender:
        """The same each time, until the file of keys changes: it remembers which hours were touched."""
        sender = self._by_name.get(caller.key.name)
        if sender is None or sender.caller is not caller:
            sender = Sender(KeyPolicy(self._acceptance, caller.key, self._clock), caller)
            self._by_name[caller.key.name] = sender
        return sender
