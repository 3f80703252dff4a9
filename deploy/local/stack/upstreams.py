"""Who stands behind the gateway: the stack's own processes, as the gateway's Caddyfile takes them."""

from collections.abc import Iterable, Mapping
from typing import Final

from deploy.local.stack.members import Member, Role

_VARIABLES: Final = {Role.INGEST: "GATEWAY_INGEST", Role.AGGREGATOR: "GATEWAY_AGGREGATOR"}


def upstreams(members: Iterable[Member]) -> Mapping[str, str]:
    """The addresses of each service's processes, without those that were told to stop; none is the empty text."""
    serving = [member for member in members if not member.stopping]
    return {
        variable: " ".join(f"127.0.0.1:{member.port}" for member in serving if member.role is role)
        for role, variable in _VARIABLES.items()
    }
