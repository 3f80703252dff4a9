from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidHour
from contract.hour import END_OF_TIME_MS, HOUR_MS, format_hour, hour_of, parse_hour

timestamps = st.integers(0, END_OF_TIME_MS - 1)
hours = timestamps.map(hour_of)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(timestamps)
def test_an_hour_holds_its_timestamp_and_starts_on_the_clock_s_hour(timestamp: int) -> None:
    hour = hour_of(timestamp)
    assert hour <= timestamp < hour + HOUR_MS
    start = EPOCH + timedelta(milliseconds=hour)
    assert (start.minute, start.second, start.microsecond) == (0, 0, 0)


@given(hours)
def test_the_last_millisecond_of_an_hour_belongs_to_it_and_the_next_one_does_not(hour: int) -> None:
    assert hour_of(hour) == hour
    assert hour_of(hour + HOUR_MS - 1) == hour
    assert hour_of(hour + HOUR_MS) == hour + HOUR_MS


@given(hours)
def test_an_hour_reads_back_from_its_long_and_its_short_name(hour: int) -> None:
    name = format_hour(hour)
    assert parse_hour(name) == hour
    assert parse_hour(name.removesuffix(":00:00Z")) == hour


@given(timestamps, st.integers(-14 * 60, 14 * 60), st.integers(0, 999))
def test_any_instant_names_the_utc_hour_that_holds_it_whatever_its_offset(
    timestamp: int, offset_minutes: int, microseconds: int
) -> None:
    instant = EPOCH + timedelta(milliseconds=timestamp, microseconds=microseconds)
    local = instant.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert parse_hour(local.isoformat()) == hour_of(timestamp)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("1970-01-01T00", 0),
        ("1970-01-01T00:59:59.999999Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("2099-12-31T23:59:59.999999Z", END_OF_TIME_MS - HOUR_MS),
        ("2024-02-29T12:30+05:45", 1_709_186_400_000),
    ],
)
def test_instants_at_the_edges_name_their_hour(text: str, hour: int) -> None:
    assert parse_hour(text) == hour


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:59:59+01:00",
        "2100-01-01T00:00:00Z",
        "2099-12-31T23:59:59.999999-00:01",
        "0001-01-01T00:00+23:59",
        "9999-12-31T23:59-23:59",
        "2026-11-24",
        "2026-11-24T",
        "2026-11-24T9",
        "2026-02-29T00",
        "1764000000000",
        "",
        "T",
        "now",
        "\uff12026-11-24T09",
        "2026-11-24T09\x00",
        "2026-11-24T09:00\x00:00",
        "\ud800",
    ],
)
def test_a_text_that_names_no_hour_between_1970_and_2100_is_refused(text: str) -> None:
    with pytest.raises(InvalidHour):
        parse_hour(text)


@given(st.text(max_size=40))
def test_any_text_names_an_hour_or_is_refused(text: str) -> None:
    try:
        hour = parse_hour(text)
    except InvalidHour:
        return
    assert hour == hour_of(hour)
