"""What every store promises of raw actions, in each way to store them."""

import pytest

from contract.hour import END_OF_TIME_MS
from contract.log.action import Action
from contract.log.progress import LogPartition
from contract.store import RawActions
from support.stores.subject import RAW, Subject, now

pytestmark = pytest.mark.parametrize("settings_or_none", RAW, indirect=True)

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
OTHER = LogPartition("-_Tz1x8yQ4u0sK0XfJ2c9A", 3)
LAP = 1_000_000

ODD_TEXTS = [
    *'"\\,= /;#',
    '"quoted"',
    'a"b',
    "ends in a backslash\\",
    "\\\\",
    '\\"',
    "\\n is no newline",
    '",id="x',
    '" 1',
    "a,b=c d",
    "$1 {x} %s 'y' `z`",
    "null",
    "true",
    "12i",
    "é",
    "日本語",
    "😀" * 256,
    "\u2028\u2029\u00a0\u200b\ufeff",
    "x" * 256,
    '"' * 256,
    "\\" * 256,
]


async def test_odd_users_and_ids_come_back_as_they_were(subject: Subject) -> None:
    timestamp = now()
    actions = [Action(timestamp, text, "click", text[:128]) for text in ODD_TEXTS]
    actions += [Action(timestamp, text, "click") for text in ODD_TEXTS]
    await subject.store.write_actions([RawActions(SOURCE, 0, actions)])
    assert await subject.actions() == {(SOURCE, number): action for number, action in enumerate(actions)}


async def test_an_odd_user_does_not_change_how_its_neighbours_are_stored(subject: Subject) -> None:
    timestamp = now()
    actions = [Action(timestamp, "plain", "click", "id"), Action(timestamp, '"', "click"), Action(timestamp, "b", "e")]
    await subject.store.write_actions([RawActions(SOURCE, 0, actions)])
    assert await subject.actions() == {(SOURCE, number): action for number, action in enumerate(actions)}


async def test_every_event_comes_back(subject: Subject) -> None:
    events = ["click", "e", "a_0123456789_bcdefghijklmnopqrst", "time", "log", "user", "state", "select"]
    actions = [Action(now(), "user", event) for event in events]
    await subject.store.write_actions([RawActions(SOURCE, 0, actions)])
    assert await subject.actions() == {(SOURCE, number): action for number, action in enumerate(actions)}


async def test_the_last_millisecond_that_the_log_accepts_is_stored(subject: Subject) -> None:
    action = Action(END_OF_TIME_MS - 1, "user", "click")
    await subject.store.write_actions([RawActions(SOURCE, LAP - 1, [action])])
    assert await subject.actions() == {(SOURCE, LAP - 1): action}


async def test_equal_lines_and_lines_of_one_millisecond_are_all_kept(subject: Subject) -> None:
    actions = [Action(now(), "user", "click", "same")] * 25_000
    await subject.store.write_actions([RawActions(SOURCE, 5, actions)])
    assert await subject.actions() == {(SOURCE, number): action for number, action in enumerate(actions, 5)}


async def test_lines_with_the_same_number_in_another_lap_are_kept_apart(subject: Subject) -> None:
    timestamp = now()
    actions = [Action(timestamp, f"user-{number}", "click") for number in range(20)]
    for first in (LAP - 10, 3 * LAP - 10, 10**15 - 10):
        await subject.store.write_actions([RawActions(SOURCE, first, actions)])
    assert await subject.actions() == {
        (SOURCE, first + number): action
        for first in (LAP - 10, 3 * LAP - 10, 10**15 - 10)
        for number, action in enumerate(actions)
    }


async def test_batches_of_one_call_are_all_stored_each_under_its_source(subject: Subject) -> None:
    timestamp = now()
    batches = [
        RawActions(source, 1_000 * batch, [Action(timestamp, f"{source.log}-{batch}", "click")] * 400)
        for source in (SOURCE, OTHER)
        for batch in range(60)
    ]
    await subject.store.write_actions(batches)
    assert await subject.actions() == {
        (source, number): action for source, first, lines in batches for number, action in enumerate(lines, first)
    }


async def test_a_rejected_line_is_not_stored_but_has_its_number(subject: Subject) -> None:
    first, last = Action(now(), "first", "click"), Action(now(), "last", "click")
    await subject.store.write_actions([RawActions(SOURCE, 0, [None, first, None, None, last, None])])
    assert await subject.actions() == {(SOURCE, 1): first, (SOURCE, 4): last}


async def test_a_write_may_be_repeated_in_other_pieces(subject: Subject) -> None:
    timestamp = now()
    actions = [Action(timestamp, f"user-{number}", "click") for number in range(100)]
    await subject.store.write_actions([RawActions(SOURCE, 0, actions)])
    await subject.store.write_actions([RawActions(SOURCE, 0, actions[:30]), RawActions(SOURCE, 30, actions[30:])])
    assert await subject.actions() == {(SOURCE, number): action for number, action in enumerate(actions)}


async def test_nothing_to_write_is_written(subject: Subject) -> None:
    for batches in ([], [RawActions(SOURCE, 0, [])], [RawActions(SOURCE, 0, [None])]):
        await subject.store.write_actions(batches)
    assert await subject.actions() == {}
