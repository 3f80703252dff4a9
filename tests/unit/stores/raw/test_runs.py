import asyncio
import random
import threading
from collections.abc import Sequence

import pytest

from contract.hour import HOUR_MS, hour_of
from contract.log.action import MAX_ID, MAX_USER, Action
from contract.log.progress import LogPartition
from contract.store import RawActions, StoredAction
from stores.raw.packing import unpack
from stores.raw.runs import MAX_ACTIONS, MAX_BYTES, Run, runs_of, runs_off_loop

SOURCE = LogPartition("log", 3)
NOVEMBER = 494_902 * HOUR_MS


def held(runs: Sequence[Run]) -> list[StoredAction]:
    return [one for run in runs for one in unpack(run.packed)]


def test_a_run_holds_one_hour_of_one_partition() -> None:
    times = [NOVEMBER, NOVEMBER - 1, NOVEMBER + 1, NOVEMBER + HOUR_MS, NOVEMBER - 2]
    lines = [Action(timestamp, "u", "e") for timestamp in times]
    other = LogPartition("log", 4)
    runs = list(runs_of([RawActions(SOURCE, 10, lines), RawActions(other, 0, lines[:1])], 0))

    assert [run[:4] for run in runs] == [
        (SOURCE, NOVEMBER - HOUR_MS, 11, 2),
        (SOURCE, NOVEMBER, 10, 2),
        (SOURCE, NOVEMBER + HOUR_MS, 13, 1),
        (other, NOVEMBER, 0, 1),
    ]
    assert [one.line for one in held(runs)] == [11, 14, 10, 12, 13, 0]
    assert all(hour_of(one.action.timestamp) == run.hour for run in runs for one in unpack(run.packed))


def test_rejected_lines_are_left_out_and_have_their_numbers() -> None:
    action = Action(NOVEMBER, "u", "e")
    (run,) = runs_of([RawActions(SOURCE, 0, [None, action, None, action])], 0)
    assert (run.first_line, run.length) == (1, 2)
    assert held([run]) == [StoredAction(1, action), StoredAction(3, action)]
    assert not list(runs_of([RawActions(SOURCE, 0, [None]), RawActions(SOURCE, 1, [])], 0))


def test_long_runs_are_cut() -> None:
    lines = [Action(NOVEMBER + at, f"user-{at}", "click") for at in range(2 * MAX_ACTIONS + 1)]
    runs = list(runs_of([RawActions(SOURCE, 5, lines)], 0))
    assert [(run.first_line, run.length) for run in runs] == [
        (5, MAX_ACTIONS),
        (5 + MAX_ACTIONS, MAX_ACTIONS),
        (5 + 2 * MAX_ACTIONS, 1),
    ]
    assert held(runs) == [StoredAction(at, action) for at, action in enumerate(lines, 5)]


def test_runs_of_long_texts_that_resemble_nothing_stay_within_a_text_field() -> None:
    rng = random.Random(3)

    def text(length: int) -> str:
        return "".join(chr(rng.randrange(0x10000, 0x2FFFF)) for _ in range(length))

    lines = [Action(NOVEMBER, text(MAX_USER), "click", text(MAX_ID)) for _ in range(300)]
    runs = list(runs_of([RawActions(SOURCE, 0, lines)], 0))
    assert max(len(run.packed) for run in runs) <= MAX_BYTES
    assert held(runs) == [StoredAction(at, action) for at, action in enumerate(lines)]


def test_an_hour_that_began_too_long_ago_is_left_out_as_a_whole() -> None:
    lines = [Action(NOVEMBER + HOUR_MS - 1, "u", "e"), Action(NOVEMBER + HOUR_MS, "v", "e")]
    assert [run.hour for run in runs_of([RawActions(SOURCE, 0, lines)], NOVEMBER)] == [NOVEMBER, NOVEMBER + HOUR_MS]
    assert [run.hour for run in runs_of([RawActions(SOURCE, 0, lines)], NOVEMBER + 1)] == [NOVEMBER + HOUR_MS]


def test_what_a_run_holds_does_not_depend_on_what_was_flushed_with_it() -> None:
    rng = random.Random(5)
    lines = [
        None if rng.random() < 0.1 else Action(NOVEMBER + rng.randrange(3 * HOUR_MS), f"user-{at}", "e")
        for at in range(400)
    ]
    packed: dict[tuple[LogPartition, int, int, int], bytes] = {}
    for _ in range(300):
        first = rng.randrange(len(lines))
        for run in runs_of([RawActions(SOURCE, first, lines[first : first + rng.randrange(1, 60)])], 0):
            assert packed.setdefault(run[:4], run.packed) == run.packed


async def test_the_event_loop_goes_on_while_actions_are_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = threading.Event()
    went_on: list[bool] = []

    def pack(_numbers: Sequence[int], _actions: Sequence[Action]) -> bytes:
        went_on.append(seen.wait(10))
        return b"packed"

    monkeypatch.setattr("stores.raw.runs.pack", pack)
    packing = asyncio.create_task(runs_off_loop([RawActions(SOURCE, 3, [Action(NOVEMBER, "u", "e")])], 0))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(seen.set)
    assert await packing == [Run(SOURCE, NOVEMBER, 3, 1, b"packed")]
    assert went_on == [True]
