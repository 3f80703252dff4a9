import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.log.partitioning import partition_of

users = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=256)


@given(users, st.integers(1, 10_000))
def test_every_user_lives_on_one_of_the_partitions(user: str, partitions: int) -> None:
    assert 0 <= partition_of(user, partitions) < partitions


@given(users)
def test_with_one_partition_everyone_lives_on_it(user: str) -> None:
    assert partition_of(user, 1) == 0


@pytest.mark.parametrize(
    ("user", "crc"),
    [
        # The check value by which CRC-32 (ISO-HDLC) is known, one letter, and one beyond ASCII.
        ("123456789", 0xCBF43926),
        ("a", 0xE8B7BE43),
        ("é", 0x0E048D3E),
    ],
)
def test_the_partition_is_the_crc_32_of_the_users_utf8(user: str, crc: int) -> None:
    for partitions in (1, 8, 12, 4096):
        assert partition_of(user, partitions) == crc % partitions
