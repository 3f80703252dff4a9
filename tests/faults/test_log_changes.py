"""A log that grows, is re-created, is truncated or has foreign records: no number changes, or the loss is reported."""

import asyncio
import json
import shutil
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import httpx
import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined] # not in __all__

from contract.hour import HOUR_MS, format_hour
from contract.log.progress import Progress
from support.faults.proxied_kafka import ProxiedKafka
from support.scenarios.clients import Clients, synthetic_actions
from support.scenarios.environment import PARTITIONS, Environment
from support.scenarios.log_count import LogCount, consumer, count_log, end_offsets, header_counts, read_log
from support.scenarios.scenario import Scenario
from support.services.kafka_admin import create_again, delete_topic, log_of_topic, remove_records

pytestmark = pytest.mark.faults

GROWN = 12
SECONDS = 60.0


def grow(environment: Environment) -> None:
    admin = AdminClient({"bootstrap.servers": environment.bootstrap, "log_level": 0})
    admin.create_partitions([NewPartitions(environment.topic, GROWN)])[environment.topic].result(SECONDS)


async def past_hour(environment: Environment, scenario: Scenario) -> dict[str, Any]:
    """What is said of an hour that is over."""
    return await asked(environment, f"/v1/hours/{format_hour(scenario.now // HOUR_MS * HOUR_MS - 2 * HOUR_MS)}")


async def is_final(environment: Environment, scenario: Scenario) -> bool:
    """Whether it is called that; not so where Kafka took too long to say where the log ends."""
    return bool((await past_hour(environment, scenario))["final"])


async def asked(environment: Environment, path: str) -> dict[str, Any]:
    """The aggregator's answer."""
    async with httpx.AsyncClient(base_url=environment.aggregator_url, timeout=SECONDS) as http:
        answer: dict[str, Any] = (await http.get(path)).raise_for_status().json()
        return answer


async def added_have_records(environment: Environment) -> bool:
    """Whether each added partition has some; the newest ones may have no leader yet."""
    reader = consumer(environment.bootstrap, "reads-only")
    try:
        ends = await asyncio.to_thread(end_offsets, reader, environment.topic)
    finally:
        reader.close()
    return all(ends.get(number, 0) > 0 for number in range(PARTITIONS, GROWN))


@asynccontextmanager
async def unaware_traffic(environment: Environment, scenario: Scenario, seed: int) -> AsyncIterator[None]:
    """Clients of an API process that reads the topic's metadata once, and not again while the test runs."""
    api = environment.start("ingest_api", ingest_metadata_refresh="PT1H")
    await asyncio.to_thread(api.wait_until_ready)
    urls = [f"http://127.0.0.1:{api.port}"]
    clients = Clients(lambda: urls, scenario.ledger, synthetic_actions(seed, scenario.now), seed=seed)
    async with clients.sending():
        yield


async def test_partitions_grow_in_mid_hour_while_one_api_goes_on_with_the_old_count(
    environment: Environment, scenario: Scenario
) -> None:
    workers = [environment.start_worker() for _ in range(2)]
    async with scenario.traffic(seed=51), unaware_traffic(environment, scenario, seed=52):
        await scenario.counted(3_000)
        grow(environment)

        async def all_owned() -> bool:
            owned = [await asyncio.to_thread(worker.owned) for worker in workers]
            return all(owned) and sorted(owned[0] + owned[1]) == list(range(GROWN))

        scenario.note("growth, until workers own all", await scenario.until("all partitions are owned", all_owned))
        await scenario.until("records on all", lambda: added_have_records(environment))
        await scenario.recovered("growth from 8 to 12 partitions")
        await scenario.counted(3_000)
    assert await scenario.verdict() == []
    found = header_counts(environment.bootstrap, environment.topic)
    assert set(found) == {b"8", b"12"}, "some records were made for 8 partitions, some for 12"


async def test_nothing_is_final_while_no_worker_knows_of_the_added_partitions(
    environment: Environment, scenario: Scenario
) -> None:
    unaware = environment.start_worker(worker_metadata_refresh="PT1H")
    async with scenario.traffic(seed=53):
        await scenario.counted(2_000)
        await scenario.recovered("start")
        await scenario.until("it is called final", lambda: is_final(environment, scenario))
        grow(environment)
        await scenario.until("records on all", lambda: added_have_records(environment))

        async def seen() -> bool:
            return (await past_hour(environment, scenario))["complete_through"] is None

        # An answer from end offsets read a moment ago is of that time, and right; the monitor checks that.
        await scenario.until("the aggregator has seen the records", seen)
        answers = [await past_hour(environment, scenario) for _ in range(20)]
        assert {(answer["final"], answer["complete_through"]) for answer in answers} == {(False, None)}
        # Where Kafka took too long to answer, nothing is said of it.
        assert {answer["lag"] for answer in answers} - {None}
        assert all(answer["lag"] != 0 for answer in answers)
        assert await asyncio.to_thread(unaware.owned) == list(range(PARTITIONS))
        unaware.terminate()
        assert await asyncio.to_thread(unaware.wait_for_end) == 0
        environment.start_worker()
        await scenario.recovered("a worker that knows the added partitions")
    assert await scenario.verdict() == []
    await scenario.until("it is called final", lambda: is_final(environment, scenario))


async def test_a_foreign_producer_puts_records_without_the_header_anywhere(
    environment: Environment, scenario: Scenario
) -> None:
    for _ in range(2):
        environment.start_worker()
    producer = Producer({"bootstrap.servers": environment.bootstrap, "acks": "all"})
    foreign = synthetic_actions(54, scenario.now, late_hours=3)
    async with scenario.traffic(seed=55):
        await scenario.counted(2_000)
        for number in range(100):
            batch = list(islice(foreign, 20))
            scenario.ledger.sending(batch)
            producer.produce(
                environment.topic, "\n".join(map(json.dumps, batch)).encode(), partition=number % PARTITIONS
            )
            await asyncio.to_thread(producer.flush, SECONDS)
            scenario.ledger.was_answered(batch, "acknowledged")
        await scenario.recovered("foreign records")
        await scenario.counted(1_000)
    assert await scenario.verdict() == []
    assert set(header_counts(environment.bootstrap, environment.topic)) == {b"8", None}


async def test_a_topic_that_is_deleted_and_created_again_adds_to_the_same_hour(
    environment: Environment, scenario: Scenario
) -> None:
    first = environment.start_worker()
    async with scenario.traffic(seed=56):
        await scenario.counted(2_000)
    assert await scenario.verdict() == []
    expected = await asyncio.to_thread(count_log, environment.bootstrap, environment.topic)
    stored = await scenario.monitor.progress()
    admin = AdminClient({"bootstrap.servers": environment.bootstrap, "log_level": 0})
    old = await asyncio.to_thread(log_of_topic, admin, environment.topic)
    await asyncio.to_thread(delete_topic, admin, environment.topic)
    await asyncio.to_thread(create_again, admin, environment.topic, PARTITIONS)
    scenario.monitor.log = await asyncio.to_thread(log_of_topic, admin, environment.topic)

    assert await asyncio.to_thread(first.wait_for_end) != 0
    # Which it sees first is chance: another id, no topic at all for a moment, or a position that the log does not have.
    assert any(
        text in first.logged() for text in ("was deleted and created again", "does not exist", "OffsetOutOfRange")
    )
    environment.start_worker()
    async with scenario.traffic(seed=57):
        await scenario.recovered("a topic that was deleted and created again")
        await scenario.counted(2_000)

    expected.add_log(await asyncio.to_thread(count_log, environment.bootstrap, environment.topic))
    assert await scenario.verdict(expected) == []
    scenario.monitor.log = old
    assert await scenario.monitor.progress() == stored


async def test_records_that_retention_removes_while_the_worker_is_stalled_are_reported_as_lost(
    environment: Environment, scenario: Scenario
) -> None:
    stalled = environment.start_worker()
    async with scenario.traffic(seed=58):
        await scenario.counted(2_000)
    assert await scenario.verdict() == []
    stored = await scenario.monitor.progress()
    stalled.running.send(signal.SIGSTOP)
    async with Clients(environment.api_urls, scenario.ledger, synthetic_actions(59, scenario.now)).sending():
        await scenario.until("unread records in each partition", lambda: more_than(scenario, stored, 5))
    ends = await scenario.monitor.ends()
    kept_from = {number: ends[number] - 2 for number in (0, 1)}
    records = await asyncio.to_thread(list, read_log(environment.bootstrap, environment.topic))
    admin = AdminClient({"bootstrap.servers": environment.bootstrap, "log_level": 0})
    await asyncio.to_thread(remove_records, admin, environment.topic, kept_from)
    stalled.running.send(signal.SIGCONT)

    # It asks for records that are gone, and ends; or it was silent for too long, and is assigned its partitions again.
    async def ended_or_went_on() -> bool:
        progress = await scenario.monitor.progress()
        went_on = all(progress[number].through_offset >= end - 1 for number, end in kept_from.items())
        return went_on or not stalled.running.is_alive()

    await scenario.until("it ended or went on", ended_or_went_on)
    if not stalled.running.is_alive():
        assert stalled.running.reap() != 0
        environment.start_worker()
    await scenario.recovered("records removed unread")

    lost = {number: found.lost for number, found in (await scenario.monitor.progress()).items() if found.lost}
    assert lost.keys() == kept_from.keys()
    gone, rest = count_but_lost(records, {number: range(end - lost[number], end) for number, end in kept_from.items()})
    scenario.ledger.acknowledged -= gone.keys
    assert await scenario.verdict(rest) == []
    assert (await past_hour(environment, scenario))["lost"] == sum(lost.values())
    told = "".join(worker.logged() for worker in environment.workers)
    assert all(f"{lost[number]} records up to offset {end - 1} are lost" in told for number, end in kept_from.items())
    ledger = await asked(environment, "/v1/ledger")
    assert (ledger["balanced"], ledger["totals"]["lost"], ledger["totals"]["unread"]) == (True, sum(lost.values()), 0)
    assert environment.workers[-1].metric("lost_records_total") == sum(lost.values())


async def more_than(scenario: Scenario, stored: Mapping[int, Progress], records: int) -> bool:
    ends = await scenario.monitor.ends()
    return all(end > stored[number].through_offset + 1 + records for number, end in ends.items())


def count_but_lost(records: Iterable[Message], lost: Mapping[int, range]) -> tuple[LogCount, LogCount]:
    """What is lost, by partition and offset, and all else."""
    gone, rest = LogCount(), LogCount()
    for message in records:
        is_gone = message.offset() in lost.get(message.partition(), ())
        for line in message.value().splitlines():
            (gone if is_gone else rest).add(line)
    return gone, rest


async def test_a_log_that_was_restored_from_an_older_copy_is_refused(
    environment: Environment, scenario: Scenario, kafka: ProxiedKafka
) -> None:
    worker = environment.start_worker()
    folder = kafka.data / f"{environment.topic}-0"
    copy = folder.parent.parent / "older-copy"
    async with scenario.traffic(seed=60):
        await scenario.counted(2_000)
    await scenario.recovered("end of traffic")
    await asyncio.to_thread(shutil.copytree, folder, copy)
    async with scenario.traffic(seed=61):
        await scenario.counted(2_000)
    assert await scenario.verdict() == []
    stored, said = await scenario.monitor.progress(), await numbers(environment, scenario)

    await asyncio.to_thread(kafka.stop)
    shutil.rmtree(folder)
    copy.rename(folder)
    kafka.start()
    await asyncio.to_thread(kafka.wait_until_ready)

    assert await asyncio.to_thread(worker.wait_for_end) != 0
    await refused(environment, f"progress says offset {stored[0].through_offset} was counted, but the log ends before")
    assert (await past_hour(environment, scenario))["complete_through"] is None
    producer = Producer({"bootstrap.servers": environment.bootstrap, "acks": "all"})
    while (await scenario.monitor.ends())[0] <= stored[0].through_offset + 5:
        for _ in range(50):
            producer.produce(environment.topic, b"another history", partition=0)
        await asyncio.to_thread(producer.flush, SECONDS)
    await refused(environment, "the log was truncated and written again")
    assert (await scenario.monitor.progress())[0] == stored[0]
    assert await numbers(environment, scenario) == said


async def refused(environment: Environment, text: str) -> None:
    """Returns once a new worker has ended, and said why."""
    worker = environment.start_worker()
    assert await asyncio.to_thread(worker.wait_for_end) != 0
    assert text in worker.logged()


async def numbers(environment: Environment, scenario: Scenario) -> list[dict[str, Any]]:
    """What is said of each hour that anything was sent for, but for how complete it is."""
    answers = [await asked(environment, f"/v1/hours/{format_hour(hour)}") for hour in sorted(scenario.ledger.hours())]
    return [{name: answer[name] for name in ("hour", "clicks", "impressions", "unique_users")} for answer in answers]
