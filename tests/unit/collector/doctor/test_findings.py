"""What the doctor tells people and programs."""

import json

import pytest

from collector.doctor.findings import Diagnosis, Example, Finding, Mistake

EXAMPLE = Example(3, 17, 2, 'user "ada" lives on partition 5 of 8')


def diagnosis(*findings: Finding) -> Diagnosis:
    return Diagnosis("actions", 8, 1_000, 2_000, list(findings))


@pytest.mark.parametrize(
    ("mistake", "healthy"),
    [
        (Mistake.ELSEWHERE, False),
        (Mistake.OTHER_COUNT, False),
        (Mistake.REJECTED, False),
        (Mistake.NO_HEADER, True),
        (Mistake.NO_ID, True),
    ],
)
def test_what_is_counted_exactly_is_healthy(mistake: Mistake, *, healthy: bool) -> None:
    found = diagnosis(Finding(mistake, 4, 2, EXAMPLE))

    first, verdict = found.text()
    assert found.is_healthy is healthy
    assert first.startswith("allowed: " if healthy else "wrong: ")
    assert verdict.startswith("healthy: " if healthy else "not healthy, see docs/producers.md: ")
    assert json.loads(found.as_json())["healthy"] is healthy


def test_a_finding_says_what_to_do_and_where_one_was_seen() -> None:
    text = str(Finding(Mistake.ELSEWHERE, 1_400, 1_400, EXAMPLE, as_java=1_399))

    assert text.startswith(
        "wrong: users on another partition than theirs: 1,400 lines in 1,400 records. An id that is "
    )
    assert ": partition by CRC-32 of the user modulo the partition count. " in text
    assert " Of these lines, where murmur2, the default of Java's producers, puts the user: 1,399. " in text
    assert text.endswith(' The latest: partition 3 offset 17 line 2: user "ada" lives on partition 5 of 8')


def test_a_refused_line_s_code_is_told() -> None:
    text = str(Finding(Mistake.REJECTED, 1, 1, Example(0, 0, None, "record has no line"), code="record_empty"))

    assert text.startswith("wrong: refused (record_empty): 1 line in 1 record. Counted nowhere; ")
    assert text.endswith(" The latest: partition 0 offset 0: record has no line")


def test_nothing_found_is_said_with_what_was_looked_at() -> None:
    assert list(diagnosis().text()) == [
        "healthy: looked at 2,000 lines in 1,000 records of topic actions, 8 partitions"
    ]


def test_programs_are_told_all_of_it() -> None:
    assert json.loads(diagnosis(Finding(Mistake.NO_ID, 4, 2, EXAMPLE)).as_json()) == {
        "healthy": True,
        "topic": "actions",
        "partitions": 8,
        "records": 1_000,
        "lines": 2_000,
        "findings": [
            {
                "mistake": "no_id",
                "lines": 4,
                "records": 2,
                "latest": {"partition": 3, "offset": 17, "line": 2, "what": 'user "ada" lives on partition 5 of 8'},
            }
        ],
    }
