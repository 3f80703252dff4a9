from datetime import UTC, datetime, timedelta

import pytest

from collector.keys.changes import added, revoked, rotated
from collector.keys.errors import NameTaken, NoSuchKey
from service.keys.key import Previous
from support.fixtures.keys import hex_of, key_of

ONE = key_of("uac_one", "write", actions_per_second=5)
TWO = key_of("uac_two", "read")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_a_key_is_added_at_the_end_and_its_name_only_once() -> None:
    assert added([ONE], TWO) == [ONE, TWO]
    with pytest.raises(NameTaken, match="there is a key one"):
        added([ONE, TWO], key_of("uac_other", "read", name="one"))


def test_a_key_is_revoked_by_its_name() -> None:
    assert revoked([ONE, TWO], "one") == [TWO]
    with pytest.raises(NoSuchKey, match="there is no key three"):
        revoked([ONE, TWO], "three")


def test_a_rotation_changes_the_text_and_leaves_the_other_for_a_while() -> None:
    first, second = rotated([ONE, TWO], "one", "uac_new", NOW, WEEK)
    expected = key_of(
        "uac_new", "write", name="one", actions_per_second=5, previous=Previous(hex_of("uac_one"), NOW + WEEK)
    )
    assert (first, second) == (expected, TWO)
    with pytest.raises(NoSuchKey):
        rotated([ONE], "two", "uac_new", NOW, WEEK)


def test_a_rotation_without_overlap_takes_the_other_back_at_once() -> None:
    (only,) = rotated([ONE], "one", "uac_new", NOW, timedelta(0))
    assert only.previous is None


def test_of_two_rotations_in_a_row_only_the_last_text_is_left() -> None:
    once = rotated([ONE], "one", "uac_new", NOW, WEEK)
    (twice,) = rotated(once, "one", "uac_newer", NOW + timedelta(hours=1), WEEK)
    assert twice.previous == Previous(hex_of("uac_new"), NOW + timedelta(hours=1) + WEEK)
