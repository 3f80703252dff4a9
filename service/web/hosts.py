"""Which hosts a service answers for, by the header `Host`.

A page of any site may have its own name lead to this machine's loopback (DNS rebinding): browsers then take what is
served here for that site's own, and let the page send and read. The name that it goes by is what gives it away.
"""

import re
from collections.abc import Collection
from http import HTTPStatus
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

from contract.shown import shown
from service.problems import Problem, problem

ALL: Final = "*"
"""Stands for every host."""

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PORT: Final = re.compile(r"\.?(:[0-9]*)?\Z")
_MOST_KNOWN: Final = 64
_FOR_ALL_HOSTS: Final = (b"/healthz", b"/readyz")
"""An orchestrator's probes name a process by its address; and these need no key, either."""
_FOR_ALL_ADDRESSES: Final = b"/metrics"
"""So do Prometheus' scrapes, which tell more."""


def _parse(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = tuple(name.strip().lower() for name in value.split(",")) if value.strip() else ()
    for name in names:
        if name != ALL and not _NAME.fullmatch(name):
            raise ValueError(f"{shown(name)} is no host: a name or an address, IPv6 in brackets, without a port")
    return names


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parse)]
"""The type of a setting: hosts, separated by commas."""


class AllowedHosts:
    """The hosts that a setting names; without any, those of loopback where the service listens there, else all."""

    def __init__(self, names: Collection[str], listens_on: str) -> None:
        names = names or (_LOOPBACK if is_loopback(listens_on) else (ALL,))
        self._all = ALL in names
        self._names = frozenset(names)
        self._known: set[bytes] = set()
        """Headers as they were sent, ports and all: clients send the same one each time."""

    def allows(self, header: bytes) -> bool:
        """Whether it names one of them, on whatever port."""
        return self._all or header in self._known or self._judge(header)

    def _judge(self, header: bytes) -> bool:
        allowed = _PORT.sub("", header.decode("latin-1").lower()) in self._names
        if allowed and len(self._known) < _MOST_KNOWN:
            self._known.add(header)
        return allowed


def refused_host(header: bytes) -> Problem:
    """The problem about a host that is not answered for."""
    value, rule = shown(header.decode("latin-1")), "Host is one that COLLECTOR_ALLOWED_HOSTS names"
    bare = problem(HTTPStatus.MISDIRECTED_REQUEST, "host_not_allowed", f"Host {value}: {rule}")
    return bare.model_copy(update={"field": "Host", "value": value, "rule": rule})


def is_for_operators(target: bytes, header: bytes) -> bool:
    """Whether a request's target is answered for this host, though it is none of those that are allowed."""
    return target in _FOR_ALL_HOSTS or (target == _FOR_ALL_ADDRESSES and _is_address(header))


def _is_address(header: bytes) -> bool:
    """Whether it names an address, on whatever port: who has a page's name lead here goes by that name."""
    host = _PORT.sub("", header.decode("latin-1"))
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        return ip_address(host[1:-1] if bracketed else host).version == (6 if bracketed else 4)
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
