import pytest
from starlette.types import Scope

from service.client import ClientNames, networks

PROXIES = networks(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])


def request(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}


def test_a_client_is_named_by_its_address_whatever_it_says_it_forwards() -> None:
    assert ClientNames().of(request("203.0.113.7", "198.51.100.1")) == "203.0.113.7"
    assert ClientNames(PROXIES).of(request("203.0.113.7", "198.51.100.1")) == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        (["203.0.113.9", "198.51.100.1 , 10.1.1.1, 192.0.2.1"], "198.51.100.1"),
        (["2001:db8:1:2:3::4"], "2001:db8:1:2::/64"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
        ([], "10.2.3.4"),
        (["10.9.9.9"], "10.2.3.4"),
        ([""], "10.2.3.4"),
        (["unknown"], "unknown"),
        (["\xff"], "\xff"),
    ],
)
def test_behind_trusted_proxies_it_is_whom_the_first_of_these_was_asked_by(forwarded: list[str], client: str) -> None:
    assert ClientNames(PROXIES).of(request("10.2.3.4", *forwarded)) == client


def test_all_addresses_that_one_has_of_ipv6_are_one_client() -> None:
    names = {ClientNames().of(request(f"2001:db8::{last}")) for last in ("1", "2", "ffff:1")}
    assert names == {"2001:db8::/64"}


def test_a_connection_without_an_address_has_a_name_too() -> None:
    assert ClientNames(PROXIES).of(request(None)) == ""
