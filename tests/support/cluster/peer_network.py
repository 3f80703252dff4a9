"""The network between the nodes of Cassandra: a node can be cut off from the others, and not from its clients."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

_CHUNK: Final = 262_144
_HANDSHAKE: Final = 15
"""Bytes of a connection's beginning that say whose it is: a magic number, flags (4 each); 6, its address, its port."""
_ADDRESS: Final = slice(9, 13)
_OF_SIX_BYTES: Final = 6


class PeerNetwork:
    """Listens for the nodes, each by the address that the others know it by, and forwards to where it is.

    Plain sockets and threads. A connection says by its first message who opened it, so each way between two nodes can
    be cut by itself; a node's answers go back over connections of its own.
    """

    def __init__(self, nodes: Mapping[str, tuple[str, int]]) -> None:
        """`nodes`: where each listens, by the address that others know it by."""
        self._nodes = nodes
        self._listeners: list[socket.socket] = []
        self._cut_off: frozenset[str] = frozenset()
        self._changed = threading.Condition()
        self._open = True

    def open(self) -> None:
        """Begins to listen."""
        for known_as, target in self._nodes.items():
            listener = socket.create_server((known_as, target[1]))
            self._listeners.append(listener)
            _begin(self._accept, listener, known_as, target)

    def close(self) -> None:
        """Nobody can connect any more, and what is under way ends with the nodes."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def cut_off(self, known_as: str) -> Iterator[None]:
        """Nothing passes from or to a node for as long as the block runs, and no connection is closed."""
        self._set(frozenset([known_as]))
        try:
            yield
        finally:
            self._set(frozenset())

    def _set(self, cut_off: frozenset[str]) -> None:
        with self._changed:
            self._cut_off = cut_off
            self._changed.notify_all()

    def _wait(self, ends: frozenset[str]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._open or not ends & self._cut_off)

    def _accept(self, listener: socket.socket, known_as: str, target: tuple[str, int]) -> None:
        with listener, suppress(OSError):
            while True:
                _begin(self._serve, listener.accept()[0], known_as, target)

    def _serve(self, client: socket.socket, known_as: str, target: tuple[str, int]) -> None:
        with client, suppress(OSError):
            beginning = _received(client, _HANDSHAKE)
            if len(beginning) < _HANDSHAKE or beginning[8] != _OF_SIX_BYTES:
                return
            ends = frozenset([known_as, socket.inet_ntoa(beginning[_ADDRESS])])
            self._wait(ends)
            with socket.create_connection(target) as node:
                for end in client, node:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                node.sendall(beginning)
                back = _begin(self._forward, node, client, ends)
                self._forward(client, node, ends)
                back.join()

    def _forward(self, source: socket.socket, target: socket.socket, ends: frozenset[str]) -> None:
        try:
            while piece := source.recv(_CHUNK):
                self._wait(ends)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in source, target:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _received(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size and (piece := connection.recv(size - len(received))):
        received += piece
    return received


def _begin(work: Callable[..., None], *arguments: Any) -> threading.Thread:  # noqa: ANN401 # passed on
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread
