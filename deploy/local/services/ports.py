"""Free ports on loopback."""

import socket
from collections.abc import Collection, Sequence
from random import SystemRandom
from typing import Final

_QUIET: Final = range(15_000, 32_000)
"""Below the ports that Linux gives to outgoing connections: none of them takes a port before its server starts."""

_RANDOM: Final = SystemRandom()

_given: Final[set[int]] = set()
"""Ports that nobody may listen on yet, although they were asked for: a process that starts takes a while."""


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def free_port(preferred: Sequence[int] = (), taken: Collection[int] = ()) -> int:
    """The first preferred port that is free and not `taken`, else any such one that was not given to anyone before."""
    for port in preferred:
        if port not in taken and is_free(port):
            _given.add(port)
            return port
    while True:
        never_given = [port for port in _QUIET if port not in _given]
        if not never_given:
            _given.clear()
            continue
        port = _RANDOM.choice(never_given)
        _given.add(port)
        if port not in taken and is_free(port):
            return port
