"""What is made is listed, and what is listed is exported."""

import re

import pytest

from service.metrics.listed import Kind, Metric, MetricList


def test_each_value_of_a_label_whose_values_are_known_is_there_from_the_start() -> None:
    listed = MetricList()
    listed.counter("a_total", "A.", outcome=("good", "bad"), side=("left", "right"))

    lines = [line for line in listed.exposition().decode().splitlines() if not line.startswith("#")]

    assert sorted(lines) == [
        f'a_total{{outcome="{outcome}",side="{side}"}} 0.0' for outcome in ("bad", "good") for side in ("left", "right")
    ]


def test_a_label_whose_values_are_not_known_has_none_at_the_start() -> None:
    listed = MetricList()
    listed.counter("a_total", "A.", outcome=("good", "bad"), code="the rule's")

    assert 'outcome="good"' not in listed.exposition().decode()


def test_what_is_counted_elsewhere_is_read_when_somebody_looks() -> None:
    listed, seen = MetricList(), [3]
    listed.counted_elsewhere("a_total", "A.").set_function(lambda: seen[0])
    seen[0] = 4

    assert "\na_total 4.0\n" in listed.exposition().decode()
    assert "# TYPE a_total counter\n" in listed.exposition().decode()


def test_histograms_have_no_series_about_their_beginning() -> None:
    listed = MetricList()
    listed.histogram("a_seconds", "A.")

    assert "_created" not in listed.exposition().decode()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("collector_x_seconds", "seconds"),
        ("process_cpu_seconds_total", "seconds"),
        ("collector_x_timestamp_seconds", "seconds since the epoch"),
        ("collector_x_bytes", "bytes"),
        ("collector_x_records_total", ""),
    ],
)
def test_the_unit_is_what_the_name_ends_in(name: str, unit: str) -> None:
    assert Metric(name, Kind.GAUGE, "", {}).unit == unit


def test_two_lists_share_nothing() -> None:
    first, second = MetricList(), MetricList()
    first.counter("a_total", "A.").inc()
    second.counter("a_total", "A.")

    assert re.search(r"^a_total 0.0$", second.exposition().decode(), re.MULTILINE)
