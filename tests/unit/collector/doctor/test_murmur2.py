import pytest

from collector.doctor.murmur2 import java_partition_of

A_PRIME = 1_000_003


@pytest.mark.parametrize(
    ("user", "hashed"),
    [
        # The values that Kafka's own tests of its Java client name.
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_users_of_every_length_lie_where_kafka_s_java_client_puts_them(user: str, hashed: int) -> None:
    assert java_partition_of(user, A_PRIME) == (hashed & 0x7FFFFFFF) % A_PRIME
