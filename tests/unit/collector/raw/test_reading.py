from collections.abc import Sequence

from collector.raw.reading import RawHour
from collector.raw.selection import Selection
from contract.hour import HOUR_MS
from contract.log.action import Action
from contract.log.progress import LogPartition, Progress
from contract.store import ProgressPoint, RawActions, WindowPoint
from contract.windows.window_value import WindowValue
from stores.memory import MemoryStore

HOUR = 494_902 * HOUR_MS
SOURCE, OTHER = LogPartition("log", 0), LogPartition("older", 1)
ACTIONS = [Action(HOUR + at, f"user-{at}", "click") for at in range(4)]


async def read(store: MemoryStore) -> tuple[Sequence[Action], int, int]:
    found = RawHour(store, HOUR)
    actions = [action async for some in found.portions() for action in some]
    return actions, found.found, found.counted


async def test_what_is_not_counted_yet_is_left_out_though_it_is_stored() -> None:
    store = MemoryStore()
    await store.write_actions([RawActions(SOURCE, 0, [None, *ACTIONS]), RawActions(OTHER, 0, ACTIONS[:1])])
    await store.write_progress(
        [ProgressPoint(SOURCE, 1, Progress(5, lines=3)), ProgressPoint(OTHER, 2, Progress(7, 1))]
    )
    values = [
        WindowPoint(SOURCE, HOUR, 1, WindowValue(5, {"click": 1}, duplicates=1)),
        WindowPoint(SOURCE, HOUR, 2, WindowValue(6, {"click": 3}, duplicates=1)),
        WindowPoint(OTHER, HOUR, 1, WindowValue(3, {"click": 1})),
    ]
    await store.write_windows(values, [])
    assert await read(store) == ([ACTIONS[0], ACTIONS[1], ACTIONS[0]], 3, 3)


async def test_what_was_counted_and_is_not_stored_shows_in_the_numbers() -> None:
    store = MemoryStore()
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(5, lines=9))])
    await store.write_windows([WindowPoint(SOURCE, HOUR, 1, WindowValue(5, {"click": 7, "e": 1}, duplicates=1))], [])
    assert await read(store) == ([], 0, 9)


async def test_what_is_counted_while_it_is_read_does_not_show() -> None:
    class CountedOn(MemoryStore):
        async def read_windows(self, hour: int, source: LogPartition | None = None) -> list[WindowPoint]:
            await self.write_windows([WindowPoint(SOURCE, HOUR, 2, WindowValue(6, {"click": 2}))], [])
            await self.write_progress([ProgressPoint(SOURCE, 2, Progress(6, lines=2))])
            return await super().read_windows(hour, source)

    store = CountedOn()
    await store.write_actions([RawActions(SOURCE, 0, ACTIONS[:2])])
    await store.write_windows([WindowPoint(SOURCE, HOUR, 1, WindowValue(5, {"click": 1}))], [])
    await store.write_progress([ProgressPoint(SOURCE, 1, Progress(5, lines=1))])
    assert await read(store) == (ACTIONS[:1], 1, 1)


def test_actions_are_selected_by_user_by_event_and_by_both() -> None:
    actions = [Action(HOUR, "u", "click"), Action(HOUR, "u", "e"), Action(HOUR, "v", "e")]
    assert Selection(None, None).of(actions) == actions
    assert Selection("u", None).of(actions) == actions[:2]
    assert Selection(None, "e").of(actions) == actions[1:]
    assert Selection("u", "e").of(actions) == actions[1:2]
