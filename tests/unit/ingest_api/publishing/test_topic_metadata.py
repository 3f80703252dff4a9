import asyncio
import threading

import pytest

from contract.errors import LogError, LogUnavailable, LogUnfit
from ingest_api.publishing.topic_metadata import TopicMetadata
from support.fixtures.ingest import until

NEVER = 3600.0


class Topic:
    """What a request for the topic finds."""

    def __init__(self, found: int | LogError) -> None:
        self.found = found
        self.requests = 0
        self.threads: set[int] = set()
        self.open = threading.Event()
        self.open.set()

    def count_partitions(self) -> int:
        self.requests += 1
        self.threads.add(threading.get_ident())
        self.open.wait(30)
        if isinstance(self.found, LogError):
            raise self.found
        return self.found


async def test_before_the_first_request_nothing_is_known() -> None:
    assert TopicMetadata(Topic(8).count_partitions, NEVER).partitions is None


async def test_a_request_finds_the_partitions_and_no_reason_against_publishing() -> None:
    metadata = TopicMetadata(Topic(8).count_partitions, NEVER)
    assert (await metadata.unavailable_reason(), metadata.partitions) == (None, 8)


@pytest.mark.parametrize("answer", [8, LogUnfit("no such topic")])
async def test_that_the_topic_is_not_there_is_an_answer_and_silence_is_none(answer: int | LogError) -> None:
    topic = Topic(LogUnavailable("away"))
    metadata = TopicMetadata(topic.count_partitions, 0.001)
    metadata.start()
    answered = asyncio.create_task(metadata.answered())
    await until(lambda: topic.requests == 3)
    assert not answered.done()
    topic.found = answer
    await answered
    await metadata.close()


async def test_until_the_first_answer_it_is_asked_each_second_however_seldom_later() -> None:
    topic = Topic(LogUnavailable("away"))
    metadata = TopicMetadata(topic.count_partitions, NEVER)
    metadata.start()
    await until(lambda: topic.requests == 2)
    await metadata.close()


async def test_requests_do_not_block_the_event_loop() -> None:
    topic = Topic(8)
    await TopicMetadata(topic.count_partitions, NEVER).unavailable_reason()
    assert threading.get_ident() not in topic.threads


async def test_many_who_ask_at_once_share_one_request() -> None:
    topic = Topic(8)
    metadata = TopicMetadata(topic.count_partitions, NEVER)
    assert await asyncio.gather(*[metadata.unavailable_reason() for _ in range(50)]) == [None] * 50
    assert topic.requests == 1


async def test_what_was_seen_just_now_is_not_asked_again() -> None:
    topic = Topic(8)
    metadata = TopicMetadata(topic.count_partitions, NEVER)
    await metadata.unavailable_reason()
    await metadata.unavailable_reason()
    assert topic.requests == 1


async def test_growth_is_noticed_by_asking_at_intervals() -> None:
    topic = Topic(8)
    metadata = TopicMetadata(topic.count_partitions, 0.001)
    metadata.start()
    await until(lambda: metadata.partitions == 8)
    topic.found = 16
    await until(lambda: metadata.partitions == 16)
    await metadata.close()


async def test_after_closing_nobody_asks_any_more() -> None:
    topic = Topic(8)
    metadata = TopicMetadata(topic.count_partitions, 0.001)
    metadata.start()
    await until(lambda: topic.requests == 3)
    await metadata.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def asked_twice(first: int | LogError, second: int | LogError) -> TopicMetadata:
    topic = Topic(first)
    metadata = TopicMetadata(topic.count_partitions, 0.001)
    metadata.start()
    await until(lambda: topic.requests >= 1)
    topic.found = second
    seen = topic.requests
    await until(lambda: topic.requests >= seen + 2)
    await metadata.close()
    return metadata


async def test_while_kafka_is_away_the_partitions_are_still_known() -> None:
    metadata = await asked_twice(8, LogUnavailable("away"))
    assert (metadata.partitions, await metadata.unavailable_reason()) == (8, "away")


async def test_of_a_topic_that_is_gone_no_partitions_are_known() -> None:
    metadata = await asked_twice(8, LogUnfit("gone"))
    assert (metadata.partitions, await metadata.unavailable_reason()) == (None, "gone")


async def test_a_topic_that_comes_is_found() -> None:
    metadata = await asked_twice(LogUnfit("gone"), 4)
    assert (metadata.partitions, await metadata.unavailable_reason()) == (4, None)


async def test_changes_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    own = TopicMetadata.__module__
    with caplog.at_level("INFO", logger=own):
        await asked_twice(8, LogUnavailable("away"))
    assert [(record.levelname, record.message) for record in caplog.records if record.name == own] == [
        ("INFO", "the topic: 8 partitions, Kafka answers"),
        ("WARNING", "the topic: 8 partitions, away"),
    ]


async def test_closing_waits_for_a_request_that_is_under_way() -> None:
    topic = Topic(8)
    topic.open.clear()
    metadata = TopicMetadata(topic.count_partitions, NEVER)
    metadata.start()
    await until(lambda: topic.requests == 1)
    closing = asyncio.create_task(metadata.close())
    await asyncio.sleep(0)
    assert not closing.done()
    topic.open.set()
    await closing
    assert metadata.partitions == 8
