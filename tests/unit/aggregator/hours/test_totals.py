from aggregator.hours.totals import add_up, each_user_has_one_window
from contract.log.progress import LogPartition
from contract.windows.window_value import WindowValue


def window(fewest: int, most: int | None = None, unique_users: int = 1) -> WindowValue:
    most = fewest if most is None else most
    return WindowValue(9, {"click": 1}, unique_users=unique_users, fewest_partitions=fewest, most_partitions=most)


def test_no_windows_add_up_to_zeros() -> None:
    totals = add_up({})

    assert (totals.counts, totals.unique_users, totals.duplicates) == ({}, 0, 0)


def test_counts_duplicates_and_users_are_added_over_partitions() -> None:
    windows = {
        LogPartition("log", 0): WindowValue(9, {"click": 2, "view": 5}, duplicates=1, unique_users=2),
        LogPartition("log", 1): WindowValue(3, {"click": 1, "impression": 4}, duplicates=2, unique_users=3),
    }

    totals = add_up(windows)

    assert totals.counts == {"click": 3, "view": 5, "impression": 4}
    assert (totals.unique_users, totals.duplicates) == (5, 3)


def test_a_union_replaces_the_sum_of_users() -> None:
    windows = {LogPartition("log", 0): window(2, unique_users=2), LogPartition("old", 1): window(2, unique_users=3)}

    assert add_up(windows, 4).unique_users == 4


def test_users_may_be_added_over_partitions_of_one_log_and_one_count() -> None:
    assert each_user_has_one_window({LogPartition("log", 0): window(2), LogPartition("log", 1): window(2)})


def test_one_window_needs_no_union_however_its_records_were_keyed() -> None:
    assert each_user_has_one_window({})
    assert each_user_has_one_window({LogPartition("log", 5): window(0, 8)})


def test_users_may_not_be_added_over_logs() -> None:
    assert not each_user_has_one_window({LogPartition("log", 0): window(2), LogPartition("old", 1): window(2)})


def test_users_may_not_be_added_where_partitions_were_added_within_the_hour() -> None:
    grown_within = {LogPartition("log", 0): window(2, 3), LogPartition("log", 1): window(2, 3)}
    grown_between = {LogPartition("log", 0): window(2), LogPartition("log", 1): window(3)}

    assert not each_user_has_one_window(grown_within)
    assert not each_user_has_one_window(grown_between)


def test_users_may_not_be_added_where_some_record_had_no_header() -> None:
    assert not each_user_has_one_window({LogPartition("log", 0): window(0, 2), LogPartition("log", 1): window(2)})
    assert not each_user_has_one_window({LogPartition("log", 0): window(0), LogPartition("log", 1): window(0)})


def test_users_may_not_be_added_where_a_header_cannot_be_true() -> None:
    assert not each_user_has_one_window({LogPartition("log", 0): window(2), LogPartition("log", 2): window(2)})
