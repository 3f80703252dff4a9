"""On fake connections: records carry the context of a span of theirs where a request of theirs is recorded."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from opentelemetry.trace import SpanKind

from contract.log.action import Action
from contract.log.partitioning import partition_of
from ingest_api.errors import OutcomeUnknown
from ingest_api.publishing.accumulator import Lines, OutgoingRecord
from ingest_api.publishing.publisher import publish
from ingest_api.traces.record import RecordSpans
from ingest_api.traces.requests import REQUEST_SPAN
from service.traces.context import headers_of
from service.traces.span import MOST_LINKS, SpanTemplate
from support.fixtures.ingest import PARTITIONS, TIMED_OUT, FakeConnection, PublisherFixture
from support.fixtures.traces import SpansInMemory

USER = "ada"
PARTITION = partition_of(USER, PARTITIONS)
ACTION = Action(1_800_000_000_000, USER, "click")


class Published:
    """A publisher whose records make spans."""

    def __init__(self) -> None:
        self.spans = SpansInMemory()
        self.fixture = PublisherFixture(new_record=RecordSpans(self.spans.process.tracer, "actions").record)

    @property
    def connection(self) -> FakeConnection:
        return self.fixture.connection

    async def publish(self, actions: list[Action], name: str | None = None) -> None:
        """For a request whose span has this name; for one that is not recorded, without."""
        span = self.spans.process.tracer.begin(SpanTemplate(name)) if name else None
        REQUEST_SPAN.set(span)
        try:
            await publish(self.fixture.publisher, actions)
        finally:
            if span is not None:
                span.end()


@pytest.fixture
async def published() -> AsyncIterator[Published]:
    published = Published()
    async with published.fixture:
        yield published


async def test_a_record_carries_the_context_of_a_span_of_its_own_below_the_requests(published: Published) -> None:
    await published.publish([ACTION], "request")

    request, sending = published.spans.one("request"), published.spans.one("send actions")
    assert sending.parent == (request.context.trace_id, request.context.span_id)
    assert published.connection.headers == [[("partitions", b"4"), *headers_of(sending.context)]]
    assert sending.kind is SpanKind.PRODUCER
    assert sending.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "actions",
        "messaging.destination.partition.id": str(PARTITION),
        "messaging.message.body.size": len(published.connection.sent[0][2]),
        "messaging.kafka.offset": 0,
        "collector.record.lines": 1,
    }


async def test_a_record_of_requests_that_are_not_recorded_is_as_ever(published: Published) -> None:
    await published.publish([ACTION])
    assert published.connection.headers == [[("partitions", b"4")]]
    assert not published.spans.ended


async def test_a_record_that_is_not_acknowledged_is_an_error(published: Published) -> None:
    published.connection.acknowledges = False
    publishing = asyncio.create_task(published.publish([ACTION], "request"))
    await published.fixture.sent(1)
    published.connection.deliver(TIMED_OUT)
    with pytest.raises(OutcomeUnknown):
        await publishing

    sending = published.spans.one("send actions")
    assert sending.error == "outcome_unknown"


async def test_each_of_a_requests_records_has_a_span(published: Published) -> None:
    users = {partition_of(user, PARTITIONS): user for user in map(str, range(100))}
    await published.publish([Action(ACTION.timestamp, user, "click") for user in users.values()], "request")

    named = [
        span.attributes["messaging.destination.partition.id"]
        for span in published.spans.ended
        if span.name == "send actions"
    ]
    assert sorted(map(str, named)) == list(map(str, range(PARTITIONS)))


@pytest.mark.parametrize("requests", [3, MOST_LINKS + 10])
def test_a_record_of_several_requests_is_the_first_ones_child_and_names_others(requests: int) -> None:
    spans = SpansInMemory()
    tracer = spans.process.tracer
    record: OutgoingRecord = RecordSpans(tracer, "actions").record(0, 4)
    begun = []
    for number in range(requests):
        span = tracer.begin(SpanTemplate(str(number)))
        begun.append(span.context)
        REQUEST_SPAN.set(span)
        record.add(Lines(0, 1, b"{}\n"), lambda _: None)
        REQUEST_SPAN.set(None)
        record.add(Lines(0, 1, b"{}\n"), lambda _: None)
    record.headers()
    record.settle(None)

    sending = spans.one("send actions")
    assert sending.parent == (begun[0].trace_id, begun[0].span_id)
    assert sending.links == begun[1 : MOST_LINKS + 1]


def test_what_it_does_with_lines_is_what_a_record_without_traces_does() -> None:
    plain, traced = OutgoingRecord(3, 8), RecordSpans(SpansInMemory().process.tracer, "actions").record(3, 8)
    for lines in (Lines(3, 1, b"{}\n"), Lines(3, 2, b"{}\n{}\n")):
        plain.add(lines, print)
        traced.add(lines, print)
    assert traced.lines == 3
    for name in OutgoingRecord.__slots__:
        assert getattr(traced, name) == getattr(plain, name)
