"""What an audit reports to people and programs."""

import json

import pytest

from collector.audit.verdict import EXIT_CODES, Difference, Lines, NotJudged, Numbers, Outcome, Verdict

HOUR = "2026-11-24T09:00:00Z"
WINDOW = Difference("window", HOUR, 3, Numbers({"click": 2}, 0, 1, 4, 8), Numbers({"click": 1}, 0, 1, 8, 8))
REASON = NotJudged(0, "partition 0: gone")


@pytest.mark.parametrize(
    ("verdict", "outcome", "code"),
    [
        (Verdict(), Outcome.EQUAL, 0),
        (Verdict(moving=[HOUR], old_logs=["old"], of_old_logs=[HOUR]), Outcome.EQUAL, 0),
        (Verdict(differences=[WINDOW]), Outcome.DIFFERENT, 1),
        (Verdict(not_judged=[REASON]), Outcome.NOT_JUDGED, 2),
        (Verdict(differences=[WINDOW], not_judged=[REASON]), Outcome.DIFFERENT, 1),
    ],
    ids=["equal", "equal-as-far-as-compared", "different", "not-judged", "both"],
)
def test_a_difference_counts_whatever_else_could_not_be_judged(verdict: Verdict, outcome: Outcome, code: int) -> None:
    assert (verdict.outcome, EXIT_CODES[verdict.outcome]) == (outcome, code)
    assert json.loads(verdict.as_json())["outcome"] == outcome


@pytest.mark.parametrize(
    ("difference", "line"),
    [
        (
            WINDOW,
            (
                f"differs: {HOUR} partition 3 window: stored unique_users=1 click=2 duplicates=0 headers=4..8; "
                "recounted unique_users=1 click=1 duplicates=0 headers=8..8"
            ),
        ),
        (
            Difference("answer", HOUR, None, Numbers({}, 0, 0), Numbers({"view": 1}, 2, 1)),
            (
                f"differs: {HOUR} all partitions answer: answered unique_users=0 duplicates=0; "
                "recounted unique_users=1 view=1 duplicates=2"
            ),
        ),
        (
            Difference("window", HOUR, 0, None, Numbers({"view": 1}, 0, 1, 0, 0)),
            (
                f"differs: {HOUR} partition 0 window: stored nothing; "
                "recounted unique_users=1 view=1 duplicates=0 headers=0..0"
            ),
        ),
        (
            Difference("progress", None, 1, Lines(3, {}, 5), Lines(4, {"not_json": 1}, 5)),
            (
                "differs: all hours partition 1 progress: stored lines=3 rejected={} watermark=5; "
                "recounted lines=4 rejected={'not_json': 1} watermark=5"
            ),
        ),
    ],
    ids=["window", "answer", "missing", "progress"],
)
def test_a_difference_is_a_line_that_names_hour_partition_and_both_sides(difference: Difference, line: str) -> None:
    assert next(Verdict(differences=[difference]).text()) == line


@pytest.mark.parametrize(
    ("whole_from", "told"),
    [
        ({0: HOUR, 1: HOUR}, f"hours before {HOUR} of partitions 0, 1"),
        (
            {0: HOUR, 1: "2026-11-24T10:00:00Z", 2: HOUR},
            f"hours before {HOUR} of partitions 0, 2, hours before 2026-11-24T10:00:00Z of partition 1",
        ),
        ({3: None}, "all hours of partition 3"),
        ({0: HOUR, 3: None}, f"hours before {HOUR} of partition 0, all hours of partition 3"),
    ],
)
def test_what_retention_left_no_log_of_is_said_in_a_line_and_is_no_error(
    whole_from: dict[int, str | None], told: str
) -> None:
    verdict = Verdict(whole_from=whole_from, windows=3)
    assert next(verdict.text()) == f"not judged, as the log no longer holds all of them: {told}"
    assert verdict.outcome is Outcome.EQUAL


def test_hours_whose_windows_alone_were_compared_are_named() -> None:
    verdict = Verdict(whole_from={1: "2026-11-24T10:00:00Z"}, windows=1, windows_only=[HOUR])

    assert list(verdict.text()) == [
        "not judged, as the log no longer holds all of them: hours before 2026-11-24T10:00:00Z of partition 1",
        f"compared by windows of the other partitions only, as answers cover all partitions: {HOUR}",
        "equal: 1 windows and 0 answers against 0 lines in 0 records",
    ]


def test_what_an_answer_calls_an_event_begins_no_line_of_its_own() -> None:
    assert str(Numbers({"click=5\n\x1b[1Aequal: 9 windows": 1}, 0, 0)) == (
        r"unique_users=0 click=5\n\u001b[1Aequal: 9 windows=1 duplicates=0"
    )


def test_people_see_the_first_100_differences_and_programs_all() -> None:
    verdict = Verdict(differences=[WINDOW] * 3_000)
    assert len(list(verdict.text())) == 102
    assert "differs: 2900 more; --json lists them all" in list(verdict.text())
    assert len(json.loads(verdict.as_json())["differences"]) == 3_000


def test_what_was_not_compared_is_reported_too() -> None:
    later = "2026-11-24T10:00:00Z"
    verdict = Verdict(moving=[HOUR, later], old_logs=["a", "b"], of_old_logs=[HOUR], not_judged=[REASON], windows=7)
    assert list(verdict.text()) == [
        "not judged: partition 0: gone",
        f"still being counted, answers not compared: 2 hours from {HOUR} to {later}",
        f"not judged, as the topic has been re-created since: a, b; answers not compared: {HOUR}",
        "not judged: 7 windows and 0 answers against 0 lines in 0 records",
    ]
