"""What an operation costs: how long it takes, and the CPU of this process and of the store's."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median, quantiles

from bench.case import Figures
from bench.storing.servers import Server


class Clocked:
    """Operations of one kind on one store, one after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store_cpu = server.cpu()
        self._cpu = 0.0
        self.seconds: list[float] = []
        """Of each operation."""

    @asynccontextmanager
    async def operation(self) -> AsyncIterator[None]:
        """What is done in the block is one; what goes on between two of them costs nothing here but the store's CPU."""
        cpu, began = time.process_time(), time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - began)
        self._cpu += time.process_time() - cpu

    def figures(self, work: str) -> Figures:
        """Of each operation, which is a `work`."""
        number = len(self.seconds)
        return {
            "p50 ms": median(self.seconds) * 1e3,
            "p95 ms": quantiles(self.seconds, n=20, method="inclusive")[-1] * 1e3,
            f"CPU ms/{work}": self._cpu / number * 1e3,
            f"store's CPU ms/{work}": (self._server.cpu() - self._store_cpu) / number * 1e3,
        }
