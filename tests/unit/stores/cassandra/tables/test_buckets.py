from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.progress import LogPartition
from stores.cassandra.tables.buckets import PARTITIONS, Bucket, bucket_of, by_bucket

SIXTEEN = 16


def test_neighbouring_partitions_and_hours_share_a_bucket() -> None:
    first, last = LogPartition("log", 0), LogPartition("log", PARTITIONS - 1)
    assert bucket_of(first, 0, SIXTEEN) == bucket_of(last, 15 * HOUR_MS, SIXTEEN) == Bucket("log", 0, 0)
    assert bucket_of(LogPartition("log", PARTITIONS), 16 * HOUR_MS, SIXTEEN) == Bucket("log", 1, 1)
    assert bucket_of(LogPartition("other", 0), 0, SIXTEEN) == Bucket("other", 0, 0)


def test_hours_are_dealt_to_the_buckets_that_they_are_written_to() -> None:
    source = LogPartition("log", 70)
    hours = [0, 15 * HOUR_MS, 16 * HOUR_MS, END_OF_TIME_MS - HOUR_MS]
    found = dict(by_bucket(source, dict.fromkeys(hours), SIXTEEN))
    assert sorted(hour for some in found.values() for hour in some) == hours
    for bucket, some in found.items():
        assert all(bucket == bucket_of(source, hour, SIXTEEN) for hour in some)
