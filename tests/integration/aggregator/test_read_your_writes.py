"""Who waits for what they wrote gets numbers that hold it: over the real API, Kafka, workers, store and aggregator."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import pytest

from contract.hour import HOUR_MS, format_hour
from contract.log.action import Action, encode_action
from support.pipeline.pipeline import Pipeline
from support.product.ingest_process import IngestProcess, ingest_process

USERS = 40
ROUNDS = 4
NAME = "collector-position"


@pytest.fixture
async def api(pipeline: Pipeline) -> AsyncIterator[IngestProcess]:
    async with ingest_process(pipeline.bootstrap, pipeline.topic) as one:
        await one.ready()
        yield one


@pytest.fixture
async def reader(aggregator: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=aggregator, timeout=60) as client:
        yield client


class Oracle:
    """Writes clicks in an hour, and knows how many are acknowledged at least, and sent at most."""

    def __init__(self, api: IngestProcess, reader: httpx.AsyncClient, hour: int) -> None:
        self.acknowledged: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._api = api
        self._reader = reader
        self.hour = hour

    async def write(self, user: str) -> str:
        """One click, by a POST; where it is."""
        self.sent[user] += 1
        answer = await self._api.post(user, self.hour)
        assert answer.status_code == HTTPStatus.NO_CONTENT
        self.acknowledged[user] += 1
        return answer.headers[NAME]

    async def write_batch(self, users: list[str]) -> str:
        """A click of each, in one batch; where they are."""
        self.sent.update(users)
        body = b"\n".join(encode_action(Action(self.hour, user, "click")) for user in users)
        answer = await self._api.client.post("/v1/actions", content=body)
        assert answer.json() == {"accepted": len(users), "rejected": []}
        self.acknowledged.update(users)
        return answer.headers[NAME]

    async def read(self, position: str, wait: str) -> httpx.Response:
        return await self._reader.get(f"/v1/hours/{format_hour(self.hour)}", params={"after": position, "wait": wait})

    async def holds_what_was_written_before(self, position: str) -> None:
        """Asks until the answer is 200; it has all that was acknowledged when the position was told, and no more."""
        clicks, users = self.acknowledged.total(), len(self.acknowledged)
        while (answer := await self.read(position, "30s")).status_code == HTTPStatus.ACCEPTED:
            assert answer.json()["clicks"] <= self.sent.total()
        assert answer.status_code == HTTPStatus.OK
        told = answer.json()
        assert clicks <= told["clicks"] <= self.sent.total()
        assert users <= told["unique_users"] <= len(self.sent)


async def test_each_answer_to_a_position_counts_its_action_also_while_workers_are_killed(
    pipeline: Pipeline, api: IngestProcess, reader: httpx.AsyncClient
) -> None:
    """One writer after the other: so the positions before are counted too, on each partition, once these are."""
    worker = pipeline.started()
    oracles = [Oracle(api, reader, hour) for hour in (pipeline.this_hour, pipeline.this_hour - 24 * HOUR_MS)]
    for round_ in range(ROUNDS):
        for oracle in oracles:
            users = [f"user-{round_}-{number}" for number in range(USERS)]
            await oracle.holds_what_was_written_before(await oracle.write_batch(users))
            for user in users[:3]:
                await oracle.holds_what_was_written_before(await oracle.write(user))
        worker.kill()
        # Written while nobody counts, and read while another worker takes over.
        waiting = [
            asyncio.create_task(oracle.holds_what_was_written_before(await oracle.write_batch(users)))
            for oracle in oracles
        ]
        worker = await asyncio.to_thread(pipeline.replacement)
        await asyncio.gather(*waiting)
    for oracle in oracles:
        assert oracle.sent == oracle.acknowledged
        told = (await oracle.read(await oracle.write("last"), "30s")).json()
        assert (told["clicks"], told["unique_users"]) == (oracle.sent.total(), len(oracle.sent))


async def test_while_workers_are_stopped_it_is_202_with_the_numbers_as_they_are(
    pipeline: Pipeline, api: IngestProcess, reader: httpx.AsyncClient
) -> None:
    oracle = Oracle(api, reader, pipeline.this_hour)
    worker = pipeline.started()
    await oracle.holds_what_was_written_before(await oracle.write("u1"))
    worker.stop()
    position = await oracle.write("u2")
    for wait in ("0s", "300ms"):
        answer = await oracle.read(position, wait)
        assert (answer.status_code, answer.headers["retry-after"]) == (HTTPStatus.ACCEPTED, "1")
        assert (answer.json()["clicks"], answer.json()["lag"]) == (1, 1)
    pipeline.started()
    await oracle.holds_what_was_written_before(position)
