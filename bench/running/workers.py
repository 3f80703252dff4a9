"""Worker processes of one run, and what they store: started, waited for, measured, compared with the oracle."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psutil  # type: ignore[import-untyped] # it has no types

from bench.load.traffic import Numbers
from bench.running.place import Place, place_on
from bench.running.services import Services, pid_of
from bench.storing.servers import InfluxServer, Server
from deploy.local.services.log_file import tail_of
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from stores.raw.settings import RawStorage

_LONGEST: Final = 300.0
_LOOK_SECONDS: Final = 0.05
_COUNTING: Final = re.compile(r"counting from \{(.*)\}")
"""A worker says so when it was assigned partitions and has loaded where it goes on."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is in a topic's log, and what it must come to."""

    topic: str
    number: int
    hours: Mapping[int, Numbers]
    partitions: int


class Workers:
    """The workers of one consumer group on one topic, and a place of their own in a store."""

    def __init__(self, services: Services, environment: Mapping[str, str], place: Place) -> None:
        """Starts none."""
        self.running: list[PythonService] = []
        self._services = services
        self._environment = environment
        self._place = place

    def start(self) -> PythonService:
        """One more."""
        log = self._services.log("worker")
        worker = PythonService("worker", free_port(), log, "stream_workers", self._environment)
        worker.start()
        self.running.append(worker)
        return worker

    def stop(self, worker: PythonService) -> None:
        """SIGTERM, and its end."""
        self.running.remove(worker)
        worker.stop()

    def kill(self, worker: PythonService) -> None:
        """SIGKILL."""
        self.running.remove(worker)
        worker.kill()

    def wait_until_assigned(self, partitions: int) -> None:
        """Returns once the partitions are spread over all that run, and each counts."""

        def spread() -> bool:
            owned = [_assigned(worker) for worker in self.running]
            return min(owned) > 0 and sum(owned) == partitions

        self.wait_until(spread)

    def wait_until_counted(self, number: int) -> None:
        """Returns once the store has acknowledged this many lines."""
        self.wait_until(lambda: self.lines_through() == number)

    def lines_through(self) -> int:
        """Lines whose progress the store has acknowledged."""
        return self._place.lines_through()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Polls every 50 ms. Raises RuntimeError with a worker's log if it takes too long."""
        give_up = time.monotonic() + _LONGEST
        while not condition():
            if time.monotonic() > give_up:
                raise RuntimeError(f"nothing came within {_LONGEST} s\n{tail_of(self.running[-1].log)}")
            time.sleep(_LOOK_SECONDS)

    def cpu(self) -> float:
        """Seconds, of all that run."""
        times = [psutil.Process(pid_of(worker)).cpu_times() for worker in self.running]
        return float(sum(one.user + one.system for one in times))

    def store_cpu(self) -> float:
        """Seconds, of the store's processes."""
        return self._place.cpu()

    def memory_mb(self) -> float:
        """Resident, of the largest that runs."""
        return float(max(psutil.Process(pid_of(worker)).memory_info().rss for worker in self.running)) / 1e6

    def require_counted(self, work: Work) -> None:
        """Raises WrongResult unless all hours and the number of raw actions are as they must be."""
        self._place.require_counted(work.hours, work.number)


@contextmanager
def workers_on(
    services: Services,
    topic: str,
    number: int = 0,
    raw: RawStorage = RawStorage.POINTS,
    settings: Mapping[str, str] = MappingProxyType({}),
    server: Server | None = None,
) -> Iterator[Workers]:
    """This many workers with a place of their own; those still running are stopped at the end.

    `settings`: more of their environment; `server`: where they store, without one InfluxDB.
    """
    with place_on(server or InfluxServer(services.influxdb), raw) as place, ExitStack() as stack:
        environment = {**services.environment(topic), **place.environment, **settings}
        workers = Workers(services, environment, place)
        stack.callback(lambda: [worker.stop() for worker in workers.running])
        for _ in range(number):
            workers.start()
        yield workers


def _assigned(worker: PythonService) -> int:
    found = _COUNTING.findall(_text(worker.log))
    return found[-1].count(":") if found else 0


def _text(log: Path) -> str:
    return log.read_text() if log.exists() else ""
