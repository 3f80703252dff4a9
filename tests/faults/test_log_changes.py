"""A log that grows, is created anew, is cut short or has foreign records: no number changes, or it is told."""

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
from contract.progress import Progress
from support.faults.shaken_kafka import ShakenKafka
from support.scenarios.clients import Clients, made_up
from support.scenarios.environment import PARTITIONS, Stage
from support.scenarios.log_count import LogCount, consumer, count_log, end_offsets, header_counts, read_log
from support.scenarios.scenario import Trial
from support.services.kafka_admin import create_again, delete_topic, log_of_topic, remove_records

pytestmark = pytest.mark.faults

GROWN = 12
SECONDS = 60.0


def grow(stage: Stage) -> None:
    admin = AdminClient({"bootstrap.servers": stage.bootstrap, "log_level": 0})
    admin.create_partitions([NewPartitions(stage.topic, GROWN)])[stage.topic].result(SECONDS)


async def past_hour(stage: Stage, trial: Trial) -> dict[str, Any]:
    """What is said of an hour that is over."""
    return await asked(stage, f"/v1/hours/{format_hour(trial.now // HOUR_MS * HOUR_MS - 2 * HOUR_MS)}")


async def is_final(stage: Stage, trial: Trial) -> bool:
    """Whether it is called that; not so where Kafka took too long to say where the log ends."""
    return bool((await past_hour(stage, trial))["final"])


async def asked(stage: Stage, path: str) -> dict[str, Any]:
    """The aggregator's answer."""
    async with httpx.AsyncClient(base_url=stage.aggregator_url, timeout=SECONDS) as http:
        answer: dict[str, Any] = (await http.get(path)).raise_for_status().json()
        return answer


async def added_have_records(stage: Stage) -> bool:
    """Whether each added partition has some; the newest ones may have no leader yet."""
    reader = consumer(stage.bootstrap, "looks-only")
    try:
        ends = await asyncio.to_thread(end_offsets, reader, stage.topic)
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
        await trial.until("it is called final", lambda: is_final(stage, trial))
        grow(stage)
        await trial.until("records on all", lambda: added_have_records(stage))

        async def seen() -> bool:
            return (await past_hour(stage, trial))["complete_through"] is None

        # An answer from a look of a moment ago speaks of the time before, and is right; the watch judges that.
        await trial.until("the aggregator has seen the records", seen)
        answers = [await past_hour(stage, trial) for _ in range(20)]
        assert {(answer["final"], answer["complete_through"]) for answer in answers} == {(False, None)}
        # Where Kafka took too long to answer, nothing is said of it.
        assert {answer["lag"] for answer in answers} - {None}
        assert all(answer["lag"] != 0 for answer in answers)
        assert await asyncio.to_thread(unaware.owned) == list(range(PARTITIONS))
        unaware.terminate()
        assert await asyncio.to_thread(unaware.wait_for_end) == 0
        stage.start_worker()
        await trial.recovered("a worker that knows the added partitions")
    assert await trial.verdict() == []
    await trial.until("it is called final", lambda: is_final(stage, trial))


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


async def test_a_topic_that_is_deleted_and_created_again_adds_to_the_same_hour(stage: Stage, trial: Trial) -> None:
    first = stage.start_worker()
    async with trial.traffic(seed=56):
        await trial.counted(2_000)
    assert await trial.verdict() == []
    expected = await asyncio.to_thread(count_log, stage.bootstrap, stage.topic)
    stored = await trial.watch.progress()
    admin = AdminClient({"bootstrap.servers": stage.bootstrap, "log_level": 0})
    old = await asyncio.to_thread(log_of_topic, admin, stage.topic)
    await asyncio.to_thread(delete_topic, admin, stage.topic)
    await asyncio.to_thread(create_again, admin, stage.topic, PARTITIONS)
    trial.watch.log = await asyncio.to_thread(log_of_topic, admin, stage.topic)

    assert await asyncio.to_thread(first.wait_for_end) != 0
    # Which it sees first is chance: another id, no topic at all for a moment, or a position that the log does not have.
    assert any(
        text in first.logged() for text in ("was deleted and created again", "does not exist", "OffsetOutOfRange")
    )
    stage.start_worker()
    async with trial.traffic(seed=57):
        await trial.recovered("a topic that was deleted and created again")
        await trial.counted(2_000)

    expected.add_log(await asyncio.to_thread(count_log, stage.bootstrap, stage.topic))
    assert await trial.verdict(expected) == []
    trial.watch.log = old
    assert await trial.watch.progress() == stored


async def test_records_that_retention_removes_while_the_worker_is_stalled_are_told_as_lost(
    stage: Stage, trial: Trial
) -> None:
    stalled = stage.start_worker()
    async with trial.traffic(seed=58):
        await trial.counted(2_000)
    assert await trial.verdict() == []
    stored = await trial.watch.progress()
    stalled.running.send(signal.SIGSTOP)
    async with Clients(stage.api_urls, trial.ledger, made_up(59, trial.now)).sending():
        await trial.until("unread records in each partition", lambda: more_than(trial, stored, 5))
    ends = await trial.watch.ends()
    kept_from = {number: ends[number] - 2 for number in (0, 1)}
    records = await asyncio.to_thread(list, read_log(stage.bootstrap, stage.topic))
    admin = AdminClient({"bootstrap.servers": stage.bootstrap, "log_level": 0})
    await asyncio.to_thread(remove_records, admin, stage.topic, kept_from)
    stalled.running.send(signal.SIGCONT)

    # It asks for records that are gone, and ends; or it was silent for too long, and is assigned its partitions anew.
    async def ended_or_went_on() -> bool:
        progress = await trial.watch.progress()
        went_on = all(progress[number].through_offset >= end - 1 for number, end in kept_from.items())
        return went_on or not stalled.running.is_alive()

    await trial.until("it ended or went on", ended_or_went_on)
    if not stalled.running.is_alive():
        assert stalled.running.reap() != 0
        stage.start_worker()
    await trial.recovered("records removed unread")

    lost = {number: found.lost for number, found in (await trial.watch.progress()).items() if found.lost}
    assert lost.keys() == kept_from.keys()
    gone, rest = count_but_lost(records, {number: range(end - lost[number], end) for number, end in kept_from.items()})
    trial.ledger.acknowledged -= gone.keys
    assert await trial.verdict(rest) == []
    assert (await past_hour(stage, trial))["lost"] == sum(lost.values())
    told = "".join(worker.logged() for worker in stage.workers)
    assert all(f"{lost[number]} records up to offset {end - 1} are lost" in told for number, end in kept_from.items())
    ledger = await asked(stage, "/v1/ledger")
    assert (ledger["balanced"], ledger["totals"]["lost"], ledger["totals"]["unread"]) == (True, sum(lost.values()), 0)
    assert stage.workers[-1].metric("lost_records_total") == sum(lost.values())


async def more_than(trial: Trial, stored: Mapping[int, Progress], records: int) -> bool:
    ends = await trial.watch.ends()
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
    stage: Stage, trial: Trial, kafka: ShakenKafka
) -> None:
    worker = stage.start_worker()
    folder = kafka.data / f"{stage.topic}-0"
    copy = folder.parent.parent / "older-copy"
    async with trial.traffic(seed=60):
        await trial.counted(2_000)
    await trial.recovered("end of traffic")
    await asyncio.to_thread(shutil.copytree, folder, copy)
    async with trial.traffic(seed=61):
        await trial.counted(2_000)
    assert await trial.verdict() == []
    stored, said = await trial.watch.progress(), await numbers(stage, trial)

    await asyncio.to_thread(kafka.stop)
    shutil.rmtree(folder)
    copy.rename(folder)
    kafka.start()
    await asyncio.to_thread(kafka.wait_until_ready)

    assert await asyncio.to_thread(worker.wait_for_end) != 0
    await refused(stage, f"progress says offset {stored[0].through_offset} was counted, but the log ends before")
    assert (await past_hour(stage, trial))["complete_through"] is None
    producer = Producer({"bootstrap.servers": stage.bootstrap, "acks": "all"})
    while (await trial.watch.ends())[0] <= stored[0].through_offset + 5:
        for _ in range(50):
            producer.produce(stage.topic, b"another history", partition=0)
        await asyncio.to_thread(producer.flush, SECONDS)
    await refused(stage, "the log was truncated and written anew")
    assert (await trial.watch.progress())[0] == stored[0]
    assert await numbers(stage, trial) == said


async def refused(stage: Stage, text: str) -> None:
    """Returns once a new worker has ended, and said why."""
    worker = stage.start_worker()
    assert await asyncio.to_thread(worker.wait_for_end) != 0
    assert text in worker.logged()


async def numbers(stage: Stage, trial: Trial) -> list[dict[str, Any]]:
    """What is said of each hour that anything was sent for, but for how complete it is."""
    answers = [await asked(stage, f"/v1/hours/{format_hour(hour)}") for hour in sorted(trial.ledger.hours())]
    return [{name: answer[name] for name in ("hour", "clicks", "impressions", "unique_users")} for answer in answers]
