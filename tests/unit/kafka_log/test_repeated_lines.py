"""How often log lines of one kind are written."""

import logging
from collections.abc import Iterator

import pytest

from kafka_log.repeated_lines import EVERY, RepeatedLines


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Iterator[logging.Logger]:
    log = logging.getLogger(__name__)
    held = RepeatedLines(clock=clock)
    log.addFilter(held)
    yield log
    log.removeFilter(held)


def test_lines_that_differ_in_numbers_only_are_written_once_in_a_while_with_how_many_were_held_back(
    log: logging.Logger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(4):
        log.warning("refused after %d ms", 300 + number)
    clock.now += EVERY
    log.warning("refused after %d ms", 7)
    assert caplog.messages == ["refused after 300 ms", "refused after 7 ms (3 more such lines since)"]


def test_lines_of_other_kinds_are_not_held_back(log: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    log.warning("refused")
    log.error("refused")
    log.warning("connected, 100 %")
    assert caplog.messages == ["refused", "refused", "connected, 100 %"]


def test_memory_is_bounded_however_many_kinds_there_are(log: logging.Logger) -> None:
    (held,) = log.filters
    assert isinstance(held, RepeatedLines)
    for number in range(3_000):
        log.warning("kind %s", "x" * number)
    assert len(held._kinds) <= 1_000  # noqa: SLF001 - what it holds is what must be bounded


def test_lines_of_other_loggers_pass_where_it_is_about_one(clock: Clock) -> None:
    held = RepeatedLines("aiokafka", clock)

    def passes(name: str) -> bool:
        return bool(held.filter(logging.LogRecord(name, logging.ERROR, "", 0, "away", None, None)))

    assert [
        passes(name) for name in ("aiokafka", "aiokafka.consumer", "aiokafka", "stream_workers", "stream_workers")
    ] == [
        True,
        False,
        False,
        True,
        True,
    ]
