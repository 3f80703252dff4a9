from contract.log.progress import Progress
from stream_workers.partition.state import PartitionState
from support.fixtures.partition_state import EARLIER, flushed, folded, new_state
from support.fixtures.worker import SOURCE, PastLog, click, numbered_slots, record


async def test_a_windows_two_slots_are_written_in_turn() -> None:
    state, slots = new_state(), []
    for offset in range(4):
        flush = flushed(await folded(state, record(offset, click("ada"))))
        (point,) = flush.window_points()
        slots.append(point.slot)
        state.committed(flush)
    assert slots[0] != slots[1]
    assert slots == slots[:2] * 2


async def test_a_slot_is_drawn_anew_for_the_value_that_was_uncertain_only() -> None:
    state = new_state()
    first = flushed(await folded(state, record(0, click("ada"))))
    (committed,) = first.window_points()
    state.committed(first)
    second = flushed(await folded(state, record(1, click("ada"))))
    (uncertain,) = second.window_points()

    second.draw_window_slots()

    (again,) = second.window_points()
    assert len({committed.slot, uncertain.slot, again.slot}) == 3
    assert again.value == uncertain.value
    state.committed(second)
    third = flushed(await folded(state, record(2, click("ada"))))
    assert [point.slot for point in third.window_points()] == [committed.slot]


async def test_each_window_and_each_state_has_slots_of_its_own() -> None:
    slots = numbered_slots()
    states = [PartitionState(SOURCE, Progress(), slots, PastLog()) for _ in range(2)]
    drawn = [state.progress_slot for state in states]
    for state in states:
        await folded(state, record(0, click("ada"), click("ada", hour=EARLIER)))
        drawn += [slot for window in state.windows.values() for slot in window.slots]
    assert len(set(drawn)) == len(drawn) == 10
