from contract.progress import Progress
from stream_workers.partition.state import PartitionState
from support.fixtures.partition_state import EARLIER, flushed, folded, new_state
from support.fixtures.worker import SOURCE, PastLog, click, numbered_places, record


async def test_a_windows_two_places_are_written_in_turn() -> None:
    state, places = new_state(), []
    for offset in range(4):
        flush = flushed(await folded(state, record(offset, click("ada"))))
        (point,) = flush.window_points()
        places.append(point.place)
        state.committed(flush)
    assert places[0] != places[1]
    assert places == places[:2] * 2


async def test_a_place_is_drawn_anew_for_the_value_that_was_uncertain_only() -> None:
    state = new_state()
    first = flushed(await folded(state, record(0, click("ada"))))
    (committed,) = first.window_points()
    state.committed(first)
    second = flushed(await folded(state, record(1, click("ada"))))
    (uncertain,) = second.window_points()

    second.draw_window_places()

    (again,) = second.window_points()
    assert len({committed.place, uncertain.place, again.place}) == 3
    assert again.value == uncertain.value
    state.committed(second)
    third = flushed(await folded(state, record(2, click("ada"))))
    assert [point.place for point in third.window_points()] == [committed.place]


async def test_each_window_and_each_state_has_places_of_its_own() -> None:
    places = numbered_places()
    states = [PartitionState(SOURCE, Progress(), places, PastLog()) for _ in range(2)]
    drawn = [state.progress_place for state in states]
    for state in states:
        await folded(state, record(0, click("ada"), click("ada", hour=EARLIER)))
        drawn += [place for held in state.windows.values() for place in held.places]
    assert len(set(drawn)) == len(drawn) == 10
