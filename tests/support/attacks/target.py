"""A service under attack: a process whose memory, log and metrics are looked at."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Event, Thread

from deploy.local.services.ports import free_port
from deploy.local.services.process import Command
from deploy.local.services.python_service import PythonService

_SAMPLE_SECONDS = 0.02


class Target(PythonService):
    """`python -m MODULE`."""

    def __init__(
        self, module: str, folder: Path, environment: Mapping[str, str], descriptors: int | None = None
    ) -> None:
        """`descriptors`: the system lets it have no more."""
        super().__init__(module, free_port(), folder / f"{module}.log", module, environment)
        self._descriptors = descriptors

    def prepare(self) -> Command:
        command = super().prepare()
        if self._descriptors is None:
            return command
        limited = ["/bin/sh", "-c", f'ulimit -n {self._descriptors}; exec "$@"', "sh", *command.arguments]
        return Command(limited, command.log, command.environment)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def memory(self) -> int:
        """Bytes of memory that it holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    @contextmanager
    def peak(self) -> Iterator[list[int]]:
        """Within, its memory is looked at again and again; the list holds what was seen."""
        seen, done = [self.memory()], Event()

        def look() -> None:
            while not done.wait(_SAMPLE_SECONDS):
                seen.append(self.memory())

        looking = Thread(target=look)
        looking.start()
        try:
            yield seen
        finally:
            done.set()
            looking.join()

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def logged(self) -> str:
        return self.log.read_text()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> "Told":
        """What one request on a connection of its own is answered."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            return Told(connection.getresponse())
        finally:
            connection.close()

    def metric(self, name: str, labels: str = "") -> float:
        """A metric's value, 0 where it is not there; `labels` as Prometheus writes them."""
        whole = f"{name}{{{labels}}}" if labels else name
        for line in self.ask("GET", "/metrics").body.decode().splitlines():
            if line.startswith(f"{whole} "):
                return float(line.rpartition(" ")[2])
        return 0.0


class Told:
    """An answer."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.status
        self.body = response.read()
