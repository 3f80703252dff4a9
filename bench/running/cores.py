"""Which process runs on which core: a server never shares its core with what loads it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ALL: Final = frozenset(os.sched_getaffinity(0))
SERVER: Final = frozenset({max(ALL)})
"""The core of the process that is measured, where a case pins it."""
OTHERS: Final = (ALL - SERVER) or ALL
"""The cores of the load generator, Kafka and InfluxDB, where a case pins the measured process."""


def pin(pid: int, cores: frozenset[int]) -> None:
    """All threads that the process has; those it starts later run where the one that starts them does."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


@contextmanager
def placed(servers: Iterable[int], others: Iterable[int]) -> Iterator[None]:
    """Some processes on the SERVER core; this one and the `others` on the rest, until the end of the block."""
    mine = [os.getpid(), *others]
    for pid in servers:
        pin(pid, SERVER)
    for pid in mine:
        pin(pid, OTHERS)
    try:
        yield
    finally:
        for pid in mine:
            pin(pid, ALL)


@contextmanager
def apart(server: int, others: Iterable[int]) -> Iterator[None]:
    """As `placed`, for one process that has the SERVER core to itself."""
    with placed([server], others):
        yield


@contextmanager
def first_in_line() -> Iterator[None]:
    """This thread gets its core as soon as it has something to do, where the system lets us: as root it does.

    A load generator that waits behind others for its turn takes that for the server's latency.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
