"""How the worker's cost grows: one dimension a case, one value a row, all else as in the main table."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from bench.case import Case, Contender, Figures
from bench.cases.worker import filled, run_ours
from bench.load.traffic import Made, Numbers, count, each_user_once, fill, make, records, this_hour
from bench.running.services import PARTITIONS, Services
from bench.running.workers import Work, workers_on

_LINES: Final = 500
_USERS: Final = 200_000


class Value(NamedTuple):
    """One row: what it is called, how large it is, and what fills its log."""

    name: str
    size: float
    fill: Callable[[Services], Work]


def workers(services: Services) -> Case:
    """1, 2 and 4 workers on 8 partitions."""
    made = make(11, 1_000_000, _USERS)
    return Case(
        "workers",
        [
            Contender(f"{number} worker{'s' * (number > 1)}", partial(_run_several, services, made, number))
            for number in (1, 2, 4)
        ],
    )


def lines(services: Services) -> Case:
    """1, 10, 100 and 1,000 lines a record."""
    made = make(12, 200_000, _USERS)
    return _rows(
        services,
        "lines a record",
        [
            Value(f"{number:,} lines", number, partial(filled, made=made, lines=number))
            for number in (1, 10, 100, 1_000)
        ],
    )


def users(services: Services) -> Case:
    """1e4, 1e6 and 1e7 users in one hour; each comes once, or as often as 1,000,000 actions need."""
    few = make(13, 1_000_000, 10_000, late=0)
    return _rows(
        services,
        "users an hour",
        [
            Value("10,000 users", 10_000, partial(filled, made=few, lines=_LINES)),
            *(Value(f"{number:,} users", number, partial(_each_once, number)) for number in (1_000_000, 10_000_000)),
        ],
    )


def late(services: Services) -> Case:
    """5 % and 50 % of the actions lie in the 47 hours before."""
    return _rows(
        services,
        "late share",
        [
            Value(f"{share:.0%} late", share, partial(filled, made=make(14, 1_000_000, _USERS, share), lines=_LINES))
            for share in (0.05, 0.5)
        ],
    )


def partitions(services: Services) -> Case:
    """8 and 64 partitions."""
    made = make(15, 1_000_000, _USERS)
    return _rows(
        services,
        "partitions",
        [
            Value(f"{number} partitions", number, partial(filled, made=made, lines=_LINES, partitions=number))
            for number in (8, 64)
        ],
    )


SCALE_CASES: Final = {"workers": workers, "lines": lines, "users": users, "late": late, "partitions": partitions}


def _rows(services: Services, name: str, values: list[Value]) -> Case:
    rows = [Contender(value.name, partial(_run_row, services, value.fill)) for value in values]
    return Case(name, rows, sizes=[value.size for value in values])


def _run_row(services: Services, fill_log: Callable[[Services], Work]) -> Figures:
    work = fill_log(services)
    figures = run_ours(services, work)
    return {**figures, "CPU s": figures["CPU us/action"] * work.number / 1e6}


def _each_once(number: int, services: Services) -> Work:
    topic, hour = services.topic(), this_hour()
    fill(services.kafka.bootstrap, topic, records(each_user_once(hour, number), _LINES, PARTITIONS), PARTITIONS)
    return Work(topic, number, {hour: Numbers(number, number // 2, number // 2)}, PARTITIONS)


def _run_several(services: Services, made: list[Made], number: int) -> Figures:
    """The log is filled once all have their partitions: else the first to come would count alone."""
    topic = services.topic()
    values = list(records(made, _LINES, PARTITIONS))
    with workers_on(services, topic, number) as several:
        several.wait_until_assigned(PARTITIONS)
        began, cpu_before = time.monotonic(), several.cpu()
        fill(services.kafka.bootstrap, topic, values, PARTITIONS)
        several.wait_until_counted(len(made))
        seconds, cpu = time.monotonic() - began, several.cpu() - cpu_before
        several.require_counted(Work(topic, len(made), count(made), PARTITIONS))
        return {
            "actions/s": len(made) / seconds,
            "CPU us/action": cpu / len(made) * 1e6,
            "memory MB": several.memory_mb(),
        }
