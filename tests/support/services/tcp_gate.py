"""A TCP proxy in front of a service: it can be closed, or stall what passes."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from deploy.local.services.ports import free_port

_CHUNK = 65_536


class TcpGate:
    """Forwards a port of loopback to a service, in threads of its own.

    `close` refuses connections, as a service does that is down. `stall` accepts connections and forwards nothing, as a
    stopped process does; what has arrived is forwarded when it opens, which may be long after the client gave up.

    Plain sockets: asyncio (3.11) leaks a connection that it accepts just while its server closes.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = free_port()
        self._target = host, port
        self._flowing = threading.Event()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._ends: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        self._flowing.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._acceptor = self._begin(self._accept, self._listener)

    def stall(self) -> None:
        self._flowing.clear()

    def close(self) -> None:
        """Returns when nobody can connect any more and all connections are cut."""
        with self._lock:
            listener, self._listener = self._listener, None
            for end in self._ends:
                _cut(end)
        if listener is not None and self._acceptor is not None:
            _cut(listener)
            self._acceptor.join()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._flowing.set()
        self.close()
        for thread in self._threads:
            thread.join()

    def _begin(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:  # noqa: ANN401 # passed on
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        with listener, suppress(OSError):
            while True:
                self._begin(self._serve, listener.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._target) as service:
            ends = {client, service}
            with self._lock:
                if self._listener is None:
                    return
                self._ends |= ends
            back = self._begin(self._forward, service, client)
            self._forward(client, service)
            back.join()
            with self._lock:
                self._ends -= ends

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(_CHUNK):
                self._flowing.wait()
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _cut(source)
            _cut(target)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
