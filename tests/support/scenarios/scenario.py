"""One trial: traffic and a watch around a fault, then the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx
from confluent_kafka import KafkaException

from contract.errors import StoreUnavailable
from support.scenarios import checks as judges
from support.scenarios.clients import Clients, made_up
from support.scenarios.environment import Stage
from support.scenarios.ledger import Action, Ledger
from support.scenarios.log_count import LogCount, count_log
from support.scenarios.watch import Watch

WITHIN = 120.0
"""Seconds that each wait may take before it counts as failed."""
POLL = 0.1


class Trial:
    """What a test does between traffic that began and the verdict."""

    def __init__(self, stage: Stage, note: Callable[[str, float], None]) -> None:
        self.stage = stage
        self.ledger = Ledger()
        self.now = time.time_ns() // 1_000_000
        self.watch = Watch(stage, self.ledger, self.now)
        self.note = note

    @asynccontextmanager
    async def traffic(self, seed: int, actions: Iterator[Action] | None = None, **how: float) -> AsyncIterator[None]:
        """Clients send, and the watch looks, for as long as the block runs."""
        clients = Clients(self.stage.api_urls, self.ledger, actions or made_up(seed, self.now), seed=seed)
        async with self.watched(), clients.sending(**how):  # type: ignore[arg-type] # numbers that say how to send
            yield

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """All are ready when the block begins; the watch looks for as long as it runs."""
        await asyncio.to_thread(self.stage.wait_until_ready)
        watching = asyncio.create_task(self.watch.run())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def send(self, actions: Sequence[Action], batch: int = 5_000) -> None:
        """Returns once all of them are acknowledged."""
        clients = Clients(self.stage.api_urls, self.ledger, iter(()))
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
            raise AssertionError(f"not within {within} s: {what}") from None
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
                    ends.update(await self.watch.ends())
                progress = await self.watch.progress()
            except (KafkaException, StoreUnavailable):
                return False
            return all(
                end == 0 or ((found := progress.get(number)) and found.through_offset + 1 >= end)
                for number, end in ends.items()
            )

        self.note(what, await self.until(f"everything counted after: {what}", reached, within))

    async def verdict(self, expected: LogCount | None = None, hours: Collection[int] | None = None) -> list[str]:
        """Once all is counted and committed: everything that is not as promised. Call it after the traffic.

        `expected`: what should be counted, where that is not what the log holds by now; no audit can judge that.
        `hours`: whose answers we compare ourselves, all by default; the audit looks at each in any case.
        """
        await self.recovered("end of traffic")
        await self.until("everything committed", self._all_committed)
        counted = expected or await asyncio.to_thread(count_log, self.stage.bootstrap, self.stage.topic)
        problems = [*self.watch.wrong, *judges.wrong_actions(self.ledger, counted)]
        anew = {"Cache-Control": "no-cache"}
        async with httpx.AsyncClient(base_url=self.stage.aggregator_url, timeout=60, headers=anew) as http:
            answers = await judges.answers_of(http, hours or sorted(self.ledger.hours() | counted.hours.keys()))
            problems += judges.wrong_answers(answers, counted)
            if expected is None:
                problems += judges.wrong_books(await judges.ask_for_books(http), counted)
                problems += judges.wrong_audit(await asyncio.to_thread(judges.run_audit, self.stage), counted)
        if not self.watch.looks:
            problems.append("no answer ever told how complete it is: nothing was watched")
        if not self.watch.looks_at_commits:
            problems.append("what is committed was never held against the store's progress")
        return problems

    async def _lines(self) -> int:
        with suppress(StoreUnavailable):
            return sum(progress.lines for progress in (await self.watch.progress()).values())
        return 0

    async def _all_committed(self) -> bool:
        with suppress(KafkaException):
            ends, committed = await self.watch.ends(), await self.watch.committed()
            return all(end in (0, committed.get(partition)) for partition, end in ends.items())
        return False
