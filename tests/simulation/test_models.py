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


@pytest.mark.parametrize("broken", ["one", "server-times", "progress-by-clock", "periodic", "unrepaired"])
def test_each_rule_that_only_cassandra_needs_is_needed(broken: str) -> None:
    ended = ran("cassandra", 20, broken)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Cassandra, {broken}: 20 runs" in ended.stdout
