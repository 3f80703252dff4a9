"""One scenario: traffic and a monitor around a fault, then the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx
from confluent_kafka import KafkaException

from contract.errors import StoreUnavailable
from support.scenarios import checks
from support.scenarios.clients import Clients, synthetic_actions
from support.scenarios.environment import Environment
from support.scenarios.ledger import Action, Ledger
from support.scenarios.log_count import LogCount, count_log
from support.scenarios.monitor import Monitor

WITHIN = 120.0
"""Seconds that each wait may take before it counts as failed."""
POLL = 0.1


class Scenario:
    """The steps of a test, from the start of traffic to the verdict."""

    def __init__(self, environment: Environment, note: Callable[[str, float], None]) -> None:
        self.environment = environment
        self.ledger = Ledger()
        self.now = time.time_ns() // 1_000_000
        self.monitor = Monitor(environment, self.ledger, self.now)
        self.note = note
        self._last_trouble = ""
        """What the store last said instead of how many lines are counted."""

    @asynccontextmanager
    async def traffic(self, seed: int, actions: Iterator[Action] | None = None, **how: float) -> AsyncIterator[None]:
        """Clients send, and the monitor runs, for as long as the block does."""
        clients = Clients(
            self.environment.api_urls, self.ledger, actions or synthetic_actions(seed, self.now), seed=seed
        )
        began = time.monotonic()
        async with self.monitored(), clients.sending(**how):  # type: ignore[arg-type] # numbers that say how to send
            yield
        seconds = time.monotonic() - began
        self.note(f"of traffic: {len(self.ledger.acknowledged) / seconds:,.0f} actions/s acknowledged", seconds)

    @asynccontextmanager
    async def monitored(self) -> AsyncIterator[None]:
        """All services are ready when the block begins; the monitor runs for as long as it does."""
        await asyncio.to_thread(self.environment.wait_until_ready)
        monitoring = asyncio.create_task(self.monitor.run())
        try:
            yield
        finally:
            monitoring.cancel()
            with suppress(asyncio.CancelledError):
                await monitoring

    async def send(self, actions: Sequence[Action], batch: int = 5_000) -> None:
        """Returns once all of them are acknowledged."""
        clients = Clients(self.environment.api_urls, self.ledger, iter(()))
        for first in range(0, len(actions), batch):
            await clients.deliver(actions[first : first + batch])

    async def until(self, what: str, condition: Callable[[], Awaitable[bool]], within: float = WITHIN) -> float:
        """Returns how many seconds it took; fails if `condition` does not come true."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(within):
                while not await condition():  # noqa: ASYNC110 - it is other processes that we wait for
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise AssertionError(f"not within {within} s: {what} {self._last_trouble}".rstrip()) from None
        return time.monotonic() - began

    async def counted(self, lines: int) -> None:
        """Returns once so many more lines are counted than now."""
        goal = await self._lines() + lines

        async def reached() -> bool:
            return await self._lines() >= goal

        await self.until(f"{lines} more lines counted", reached)

    async def recovered(self, what: str, within: float = WITHIN) -> None:
        """Returns once all that is in the log now is counted: so every partition has an owner that works."""
        ends: dict[int, int] = {}

        async def reached() -> bool:
            try:
                if not ends:
                    ends.update(await self.monitor.ends())
                progress = await self.monitor.progress()
            except (KafkaException, StoreUnavailable):
                return False
            return all(
                end == 0 or ((found := progress.get(number)) and found.through_offset + 1 >= end)
                for number, end in ends.items()
            )

        self.note(what, await self.until(f"everything counted after: {what}", reached, within))

    async def verdict(self, expected: LogCount | None = None, hours: Collection[int] | None = None) -> list[str]:
        """Once all is counted and committed: everything that is not as promised. Call it after the traffic has ended.

        `expected`: what should be counted, where that is not what the log holds by now; no audit can judge that.
        `hours`: whose answers we compare ourselves, all by default; the audit compares all of them in any case.
        """
        await self.recovered("end of traffic")
        await self.until("everything committed", self._all_committed)
        self.note("worst staleness of an answer", self.monitor.worst_staleness)
        counted = expected or await asyncio.to_thread(count_log, self.environment.bootstrap, self.environment.topic)
        problems = [*self.monitor.wrong, *checks.wrong_actions(self.ledger, counted)]
        no_cache = {"Cache-Control": "no-cache"}
        async with httpx.AsyncClient(base_url=self.environment.aggregator_url, timeout=60, headers=no_cache) as http:
            answers = await checks.answers_of(http, hours or sorted(self.ledger.hours() | counted.hours.keys()))
            problems += checks.wrong_answers(answers, counted)
            if expected is None:
                problems += checks.wrong_ledger(await checks.read_ledger(http), counted)
                problems += checks.wrong_audit(await asyncio.to_thread(checks.run_audit, self.environment), counted)
        if not self.monitor.answers_checked:
            problems.append("no answer ever told how complete it is: nothing was checked")
        if not self.monitor.commits_checked:
            problems.append("committed offsets were never compared with the store's progress")
        return problems

    def refusals(self) -> list[str]:
        """Every answer but 2xx, to who sent and to who read."""
        found = [f"{number} senders were answered: {how}" for how, number in self.ledger.answers.items()]
        readers = [f"{self.monitor.refused} readers were answered 503"] if self.monitor.refused else []
        return [one for one in found if not one.endswith(": acknowledged")] + readers

    async def _lines(self) -> int:
        try:
            return sum(progress.lines for progress in (await self.monitor.progress()).values())
        except StoreUnavailable as error:
            self._last_trouble = f"(the store failed last with: {error})"
            return 0

    async def _all_committed(self) -> bool:
        with suppress(KafkaException):
            ends, committed = await self.monitor.ends(), await self.monitor.committed()
            return all(end in (0, committed.get(partition)) for partition, end in ends.items())
        return False
