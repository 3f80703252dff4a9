"""A log that grows, is created anew, is cut at either end or has foreign records changes no number, or says so."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import httpx
import pytest
from clients import Clients, made_up
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # not in __all__
from log_count import consumer, header_counts, log_ends
from stage import PARTITIONS, Stage
from trial import Trial

from contract.hour import HOUR_MS, format_hour

pytestmark = pytest.mark.faults

GROWN = 12
SECONDS = 15.0


def grow(stage: Stage) -> None:
    admin = AdminClient({"bootstrap.servers": stage.bootstrap, "log_level": 0})
    admin.create_partitions([NewPartitions(stage.topic, GROWN)])[stage.topic].result(SECONDS)


async def past_hour(stage: Stage, trial: Trial) -> dict[str, Any]:
    """What is said of an hour that is over."""
    hour = format_hour(trial.now // HOUR_MS * HOUR_MS - 2 * HOUR_MS)
    async with httpx.AsyncClient(base_url=stage.aggregator_url, timeout=SECONDS) as http:
        answer: dict[str, Any] = (await http.get(f"/v1/hours/{hour}")).raise_for_status().json()
        return answer


async def added_have_records(stage: Stage) -> bool:
    """Whether each added partition has some; the newest ones may have no leader yet."""
    reader = consumer(stage.bootstrap, "looks-only")
    try:
        ends = await asyncio.to_thread(log_ends, reader, stage.topic)
    finally:
        reader.close()
    return all(ends.get(number, 0) > 0 for number in range(PARTITIONS, GROWN))


@asynccontextmanager
async def unaware_traffic(stage: Stage, trial: Trial, seed: int) -> AsyncIterator[None]:
    """Clients of an API process that looks at the topic once, and not again while the test runs."""
    api = stage.start("ingest_api", ingest_metadata_refresh="PT1H")
    await asyncio.to_thread(api.wait_until_ready)
    clients = Clients([f"http://127.0.0.1:{api.port}"], trial.ledger, made_up(seed, trial.now), seed=seed)
    async with clients.sending():
        yield


async def test_partitions_grow_in_mid_hour_while_one_api_goes_on_with_the_old_count(stage: Stage, trial: Trial) -> None:
    workers = [stage.start_worker() for _ in range(2)]
    async with trial.traffic(seed=51), unaware_traffic(stage, trial, seed=52):
        await trial.counted(3_000)
        grow(stage)

        async def all_owned() -> bool:
            owned = [await asyncio.to_thread(worker.owned) for worker in workers]
            return all(owned) and sorted(owned[0] + owned[1]) == list(range(GROWN))

        trial.note("growth, until workers own all", await trial.until("all partitions are owned", all_owned))
        await trial.until("records on all", lambda: added_have_records(stage))
        await trial.recovered("growth from 8 to 12 partitions")
        await trial.counted(3_000)
    assert await trial.verdict() == []
    found = header_counts(stage.bootstrap, stage.topic)
    assert set(found) == {b"8", b"12"}, "some records were made for 8 partitions, some for 12"


async def test_nothing_is_final_while_no_worker_has_learnt_of_the_partitions_that_were_added(
    stage: Stage, trial: Trial
) -> None:
    unaware = stage.start_worker(worker_metadata_refresh="PT1H")
    async with trial.traffic(seed=53):
        await trial.counted(2_000)
        await trial.recovered("start")
        assert (await past_hour(stage, trial))["final"]
        grow(stage)
        await trial.until("records on all", lambda: added_have_records(stage))
        answers = [await past_hour(stage, trial) for _ in range(20)]
        assert {(answer["final"], answer["complete_through"]) for answer in answers} == {(False, None)}
        assert all(answer["lag"] > 0 for answer in answers)
        assert await asyncio.to_thread(unaware.owned) == list(range(PARTITIONS))
        unaware.terminate()
        assert await asyncio.to_thread(unaware.wait_for_end) == 0
        stage.start_worker()
        await trial.recovered("a worker that knows the added partitions")
    assert await trial.verdict() == []
    assert (await past_hour(stage, trial))["final"]


async def test_a_foreign_producer_puts_records_without_the_header_anywhere(stage: Stage, trial: Trial) -> None:
    for _ in range(2):
        stage.start_worker()
    producer = Producer({"bootstrap.servers": stage.bootstrap, "acks": "all"})
    foreign = made_up(54, trial.now, late_hours=3)
    async with trial.traffic(seed=55):
        await trial.counted(2_000)
        for number in range(100):
            batch = list(islice(foreign, 20))
            trial.ledger.sending(batch)
            producer.produce(stage.topic, "\n".join(map(json.dumps, batch)).encode(), partition=number % PARTITIONS)
            await asyncio.to_thread(producer.flush, SECONDS)
            trial.ledger.was_answered(batch, "acknowledged")
        await trial.recovered("foreign records")
        await trial.counted(1_000)
    assert await trial.verdict() == []
    assert set(header_counts(stage.bootstrap, stage.topic)) == {b"8", None}
