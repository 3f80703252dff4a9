"""Watches the product throughout a scenario, and keeps what no reader should ever see."""

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx
from confluent_kafka import KafkaException, TopicPartition

from contract.errors import StoreUnavailable
from contract.hour import format_hour
from contract.log.progress import Progress
from support.scenarios.environment import Environment
from support.scenarios.ledger import HOUR_MS, Ledger
from support.scenarios.log_count import consumer, end_offsets
from support.stores.subject import store_of

PAUSE = 0.2
ANSWER_WITHIN = 3.0
"""A broker that does not answer is not to keep us from seeing that the product goes on without it."""


class Monitor:
    """No number of an hour may go back, and each answer must hold at least what it says is complete.

    Nor may an offset be committed to Kafka that is above the store's progress.
    """

    def __init__(self, environment: Environment, ledger: Ledger, now: int) -> None:
        self.wrong: list[str] = []
        self.answers_checked = 0
        """Answers that said how complete they are."""
        self.refused = 0
        """Readers that were answered 503."""
        self.worst_staleness = 0.0
        """How many seconds before it was asked for an answer was complete, at the most."""
        self.commits_checked = 0
        """How often committed offsets were compared with progress."""
        self.log = environment.log
        """Whose progress is read: the store may hold that of others."""
        self._environment = environment
        self._ledger = ledger
        current = now // HOUR_MS * HOUR_MS
        self._hours = [current - back * HOUR_MS for back in range(3)]
        self._before: dict[int, dict[str, int]] = {}
        self._complete_through: float | None = None
        self._kafka = consumer(environment.bootstrap, environment.topic, ANSWER_WITHIN)
        self._store = store_of(environment.store)

    async def run(self) -> None:
        """Until it is cancelled."""
        async with httpx.AsyncClient(timeout=30) as http:
            while True:
                for hour in self._hours:
                    await self._check_hour(http, hour)
                await self._check_commits()
                await asyncio.sleep(PAUSE)

    async def progress(self) -> dict[int, Progress]:
        """What the store has, by partition; raises StoreUnavailable."""
        found = (await self._store.read_progress()).items()
        return {source.partition: progress for source, progress in found if source.log == self.log}

    async def ends(self) -> dict[int, int]:
        """The log's ends, by partition; raises KafkaException."""
        return await asyncio.to_thread(end_offsets, self._kafka, self._environment.topic, ANSWER_WITHIN)

    async def committed(self) -> dict[int, int]:
        """What the group has committed, by partition; raises KafkaException."""
        asked = [TopicPartition(self._environment.topic, partition) for partition in await self.ends()]
        found = await asyncio.to_thread(self._kafka.committed, asked, 10)
        return {one.partition: one.offset for one in found if one.offset >= 0}

    async def close(self) -> None:
        await self._store.close()
        await asyncio.to_thread(self._kafka.close)

    async def _check_hour(self, http: httpx.AsyncClient, hour: int) -> None:
        asked = time.time()
        try:
            answer = await http.get(f"{self._environment.aggregator_url}/v1/hours/{format_hour(hour)}")
        except httpx.TransportError as error:
            self.wrong.append(f"the aggregator did not answer: {error!r}")
            return
        if answer.status_code == httpx.codes.OK:
            self.check_answer(hour, answer.json())
            self._note_staleness(asked, answer.json()["complete_through"])
        elif answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.refused += 1
        else:
            self.wrong.append(f"the aggregator answered {answer.status_code}: {answer.text}")

    def _note_staleness(self, asked: float, complete_through: str | None) -> None:
        """One that does not say how complete it is (Kafka is away) is taken for as old as the last one that did."""
        if complete_through is not None:
            self._complete_through = datetime.fromisoformat(complete_through).timestamp()
        if self._complete_through is not None:
            self.worst_staleness = max(self.worst_staleness, asked - self._complete_through)

    def check_answer(self, hour: int, answer: dict[str, Any]) -> None:
        """Compares an answer with what was sent, what is acknowledged, and the answer before it."""
        numbers = {name: answer[name] for name in ("clicks", "impressions", "unique_users", "duplicates")}
        before = self._before.setdefault(hour, numbers)
        if any(numbers[name] < before[name] for name in numbers):
            self.wrong.append(f"{answer['hour']} went back from {before} to {numbers}")
        self._before[hour] = numbers
        counted = answer["clicks"] + answer["impressions"]
        if counted > self._ledger.sent(hour):
            self.wrong.append(f"{answer['hour']}: {counted} counted, {self._ledger.sent(hour)} sent")
        if answer["complete_through"] is None:
            if answer["final"]:
                self.wrong.append(f"{answer['hour']} is final, and yet its completeness is unknown")
            return
        self.answers_checked += 1
        through = round(datetime.fromisoformat(answer["complete_through"]).timestamp() * 1000)
        due = self._ledger.acknowledged_before(hour, through)
        if counted < due:
            kind = "final" if answer["final"] else "complete"
            self.wrong.append(f"{answer['hour']} called {kind} through {through}: {counted} counted, {due} due")

    async def _check_commits(self) -> None:
        try:
            committed = await self.committed()
            progress = await self.progress()
        except (KafkaException, StoreUnavailable):
            return
        self.check_commits(committed, progress)

    def check_commits(self, committed: dict[int, int], progress: dict[int, Progress]) -> None:
        """`committed` was read before `progress`: so it can't be ahead."""
        self.commits_checked += bool(committed)
        for partition, offset in committed.items():
            through = progress.get(partition, Progress()).through_offset
            if offset > through + 1:
                self.wrong.append(
                    f"partition {partition} of {self.log}: {offset} is committed, the store has {through}"
                )
