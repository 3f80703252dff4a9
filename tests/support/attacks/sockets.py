"""Connections as no client of ours makes them."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress


def connected(port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None) -> socket.socket:
    """A connection from one of loopback's addresses."""
    own = socket.socket()
    if receive_buffer is not None:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    own.settimeout(30)
    own.bind((source, 0))
    own.connect(("127.0.0.1", port))
    return own


@contextmanager
def many(
    count: int, port: int, *, source: str = "127.0.0.1", receive_buffer: int | None = None
) -> Iterator[list[socket.socket]]:
    """So many of them."""
    with ExitStack() as stack:
        yield [stack.enter_context(connected(port, source=source, receive_buffer=receive_buffer)) for _ in range(count)]


def flood(own: socket.socket, data: bytes, total: int, seconds: float = 5.0) -> int:
    """Sends `data` again and again, `total` bytes at most, while the other end takes them; how many it took."""
    own.settimeout(seconds)
    taken = 0
    with suppress(OSError):
        while taken < total:
            taken += own.send(data)
    return taken


def all_that_comes(own: socket.socket) -> bytes:
    """What is received until the other end closes; a reset ends it as well."""
    received = b""
    with suppress(ConnectionResetError):
        while data := own.recv(65_536):
            received += data
    return received
