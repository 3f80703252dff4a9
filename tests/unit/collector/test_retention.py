from datetime import timedelta

import pytest

from collector.retention import Retained, whole_after, whole_hours
from collector.target import AuditSettings
from contract.hour import END_OF_TIME_MS, HOUR_MS
from ingest_api.settings import IngestSettings

HOUR = 494_902 * HOUR_MS
MINUTE = 60_000


@pytest.mark.parametrize(
    ("appended", "hours_later"),
    [(HOUR, 2), (HOUR + 58 * MINUTE, 2), (HOUR + 59 * MINUTE, 3), (HOUR - 1, 2), (HOUR - MINUTE - 1, 1)],
)
def test_an_hour_is_whole_if_it_begins_later_than_what_was_removed_could_be_dated_and_clocks_may_differ(
    appended: int, hours_later: int
) -> None:
    assert whole_after(appended, timedelta(hours=1)) == HOUR + hours_later * HOUR_MS


def test_what_was_removed_may_be_dated_as_far_ahead_as_ingest_lets_it() -> None:
    assert whole_after(HOUR, timedelta(days=2)) == HOUR + 49 * HOUR_MS
    audit, ingest = (settings.model_fields["ingest_future_tolerance"] for settings in (AuditSettings, IngestSettings))
    assert audit.default == ingest.default


def test_no_hour_is_beyond_the_end_of_time() -> None:
    assert whole_after(END_OF_TIME_MS, timedelta(hours=1)) == END_OF_TIME_MS


def test_which_hours_are_whole_is_said_where_it_is_known() -> None:
    assert whole_hours(Retained(3, HOUR)) == "; hours from 2026-06-16T22:00:00Z on are whole"
    assert whole_hours(Retained(3, END_OF_TIME_MS)) == ""
