"""Transactional producers: what they commit counts, what they abort does not, and their markers are no lag."""

from datetime import UTC, datetime
from typing import Any

import httpx

from contract.hour import HOUR_MS, format_hour
from contract.log.action import Action
from contract.log.partitioning import partition_of
from support.pipeline.eventually import eventually
from support.pipeline.oracle import Numbers
from support.pipeline.pipeline import PARTITIONS, Pipeline
from support.pipeline.traffic import Traffic
from support.services.kafka_admin import committed_offsets
from support.transactions.producer import NewProducer

A_DAY = 24 * HOUR_MS
ACTIONS = 2_000


def answer_of(aggregator: str, hour: int) -> dict[str, Any]:
    answer = httpx.get(f"{aggregator}/v1/hours/{format_hour(hour)}", timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def becomes_complete(pipeline: Pipeline, aggregator: str) -> None:
    """Returns once answers lack nothing, and are complete through later than any record's timestamp."""
    appended = datetime.now(UTC)

    def is_complete() -> bool:
        answer = answer_of(aggregator, pipeline.this_hour)
        through = answer["complete_through"]
        return answer["lag"] == 0 and through is not None and datetime.fromisoformat(through) > appended

    await eventually(is_complete)


def commits(pipeline: Pipeline) -> dict[int, int]:
    return committed_offsets(pipeline.bootstrap, pipeline.group, pipeline.topic, PARTITIONS)


async def test_a_commit_that_nothing_follows_leaves_no_lag_and_answers_become_complete(
    pipeline: Pipeline, new_producer: NewProducer, aggregator: str
) -> None:
    pipeline.started()
    producer = new_producer()
    traffic = Traffic()
    for _ in range(3):
        producer.begin()
        producer.send(traffic.actions(ACTIONS))
        await producer.commit()

    await becomes_complete(pipeline, aggregator)

    await pipeline.is_exact()
    assert await pipeline.through() == pipeline.ends
    await eventually(lambda: commits(pipeline) == {partition: end + 1 for partition, end in pipeline.ends.items()})


async def test_many_small_transactions_are_read_without_fetching_any_offset_again(
    pipeline: Pipeline, new_producer: NewProducer
) -> None:
    """Each fetch of a hole once more waits as long as Kafka lets a fetch wait at the log's end."""
    worker, producer, traffic = pipeline.started(), new_producer(), Traffic()
    for number in range(20):
        producer.begin()
        producer.send(traffic.actions(40), lines=5)
        await (producer.abort() if number % 5 == 4 else producer.commit())
    await pipeline.counted()
    await pipeline.is_exact()
    assert "was expected" not in worker.logged()


async def test_actions_of_aborted_transactions_are_not_counted(
    pipeline: Pipeline, new_producer: NewProducer, aggregator: str
) -> None:
    """Mixed with those of committed ones and of none, on the same partitions."""
    pipeline.started()
    one, other, traffic = new_producer(), new_producer(), Traffic()
    for _ in range(3):
        one.begin()
        other.begin()
        one.send(traffic.actions(ACTIONS))
        other.send(Traffic(seed=7).actions(ACTIONS))
        pipeline.send(traffic.actions(ACTIONS), lines=7)
        one.send(traffic.actions(ACTIONS))
        await other.abort()
        await one.commit()
    one.begin()
    one.send(Traffic(seed=8).actions(ACTIONS))
    await one.abort()

    await becomes_complete(pipeline, aggregator)

    await pipeline.is_exact()


async def test_partitions_that_hold_nothing_but_aborted_records_are_complete(
    pipeline: Pipeline, new_producer: NewProducer, aggregator: str
) -> None:
    pipeline.started()
    producer = new_producer()
    producer.begin()
    producer.send(Traffic().actions(ACTIONS))
    await producer.abort()

    await becomes_complete(pipeline, aggregator)

    assert answer_of(aggregator, pipeline.this_hour)["counts"] == {}
    assert {partition: one.lines for partition, one in (await pipeline.progress()).items()} == dict.fromkeys(
        range(4), 0
    )


async def test_an_open_transaction_holds_answers_back_and_its_end_completes_them(
    pipeline: Pipeline, new_producer: NewProducer, aggregator: str
) -> None:
    """What lies behind it on its partitions may be actions that our own API acknowledged."""
    pipeline.started()
    producer = new_producer()
    here, elsewhere = partition_of("ada", PARTITIONS), partition_of("eve", PARTITIONS)
    assert here != elsewhere
    producer.begin()
    producer.send([Action(A_DAY, "ada", "click")])
    pipeline.send([Action(A_DAY, "ada", "impression"), Action(A_DAY, "eve", "click")])
    await eventually(lambda: commits(pipeline).get(elsewhere) == 1)

    answer = answer_of(aggregator, A_DAY)
    assert (answer["counts"], answer["lag"], answer["complete_through"]) == ({"click": 1}, 2, None)

    await producer.commit()
    await becomes_complete(pipeline, aggregator)
    assert await pipeline.numbers_of_hour(A_DAY) == Numbers({"click": 2, "impression": 1}, 0, 2)


async def test_workers_that_are_killed_and_join_in_the_middle_of_transactions_agree(
    pipeline: Pipeline, new_producer: NewProducer, aggregator: str
) -> None:
    first = pipeline.started()
    producer, traffic = new_producer(), Traffic()

    async def transactions() -> None:
        for number in range(4):
            producer.begin()
            producer.send((Traffic(seed=number) if number % 2 else traffic).actions(ACTIONS), lines=5)
            await (producer.abort() if number % 2 else producer.commit())

    await transactions()
    second = pipeline.started()
    await transactions()
    producer.begin()
    producer.send(traffic.actions(ACTIONS))
    first.kill()
    await producer.commit()
    await transactions()
    await eventually(lambda: second.owned() == list(range(PARTITIONS)))

    await becomes_complete(pipeline, aggregator)

    await pipeline.is_exact()
    assert await pipeline.through() == pipeline.ends
    third = pipeline.started()
    await eventually(lambda: bool(third.owned()))
    pipeline.send(traffic.actions(ACTIONS))
    await becomes_complete(pipeline, aggregator)
    await pipeline.is_exact()
