import asyncio

from hypothesis import given
from hypothesis import strategies as st
from ingest_world import until

from contract.record import MAX_BYTES, MAX_LINES, decode_record
from ingest_api.errors import NotPublished
from ingest_api.outgoing import ENOUGH_LINES, OutgoingRecord, OutgoingRecords

LINE = b'{"timestamp":1,"user":"u","event":"click"}'
NEVER = 3600.0


class Sent(list[OutgoingRecord]):
    """The records that were sent, in order."""

    @property
    def lines(self) -> list[tuple[int, list[bytes]]]:
        return [(record.partition, record.lines) for record in self]


async def test_lines_of_one_partition_that_come_within_the_linger_share_a_record() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, 0.001)
    first = outgoing.add([(3, b"a"), (5, b"b")], 8)
    second = outgoing.add([(3, b"c")], 8)
    assert sent == []
    assert second == first[:1]
    await until(lambda: len(sent) == 2)
    assert sent.lines == [(3, [b"a", b"c"]), (5, [b"b"])]


async def test_lines_that_come_after_the_linger_have_a_record_and_a_linger_of_their_own() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, 0.0)
    outgoing.add([(0, b"a")], 1)
    await until(lambda: len(sent) == 1)
    outgoing.add([(0, b"b")], 1)
    await until(lambda: len(sent) == 2)
    assert sent.lines == [(0, [b"a"]), (0, [b"b"])]


async def test_a_record_with_lines_enough_goes_at_once_and_takes_those_along_that_waited() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, NEVER)
    outgoing.add([(0, b"single"), (1, b"other")], 2)
    outgoing.add([(0, LINE)] * (ENOUGH_LINES - 1), 2)
    assert sent.lines == [(0, [b"single", *[LINE] * (ENOUGH_LINES - 1)])]
    outgoing.flush()
    assert sent.lines[1:] == [(1, [b"other"])]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20_000)), max_size=50), st.integers(1, 60))
async def test_records_keep_the_limits_and_every_line_goes_once_and_in_order(
    sizes: list[tuple[int, int]], times: int
) -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, NEVER)
    lines = [(partition, b"%d" % number * size) for number, (partition, size) in enumerate(sizes)] * times
    carriers = outgoing.add(lines, 4)
    outgoing.flush()
    assert sorted(map(id, carriers)) == sorted(map(id, sent))
    for record in sent:
        assert len(record.lines) <= MAX_LINES
        assert len(record.value()) == record.size <= MAX_BYTES
    for partition in range(4):
        of_partition = [record.lines for record in sent if record.partition == partition]
        assert sum(of_partition, []) == [line for where, line in lines if where == partition]  # noqa: RUF017 - short


async def test_a_hot_partition_s_record_goes_when_it_is_full_and_the_next_one_begins() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, NEVER)
    outgoing.add([(0, LINE)] * (MAX_LINES + 1), 1)
    assert [len(record.lines) for record in sent] == [MAX_LINES]
    outgoing.flush()
    assert [len(record.lines) for record in sent] == [MAX_LINES, 1]


async def test_a_record_is_of_one_partition_count_only() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, NEVER)
    outgoing.add([(0, b"a")], 8)
    outgoing.add([(0, b"b")], 16)
    outgoing.flush()
    assert [(record.partitions, record.lines) for record in sent] == [(8, [b"a"]), (16, [b"b"])]


async def test_a_record_s_value_is_its_lines_as_the_contract_reads_them() -> None:
    sent = Sent()
    outgoing = OutgoingRecords(sent.append, NEVER)
    outgoing.add([(0, LINE), (0, LINE)], 1)
    outgoing.flush()
    assert sent[0].value() == LINE + b"\n" + LINE + b"\n"
    assert len(decode_record(sent[0].value())) == 2


async def test_a_record_is_settled_once() -> None:
    record = OutgoingRecord(0, 1, asyncio.get_running_loop().create_future())
    record.settle(None)
    record.settle(NotPublished("late"))
    assert await record.outcome is None


async def test_flushing_nothing_sends_nothing() -> None:
    sent = Sent()
    OutgoingRecords(sent.append, NEVER).flush()
    assert sent == []
