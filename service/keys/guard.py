"""Whether a request may pass: by its key, and by what its path needs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from contract.shown import shown
from service.clock import Clock
from service.keys.caller import Caller
from service.keys.errors import Forbidden, Unauthenticated
from service.keys.key import Scope
from service.keys.keyring import KeyRing
from service.keys.presented import WAYS, Headers, key_header, key_in_query
from service.settings import ServiceSettings
from service.web.documentation import PATHS

_OPEN: Final = PATHS | {"/healthz", "/readyz", "/openapi.json"}
"""Whether a process is well, and what it is for, may be known to all."""
_ADMIN: Final = frozenset(("/metrics", "/v1/ledger"))
_ASKS_FIRST: Final = "OPTIONS"
"""Browsers send it without a key, and it does nothing."""
_NOWHERE: Final[Mapping[str, Collection[bytes]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeyGuard:
    """Lets requests pass whose key allows them. What is not named here needs `scope`."""

    ring: KeyRing
    scope: Scope
    url_keys: Mapping[str, Collection[bytes]]
    """Paths on which the key may come in the query, with the names of its parameter there."""

    def scope_of(self, path: str) -> Scope | None:
        """What a path needs; None: no key."""
        if path in _OPEN:
            return None
        # The pattern of a route ends in `$`, which matches before a newline at the end, too.
        return Scope.ADMIN if path.removesuffix("\n") in _ADMIN else self.scope

    def admit(self, scope: Mapping[str, Any]) -> Caller | None:
        """Who sends the request of this ASGI scope; None where anybody may. Raises KeyRefused."""
        path, method = scope["path"].removeprefix(scope.get("root_path", "")), scope["method"]
        needed = self.scope_of(path)
        if needed is None or method == _ASKS_FIRST:
            return None
        query = scope["query_string"] if path in self.url_keys else b""
        return self.admit_to(path, needed, scope["headers"], query, is_read=method in ("GET", "HEAD"))

    def still_admits(self, scope: Mapping[str, Any]) -> bool:
        """Whether the key in an admitted request's headers still allows it. That costs nothing of its rate."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        needed, header = self.scope_of(path), key_header(scope["headers"])
        if needed is None or header is None:
            return True
        try:
            caller = self.ring.find_by_header(header)
        except Unauthenticated:
            return False
        return caller is not None and needed in caller.key.scopes

    def admit_to(
        self, path: str, needed: Scope, headers: Headers, query: bytes = b"", *, is_read: bool = False
    ) -> Caller:
        """Who sends a request for a path that needs a scope; one with `is_read` may name its page by `Referer`.

        Raises KeyRefused.
        """
        header = key_header(headers)
        caller = None if header is None else self.ring.find_by_header(header)
        if caller is None:
            caller = self._in_url(path, query)
        key = caller.key
        if needed not in key.scopes:
            raise Forbidden("scope_missing", f"the key {key.name} does not have the scope {needed}", needed)
        if key.origins:
            _require_origin(caller, headers, is_read=is_read)
        caller.begin()
        return caller

    def _in_url(self, path: str, query: bytes) -> Caller:
        """Who sends a key in the query, where logs and histories keep it."""
        secret = key_in_query(query, self.url_keys[path]) if query else None
        if secret is None:
            raise Unauthenticated("key_missing", f"a key is needed: {WAYS}")
        caller = self.ring.find(secret)
        if not caller.key.is_write_only:
            name = caller.key.name
            detail = f"the key {name} may do more than write: it must not stand in an address, where logs keep it"
            raise Forbidden("key_in_url", detail)
        return caller


def guard_of(
    settings: ServiceSettings, scope: Scope, clock: Clock, url_keys: Mapping[str, Collection[bytes]] = _NOWHERE
) -> KeyGuard | None:
    """The guard of a service as its settings want it; None: no keys are needed. Raises KeysUnreadable."""
    return None if settings.keys_file is None else KeyGuard(KeyRing(settings.keys_file, clock), scope, url_keys)


def _require_origin(caller: Caller, headers: Headers, *, is_read: bool) -> None:
    key = caller.key
    origin = _origin_in(headers, is_read=is_read)
    if origin not in key.origins:
        sent = f"{shown(origin)} is none of them" if origin else "the request names none"
        raise Forbidden("origin_refused", f"the key {key.name} is for pages of {', '.join(key.origins)}; {sent}")


def _origin_in(headers: Headers, *, is_read: bool) -> str | None:
    """Browsers send `Origin` with what writes; with an image they send the page's address only."""
    named = {name: value.decode("latin-1") for name, value in headers if name in (b"origin", b"referer")}
    if b"origin" in named:
        return named[b"origin"]
    if not is_read or b"referer" not in named:
        return None
    try:
        page = urlsplit(named[b"referer"])
    except ValueError:
        return None
    return f"{page.scheme}://{page.netloc}"
