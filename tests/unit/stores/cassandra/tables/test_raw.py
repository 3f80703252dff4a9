from contract.action import Action
from contract.progress import LogPartition
from contract.store import RawActions
from stores.cassandra.settings import CassandraSettings
from stores.cassandra.tables.raw import LAP, RUN, RawRuns, unpacked

SOURCE = LogPartition("log", 3)
DAY = 24 * 3_600_000
NOW = 400 * DAY
ACTION = Action(NOW, "user", "click", "id")


def rows(*batches: RawActions, **settings: str) -> list[tuple[object, ...]]:
    runs = RawRuns(CassandraSettings(**settings))  # type: ignore[arg-type] # pydantic parses it
    return [row for mutation in runs.mutations(batches, NOW) for row in mutation.rows]


def test_batches_that_follow_on_one_another_are_one_run() -> None:
    other = Action(NOW, "other", "e")
    ((log, partition, lap, first, lines, packed, _),) = rows(
        RawActions(SOURCE, 5, [ACTION]), RawActions(SOURCE, 6, [None, other])
    )
    assert (log, partition, lap, first, lines) == ("log", 3, 0, 5, 3)
    assert isinstance(packed, bytes)
    assert unpacked(packed) == [ACTION, None, other]


def test_a_gap_and_another_partition_begin_another_run() -> None:
    other = LogPartition("log", 4)
    found = rows(RawActions(SOURCE, 0, [ACTION]), RawActions(SOURCE, 2, [ACTION]), RawActions(other, 3, [ACTION]))
    assert [(row[1], row[3]) for row in found] == [(3, 0), (3, 2), (4, 3)]


def test_runs_are_cut_where_a_lap_ends_and_where_they_are_too_long() -> None:
    found = rows(RawActions(SOURCE, LAP - 2, [ACTION] * (RUN + 5)))
    assert [row[2:5] for row in found] == [(0, LAP - 2, 2), (1, LAP, RUN), (1, LAP + RUN, 3)]


def test_lines_near_the_end_of_their_retention_are_left_out_and_the_others_expire_after_it() -> None:
    limit = NOW - 2 * DAY + 3_600_000
    old, young = Action(limit - 1, "old", "e"), Action(limit, "young", "e")
    settings = {"raw_retention": "P2D", "raw_retention_margin": "PT1H"}
    ((*_, packed, seconds),) = rows(RawActions(SOURCE, 0, [old, young]), **settings)
    assert isinstance(packed, bytes)
    assert unpacked(packed) == [None, young]
    assert seconds == 2 * 24 * 3600
    assert rows(RawActions(SOURCE, 0, [old, None]), **settings) == []
