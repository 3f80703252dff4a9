"""How soon counting goes on: after a restart into an hour with a million users, and after a worker was killed."""

import time
from functools import partial
from typing import Final

from bench.case import Case, Contender, Figures
from bench.load.traffic import Made, Numbers, each_user_once, fill, records, this_hour
from bench.running.services import PARTITIONS, Services
from bench.running.workers import Work, workers_on
from stream_workers.settings import WorkerSettings

_USERS: Final = 1_000_000
_LINES: Final = 500


def restart(services: Services) -> Case:
    """One worker has counted 1,000,000 users of one hour and is stopped; a few actions wait for the next."""
    return Case("restart, 1,000,000 users in the hour", [Contender("ours", partial(_run_restart, services))], once=True)


def failover(services: Services) -> Case:
    """One of two workers is killed, and actions of all partitions wait to be counted."""
    timeout = WorkerSettings().worker_session_timeout.total_seconds()
    name = f"failover after SIGKILL, session timeout {timeout:.0f} s"
    return Case(name, [Contender("ours", partial(_run_failover, services))], once=True)


def _run_restart(services: Services) -> Figures:
    topic, hour = services.topic(), this_hour()
    fill(services.kafka.bootstrap, topic, records(each_user_once(hour, _USERS), _LINES, PARTITIONS), PARTITIONS)
    with workers_on(services, topic, 1) as workers:
        workers.wait_until_counted(_USERS)
        memory_before = workers.memory_mb()
        workers.stop(workers.running[0])
        late = [Made(hour, f"user-{number}", "click") for number in range(8 * PARTITIONS)]
        fill(services.kafka.bootstrap, topic, records(late, _LINES, PARTITIONS), PARTITIONS)
        started = time.monotonic()
        workers.start()
        workers.wait_until_assigned(PARTITIONS)
        assigned = time.monotonic()
        workers.wait_until(lambda: workers.lines_through() > _USERS)
        counted = time.monotonic()
        memory = workers.memory_mb()
        workers.wait_until_counted(_USERS + len(late))
        numbers = Numbers(_USERS, _USERS // 2 + len(late), _USERS // 2)
        workers.require_counted(Work(topic, _USERS + len(late), {hour: numbers}, PARTITIONS))
    return {
        "assigned to first counted s": counted - assigned,
        "started to first counted s": counted - started,
        "memory before MB": memory_before,
        "memory after MB": memory,
    }


def _run_failover(services: Services) -> Figures:
    topic, hour = services.topic(), this_hour()
    before, after = each_user_once(hour, 1_000), each_user_once(hour, 1_000)
    with workers_on(services, topic, 2) as workers:
        workers.wait_until_assigned(PARTITIONS)
        fill(services.kafka.bootstrap, topic, records(before, _LINES, PARTITIONS), PARTITIONS)
        workers.wait_until_counted(1_000)
        killed = time.monotonic()
        workers.kill(workers.running[0])
        fill(services.kafka.bootstrap, topic, records(after, _LINES, PARTITIONS), PARTITIONS)
        workers.wait_until_counted(2_000)
        seconds = time.monotonic() - killed
        workers.require_counted(Work(topic, 2_000, {hour: Numbers(1_000, 1_000, 1_000)}, PARTITIONS))
    return {"killed to all counted s": seconds}
