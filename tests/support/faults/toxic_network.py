"""A network that can be broken: toxiproxy as a process, controlled over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.services.ports import free_port
from deploy.local.services.process import Command
from deploy.local.services.service import Service, status_of


class ToxicNetwork(Service):
    """All proxies listen on 127.0.0.1."""

    def __init__(self, program: Path, folder: Path) -> None:
        super().__init__("toxiproxy", free_port(), folder / "toxiproxy.log")
        self._program = program

    def prepare(self) -> Command:
        return Command([str(self._program), "-host", "127.0.0.1", "-port", str(self.port)], self.log)

    def answers(self) -> bool:
        return status_of(self.port, "/version") == httpx.codes.OK

    @contextmanager
    def proxy(self, upstream: str, listen: str | None = None) -> Iterator["Link"]:
        """A link to `upstream` (host:port) for as long as the block runs."""
        listen = listen or f"127.0.0.1:{free_port()}"
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}") as http:
            proxy = {"name": listen, "listen": listen, "upstream": upstream, "enabled": True}
            http.post("/proxies", json=proxy).raise_for_status()
            try:
                yield Link(http, listen)
            finally:
                http.delete(f"/proxies/{listen}").raise_for_status()


class Link:
    """One proxied connection path."""

    def __init__(self, http: httpx.Client, address: str) -> None:
        self.address = address
        self._http = http

    @contextmanager
    def delayed(self, milliseconds: int) -> Iterator[None]:
        """Delays every answer."""
        with self._toxic("latency", "downstream", latency=milliseconds):
            yield

    @contextmanager
    def losing_answers(self, share: float) -> Iterator[None]:
        """Requests arrive and are done, but a share of connections is cut before the answer."""
        with self._toxic("limit_data", "downstream", share, bytes=0):
            yield

    @contextmanager
    def resetting(self, share: float, milliseconds: int) -> Iterator[None]:
        """A share of connections is reset, this long after data arrived."""
        with self._toxic("reset_peer", "downstream", share, timeout=milliseconds):
            yield

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing passes, and no connection is closed."""
        with self._toxic("timeout", "upstream", timeout=0), self._toxic("timeout", "downstream", timeout=0):
            yield

    @contextmanager
    def _toxic(self, kind: str, stream: str, share: float = 1.0, **attributes: int) -> Iterator[None]:
        name = f"{kind}-{stream}"
        toxic = {"name": name, "type": kind, "stream": stream, "toxicity": share, "attributes": attributes}
        path = f"/proxies/{self.address}/toxics"
        self._http.post(path, json=toxic).raise_for_status()
        try:
            yield
        finally:
            self._http.delete(f"{path}/{name}").raise_for_status()
