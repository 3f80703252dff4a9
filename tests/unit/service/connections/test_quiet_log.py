import logging
from collections.abc import Iterator

import pytest

from service.connections.quiet_log import MOST, SECONDS, QuietLog


class Log(logging.Handler):
    """A handler behind the filter, and a clock that the test moves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.lines: list[str] = []
        self.quiet = QuietLog(lambda: self.now)
        self.addFilter(self.quiet)
        self.logger = logging.getLogger("server")

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    loggers = (log.logger, logging.getLogger("service.connections.quiet_log"))
    for logger in loggers:
        logger.addHandler(log)
    yield log
    for logger in loggers:
        logger.removeHandler(log)


def test_of_lines_that_are_alike_the_first_are_written_and_the_others_are_counted(log: Log) -> None:
    for number in range(MOST + 7):
        log.logger.warning("no HTTP from %d", number)
    log.logger.warning("another kind")
    assert log.lines == [*(f"no HTTP from {number}" for number in range(MOST)), "another kind"]
    log.now = SECONDS
    log.quiet.report()
    log.quiet.report()
    assert log.lines[MOST + 1 :] == ["7 more lines of server were left out: no HTTP from %d"]


def test_the_next_line_after_the_time_is_written_again_and_says_what_was_left_out_before(log: Log) -> None:
    for _ in range(MOST + 1):
        log.logger.error("broken\n")
    log.now = SECONDS
    log.logger.error("broken\n")
    assert log.lines[MOST:] == ["1 more lines of server were left out: broken", "broken\n"]


def test_nothing_is_said_where_nothing_was_left_out(log: Log) -> None:
    log.logger.warning("once")
    log.now = SECONDS
    log.quiet.report()
    assert log.lines == ["once"]


def test_however_many_kinds_there_are_they_take_bounded_memory(log: Log) -> None:
    for number in range(5_000):
        log.logger.warning(f"a text of its own {number}")  # noqa: G004 - that is the case
    assert len(log.quiet._kinds) <= 1_000  # noqa: SLF001 - there is no other sign of it
