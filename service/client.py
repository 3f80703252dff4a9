"""Who sends a request, as far as shares and caps are concerned."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

from contract.shown import shown

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_V6_PREFIX: Final = 64
"""Whoever has one address of IPv6 has as many as such a network holds."""
_FORWARDED: Final = b"x-forwarded-for"


class ClientNames:
    """Names a client by its address; behind a trusted proxy, by the one that the proxy was asked from."""

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = proxies

    def of(self, scope: Scope) -> str:
        """The client of a request. The last proxy that is trusted writes whom it was asked by; more is hearsay."""
        peer: str = (scope.get("client") or ("",))[0]
        if not self._proxies or not self.is_proxy(peer):
            return name_of(peer)
        asked_by = [value for name, value in scope["headers"] if name == _FORWARDED]
        for text in reversed(b",".join(asked_by).decode("latin-1").split(",")):
            if not self.is_proxy(text.strip()):
                return name_of(text.strip()) or peer
        return peer

    def is_proxy(self, text: str) -> bool:
        """Whether an address is a trusted proxy's."""
        address = _address(text)
        return address is not None and any(address in network for network in self._proxies)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks, or single addresses, as settings have them. Raises ValueError."""
    return tuple(map(_network, texts))


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is neither an IP address nor a network, such as 10.0.0.0/8") from None


def name_of(text: str) -> str:
    """The name of whoever has this address; the text itself where it is none."""
    address = _address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((address, _V6_PREFIX), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or text)


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
