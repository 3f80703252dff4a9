"""The whole pipeline under one load: who takes it, what was acknowledged, what was seen at each sample."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
import psutil  # type: ignore[import-untyped] # it has no types

from bench.case import require
from bench.load.generator import Answers, Load, request
from bench.load.stored import StoredNumbers
from bench.load.traffic import HOUR_MS, Made, Numbers, count, make
from bench.running.services import Services, pid_of
from bench.soaking.freshness import Freshness
from deploy.local.services.ports import free_port
from deploy.local.services.python_service import PythonService
from stores.raw.settings import RawStorage

BATCH: Final = 1_000
SAMPLE_SECONDS: Final = 1.0
_BATCHES: Final = 200
_USERS: Final = 100_000
_CONNECTIONS: Final = 8
_DRAIN_SECONDS: Final = 300.0


@dataclass(slots=True)
class Pipeline:
    """One process of each service; the same batches are sent again and again."""

    made: list[Made]
    services: Mapping[str, PythonService]
    stored: StoredNumbers
    freshness: Freshness
    loads: list[Load] = field(default_factory=list)
    memory_mb: dict[str, list[float]] = field(default_factory=dict)
    """Resident, by service, at each sample."""
    waiting: list[int] = field(default_factory=list)
    """Lines acknowledged and not yet counted, at each sample."""

    @property
    def sent(self) -> Counter[int]:
        """How often each batch was acknowledged so far."""
        total: Counter[int] = Counter()
        for load in self.loads:
            total.update(load.answers.times)
        return total

    @property
    def lines(self) -> int:
        """Acknowledged so far."""
        return self.sent.total() * BATCH + self.freshness.acknowledged

    async def load(self, seconds: float, rate: float | None) -> Answers:
        """Sends batches for this long, at this rate (actions/s) or as fast as they are accepted."""
        firsts = range(0, len(self.made), BATCH)
        requests = [_post(self.made[first : first + BATCH]) for first in firsts]
        load = Load(requests, b"200 ", rate=None if rate is None else rate / BATCH, drops_late=True)
        self.loads.append(load)
        return await load.run(self.services["ingest_api"].port, _CONNECTIONS, seconds)

    async def until_counted(self) -> None:
        """Returns once all that was acknowledged is counted."""
        async with asyncio.timeout(_DRAIN_SECONDS):
            while await self.stored.lines_through() < self.lines:  # noqa: ASYNC110 - it is another process that we wait for
                await asyncio.sleep(0.1)

    async def sample(self) -> None:
        """Until it is cancelled."""
        while True:
            acknowledged = self.lines
            # What comes meanwhile may be counted already.
            self.waiting.append(max(0, acknowledged - await self.stored.lines_through()))
            for name, service in self.services.items():
                memory = psutil.Process(pid_of(service)).memory_info().rss / 1e6
                self.memory_mb.setdefault(name, []).append(round(memory, 1))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def require_right(self) -> None:
        """Each hour is as the acknowledged batches make it, in the store and in the aggregator's answer."""
        expected = self._expected()
        require(await self.stored.ours(expected), expected, "hours")
        url = f"http://127.0.0.1:{self.services['aggregator'].port}/analytics"
        async with httpx.AsyncClient(headers={"Cache-Control": "no-cache"}, timeout=60) as http:
            for hour, numbers in expected.items():
                text = (await http.get(url, params={"timestamp": hour})).raise_for_status().text
                require(Numbers(*(int(line.partition(",")[2]) for line in text.splitlines())), numbers, f"hour {hour}")

    def _expected(self) -> dict[int, Numbers]:
        seen: list[Made] = []
        counts: Counter[tuple[int, str]] = Counter()
        for batch, times in self.sent.items():
            sent = self.made[batch * BATCH : (batch + 1) * BATCH]
            seen += sent
            for made in sent:
                counts[made.timestamp // HOUR_MS * HOUR_MS, made.event] += times
        probes = self.freshness.acknowledged
        of_probes = {self.freshness.action.timestamp: Numbers(1, probes, 0)} if probes else {}
        return of_probes | {
            hour: Numbers(numbers.unique_users, counts[hour, "click"], counts[hour, "impression"])
            for hour, numbers in count(seen).items()
        }


@contextmanager
def pipeline(services: Services, raw: RawStorage) -> Iterator[Pipeline]:
    """A worker, an API process and an aggregator, on a topic and buckets of their own."""
    topic = services.topic()
    with services.buckets(raw) as influx:
        environment = services.environment(topic, influx)
        modules = ("stream_workers", "ingest_api", "aggregator")
        running = {
            module: PythonService(module, free_port(), services.log(module), module, environment) for module in modules
        }
        with running["stream_workers"], running["ingest_api"], running["aggregator"]:
            probes = Freshness(running["ingest_api"].port, running["aggregator"].port)
            yield Pipeline(make(21, BATCH * _BATCHES, _USERS), running, StoredNumbers(influx), probes)


def _post(actions: list[Made]) -> bytes:
    body = b"\n".join([made.line() for made in actions])
    return request("POST", "/v1/actions", body, "application/x-ndjson")
