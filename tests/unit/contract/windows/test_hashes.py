from hypothesis import given
from hypothesis import strategies as st

from contract.windows.hashes import hash_of_id, hash_of_user, pack_hashes, unpack_hashes


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_packed_hashes_come_back(values: list[int]) -> None:
    packed = pack_hashes(values)
    assert len(packed) == 8 * len(values)
    assert list(unpack_hashes(packed)) == values


def test_packed_hashes_are_little_endian() -> None:
    assert pack_hashes([1, 2**63]) == b"\x01" + bytes(7) + bytes(7) + b"\x80"


def test_the_hashes_of_stored_segments_stay_what_they_were() -> None:
    """They are in stores for ever: another hash would count every user again."""
    assert hash_of_user("user") == 11_088_858_244_097_027_890
    assert hash_of_id("user", "id") == 2_894_601_224_629_627_623
    assert hash_of_id("a", "bc") != hash_of_id("ab", "c")
