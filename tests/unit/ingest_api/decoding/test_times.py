from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.hour import END_OF_TIME_MS
from contract.log.action import Rejection
from ingest_api.decoding.times import in_ms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = 1_795_780_800_000
"""2026-11-27T12:00:00Z."""


@given(
    st.integers(0, END_OF_TIME_MS - 1),
    st.integers(-14 * 60, 14 * 60),
    st.from_regex(r"[0-9]{0,9}", fullmatch=True),
    st.booleans(),
)
def test_a_text_with_an_offset_is_the_instant_that_it_names(
    ms: int,
    offset: int,
    beyond_ms: str,
    lower_case: bool,  # noqa: FBT001 - drawn, not called by people
) -> None:
    zone = timezone(timedelta(minutes=offset))
    local = (EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    hours, minutes = divmod(abs(offset), 60)
    text = f"{local:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}{beyond_ms}{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"
    assert in_ms("time", text.lower() if lower_case else text) == ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-11-27T12:00:00Z", NOON),
        ("2026-11-27t12:00:00z", NOON),
        ("2026-11-27 12:00:00Z", NOON),
        ("2026-11-27T12:00Z", NOON),
        ("2026-11-27T12:00:00", NOON),
        ("2026-11-27T12:00:00-00:00", NOON),
        ("2026-11-27T12:00:00.123Z", NOON + 123),
        ("2026-11-27T12:00:00.123999999999Z", NOON + 123),
        ("2026-11-27T12:00:00.1Z", NOON + 100),
        ("2026-11-27T12:00:00,5Z", NOON + 500),
        ("2026-11-27T17:30:00+0530", NOON),
        ("2026-11-27T13:00:00+01", NOON),
        ("2026-11-26T22:00:00-14:00", NOON),
    ],
)
def test_the_ways_to_write_an_instant(text: str, ms: int) -> None:
    assert in_ms("time", text) == ms


@pytest.mark.parametrize(
    ("number", "ms"), [(0, 0), (NOON, NOON), (NOON + 0.999, NOON), (-1, -1), (-0.5, -1), (10**400, 10**400)]
)
def test_a_number_is_ms_rounded_down(number: float, ms: int) -> None:
    assert in_ms("time", number) == ms


def test_an_instant_before_the_epoch_is_negative_and_left_to_the_rules() -> None:
    assert in_ms("time", "1969-12-31T23:59:59.9999Z") == -1
    assert in_ms("time", "0001-01-01T00:00:00+14:00") == -62_135_596_800_000 - 14 * 3_600_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "1795780800000",
        "2026-11-27",
        "20261127",
        "20261127T120000Z",
        "2026-W48-5T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-11-27T24:00:00Z",
        "2026-11-27T12:00:61Z",
        "2026-11-27T12:00:00.Z",
        "2026-11-27T12:00:00Zulu",
        "2026-11-27T12:00:00 +01:00 ",
        "2026-11-27T12:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "\uff12026-11-27T12:00:00Z",
        "Fri, 27 Nov 2026 12:00:00 GMT",
        None,
        True,
        [],
        {"ms": 1},
    ],
)
def test_what_names_no_instant_is_rejected_under_the_name_of_its_field(value: object) -> None:
    rejection = in_ms("sentAt", value)
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.field) == ("timestamp_malformed", "sentAt")
    assert rejection.message.startswith("sentAt ")
    assert "ISO 8601" in rejection.message


def test_a_number_that_is_none_is_rejected() -> None:
    assert isinstance(in_ms("time", float("inf")), Rejection)
    assert isinstance(in_ms("time", float("nan")), Rejection)
