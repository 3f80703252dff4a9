import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.commands.operating import raw
from contract.hour import HOUR_MS, format_hour
from contract.log.action import Action, encode_action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, RawActions, WindowPoint
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore
from support.pipeline.collector_program import COLLECTOR

HOUR = 494_902 * HOUR_MS
SOURCE = LogPartition("log", 0)
ACTIONS = [Action(HOUR + at, "u", "click") for at in range(3)]


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """What the command opens: a store with one hour of three actions."""
    store = MemoryStore()
    await store.write_actions([RawActions(SOURCE, 0, ACTIONS)])
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(0, lines=3))])
    await store.write_windows([WindowPoint(SOURCE, HOUR, 1, WindowValue(0, {"click": 3}))], [])
    monkeypatch.setattr(raw, "open_store", lambda *_: store)
    monkeypatch.setenv("COLLECTOR_INFLUX_URL", "http://127.0.0.1:1")
    return store


@pytest.mark.usefixtures("store")
def test_all_actions_of_the_hour_are_printed() -> None:
    ended = CliRunner().invoke(app, ["raw", "--hour", format_hour(HOUR)])
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [encode_action(action).decode() for action in ACTIONS]


def test_actions_that_were_counted_and_are_not_stored_are_told(store: MemoryStore) -> None:
    del store.actions[SOURCE, 1]
    ended = CliRunner().invoke(app, ["raw", "--hour", format_hour(HOUR)])
    assert (ended.exit_code, len(ended.stdout.splitlines())) == (2, 2)
    assert ended.stderr == (
        "collector: 3 actions were counted in this hour, 2 of them are stored as raw actions; workers keep these for "
        "COLLECTOR_RAW_RETENTION (30 days by default), or none: COLLECTOR_RAW_STORAGE=off\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--hour", "yesterday"], "an hour is YYYY-MM-DDTHH"),
        (["--hour", "2026-11-24T09", "--event", "Click"], "a lowercase letter"),
        (["--hour", "2026-11-24T09", "--format", "xml"], "ndjson"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(arguments: list[str], told: str) -> None:
    ended = CliRunner().invoke(app, ["raw", *arguments])
    assert ended.exit_code == 2
    assert told in ended.stderr


def test_a_store_that_is_away_is_told_in_one_line() -> None:
    environment = os.environ | {"COLLECTOR_INFLUX_URL": "http://127.0.0.1:1"}
    ended = subprocess.run(
        [*COLLECTOR, "raw", "--hour", "2026-11-24T09"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("collector: no answer: ")
    assert ended.stderr.count("\n") == 1


PRINTS_ON_AND_ON = f"""
import sys
from collector.commands.operating import raw
from contract.log.action import Action
async def portions(self):
    while True:
        yield [Action({HOUR}, "u", "click")] * 1_000
raw.RawHour.portions = portions
sys.argv = ["collector", "raw", "--hour", {format_hour(HOUR)!r}]
from collector.cli import main
main()
"""


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    environment = os.environ | {"COLLECTOR_INFLUX_URL": "http://127.0.0.1:1"}
    program = [COLLECTOR[0], "-c", PRINTS_ON_AND_ON]
    with (
        (tmp_path / "errors").open("wb") as errors,
        subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=errors) as running,
    ):
        assert running.stdout is not None
        assert running.stdout.readline() == encode_action(ACTIONS[0]) + b"\n"
        running.stdout.close()
        assert running.wait(120) == 141
    assert (tmp_path / "errors").read_text() == ""
