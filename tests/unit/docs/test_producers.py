"""docs/producers.md says what the contract says, and its examples are run where it says so."""

import re
from pathlib import Path

import pytest

from contract.log.action import FIELDS, MAX_ID, MAX_USER, RULES
from contract.log.rebuild import REBUILD_HEADER, REFUSALS
from contract.log.record import MAX_BYTES, MAX_LINES, PARTITIONS_HEADER
from support.producers.guide import GUIDE, example, sections

ROOT = Path(__file__).parents[3]
TEXT = GUIDE.read_text()
TESTS = "".join(path.read_text() for path in ROOT.glob("tests/*/test_kafka_producers.py"))
PRODUCERS = re.findall(r"^\| ([\w -]*\w)[^|]*\|[^|]*\|[^|]*\| (yes|no) \|$", TEXT, re.MULTILINE)


def test_every_rule_stands_there_with_its_code() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", sections()["What is refused"], re.MULTILINE)) == RULES | REFUSALS


def test_the_record_s_limits_and_headers_are_the_contract_s() -> None:
    record = sections()["What a record is"]
    assert f"1 to {MAX_LINES:,} lines of NDJSON, at most {MAX_BYTES // 1024} KiB" in record
    assert {f"header `{PARTITIONS_HEADER}`", f"header `{REBUILD_HEADER}`"} <= set(re.findall(r"header `\w+`", record))
    assert all(f"`{field}`" in record for field in FIELDS)


def test_as_many_lines_as_it_calls_safe_always_fit() -> None:
    lines = int(re.findall(r"(\d+) lines of compact JSON always fit", TEXT)[0])
    an_escaped_character = len(r"\ud83e\udd8a")
    longest = (MAX_USER + MAX_ID) * an_escaped_character + len(
        '{"timestamp":4102444799999,"user":"","event":"","id":""}'
    )
    longest += len("a" * 32) + len("\n")
    assert lines * longest <= MAX_BYTES


@pytest.mark.parametrize(("producer", "is_run"), PRODUCERS)
def test_the_table_says_which_examples_tests_run(producer: str, is_run: str) -> None:
    assert example(producer)
    assert (f'"{producer}"' in TESTS) is (is_run == "yes")


def test_the_table_has_every_example() -> None:
    examples = set(re.findall(r"^### (.+)$", TEXT, re.MULTILINE))
    assert examples - {"Many actions a record"} == {name for name, _ in PRODUCERS}
