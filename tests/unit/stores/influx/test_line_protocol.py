from collections.abc import Iterator

import pytest

from contract.errors import StoreConflict
from contract.hour import END_OF_TIME_MS, HOUR_MS
from contract.log.action import MAX_ID, MAX_USER, Action
from contract.log.progress import LogPartition, Progress
from contract.log.rebuild import Manifest, Rebuild
from contract.store import SLOTS, ManifestPoint, ProgressPoint, RawActions, SegmentPoint, WindowPoint
from contract.windows.hashes import pack_hashes
from contract.windows.segment import Segment, cut_segments
from contract.windows.window_value import WindowValue
from stores.influx.line_protocol import (
    MAX_BYTES,
    MAX_LINES,
    MAX_RUN_BYTES,
    action_bodies,
    halves,
    manifest_bodies,
    progress_bodies,
    result_bodies,
    run_bodies,
)
from stores.influx.schema import MS
from stores.raw.runs import Run

SOURCE = LogPartition("OldrkDJ2R4WmwCUXOqKyRw", 3)
EVENTS = frozenset({"click", "e"})
TAGS = "log=OldrkDJ2R4WmwCUXOqKyRw,partition=3"
NOVEMBER = 494_902 * HOUR_MS


def action_lines(first_line: int, *lines: Action | None, oldest: int = 0) -> list[str]:
    bodies = list(action_bodies([RawActions(SOURCE, first_line, lines)], oldest, EVENTS))
    return [line for body in bodies for line in body.decode().split("\n")]


def test_an_action_carries_its_ms_and_its_lines_number() -> None:
    lines = action_lines(4_000_999, Action(NOVEMBER + 5, "u", "click", "i"), None, Action(NOVEMBER, "v", "e"))
    assert lines == [
        f'actions,event=click,lap=4,{TAGS} user="u",id="i" {NOVEMBER + 5}000999',
        f'actions,event=e,lap=4,{TAGS} user="v" {NOVEMBER}001001',
    ]


def test_a_run_has_a_time_of_its_own_within_its_hour() -> None:
    lap, most = 100_000_000, 2_500
    keys = [(lap, 1), (lap, 2), (lap + 1, 1), (2 * lap - 1, 1), (2 * lap - 1, most)]
    runs = [Run(SOURCE, NOVEMBER, first, length, b"packed") for first, length in keys]
    lines = [line for body in run_bodies(runs) for line in body.decode().split("\n")]
    assert lines[0] == f'action_runs,lap=1,{TAGS} packed="cGFja2Vk" {NOVEMBER}000001'
    times = [int(line.split(" ")[-1]) for line in lines]
    assert len(set(times)) == len(keys)
    assert {time // MS // HOUR_MS * HOUR_MS for time in times} == {NOVEMBER}


def test_a_body_of_runs_is_made_of_few_so_that_making_it_holds_up_little() -> None:
    made: list[Run] = []

    def runs() -> Iterator[Run]:
        for number in range(100):
            made.append(Run(SOURCE, NOVEMBER, 2_500 * number, 2_500, b"x" * 40_000))
            yield made[-1]

    bodies = run_bodies(runs())
    assert len(next(bodies)) <= MAX_RUN_BYTES
    assert len(made) < 10
    assert max(map(len, bodies)) <= MAX_RUN_BYTES


def test_events_that_no_setting_names_share_a_tag_and_keep_their_names() -> None:
    unknown, odd = Action(NOVEMBER, "u", "made_up", "i"), Action(NOVEMBER, 'q"', "also")
    assert action_lines(0, unknown, odd, Action(NOVEMBER, "v", "e")) == [
        f'actions,event=_other,lap=0,{TAGS} name="made_up",user="u",id="i" {NOVEMBER}000000',
        f'actions,event=_other,lap=0,{TAGS} name="also",user="q\\"" {NOVEMBER}000001',
        f'actions,event=e,lap=0,{TAGS} user="v" {NOVEMBER}000002',
    ]


def test_the_number_starts_again_with_each_lap() -> None:
    same = Action(NOVEMBER, "u", "e")
    assert action_lines(2_999_999, same, same) == [
        f'actions,event=e,lap=2,{TAGS} user="u" {NOVEMBER}999999',
        f'actions,event=e,lap=3,{TAGS} user="u" {NOVEMBER}000000',
    ]


def test_quotes_and_backslashes_are_escaped_and_nothing_else_is() -> None:
    odd, plain = Action(NOVEMBER, 'a"b\\,c =d', "e", '\\"'), Action(NOVEMBER, "é", "e", "i")
    assert action_lines(0, odd, plain) == [
        f'actions,event=e,lap=0,{TAGS} user="a\\"b\\\\,c =d",id="\\\\\\"" {NOVEMBER}000000',
        f'actions,event=e,lap=0,{TAGS} user="é",id="i" {NOVEMBER}000001',
    ]


def test_actions_older_than_asked_for_are_left_out_and_their_numbers_too() -> None:
    actions = [Action(NOVEMBER + ms, "u", "e") for ms in (-1, 0, 1, -1)]
    assert action_lines(0, *actions, oldest=NOVEMBER) == [
        f'actions,event=e,lap=0,{TAGS} user="u" {NOVEMBER}000001',
        f'actions,event=e,lap=0,{TAGS} user="u" {NOVEMBER + 1}000002',
    ]
    assert action_lines(0, *actions, oldest=NOVEMBER + 2) == []


def test_a_manifest_carries_its_id_and_what_was_rebuilt() -> None:
    manifest = Manifest("b1946ac9", Rebuild(NOVEMBER + 7, HOUR_MS, 2 * HOUR_MS, 6))
    (body,) = manifest_bodies([ManifestPoint(SOURCE, manifest)])
    rebuild = rf"{{\"generation\":{NOVEMBER + 7},\"first\":3600000,\"end\":7200000,\"through_offset\":6}}"
    state = rf"{{\"version\":1,\"id\":\"b1946ac9\",\"rebuild\":{rebuild}}}"
    assert body.decode() == f'rebuilds,{TAGS},manifest=b1946ac9 state="{state}" {NOVEMBER + 7}000000'


@pytest.mark.parametrize("name", ["", "a b", "a,b=c", "a\nb"])
def test_a_manifest_s_id_that_a_tag_could_not_hold_is_refused(name: str) -> None:
    with pytest.raises(StoreConflict, match="no name for a tag"):
        list(manifest_bodies([ManifestPoint(SOURCE, Manifest(name, Rebuild(1, 0, HOUR_MS, 6)))]))


def test_a_window_carries_its_state_and_numbers_for_people() -> None:
    point = WindowPoint(SOURCE, NOVEMBER, 7, WindowValue(1, {"click": 2}, 3, 4, 5, 6))
    (body,) = result_bodies([point], [], EVENTS)
    state = (
        r"{\"version\":1,\"through_offset\":1,\"counts\":{\"click\":2},\"duplicates\":3,\"unique_users\":4,"
        r"\"fewest_partitions\":5,\"most_partitions\":6,\"generation\":0,\"full_through\":-1}"
    )
    time = NOVEMBER * 1_000_000 + 7
    assert body.decode() == f'hourly,{TAGS} state="{state}",through_offset=1i,unique_users=4i,count_click=2i {time}'


def test_the_numbers_of_events_that_no_setting_names_are_added_up() -> None:
    point = WindowPoint(SOURCE, NOVEMBER, 7, WindowValue(1, {"click": 2, "made_up": 3, "also": 4, "_other": 5}))
    (body,) = result_bodies([point], [], EVENTS)
    assert ",unique_users=0i,count_click=2i,count__other=12i " in body.decode()


def test_a_segment_is_timed_by_its_offset_and_names_its_part() -> None:
    segment = Segment(10**12, pack_hashes([1]), b"", 2, 4)
    (body,) = result_bodies([], [SegmentPoint(SOURCE, NOVEMBER, segment)], EVENTS)
    time = NOVEMBER * 1_000_000 + 10**12
    assert body.decode() == f'hourly_users,{TAGS},part=2/4 ids="",users="AQAAAAAAAAA=" {time}'


@pytest.mark.parametrize(
    ("watermark", "hour"), [(-1, 0), (0, 0), (NOVEMBER + HOUR_MS - 1, NOVEMBER), (END_OF_TIME_MS, END_OF_TIME_MS)]
)
def test_progress_is_timed_by_the_hour_of_its_watermark(watermark: int, hour: int) -> None:
    (body,) = progress_bodies([ProgressPoint(SOURCE, SLOTS - 1, Progress(watermark=watermark))])
    assert body.decode().startswith(f'progress,{TAGS} state="')
    assert body.decode().endswith(f'" {hour * 1_000_000 + SLOTS - 1}')


@pytest.mark.parametrize("slot", [-1, SLOTS])
def test_a_slot_outside_the_hour_is_refused(slot: int) -> None:
    with pytest.raises(StoreConflict, match=f"slot {slot}"):
        list(progress_bodies([ProgressPoint(SOURCE, slot, Progress())]))
    with pytest.raises(StoreConflict, match=f"slot {slot}"):
        list(result_bodies([WindowPoint(SOURCE, NOVEMBER, slot, WindowValue())], [], EVENTS))


def test_an_offset_that_would_reach_into_the_next_hour_is_refused() -> None:
    segment = Segment(SLOTS, pack_hashes([1]), b"")
    with pytest.raises(StoreConflict, match=f"through_offset {SLOTS}"):
        list(result_bodies([], [SegmentPoint(SOURCE, NOVEMBER, segment)], EVENTS))


@pytest.mark.parametrize("log", ["", "a b", "a,b=c", "a\\", "a\nb", 'a"'])
def test_a_log_that_a_tag_could_not_hold_is_refused(log: str) -> None:
    with pytest.raises(StoreConflict, match="no name for a tag"):
        list(progress_bodies([ProgressPoint(LogPartition(log, 0), 0, Progress())]))


LARGEST = Action(END_OF_TIME_MS - 1, "\\" * 128 + "😀" * (MAX_USER - 128), "e" * 32, '"' * MAX_ID)


@pytest.mark.parametrize("action", [Action(NOVEMBER, "u", "e"), LARGEST])
@pytest.mark.parametrize("batch", [1, 999, 50_000])
def test_bodies_of_actions_are_bounded_and_lose_no_line(action: Action, batch: int) -> None:
    batches = [RawActions(SOURCE, first, [action] * batch) for first in range(0, max(batch, 20_000), batch)]
    bodies = list(action_bodies(batches, 0, EVENTS))
    lines = [line for body in bodies for line in body.split(b"\n")]
    assert len(set(lines)) == len(lines) == len(batches) * batch
    assert max(map(len, bodies)) <= MAX_BYTES
    assert max(body.count(b"\n") for body in bodies) < MAX_LINES
    fewest = max(len(lines) / MAX_LINES, sum(map(len, bodies)) / MAX_BYTES)
    assert len(bodies) <= 2 * fewest + 1


def test_bodies_of_results_are_bounded_and_lose_no_line() -> None:
    windows = [WindowPoint(SOURCE, NOVEMBER, slot, WindowValue(slot)) for slot in range(12_000)]
    segments = [SegmentPoint(SOURCE, NOVEMBER, one) for one in cut_segments(7, range(200_000), [])]
    bodies = list(result_bodies(windows, segments, EVENTS))
    lines = [line for body in bodies for line in body.split(b"\n")]
    assert len(set(lines)) == len(lines) == len(windows) + len(segments)
    assert max(map(len, bodies)) <= MAX_BYTES
    assert max(body.count(b"\n") for body in bodies) < MAX_LINES


def test_a_line_longer_than_a_body_may_be_is_sent_by_itself() -> None:
    huge = WindowValue(1, {f"event_{number}": number for number in range(60_000)})
    small = WindowValue(2)
    points = [WindowPoint(SOURCE, NOVEMBER, slot, value) for slot, value in enumerate([small, huge, small])]
    bodies = list(result_bodies(points, [], EVENTS))
    assert [body.count(b"\n") + 1 for body in bodies] == [1, 1, 1]
    assert len(bodies[1]) > MAX_BYTES


@pytest.mark.parametrize("body", [b"a\nb", b"a\nbbbbbbbbb", b"aaaaaaaaa\nb", b"aa\nbb\ncc\ndd", b"a\n\nb"])
def test_halves_are_cut_between_lines(body: bytes) -> None:
    first, second = halves(body)
    assert first + b"\n" + second == body


def test_nothing_makes_no_body() -> None:
    assert list(action_bodies([], 0, EVENTS)) == []
    assert list(action_bodies([RawActions(SOURCE, 0, [None])], 0, EVENTS)) == []
    assert list(result_bodies([], [], EVENTS)) == []
    assert list(progress_bodies([])) == []
