"""The document about metrics says what the lists say, and names are as Prometheus' users expect."""

import re
from itertools import chain
from pathlib import Path

import pytest

from collector.commands.operating.metrics import METRICS, as_markdown
from service.metrics.listed import Kind, Metric

ROOT = Path(__file__).parents[3]
ALL = {metric.name: metric for metric in chain.from_iterable(METRICS.values())}


def test_the_tables_in_the_docs_are_what_the_command_prints() -> None:
    assert (ROOT / "docs/metrics.md").read_text().endswith("\n".join(as_markdown()) + "\n")


@pytest.mark.parametrize("metric", ALL.values(), ids=ALL)
def test_a_name_ends_in_its_unit_and_a_counters_in_total(metric: Metric) -> None:
    assert re.fullmatch(r"(collector|process|python)(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    if metric.kind is Kind.HISTOGRAM:
        assert metric.unit == "seconds" or metric.name.endswith("_lines")
    assert re.fullmatch(r"\S.*\.", metric.meaning)


def test_a_metric_that_several_services_have_is_the_same_in_all() -> None:
    for metric in chain.from_iterable(METRICS.values()):
        if metric.name != "collector_dependency_up":
            assert metric == ALL[metric.name]
