"""The models of the protocol, as whoever changes it runs them; 50,000 runs are for that change."""

import subprocess
import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[1] / "model"


def ran(model: str, runs: int, broken: str = "") -> "subprocess.CompletedProcess[str]":
    """It ends with 0 where all runs are right, or one at least is wrong though a rule is broken."""
    command = [sys.executable, MODELS / f"{model}.py", str(runs), *([broken] if broken else [])]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("model", "runs"), [("protocol", 300), ("cassandra", 100), ("rollup", 500)])
def test_no_run_is_wrong_where_all_rules_are_kept(model: str, runs: int) -> None:
    ended = ran(model, runs)
    assert (ended.returncode, f"{runs} runs, 0 wrong" in ended.stdout) == (0, True), ended.stdout + ended.stderr


SHOW_SOON = (
    "one-slot all-segments no-through-test progress-first evict-mid rebuild-untold rebuild-no-delta "
    "rebuild-value-first rebuild-unacknowledged any-generation compact-named-early newest-full read-uncommitted "
    "pass-unasked manifest-unread manifest-anywhere"
)
"""Rules whose breach shows in 60 runs; others take thousands."""
ONLY_CASSANDRA_NEEDS = "one server-times progress-by-clock periodic unrepaired"


@pytest.mark.parametrize(
    ("model", "runs", "broken"),
    [
        *[("protocol", 60, broken) for broken in SHOW_SOON.split()],
        *[("cassandra", 20, broken) for broken in ONLY_CASSANDRA_NEEDS.split()],
    ],
)
def test_each_rule_of_a_model_is_needed(model: str, runs: int, broken: str) -> None:
    ended = ran(model, runs, broken)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"{broken}: {runs} runs" in ended.stdout
