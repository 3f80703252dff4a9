"""docs/exactness.md names a test for each rule: they must be there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/exactness.md").read_text()
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))


def test_every_test_that_it_names_is_there() -> None:
    names = set(re.findall(r"`(test_\w+)`", TEXT))
    assert names
    assert names == {name for name in names if f"def {name}(" in TESTS}


def test_every_broken_rule_that_it_names_is_one_of_the_simulations() -> None:
    rules = {rule for row in re.findall(r"simulation ([`\w, ]+)", TEXT) for rule in re.findall(r"`([a-z]\w+)`", row)}
    broken = (ROOT / "tests/simulation/test_flush_protocol.py").read_text()
    listed = re.findall(r"^    (\w+),$", broken.partition("RULES = [")[2], re.MULTILINE)
    assert {rule for rule in rules if not rule.startswith("test_")} == set(listed)


def test_it_stays_short_enough_to_be_read() -> None:
    assert len(TEXT.splitlines()) <= 150
