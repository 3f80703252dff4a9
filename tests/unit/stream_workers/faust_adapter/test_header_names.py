from collections.abc import Iterator

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import ConsumerRecord, TopicPartition

from stream_workers.faust_adapter import header_names
from stream_workers.faust_adapter.header_names import FetchedRecords, ReadableRecords, without_bad_names
from support.producers.odd_names import BAD, Headers, Name, batch_of

GOOD: Headers = [("partitions", b"4"), ("ü", None)]
POISONED: Headers = [("partitions", b"4"), (BAD, b"x"), (Name(b""), None)]
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def unpacked(data: bytes, first: int = 0, aborted: list[tuple[int, int]] | None = None) -> Iterator[ConsumerRecord]:
    """As the fetcher unpacks what it fetched from offset `first` on."""
    tp = TopicPartition("actions", 0)
    return iter(ReadableRecords(tp, FetchedRecords(data), aborted, first, None, None, True, fetcher.READ_COMMITTED))  # noqa: FBT003 - as the fetcher calls it


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_record_with_a_name_that_is_no_utf_8_is_read_without_its_headers_and_all_others_as_they_are(
    codec: int,
) -> None:
    data = batch_of([(b"1", GOOD), (b"2", POISONED), (b"3", GOOD)], 0, codec)
    data += batch_of([(b"4", GOOD)], 3, codec) + batch_of([(b"5" * 500, POISONED), (b"", [])], 4, codec)
    found = list(unpacked(data))
    assert [(one.offset, one.value, one.timestamp) for one in found] == [
        (0, b"1", 1_000),
        (1, b"2", 1_001),
        (2, b"3", 1_002),
        (3, b"4", 1_000),
        (4, b"5" * 500, 1_000),
        (5, b"", 1_001),
    ]
    known = [{name for name, _ in one.headers} & {"partitions", "ü"} for one in found]
    assert known == [{"partitions", "ü"}, set(), {"partitions", "ü"}, {"partitions", "ü"}, set(), set()]


def test_what_can_be_read_is_never_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(header_names, "without_bad_names")
    assert [one.value for one in unpacked(batch_of([(b"1", GOOD)]))] == [b"1"]


def test_reading_begins_within_a_batch_that_has_such_a_record() -> None:
    data = batch_of([(b"%d" % number, POISONED) for number in range(5)])
    assert [one.offset for one in unpacked(data, first=3)] == [3, 4]


def test_batches_before_are_not_read_again() -> None:
    first, second = batch_of([(b"1", GOOD), (b"2", GOOD)]), batch_of([(b"3", GOOD)], base=2)
    assert without_bad_names(first + second, 1) == first + second
    assert without_bad_names(first + second, 2) == second


def test_records_of_an_aborted_transaction_stay_unread_where_such_a_record_follows() -> None:
    aborted = bytearray(batch_of([(b"aborted", GOOD)]))
    data = transactional(aborted, producer=7) + batch_of([(b"read", POISONED)], base=1)
    assert [one.value for one in unpacked(data, aborted=[(7, 0)])] == [b"read"]


def transactional(batch: bytearray, producer: int) -> bytes:
    """Marked as of a producer's transaction."""
    batch[22] |= 0x10
    batch[43:51] = producer.to_bytes(8, "big")
    batch[17:21] = header_names.calc_crc32c(bytes(batch[21:])).to_bytes(4, "big")
    return bytes(batch)


def test_what_is_damaged_is_still_found() -> None:
    good, damaged = batch_of([(b"1", POISONED)]), bytearray(batch_of([(b"2", POISONED)], base=1))
    damaged[-1] ^= 1
    found = unpacked(good + damaged)
    assert next(found).value == b"1"
    with pytest.raises(CorruptRecordException):
        next(found)


def test_a_batch_that_was_cut_off_stays_at_the_end() -> None:
    whole, cut = batch_of([(b"1", POISONED)]), batch_of([(b"2", GOOD)], base=1)[:-1]
    assert without_bad_names(whole + cut, 0).endswith(cut)
    assert [one.value for one in unpacked(whole + cut)] == [b"1"]
