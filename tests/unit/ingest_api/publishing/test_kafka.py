import asyncio
import gc
import weakref
from collections import Counter
from datetime import timedelta

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import REGISTRY

from contract.errors import LogUnavailable, LogUnfit
from contract.log.action import Action
from contract.log.partitioning import partition_of
from contract.log.position import Position
from contract.log.record import MAX_LINES, decode_record
from ingest_api.errors import NotPublished, OutcomeUnknown, PublishUnavailable
from ingest_api.publishing import kafka
from ingest_api.publishing.connection import configuration
from ingest_api.publishing.publisher import publish
from ingest_api.settings import IngestSettings
from support.fixtures.ingest import APPENDED, PARTITIONS, TIMED_OUT, PublisherFixture, action, until

FATAL = KafkaException(KafkaError(KafkaError._FATAL))  # noqa: SLF001 - that is its public name


async def test_each_action_goes_to_its_user_s_partition_with_the_count_that_was_used() -> None:
    actions = [action(f"user-{number}") for number in range(50)]
    async with PublisherFixture() as fixture:
        await publish(fixture.publisher, actions)
        found = []
        for partition, partitions, value in fixture.connection.sent:
            assert partitions == PARTITIONS
            lines = decode_record(value)
            assert {partition_of(line.user, PARTITIONS) for line in lines if isinstance(line, Action)} == {partition}
            found += lines
    assert sorted(map(repr, found)) == sorted(map(repr, actions))


async def test_single_actions_of_many_callers_share_records() -> None:
    async with PublisherFixture() as fixture:
        await asyncio.gather(*[publish(fixture.publisher, [action(f"user-{number}")]) for number in range(200)])
        assert len(fixture.connection.sent) <= PARTITIONS
        assert fixture.metrics.registry.get_sample_value("collector_ingest_record_lines_sum") == 200


async def test_nobody_is_answered_before_the_acknowledgement() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.acknowledges = False
        publishing = asyncio.create_task(publish(fixture.publisher, [action()]))
        await fixture.sent(1)
        assert not publishing.done()
        assert fixture.in_flight_bytes() == len(fixture.connection.sent[0][2])
        fixture.connection.deliver()
        await publishing
        assert fixture.in_flight_bytes() == 0
    assert fixture.in_flight_bytes() == 0


async def test_each_caller_is_told_where_its_action_is() -> None:
    async with PublisherFixture() as fixture:
        for offset in range(3):
            position = await publish(fixture.publisher, [action()])
            assert position == Position("log", APPENDED, {partition_of("u", PARTITIONS): offset})


async def test_a_batch_is_told_the_last_offset_of_each_partition_that_it_went_to() -> None:
    async with PublisherFixture() as fixture:
        batch = [action(f"user-{number}") for number in range(3 * MAX_LINES * PARTITIONS)]
        position = await publish(fixture.publisher, batch)
        records = Counter(partition for partition, _, _ in fixture.connection.sent)
    assert min(records.values()) > 1
    assert position is not None
    assert position.offsets == {partition: number - 1 for partition, number in records.items()}


async def test_others_have_their_turn_while_a_large_batch_becomes_lines() -> None:
    parts = 4
    batch = [action(f"user-{number}") for number in range(parts * kafka.AT_ONCE)]
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        publishing, turns = asyncio.create_task(publish(fixture.publisher, batch)), 0
        while not fixture.connection.sent:
            await asyncio.sleep(0)
            turns += 1
        await publishing
        sent = [line for _, _, value in fixture.connection.sent for line in decode_record(value)]
    assert turns >= parts
    assert Counter(map(repr, sent)) == Counter(map(repr, batch))


async def test_of_a_large_batch_that_has_no_room_nothing_is_sent() -> None:
    limits = {"ingest_max_in_flight_bytes": 100_000, "ingest_max_body_bytes": 1, "ingest_max_decompressed_bytes": 1}
    async with PublisherFixture(**limits) as fixture:
        await fixture.publisher.unavailable_reason()
        with pytest.raises(NotPublished):
            await publish(fixture.publisher, [action(f"user-{number}") for number in range(2 * kafka.AT_ONCE)])
        assert (fixture.connection.sent, fixture.in_flight_bytes()) == ([], 0)


async def test_where_kafka_does_not_tell_the_offset_or_the_log_it_is_acknowledged_without_a_position() -> None:
    async with PublisherFixture(ingest_metadata_refresh=timedelta(milliseconds=1)) as fixture:
        fixture.connection.tells_offsets = False
        assert await publish(fixture.publisher, [action()]) is None
        fixture.connection.tells_offsets, fixture.connection.log = True, None
        await fixture.metadata_requests(2)
        assert await publish(fixture.publisher, [action()]) is None


async def test_a_topic_that_was_created_again_is_another_log_without_a_restart() -> None:
    async with PublisherFixture(ingest_metadata_refresh=timedelta(milliseconds=1)) as fixture:
        await publish(fixture.publisher, [action()])
        fixture.connection.log = "another-log"
        await fixture.metadata_requests(2)
        position = await publish(fixture.publisher, [action()])
    assert position is not None
    assert position.log == "another-log"


async def test_what_kafka_did_not_acknowledge_has_an_unknown_outcome() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.acknowledges = False
        publishing = asyncio.create_task(publish(fixture.publisher, [action()]))
        await fixture.sent(1)
        fixture.connection.deliver(TIMED_OUT)
        with pytest.raises(OutcomeUnknown):
            await publishing
        assert fixture.in_flight_bytes() == 0


async def test_if_one_record_of_a_batch_fails_the_outcome_of_the_batch_is_unknown() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.acknowledges = False
        batch = [action(f"user-{number}") for number in range(20)]
        publishing = asyncio.create_task(publish(fixture.publisher, batch))
        await fixture.sent(PARTITIONS)
        fixture.connection.report(TIMED_OUT)
        fixture.connection.deliver()
        with pytest.raises(OutcomeUnknown):
            await publishing


@pytest.mark.parametrize("refusal", [BufferError("full"), FATAL, MemoryError()])
async def test_what_librdkafka_did_not_take_was_not_published(refusal: Exception) -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.refusal = refusal
        with pytest.raises(NotPublished):
            await publish(fixture.publisher, [action(f"user-{number}") for number in range(20)])
        assert fixture.in_flight_bytes() == 0


async def test_a_batch_of_which_a_part_was_taken_has_an_unknown_outcome() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        batch = [action("a")] * 100 + [action("b")] * 100
        assert partition_of("a", PARTITIONS) != partition_of("b", PARTITIONS)
        fixture.connection.room = 1
        with pytest.raises(OutcomeUnknown):
            await publish(fixture.publisher, batch)


async def test_beyond_the_memory_that_may_be_in_flight_nothing_is_taken_until_some_is_acknowledged() -> None:
    limits = {"ingest_max_in_flight_bytes": 200, "ingest_max_body_bytes": 1, "ingest_max_decompressed_bytes": 1}
    async with PublisherFixture(**limits) as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.acknowledges = False
        publishing = asyncio.create_task(publish(fixture.publisher, [action()] * 4))
        await fixture.sent(1)
        with pytest.raises(NotPublished):
            await publish(fixture.publisher, [action()])
        fixture.connection.deliver()
        await publishing
        fixture.connection.acknowledges = True
        await publish(fixture.publisher, [action()])


async def test_it_has_started_once_kafka_has_answered_about_the_topic_and_not_before() -> None:
    fixture = PublisherFixture(ingest_metadata_refresh=timedelta(milliseconds=1))
    fixture.start_with = LogUnavailable("Kafka does not answer")
    starting = asyncio.create_task(fixture.publisher.start())
    await until(lambda: bool(fixture.connections))
    await fixture.metadata_requests(2)
    assert not starting.done()
    fixture.connection.partitions = PARTITIONS
    await starting
    await publish(fixture.publisher, [action()])
    assert len(fixture.connection.sent) == 1
    await fixture.publisher.close()


async def test_without_kafka_it_starts_all_the_same_and_nothing_is_published_until_kafka_was_reached() -> None:
    fixture = PublisherFixture(
        ingest_metadata_refresh=timedelta(milliseconds=1), ingest_delivery_timeout=timedelta(seconds=1)
    )
    fixture.start_with = LogUnavailable("Kafka does not answer")
    async with fixture:
        with pytest.raises(NotPublished, match="Kafka does not answer"):
            await publish(fixture.publisher, [action()])
        assert await fixture.publisher.unavailable_reason() == "Kafka does not answer"
        fixture.connection.partitions = PARTITIONS
        await fixture.metadata_requests(2)
        await publish(fixture.publisher, [action()])


async def test_to_a_topic_that_does_not_exist_nothing_is_published() -> None:
    fixture = PublisherFixture()
    fixture.start_with = LogUnfit("topic 'actions' does not exist")
    async with fixture:
        with pytest.raises(NotPublished, match="does not exist"):
            await publish(fixture.publisher, [action()])


async def test_growth_of_the_topic_is_used_without_a_restart() -> None:
    async with PublisherFixture(ingest_metadata_refresh=timedelta(milliseconds=1)) as fixture:
        await publish(fixture.publisher, [action()])
        fixture.connection.partitions = 64
        while fixture.connection.sent[-1][1] != 64:
            await publish(fixture.publisher, [action("grown")])
        assert fixture.connection.sent[-1][0] == partition_of("grown", 64)


async def test_a_caller_who_gives_up_does_not_take_others_along() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
        fixture.connection.acknowledges = False
        leaving = asyncio.create_task(publish(fixture.publisher, [action()]))
        staying = asyncio.create_task(publish(fixture.publisher, [action()]))
        await fixture.sent(1)
        leaving.cancel()
        await asyncio.wait([leaving])
        fixture.connection.deliver()
        await staying
        assert fixture.in_flight_bytes() == 0


async def test_closing_sends_what_still_waits_and_answers_everyone() -> None:
    fixture = PublisherFixture()
    await fixture.publisher.start()
    await fixture.publisher.unavailable_reason()
    fixture.connection.acknowledges = False
    publishing = asyncio.create_task(publish(fixture.publisher, [action()]))
    await asyncio.sleep(0)
    await fixture.publisher.close()
    assert len(fixture.connection.sent) == 1
    assert fixture.connection.closed
    with pytest.raises(OutcomeUnknown):
        await publishing


async def test_after_closing_nothing_is_published() -> None:
    async with PublisherFixture() as fixture:
        await fixture.publisher.unavailable_reason()
    with pytest.raises(NotPublished):
        await publish(fixture.publisher, [action()])
    assert fixture.in_flight_bytes() == 0


@pytest.mark.parametrize("part_taken", [False, True])
async def test_a_failure_is_forgotten_without_a_search_for_cycles(
    part_taken: bool,  # noqa: FBT001 - drawn, not called by people
) -> None:
    gc.collect()
    gc.disable()
    try:
        async with PublisherFixture() as fixture:
            await fixture.publisher.unavailable_reason()
            if part_taken:
                fixture.connection.room = 1
            else:
                fixture.connection.refusal = FATAL
            told = []
            for _ in range(2):
                try:
                    await publish(fixture.publisher, [action("a")] * 100 + [action("b")] * 100)
                except PublishUnavailable as failure:
                    told.append(weakref.ref(failure))
            assert [failure() for failure in told] == [None, None]
    finally:
        gc.enable()


async def test_after_a_fatal_error_another_connection_takes_over_and_the_old_one_is_closed() -> None:
    async with PublisherFixture() as fixture:
        await publish(fixture.publisher, [action()])
        broken = fixture.connection
        broken.refusal = FATAL
        broken.on_fatal(broken, FATAL.args[0])
        broken.on_fatal(broken, FATAL.args[0])
        assert len(fixture.connections) == 2
        await publish(fixture.publisher, [action()])
        assert len(fixture.connection.sent) == 1
        await until(lambda: broken.closed)


async def test_while_its_user_may_not_write_it_is_not_ready_and_says_why_until_a_connection_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forbidden = KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED, "no PID", fatal=True)
    monkeypatch.setattr(kafka, "_FORBIDDEN_SECONDS", 3600)
    async with PublisherFixture() as fixture:
        refused = fixture.connection
        refused.refusal = FATAL
        refused.on_fatal(refused, forbidden)
        reason = "Kafka does not allow this user to write topic 'actions': no PID"
        assert await fixture.publisher.unavailable_reason() == reason
        with pytest.raises(NotPublished, match="does not allow this user"):
            await publish(fixture.publisher, [action()])
        assert fixture.connections == [refused]

        monkeypatch.setattr(kafka, "_FORBIDDEN_SECONDS", 0)
        refused.on_fatal(refused, forbidden)
        await until(lambda: len(fixture.connections) == 2)
        await publish(fixture.publisher, [action()])
        await until(lambda: refused.closed)
        assert await fixture.publisher.unavailable_reason() is None


def test_records_are_acknowledged_by_all_replicas_and_written_once() -> None:
    config = configuration(IngestSettings(ingest_delivery_timeout=timedelta(seconds=7)))
    assert (config["acks"], config["enable.idempotence"], config["delivery.timeout.ms"]) == ("all", True, 7000)
    assert config["allow.auto.create.topics"] is False


async def test_metrics_of_one_publisher_are_its_own() -> None:
    PublisherFixture()
    PublisherFixture()
    assert "collector_ingest_in_flight_bytes" not in {metric.name for metric in REGISTRY.collect()}
