from collections import Counter

import pytest

from bench.load.generator import Answers
from bench.load.stored import StoredNumbers
from bench.running.pipeline import BATCH, Pipeline
from bench.soak import as_markdown, counted_late, figures_of
from bench.soaking.freshness import Freshness
from stores.influx.settings import InfluxSettings

RATE, SECONDS = 100_000, 60


@pytest.fixture
def soaked() -> Pipeline:
    """What was sampled of a pipeline in which all stood still."""
    probes = Freshness(1, 2)
    probes.seconds.extend([0.5, 1.0])
    return Pipeline(
        [],
        {},
        StoredNumbers(InfluxSettings()),
        probes,
        memory_mb={"stream_workers": [100.0] * SECONDS, "ingest_api": [50.0] * SECONDS},
        waiting=[20_000] * SECONDS,
    )


def answers(rate: float = RATE) -> Answers:
    """To batches that were accepted at this rate."""
    found = Answers(Counter({0: round(rate * SECONDS / BATCH)}), seconds=SECONDS)
    found.latencies.append(0.01)
    return found


def test_where_all_stood_still_nothing_grew(soaked: Pipeline) -> None:
    assert figures_of(soaked, answers(), RATE / 0.8, RATE)["grew"] == []


@pytest.mark.parametrize(("limit", "rows"), [(None, []), (125_000.0, ["limit, actions/s"])])
def test_a_limit_is_told_where_one_was_looked_for(soaked: Pipeline, limit: float | None, rows: list[str]) -> None:
    found = figures_of(soaked, answers(), limit, RATE)
    assert [name for name in found if name.startswith("limit")] == rows


def test_lag_that_grows_is_found(soaked: Pipeline) -> None:
    soaked.waiting = [20_000 + 5_000 * second for second in range(SECONDS)]
    assert figures_of(soaked, answers(), RATE / 0.8, RATE)["grew"] == ["lag"]


def test_a_rate_that_is_not_accepted_is_none_though_no_lines_wait(soaked: Pipeline) -> None:
    assert figures_of(soaked, answers(0.9 * RATE), RATE / 0.8, RATE)["grew"] == ["lag"]


def test_memory_that_grows_is_found_by_its_process(soaked: Pipeline) -> None:
    soaked.memory_mb["ingest_api"] = [50.0 + second for second in range(SECONDS)]
    assert figures_of(soaked, answers(), RATE / 0.8, RATE)["grew"] == ["ingest_api"]


@pytest.mark.parametrize(("within", "late"), [(None, []), (1.0, []), (0.999, ["p99 1.000 s, not within 0.999 s"])])
def test_what_is_counted_later_than_it_may_be_is_late(within: float | None, late: list[str]) -> None:
    probes = Freshness(1, 2)
    probes.seconds.extend([0.5, 1.0])
    assert counted_late(probes, within) == late


def test_the_table_has_a_row_for_each_figure() -> None:
    found = {"limit, actions/s": 301_234, "p99, s": 1.25, "raw actions": "packed", "grew": [], "series": {"a": 1}}
    assert list(as_markdown(found)) == [
        "| figure | measured |",
        "| --- | --- |",
        "| limit, actions/s | 301,234 |",
        "| p99, s | 1.25 |",
        "| raw actions | packed |",
    ]
