"""The worker: from the log to acknowledged results in InfluxDB."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped] # it has no types

from bench.case import Case, Contender, Figures, require
from bench.services import PARTITIONS, Services, pid_of
from bench.stored import StoredNumbers
from bench.traffic import Made, count, fill, make, records
from deploy.local.ports import free_port
from deploy.local.process import Command, Process, tail_of
from deploy.local.python_service import PythonService
from stores.settings import InfluxSettings

_USERS = 200_000
_LONGEST = 120.0
_LOOK_SECONDS = 0.05


def many_lines(services: Services) -> Case:
    """1,000,000 actions in records of 500 lines."""
    made = make(1, 1_000_000, _USERS)
    topic = _filled(services, made, 500)
    return Case(
        "worker, 500 lines a record",
        [
            Contender("ours", partial(_ours, services, topic, made)),
            Contender("hand-written loop", partial(_hand_written, services, topic, made)),
        ],
    )


def one_line(services: Services) -> Case:
    """100,000 actions in records of one line, as foreign producers send them; the baseline stores nothing."""
    made = make(2, 100_000, _USERS)
    topic = _filled(services, made, 1)
    return Case(
        "worker, 1 line a record",
        [
            Contender("ours", partial(_ours, services, topic, made)),
            Contender("Faust, reading only", partial(_faust_reader, services, topic, len(made))),
        ],
    )


def _filled(services: Services, made: Sequence[Made], lines: int) -> str:
    topic = services.topic()
    fill(services.kafka.bootstrap, topic, records(made, lines, PARTITIONS), PARTITIONS)
    return topic


def _ours(services: Services, topic: str, made: Sequence[Made]) -> Figures:
    with services.buckets() as influx:
        environment = {**services.environment(topic, influx)}
        worker = PythonService("worker", free_port(), services.log("worker"), "stream_workers", environment)
        worker.start()
        try:
            _until(lambda: "counting {" in worker.log.read_text(), worker.log)
            began, cpu_before = time.monotonic(), _cpu(worker)
            stored = StoredNumbers(influx)
            _until(lambda: asyncio.run(stored.lines_through()) == len(made), worker.log)
            seconds, cpu = time.monotonic() - began, _cpu(worker) - cpu_before
            memory = psutil.Process(pid_of(worker)).memory_info().rss
        finally:
            worker.stop()
        _check(influx, made, asyncio.run(stored.ours(count(made))))
        return {
            "actions/s": len(made) / seconds,
            "CPU us/action": cpu / len(made) * 1e6,
            "memory MB": memory / 1e6,
        }


def _hand_written(services: Services, topic: str, made: Sequence[Made]) -> Figures:
    with services.buckets() as influx:
        figures = _baseline(services, "handwritten_loop", topic, influx)
        _check(influx, made, asyncio.run(StoredNumbers(influx).hand_written()))
        return figures


def _faust_reader(services: Services, topic: str, number: int) -> Figures:
    figures = _baseline(services, "faust_reader", topic, None, str(number))
    require(figures.pop("actions"), number, "actions read")
    return figures


def _check(influx: InfluxSettings, made: Sequence[Made], found: object) -> None:
    require(found, count(made), "hours")
    require(asyncio.run(StoredNumbers(influx).raw_actions()), len(made), "raw actions")


def _baseline(
    services: Services, module: str, topic: str, influx: InfluxSettings | None, *arguments: str
) -> dict[str, float]:
    """Runs a baseline to its end; its last line is JSON: its figures."""
    log = services.log(module)
    program = [sys.executable, "-P", "-m", f"bench.baselines.{module}", *arguments]
    process = Process.start(Command(program, log, services.environment(topic, influx)))
    if not process.wait(_LONGEST) or process.reap() != 0:
        raise RuntimeError(f"{module} did not end well\n{tail_of(log)}")
    figures: dict[str, float] = json.loads(log.read_text().splitlines()[-1])
    return figures


def _until(condition: Callable[[], bool], log: Path) -> None:
    give_up = time.monotonic() + _LONGEST
    while not condition():
        if time.monotonic() > give_up:
            raise RuntimeError(f"nothing came within {_LONGEST} s\n{tail_of(log)}")
        time.sleep(_LOOK_SECONDS)


def _cpu(service: PythonService) -> float:
    times = psutil.Process(pid_of(service)).cpu_times()
    return float(times.user + times.system)
