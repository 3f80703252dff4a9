from zlib import crc32

import msgspec

from collector.doctor.examination import Examination
from collector.doctor.findings import Example, Finding, Mistake
from contract.log.action import Action, encode_action
from contract.log.rebuild import Rebuild
from contract.log.record import Record

PARTITIONS = 8
NOBODY = -1


def user_of(partition: int, partitions: int = PARTITIONS) -> str:
    """A user that lives there."""
    return next(name for name in map(str, range(10_000)) if crc32(name.encode()) % partitions == partition)


def line(user: str, action_id: str | None = "1") -> bytes:
    return encode_action(Action(1_764_000_000_000, user, "click", action_id))


def record(*lines: bytes, partition: int = 0, offset: int = 0, header: int = PARTITIONS) -> Record:
    return Record(partition, offset, 0, b"\n".join(lines), header)


def found(*records: Record) -> list[Finding]:
    examination = Examination(PARTITIONS)
    for one in records:
        examination.add(one)
    return examination.diagnosis("actions").findings


def test_records_as_our_own_api_writes_them_have_no_mistake() -> None:
    assert found(record(line(user_of(0)), line(user_of(0))), record(line(user_of(3)), partition=3)) == []


def test_a_record_without_the_header_is_named() -> None:
    (finding,) = found(record(line(user_of(0))), record(line(user_of(0)), line(user_of(0)), header=0, offset=1))

    assert (finding.mistake, finding.lines, finding.records) == (Mistake.NO_HEADER, 2, 1)
    assert finding.latest == Example(0, 1, None, "no count")


def test_a_record_that_names_another_count_is_named_and_its_users_are_judged_by_it() -> None:
    (finding,) = found(record(line(user_of(3, 4)), partition=3, header=4))

    assert (finding.mistake, finding.latest.what) == (Mistake.OTHER_COUNT, "4 partitions, not 8")


def test_users_of_other_partitions_are_counted_by_line_and_the_latest_is_shown() -> None:
    here, there = user_of(0), user_of(5)

    (finding,) = found(record(line(here)), record(line(there), line(here), line(there), offset=7))

    assert (finding.mistake, finding.lines, finding.records) == (Mistake.ELSEWHERE, 2, 1)
    assert finding.latest == Example(0, 7, 2, f'user "{there}" lives on partition 5 of 8')


def test_a_user_s_long_name_is_cut() -> None:
    long = next(name for number in range(1000) if crc32((name := f"{'é' * 200}{number}").encode()) % PARTITIONS == 5)

    (finding,) = found(record(line(long)))

    assert finding.latest.what == f'user "{"é" * 63}… lives on partition 5 of 8'


def test_lines_that_lie_where_murmur2_puts_them_are_counted_apart() -> None:
    # From the hashes that test_murmur2.py has; by CRC-32 they live on 5 and 2.
    by_java, not_by_java = ("foobar", 6), ("a-little-bit-long-string", 1)

    (finding,) = found(
        *(record(line(user), line(user), partition=partition) for user, partition in (by_java, not_by_java))
    )

    assert (finding.lines, finding.as_java) == (4, 2)


def test_lines_without_an_id_are_counted() -> None:
    (finding,) = found(record(line(user_of(0), None), line(user_of(0)), line(user_of(0), None)))

    assert (finding.mistake, finding.lines, finding.records) == (Mistake.NO_ID, 2, 1)
    assert finding.latest == Example(0, 0, 2, f'user "{user_of(0)}"')


def test_rejected_lines_are_counted_by_code_with_the_rule_that_they_break() -> None:
    findings = found(record(b"x", line(user_of(0)), b'{"user":"a"}', b"y"), record(b"z", offset=9))

    assert [(one.mistake, one.code, one.lines, one.records) for one in findings] == [
        (Mistake.REJECTED, "not_json", 3, 2),
        (Mistake.REJECTED, "timestamp_missing", 1, 1),
    ]
    assert findings[1].latest == Example(0, 0, 2, "timestamp is required")


def test_a_record_that_breaks_a_rule_as_a_whole_is_one_rejected_line() -> None:
    (finding,) = found(Record(0, 0, 0, None, PARTITIONS))

    assert (finding.code, finding.lines) == ("record_null", 1)


def test_a_rebuild_s_record_is_no_producer_s() -> None:
    rebuild = Rebuild(1, 0, 3_600_000, 4)
    examination = Examination(PARTITIONS)

    examination.add(msgspec.structs.replace(record(), offset=5, value=rebuild.encode(), partitions=0, is_rebuild=True))

    diagnosis = examination.diagnosis("actions")
    assert (diagnosis.records, diagnosis.lines, diagnosis.findings) == (0, 0, [])


def test_the_worst_mistake_comes_first_then_the_most_frequent() -> None:
    findings = found(
        record(line(user_of(0), None), header=0),
        record(b"x", b"y", b"{}"),
        record(line(user_of(1))),
        record(line(user_of(0, 4)), header=4),
    )

    assert [(one.mistake, one.code) for one in findings] == [
        (Mistake.ELSEWHERE, None),
        (Mistake.OTHER_COUNT, None),
        (Mistake.REJECTED, "not_json"),
        (Mistake.REJECTED, "timestamp_missing"),
        (Mistake.NO_HEADER, None),
        (Mistake.NO_ID, None),
    ]
