"""How aiokafka's consumer is made to read, and what it knows of transactions."""

from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream_workers.faust_adapter.committed_reads import CommittedReadsThread
from support.fixtures.consumer import TOPIC, ConsumerFixture, tps


async def test_records_are_read_once_they_are_committed() -> None:
    consumer = ConsumerFixture().consumer
    thread = consumer._new_consumer_thread()  # noqa: SLF001 # as Faust calls it
    thread.thread_loop.close()
    made = thread._create_worker_consumer(consumer.transport)  # noqa: SLF001 # likewise
    assert made._isolation_level == "read_committed"  # noqa: SLF001 # what its fetcher is made with
    await made.stop()


async def test_a_silent_broker_is_given_up_after_the_longest_rebalance_and_before_faust_gives_up() -> None:
    consumer = ConsumerFixture().consumer
    thread = consumer._new_consumer_thread()  # noqa: SLF001 # as Faust calls it
    thread.thread_loop.close()
    made = thread._create_worker_consumer(consumer.transport)  # noqa: SLF001 # likewise
    within, longest = made._client._request_timeout_ms / 1000, consumer.app.conf.broker_rebalance_timeout  # noqa: SLF001 # what its connections are made with
    assert longest < within <= longest + 5 < consumer.app.conf.broker_request_timeout
    await made.stop()


async def test_where_transactions_are_decided_up_to_is_told_for_each_partition_of_the_topic_that_was_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        TopicPartition(TOPIC, 0): 7,
        TopicPartition(TOPIC, 1): None,
        TopicPartition(TOPIC, 2): 0,
        TopicPartition("other", 3): 9,
    }
    consumer = ConsumerFixture().consumer
    thread = consumer._new_consumer_thread()  # noqa: SLF001 # as Faust calls it
    thread.thread_loop.close()
    told = SimpleNamespace(assignment=lambda: set(known), last_stable_offset=known.__getitem__)
    monkeypatch.setattr(CommittedReadsThread, "_ensure_consumer", lambda _self: told)
    assert await thread.stable_ends(TOPIC) == {0: 7, 2: 0}


async def test_holes_are_known_of_what_was_fetched_since_the_last_seek(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = ConsumerFixture().consumer
    thread = consumer._new_consumer_thread()  # noqa: SLF001 # as Faust calls it
    thread.thread_loop.close()
    places = {TopicPartition(TOPIC, partition): object() for partition in (0, 1)}
    assignment = SimpleNamespace(state_value=places.__getitem__)
    told = SimpleNamespace(_subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)))
    found = {tp: [SimpleNamespace(offset=offset) for offset in (3, 5)] for tp in places}

    async def fetch(*_: object) -> object:
        return found

    async def seek(*_: object) -> None:
        assert not thread.holes.is_hole(0, 4, 5)

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_seek_wait", seek)

    assert await thread._fetch_records(told, set()) is found  # noqa: SLF001 # as Faust calls it
    assert thread.holes.is_hole(0, 4, 5)
    assert thread.holes.is_hole(1, 4, 5)
    await thread._seek_wait(told, {TP(TOPIC, 0): 9})  # noqa: SLF001 # likewise
    assert not thread.holes.is_hole(0, 4, 5)
    assert thread.holes.is_hole(1, 4, 5)


async def test_the_consumer_asks_its_thread() -> None:
    fixture = ConsumerFixture()
    fixture.thread.assigned = tps(0, 1)
    fixture.has(0, range(5))
    assert await fixture.consumer.stable_ends() == {0: 5, 1: 0}


async def test_a_consumer_that_is_stopped_asks_nobody() -> None:
    """Its thread may have ended."""
    fixture = ConsumerFixture()
    fixture.thread.assigned = tps(0)
    fixture.consumer._stopped.set()  # noqa: SLF001 # what a stop does first
    assert await fixture.consumer.stable_ends() == {}
