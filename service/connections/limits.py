"""How much of a process its clients' connections may take."""

import logging
import resource
from typing import Final, NamedTuple

logger = logging.getLogger(__name__)

_MIB: Final = 1024 * 1024
_OTHER_DESCRIPTORS: Final = 96
"""For Kafka, the store, files, and connections that are just being refused."""


class ConnectionLimits(NamedTuple):
    """Most connections, in all and of one client, the longest times in seconds, and most bytes that wait."""

    connections: int = 8_192
    of_one: int = 4_096
    head_seconds: float = 10.0
    """For a request's head to come, and the first one to begin."""
    idle_seconds: float = 75.0
    """Above the minute after which common load balancers drop an idle connection: so the service is never first."""
    unread_seconds: float = 10.0
    """For a client to read anything of an answer."""
    unread_bytes: int = 32 * _MIB
    """Of answers that clients have not read yet."""
    waiting_bytes: int = 32 * _MIB
    """Of heads that come in pieces, and of requests behind others of their connection."""

    def within(self, descriptors: int) -> "ConnectionLimits":
        """As many connections as a process with so many descriptors can have; one client has half of them at most."""
        connections = max(2, min(self.connections, descriptors - _OTHER_DESCRIPTORS))
        return self._replace(connections=connections, of_one=min(self.of_one, max(1, connections // 2)))


def raise_descriptor_limit() -> int:
    """As many descriptors as the system lets this process have; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        logger.warning("the limit on descriptors stays at %d: %s", soft, error)
        return soft
    return hard
