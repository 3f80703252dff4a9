"""Free ports on loopback."""

import socket
from collections.abc import Collection, Sequence


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
    """The first preferred port that is free and not `taken`, else any such one."""
    for port in preferred:
        if port not in taken and is_free(port):
            return port
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
