import pytest

from contract.hour import END_OF_TIME_MS
from contract.unit import unit_hint

YEAR_1990 = 631_152_000_000


@pytest.mark.parametrize("instant", [YEAR_1990, 1_800_000_000_000, END_OF_TIME_MS - 1_000])
def test_an_instant_since_1990_is_known_in_every_unit_and_milliseconds_need_no_hint(instant: int) -> None:
    assert unit_hint(instant) is None
    assert unit_hint(instant // 1_000) == "it looks like seconds, not milliseconds"
    assert unit_hint(instant * 1_000) == "it looks like microseconds, not milliseconds"
    assert unit_hint(instant * 1_000_000) == "it looks like nanoseconds, not milliseconds"


@pytest.mark.parametrize("timestamp", [-1, 0, 1, YEAR_1990 // 1_000 - 1, 10**30])
def test_what_is_no_such_instant_in_any_unit_gets_no_hint(timestamp: int) -> None:
    assert unit_hint(timestamp) is None
