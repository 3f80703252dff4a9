import asyncio
import threading

import pytest

from contract.errors import LogError, LogUnavailable, LogUnfit
from ingest_api.publishing.topic_metadata import TopicMetadata
from support.fixtures.ingest import until

NEVER = 3600.0


class Topic:
    """What a look finds."""

    def __init__(self, found: int | LogError) -> None:
        self.found = found
        self.looks = 0
        self.threads: set[int] = set()
        self.open = threading.Event()
        self.open.set()

    def look(self) -> int:
        self.looks += 1
        self.threads.add(threading.get_ident())
        self.open.wait(30)
        if isinstance(self.found, LogError):
            raise self.found
        return self.found


async def test_before_the_first_look_nothing_is_known() -> None:
    assert TopicMetadata(Topic(8).look, NEVER).partitions is None


async def test_a_look_finds_the_partitions_and_no_trouble() -> None:
    watch = TopicMetadata(Topic(8).look, NEVER)
    assert (await watch.unavailable_reason(), watch.partitions) == (None, 8)


async def test_looks_do_not_block_the_event_loop() -> None:
    topic = Topic(8)
    await TopicMetadata(topic.look, NEVER).unavailable_reason()
    assert threading.get_ident() not in topic.threads


async def test_many_who_ask_at_once_share_one_look() -> None:
    topic = Topic(8)
    watch = TopicMetadata(topic.look, NEVER)
    assert await asyncio.gather(*[watch.unavailable_reason() for _ in range(50)]) == [None] * 50
    assert topic.looks == 1


async def test_what_was_seen_just_now_is_not_looked_at_again() -> None:
    topic = Topic(8)
    watch = TopicMetadata(topic.look, NEVER)
    await watch.unavailable_reason()
    await watch.unavailable_reason()
    assert topic.looks == 1


async def test_growth_is_learnt_by_looking_now_and_then() -> None:
    topic = Topic(8)
    watch = TopicMetadata(topic.look, 0.001)
    watch.start()
    await until(lambda: watch.partitions == 8)
    topic.found = 16
    await until(lambda: watch.partitions == 16)
    await watch.close()


async def test_after_closing_nobody_looks_any_more() -> None:
    topic = Topic(8)
    watch = TopicMetadata(topic.look, 0.001)
    watch.start()
    await until(lambda: topic.looks == 3)
    await watch.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def looked_twice(first: int | LogError, second: int | LogError) -> TopicMetadata:
    topic = Topic(first)
    watch = TopicMetadata(topic.look, 0.001)
    watch.start()
    await until(lambda: topic.looks >= 1)
    topic.found = second
    seen = topic.looks
    await until(lambda: topic.looks >= seen + 2)
    await watch.close()
    return watch


async def test_while_kafka_is_away_the_partitions_are_still_known() -> None:
    watch = await looked_twice(8, LogUnavailable("away"))
    assert (watch.partitions, await watch.unavailable_reason()) == (8, "away")


async def test_of_a_topic_that_is_gone_no_partitions_are_known() -> None:
    watch = await looked_twice(8, LogUnfit("gone"))
    assert (watch.partitions, await watch.unavailable_reason()) == (None, "gone")


async def test_a_topic_that_comes_is_found() -> None:
    watch = await looked_twice(LogUnfit("gone"), 4)
    assert (watch.partitions, await watch.unavailable_reason()) == (4, None)


async def test_changes_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        await looked_twice(8, LogUnavailable("away"))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "the topic: 8 partitions, Kafka answers"),
        ("WARNING", "the topic: 8 partitions, away"),
    ]


async def test_closing_waits_for_a_look_that_is_under_way() -> None:
    topic = Topic(8)
    topic.open.clear()
    watch = TopicMetadata(topic.look, NEVER)
    watch.start()
    await until(lambda: topic.looks == 1)
    closing = asyncio.create_task(watch.close())
    await asyncio.sleep(0)
    assert not closing.done()
    topic.open.set()
    await closing
    assert watch.partitions == 8
