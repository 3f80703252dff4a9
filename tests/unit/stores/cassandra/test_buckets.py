import pytest

from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.progress import LogPartition
from stores.cassandra.buckets import PARTITIONS, Bucket, bucket_of, by_bucket, hours_in

SIXTEEN = 16


def test_neighbouring_partitions_and_hours_share_a_bucket() -> None:
    first, last = LogPartition("log", 0), LogPartition("log", PARTITIONS - 1)
    assert bucket_of(first, 0, SIXTEEN) == bucket_of(last, 15 * HOUR_MS, SIXTEEN) == Bucket("log", 0, 0)
    assert bucket_of(LogPartition("log", PARTITIONS), 16 * HOUR_MS, SIXTEEN) == Bucket("log", 1, 1)
    assert bucket_of(LogPartition("other", 0), 0, SIXTEEN) == Bucket("other", 0, 0)


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        (0, END_OF_TIME_MS, range(32, 48)),
        (40 * HOUR_MS, END_OF_TIME_MS, range(40, 48)),
        (0, 34 * HOUR_MS, range(32, 34)),
        (33 * HOUR_MS, 34 * HOUR_MS, [33]),
        (32 * HOUR_MS + 1, 34 * HOUR_MS, [33]),
        (0, 32 * HOUR_MS, []),
        (48 * HOUR_MS, END_OF_TIME_MS, []),
    ],
)
def test_the_hours_of_a_bucket_within_a_span(first: int, end: int, expected: range | list[int]) -> None:
    assert hours_in(Bucket("log", 0, 2), first, end, SIXTEEN) == [hour * HOUR_MS for hour in expected]


def test_each_hour_is_in_the_one_bucket_that_it_is_written_to() -> None:
    source = LogPartition("log", 70)
    hours = [0, 15 * HOUR_MS, 16 * HOUR_MS, END_OF_TIME_MS - HOUR_MS]
    found = dict(by_bucket(source, dict.fromkeys(hours), SIXTEEN))
    assert sorted(hour for some in found.values() for hour in some) == hours
    for bucket, some in found.items():
        assert all(bucket == bucket_of(source, hour, SIXTEEN) for hour in some)
        assert set(some) <= set(hours_in(bucket, 0, END_OF_TIME_MS, SIXTEEN))
