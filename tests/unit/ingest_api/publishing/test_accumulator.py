from hypothesis import given
from hypothesis import strategies as st

from contract.log.record import MAX_BYTES, MAX_LINES, decode_record
from ingest_api.errors import NotPublished, PublishUnavailable
from ingest_api.publishing.accumulator import ENOUGH_LINES, Lines, OutgoingRecord, RecordAccumulator
from support.fixtures.ingest import until

LINE = b'{"timestamp":1,"user":"u","event":"click"}\n'
NEVER = 3600.0


def lines(partition: int, number: int = 1) -> Lines:
    return Lines(partition, number, LINE * number)


def nobody(_: PublishUnavailable | None) -> None:
    """Nobody wants to know."""


class Sent(list[OutgoingRecord]):
    """The records that were sent, in order."""

    @property
    def values(self) -> list[tuple[int, bytes]]:
        return [(record.partition, record.value()) for record in self]

    @property
    def lines(self) -> list[tuple[int, int]]:
        return [(record.partition, record.lines) for record in self]


async def test_lines_of_one_partition_that_come_within_the_linger_share_a_record() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, 0.001)
    outgoing.add([Lines(3, 1, b"a\n"), Lines(5, 1, b"b\n")], 8, nobody)
    outgoing.add([Lines(3, 1, b"c\n")], 8, nobody)
    assert sent == []
    await until(lambda: len(sent) == 2)
    assert sent.values == [(3, b"a\nc\n"), (5, b"b\n")]


async def test_lines_that_come_after_the_linger_have_a_record_and_a_linger_of_their_own() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, 0.0)
    outgoing.add([Lines(0, 1, b"a\n")], 1, nobody)
    await until(lambda: len(sent) == 1)
    outgoing.add([Lines(0, 1, b"b\n")], 1, nobody)
    await until(lambda: len(sent) == 2)
    assert sent.values == [(0, b"a\n"), (0, b"b\n")]


async def test_a_record_with_lines_enough_goes_at_once_and_takes_those_along_that_waited() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    outgoing.add([lines(0), lines(1)], 2, nobody)
    outgoing.add([lines(0, ENOUGH_LINES - 2)], 2, nobody)
    assert sent == []
    outgoing.add([lines(0)], 2, nobody)
    assert sent.lines == [(0, ENOUGH_LINES)]
    outgoing.flush()
    assert sent.lines[1:] == [(1, 1)]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, MAX_LINES), st.integers(1, MAX_BYTES // 2 - 8)), max_size=50)
)
async def test_records_keep_the_limits_and_all_lines_go_once_and_in_order(drawn: list[tuple[int, int, int]]) -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    given_lines = [
        Lines(partition, number, b"%d" % slot + b"x" * size) for slot, (partition, number, size) in enumerate(drawn)
    ]
    outgoing.add(given_lines, 4, nobody)
    outgoing.flush()
    for record in sent:
        assert record.lines <= MAX_LINES
        assert len(record.value()) == record.size <= MAX_BYTES
    for partition in range(4):
        of_partition = b"".join(value for where, value in sent.values if where == partition)
        assert of_partition == b"".join(each.text for each in given_lines if each.partition == partition)
    assert sum(record.lines for record in sent) == sum(each.number for each in given_lines)


async def test_lines_that_have_no_room_in_the_open_record_go_in_the_next_one() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    outgoing.add([lines(0)], 1, nobody)
    outgoing.add([lines(0, MAX_LINES)], 1, nobody)
    assert sent.lines == [(0, 1), (0, MAX_LINES)]


async def test_a_record_is_of_one_partition_count_only() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    outgoing.add([Lines(0, 1, b"a\n")], 8, nobody)
    outgoing.add([Lines(0, 1, b"b\n")], 16, nobody)
    outgoing.flush()
    assert [(record.partitions, record.value()) for record in sent] == [(8, b"a\n"), (16, b"b\n")]


async def test_a_record_s_value_is_its_lines_as_the_contract_reads_them() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    outgoing.add([lines(0), lines(0, 2)], 1, nobody)
    outgoing.flush()
    assert sent[0].value() == LINE * 3
    assert len(decode_record(sent[0].value())) == 3


async def test_everyone_whose_lines_a_record_carries_is_told_how_it_ended() -> None:
    sent = Sent()
    outgoing = RecordAccumulator(sent.append, NEVER)
    first, second = list[PublishUnavailable | None](), list[PublishUnavailable | None]()
    outgoing.add([lines(0)], 2, first.append)
    outgoing.add([lines(0), lines(1)], 2, second.append)
    outgoing.flush()
    failure = NotPublished("no room")
    sent[0].settle(failure)
    assert (first, second) == ([failure], [failure])
    sent[1].settle(None)
    assert (first, second) == ([failure], [failure, None])


async def test_who_cannot_be_told_takes_nobody_along() -> None:
    def broken(_: PublishUnavailable | None) -> None:
        raise RuntimeError

    told = list[PublishUnavailable | None]()
    record = OutgoingRecord(0, 1)
    record.add(lines(0), broken)
    record.add(lines(0), told.append)
    record.settle(None)
    assert told == [None]


async def test_a_record_is_settled_once() -> None:
    told = list[PublishUnavailable | None]()
    record = OutgoingRecord(0, 1)
    record.add(lines(0), told.append)
    record.settle(None)
    record.settle(NotPublished("late"))
    assert told == [None]


async def test_flushing_nothing_sends_nothing() -> None:
    sent = Sent()
    RecordAccumulator(sent.append, NEVER).flush()
    assert sent == []
