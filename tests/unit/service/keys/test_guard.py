from collections.abc import Mapping
from pathlib import Path

import pytest

from service.keys.errors import KeyRefused
from service.keys.guard import KeyGuard
from service.keys.key import Scope
from service.keys.keyring import KeyRing
from support.fixtures.keys import Seconds, key_of, write_keys

SHOP = "https://shop.example"
KEYS = [
    key_of("uac_write", "write"),
    key_of("uac_read", "read"),
    key_of("uac_admin", "admin"),
    key_of("uac_all", "write", "read", "admin", "backfill"),
    key_of("uac_page", "write", origins=(SHOP, "http://localhost:3000")),
    key_of("uac_slow", "write", requests_per_second=1),
]


class Door:
    """What becomes of requests."""

    def __init__(self, path: Path, scope: Scope = Scope.WRITE) -> None:
        ring = KeyRing(write_keys(path, KEYS), lambda: 0, Seconds())
        self._guard = KeyGuard(ring, scope, {"/pixel": (b"key",), "/beacon": (b"writeKey", b"key")})

    def ask(self, method: str, target: str, key: str | None = None, root: str = "", **headers: str) -> str | None:
        """The name of who asks, None for anybody, or the code of the refusal."""
        path, _, query = target.partition("?")
        named = {**headers, **({"authorization": f"Bearer {key}"} if key else {})}
        scope: Mapping[str, object] = {
            "method": method,
            "path": root + path,
            "root_path": root,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }
        try:
            caller = self._guard.admit(scope)
        except KeyRefused as refused:
            return refused.code
        return None if caller is None else caller.key.name


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path / "keys")


def test_a_path_that_nobody_named_needs_the_service_s_scope(door: Door, tmp_path: Path) -> None:
    assert door.ask("POST", "/made/tomorrow", "uac_write") == "write"
    assert door.ask("POST", "/made/tomorrow", "uac_read") == "scope_missing"
    assert Door(tmp_path / "keys", Scope.READ).ask("GET", "/made/tomorrow", "uac_read") == "read"


@pytest.mark.parametrize("key", ["uac_other", "uac_writ", "write", "*"])
def test_a_key_that_is_not_known_opens_nothing(door: Door, key: str) -> None:
    for path in ("/anything", "/metrics", "/v1/ledger"):
        assert door.ask("POST", path, key) == "key_unknown"
        assert door.ask("POST", path) == "key_missing"


@pytest.mark.parametrize("path", ["/metrics", "/v1/ledger"])
def test_what_is_for_operators_needs_the_scope_admin(door: Door, path: str) -> None:
    for key in ("uac_write", "uac_read"):
        assert door.ask("GET", path, key) == "scope_missing"
        assert door.ask("GET", path, key, root="/mounted") == "scope_missing"
    assert door.ask("GET", path, "uac_admin") == "admin"
    assert door.ask("GET", path, "uac_all") == "all"


@pytest.mark.parametrize("path", ["/metrics\n", "/v1/ledger\n"])
def test_a_newline_at_the_end_of_a_path_needs_what_the_path_needs(door: Door, path: str) -> None:
    for key in ("uac_write", "uac_read"):
        assert door.ask("GET", path, key) == "scope_missing"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
def test_health_and_documents_are_open(door: Door, path: str) -> None:
    assert door.ask("GET", path) is None
    assert door.ask("GET", f"{path}/", "uac_admin") == "scope_missing"


def test_a_preflight_is_open_as_browsers_send_it_without_a_key(door: Door) -> None:
    assert door.ask("OPTIONS", "/anything", origin=SHOP) is None


def test_a_key_in_the_address_is_taken_where_browsers_can_do_nothing_else(door: Door) -> None:
    assert door.ask("GET", "/pixel?user=u&key=uac_write") == "write"
    assert door.ask("POST", "/beacon?writeKey=uac_write") == "write"
    assert door.ask("POST", "/pixel?writeKey=uac_write") == "key_missing"
    assert door.ask("POST", "/anything?key=uac_write") == "key_missing"


def test_a_key_in_the_address_that_may_do_more_than_write_is_refused(door: Door) -> None:
    assert door.ask("GET", "/pixel?key=uac_all") == "key_in_url"
    assert door.ask("GET", "/pixel?key=uac_other") == "key_unknown"


def test_a_key_in_a_header_goes_before_one_in_the_address(door: Door) -> None:
    assert door.ask("GET", "/pixel?key=uac_write", "uac_all") == "all"
    assert door.ask("GET", "/pixel?key=uac_write", "uac_other") == "key_unknown"


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:3000"])
def test_a_browser_s_key_is_for_pages_of_its_origins(door: Door, origin: str) -> None:
    assert door.ask("POST", "/anything", "uac_page", origin=origin) == "page"
    assert door.ask("GET", "/pixel?key=uac_page", referer=f"{origin}/cart?x=1") == "page"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": f"{SHOP}.evil.example"},
        {"origin": "https://evil.example", "referer": f"{SHOP}/"},
        {"referer": f"{SHOP}/"},
        {"referer": "https://[shop/"},
    ],
)
def test_from_elsewhere_a_browser_s_key_is_refused(door: Door, headers: dict[str, str]) -> None:
    assert door.ask("POST", "/anything", "uac_page", **headers) == "origin_refused"


def test_an_image_that_names_another_page_or_none_is_refused(door: Door) -> None:
    for headers in ({}, {"referer": "https://evil.example/https://shop.example"}, {"referer": "https://[x"}):
        assert door.ask("GET", "/pixel?key=uac_page", **headers) == "origin_refused"


def test_requests_beyond_the_rate_are_refused_and_so_are_not_those_with_other_keys(door: Door) -> None:
    assert door.ask("POST", "/anything", "uac_slow") == "slow"
    assert door.ask("POST", "/anything", "uac_slow") == "rate_exceeded"
    assert door.ask("POST", "/anything", "uac_write") == "write"


def test_what_a_key_does_not_allow_uses_nothing_of_its_rate_up(door: Door) -> None:
    assert door.ask("GET", "/metrics", "uac_slow") == "scope_missing"
    assert door.ask("POST", "/anything", "uac_slow") == "slow"
