"""What the processes come to."""

import math
from datetime import UTC, datetime

import pytest

from collector.status.seen import EXIT_CODES, Outcome, Sample, Seen, status_of

NOW = 1_800_000_000.0


def worker(name: str = "worker-1", *, lag: float = 0, store: float = 1, kafka: float = 1) -> Seen:
    return Seen(
        name,
        "running",
        samples=[
            Sample("collector_worker_lag_seconds", {"partition": "0"}, 0),
            Sample("collector_worker_lag_seconds", {"partition": "1"}, lag),
            Sample("collector_dependency_up", {"dependency": "store"}, store),
            Sample("collector_dependency_up", {"dependency": "kafka"}, kafka),
        ],
    )


def aggregator(age: float = 1, lag: float = 0) -> Seen:
    return Seen(
        "aggregator-1",
        "running",
        samples=[
            Sample("collector_aggregator_complete_through_timestamp_seconds", {}, NOW - age),
            Sample("collector_aggregator_lag_records", {}, lag),
        ],
    )


def test_all_is_well_where_all_run_and_nothing_is_late() -> None:
    status = status_of([worker(), aggregator(age=2, lag=3), Seen("kafka", "running")], NOW)

    assert (status.outcome, status.wrong, EXIT_CODES[status.outcome]) == (Outcome.FINE, [], 0)
    assert (status.lag_records, status.lag_seconds, status.freshness_seconds) == (3, 0, 2)
    assert status.complete_through == datetime.fromtimestamp(NOW - 2, UTC)
    assert (status.kafka, status.store) == ("ok", "ok")


@pytest.mark.parametrize(
    ("processes", "wrong"),
    [
        ([worker(), aggregator(), Seen("worker-2", "dead")], "worker-2: dead"),
        ([worker(), aggregator(), Seen("api", "not ready", "Kafka is away")], "api: not ready, Kafka is away"),
        ([worker(lag=61), aggregator()], "a partition is counted 61 s late"),
        ([worker(), worker("worker-2", lag=75), aggregator()], "a partition is counted 75 s late"),
        ([worker(), aggregator(age=90)], "the numbers are complete only up to 90 s ago"),
        ([worker(), worker("worker-2", store=0), aggregator()], "the store does not do what is asked"),
        ([worker(kafka=0), aggregator()], "Kafka does not do what is asked"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(processes: list[Seen], wrong: str) -> None:
    status = status_of(processes, NOW)

    assert (status.outcome, status.wrong, EXIT_CODES[status.outcome]) == (Outcome.WRONG, [wrong], 1)


@pytest.mark.parametrize(
    "processes",
    [
        [],
        [worker()],
        [aggregator()],
        [Seen("kafka", "running")],
        [worker(), aggregator(math.nan)],
        [worker(), aggregator(math.inf)],
    ],
)
def test_that_all_is_well_is_not_said_where_that_is_not_known(processes: list[Seen]) -> None:
    status = status_of(processes, NOW)

    assert (status.outcome, EXIT_CODES[status.outcome]) == (Outcome.UNKNOWN, 2)
